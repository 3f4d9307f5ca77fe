"""The statements that count what was said in one database; each takes the places that may be read.

The words of a message are compared as search compares them: stemmed as English, without case and accents, cut where a
word ends. What was asked for becomes a bound value of PostgreSQL's own full-text query, and never a pattern.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, LiteralString

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    Numeric,
    Select,
    Text,
    all_,
    any_,
    bindparam,
    case,
    cast,
    column,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import AwareTime
from memory.counting.results import Example, Matter
from memory.counting.words import ENDINGS, SITES, Sought
from memory.filters import COLUMNS, Filters, Shape, conditions, shape_of, values_of
from memory.index.store import MESSAGE_COLUMNS, to_message
from memory.message import Kind, MessageKey
from time_expressions.folding import words_of

MOST_PEOPLE = 20_000
"""People whose shares are told apart; the sums are those of all."""

MOST_STATES = 200_000
"""Messages that are compared at most between both memories."""

# Balanced parentheses belong to an address, the one that closes a masked link does not.
LINK = r"https?://(?:[^ \t\r\n<>|\[\]()\"`]|\([^ \t\r\n<>|\[\]()\"`]*\))+"
_LINKS: LiteralString = (
    "SELECT DISTINCT rtrim(found[1], '.,;:!?*_~''') AS item "  # noqa: S608 - constants
    f"FROM regexp_matches(messages.content, '{LINK}', 'gi') AS found"
)
_POLLS: LiteralString = (
    "SELECT poll[1] AS item FROM regexp_matches(messages.content, '(?:^|\\n)Poll: ([^\\n]+)', 'g') AS poll"
)
_FILES: LiteralString = "SELECT file->>'name' AS item FROM jsonb_array_elements(messages.attachments) AS file"
_NAMES: LiteralString = (
    "coalesce((SELECT string_agg(file->>'name', ' ') FROM jsonb_array_elements(messages.attachments) AS file), '')"
)


def _files_like(content_type: LiteralString, endings: LiteralString, hosts: LiteralString) -> LiteralString:
    """Return files of a content type, or with one of these endings, and links to such files or to these hosts."""
    return (
        f"{_FILES} WHERE file->>'content_type' LIKE '{content_type}' OR file->>'name' ~* '\\.({endings})$' "  # noqa: S608
        f"UNION SELECT item FROM ({_LINKS}) AS links WHERE item ~* '\\.({endings})([?#]|$)' OR item ~* '{hosts}'"
    )


_ITEMS: dict[Sought, LiteralString] = {
    Sought.LINKS: _LINKS,
    Sought.FILES: _FILES,
    Sought.PICTURES: _files_like(
        "image/%", "png|jpe?g|jfif|gif|webp|bmp|tiff?|heic|heif|avif|svg", "^https?://([a-z]+\\.)*(tenor|giphy)\\.com/"
    ),
    Sought.VIDEOS: _files_like(
        "video/%",
        "mp4|m4v|mov|webm|mkv|avi|wmv|flv|3gp",
        "^https?://([a-z]+\\.)*(youtube\\.com|youtu\\.be|vimeo\\.com|twitch\\.tv|dailymotion\\.com)/",
    ),
    Sought.RECORDINGS: _files_like("audio/%", "ogg|oga|opus|mp3|m4a|wav|flac|aac|amr|wma", "^$"),
    Sought.PDFS: _files_like("application/pdf", "pdf", "^$"),
    Sought.POLLS: _POLLS,
}
"""What stands in a message or came with it; a poll is kept as "Poll: question"."""

_MAY_HAVE: dict[Sought, LiteralString] = {
    Sought.LINKS: "messages.content LIKE '%://%'",
    Sought.POLLS: "messages.content LIKE '%Poll: %'",
    Sought.FILES: "messages.attachments <> '[]'",
}
_MAY_HAVE_EITHER: LiteralString = "(messages.attachments <> '[]' OR messages.content LIKE '%://%')"

_RUN_TOGETHER = (
    (0x0E00, 0x0FFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x3040, 0x30FF),
    (0x3400, 0x9FFF),
    (0xAC00, 0xD7A3),
)
"""Letters of Thai, Lao, Burmese, Khmer, Japanese, Chinese and Korean, in which no space parts words from each other."""


_WORDS, _ANY, _PHRASE, _PARTS = "all words", "any words", "phrase", "parts"
_IN_NAME, _ANYWHERE = "in the name", "anywhere"
_LETTERS, _PLAIN_LETTERS = "łŁøØđĐı\N{RIGHT SINGLE QUOTATION MARK}", "lLoOdDi'"
"""Letters that have no decomposition, and as which they are typed."""

_SIGNS = r"'[][/_|*`~@#=&?:<>\\^+(){}-]|\.(?!\d)'"
"""The SQL of what may join words; "0.4" stays one word."""

_SHORTEST_STEM = 3


@dataclass(frozen=True, slots=True)
class _Asked:
    """The shape of a matter: what is sought, how its terms are compared, and whether it has an attribute."""

    sought: Sought
    terms: str
    attribute: str


@dataclass(frozen=True, slots=True)
class PersonCount:
    """How much one person has, by a key that both memories know the person by, and the person's newest message."""

    person: str
    messages: int
    items: int
    newest: MessageKey


@dataclass(frozen=True, slots=True)
class Counted:
    """How much there is in one memory: the sums, those of each person, and the keys of the first messages."""

    messages: int
    items: int
    people: tuple[PersonCount, ...]
    first: tuple[MessageKey, ...]


@dataclass(frozen=True, slots=True)
class States:
    """The messages of some time in one memory, and of those that were changed, when they were edited last.

    `gone` are those that were deleted or are the bot's own answers.
    """

    ids: frozenset[int]
    edited: Mapping[int, datetime]
    gone: frozenset[int]


async def count(
    session: AsyncSession,
    *,
    matter: Matter,
    filters: Filters,
    excluded: Collection[int],
    newest_first: bool,
    limit: int,
) -> Counted:
    """Return how much there is and by whom, and the keys of the first `limit` messages, newest or oldest first.

    `excluded` are messages that the other memory knows better.
    """
    statement = _count(shape_of(filters), _asked(matter), newest_first=newest_first)
    values = {"most": MOST_PEOPLE, "limit": limit, **_values(matter, filters, excluded)}
    rows = (await session.execute(statement, values)).all()
    people = [row for row in rows if row.person is not None]
    first = sorted(((row.message_id, row.sent_at) for row in rows if row.person is None), key=_in_time)
    return Counted(
        messages=people[0].all_messages if people else 0,
        items=people[0].all_items if people else 0,
        people=tuple(PersonCount(row.person, row.messages, row.items, (row.message_id, row.sent_at)) for row in people),
        first=tuple(reversed(first) if newest_first else first),
    )


async def read(
    session: AsyncSession,
    *,
    matter: Matter,
    filters: Filters,
    excluded: Collection[int],
    keys: Collection[MessageKey],
) -> list[Example]:
    """Return those of the messages that count, with what was counted in them."""
    values = {
        "ids": [message_id for message_id, _ in keys],
        "times": [sent_at for _, sent_at in keys],
        **_values(matter, filters, excluded),
    }
    rows = (await session.execute(_read(shape_of(filters), _asked(matter)), values)).mappings()
    return [Example(to_message(row), tuple(row["items"] or ())) for row in rows]


def _in_time(key: MessageKey) -> tuple[datetime, int]:
    message_id, sent_at = key
    return sent_at, message_id


async def span(session: AsyncSession) -> tuple[datetime, datetime] | None:
    """Return when the first and the last message were sent; None when there is none."""
    first = await session.scalar(select(COLUMNS.sent_at).order_by(COLUMNS.sent_at).limit(1))
    last = await session.scalar(select(COLUMNS.sent_at).order_by(COLUMNS.sent_at.desc()).limit(1))
    return (first, last) if first is not None and last is not None else None


async def states(session: AsyncSession, *, first: datetime, last: datetime) -> States:
    """Return the states of the messages from one moment to another, both included; MOST_STATES at most."""
    within = COLUMNS.sent_at.between(bindparam("first", type_=AwareTime), bindparam("last", type_=AwareTime))
    newest = select(COLUMNS.message_id).where(within).order_by(COLUMNS.sent_at.desc()).limit(MOST_STATES).subquery()
    is_gone = or_(COLUMNS.deleted_at.is_not(None), COLUMNS.kind == Kind.ANSWER.value)
    changed = select(COLUMNS.message_id, COLUMNS.edited_at, is_gone.label("is_gone")).where(
        within, or_(COLUMNS.edited_at.is_not(None), is_gone)
    )
    times = {"first": first, "last": last}
    ids = await session.scalar(select(func.array_agg(newest.c.message_id)), times)
    rows = (await session.execute(changed.limit(MOST_STATES), times)).all()
    return States(
        frozenset(ids or ()),
        {row.message_id: row.edited_at for row in rows if row.edited_at is not None},
        frozenset(row.message_id for row in rows if row.is_gone),
    )


def _asked(matter: Matter) -> _Asked:
    attribute = (_IN_NAME if matter.attribute.lower() in SITES | ENDINGS else _ANYWHERE) if matter.attribute else ""
    return _Asked(matter.sought, _way_of(matter.terms), attribute)


def _way_of(terms: str) -> str:
    """Return in which way terms are compared."""
    if not terms or _is_part(terms):
        return _PARTS if terms else ""
    if _is_phrase(terms):
        return _PHRASE
    return _ANY if "or" in words_of(terms) else _WORDS


def _is_phrase(terms: str) -> bool:
    """Tell whether terms are one phrase, of which every word counts as it is."""
    return terms.count('"') == 2 and terms[0] == terms[-1] == '"' and " " in terms


def _is_part(terms: str) -> bool:
    """Tell whether terms are looked for as parts of a text: signs, and languages without spaces between words."""
    if not words_of(terms):
        return bool(terms)
    return any(start <= ord(letter) <= end for letter in terms for start, end in _RUN_TOGETHER)


def _values(matter: Matter, filters: Filters, excluded: Collection[int]) -> dict[str, Any]:
    terms = matter.terms.replace('"', " ").split() if _is_part(matter.terms) else matter.terms
    return {
        **values_of(filters),
        "excluded": sorted(excluded),
        **({"terms": terms} if matter.terms else {}),
        **({"attribute": matter.attribute, "part": _part_of(matter.attribute)} if matter.attribute else {}),
    }


def _part_of(attribute: str) -> str:
    """Return what an address or the name of a file has when it is called so: YouTube's short addresses are youtu.be."""
    word = attribute.lower()
    if word in ENDINGS:
        return f".{word}"
    return "youtu" if word in {"youtube", "yt"} else attribute


def _found(shape: Shape, asked: _Asked, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return columns of the messages that count, and `items`, what was counted in each."""
    statement = select(*columns).where(
        *conditions(shape), COLUMNS.message_id != all_(bindparam("excluded", type_=ARRAY(BigInteger)))
    )
    if asked.terms:
        statement = statement.where(*_has_terms(asked))
    if asked.sought is Sought.MESSAGES:
        statement = statement.add_columns(cast(None, ARRAY(Text)).label("items"))
        return statement.where(_has_words(_document(asked), "attribute")) if asked.attribute else statement
    items = _items(asked)
    return (
        statement.add_columns(items.c["items"])
        .join(items, true())
        .where(literal_column(_MAY_HAVE.get(asked.sought, _MAY_HAVE_EITHER)), func.cardinality(items.c["items"]) > 0)
    )


def _items(asked: _Asked) -> Any:
    """Return what is sought in a message as one array, beside its row."""
    every = text(_ITEMS[asked.sought]).columns(column("item", Text)).subquery("every")
    item = every.c["item"]
    statement = select(func.array_agg(item, type_=ARRAY(Text)).label("items")).select_from(every)
    if asked.attribute:
        named = func.strpos(func.lower(item), func.lower(bindparam("part", type_=Text))) > 0
        has_name = named if asked.attribute == _IN_NAME else or_(named, _has_words(_document(asked), "attribute"))
        statement = statement.where(has_name)
    return statement.lateral("found")


@cache
def _count(shape: Shape, asked: _Asked, *, newest_first: bool) -> CompoundSelect[Any]:
    """Return a row for each person, and one without a person for each of the first messages, in one reading."""
    person = func.coalesce(cast(COLUMNS.author_id, Text), func.lower(COLUMNS.author_name)).label("person")
    found = _found(shape, asked, person, COLUMNS.message_id, COLUMNS.sent_at).cte("counted").c
    messages, items = func.count(), func.coalesce(func.sum(func.cardinality(found["items"])), 0)
    newest = aggregate_order_by(found.message_id, found.sent_at.desc(), found.message_id.desc())
    people = (
        select(
            found.person,
            func.array_agg(newest, type_=ARRAY(BigInteger))[1].label("message_id"),
            func.max(found.sent_at).label("sent_at"),
            messages.label("messages"),
            items.label("items"),
            func.sum(messages).over().label("all_messages"),
            func.sum(items).over().label("all_items"),
        )
        .group_by(found.person)
        .order_by(items.desc(), messages.desc(), found.person)
        .limit(bindparam("most", type_=Integer))
    )
    order = [found.sent_at.desc(), found.message_id.desc()] if newest_first else [found.sent_at, found.message_id]
    nothing = [cast(None, Numeric)] * 4
    first = select(cast(None, Text), found.message_id, found.sent_at, *nothing).order_by(*order)
    return union_all(people, first.limit(bindparam("limit", type_=Integer)))


@cache
def _read(shape: Shape, asked: _Asked) -> Select[Any]:
    return _found(shape, asked, *MESSAGE_COLUMNS).where(
        COLUMNS.sent_at == any_(bindparam("times", type_=ARRAY(AwareTime))),
        COLUMNS.message_id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
    )


def _has_terms(asked: _Asked) -> Iterator[ColumnElement[bool]]:
    document = _document(asked)
    if asked.terms == _PARTS:
        yield _has_parts(document)
        return
    if asked.sought is Sought.MESSAGES and asked.terms != _ANY:
        yield may_have_words(COLUMNS.content, bindparam("terms", type_=Text))
    yield _has_words(document, "terms", as_they_are=asked.terms == _PHRASE)


def _document(asked: _Asked) -> ColumnElement[str]:
    """Return the text that must have the words; links and files are found by the names of files too."""
    if asked.sought is Sought.MESSAGES:
        return COLUMNS.content
    return COLUMNS.content + literal_column("' '", Text) + literal_column(_NAMES, Text)


def _is_ascii(words: ColumnElement[str]) -> ColumnElement[bool]:
    return func.octet_length(words) == func.length(words)


def _folded(words: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text without width and accents, in which no sign joins words; its case is the dictionary's matter."""
    apart = func.normalize(words, literal_column("NFKD"))
    plain = func.regexp_replace(apart, literal_column(r"'[\u0300-\u036f]'"), "", "g")
    letters = func.translate(func.replace(plain, "ß", "ss"), _LETTERS, _PLAIN_LETTERS)
    return func.regexp_replace(case((_is_ascii(words), words), else_=letters), literal_column(_SIGNS), " ", "g")


def may_have_words(words: ColumnElement[str], terms: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a text can have all of the terms, at a twentieth of the price of cutting it into words.

    A text in plain letters that has a word also has all letters of its stem but the last ("glazing" and "glaz"); only
    "dying", "lying" and "tying" share no more than one with theirs.
    """
    english = literal_column("'english'", Text)
    stems = func.tsvector_to_array(func.to_tsvector(english, _folded(terms)))
    stem = func.unnest(stems, type_=Text).column_valued("stem")
    length = func.length(stem)
    beginning = func.left(stem, case((length > _SHORTEST_STEM, length - 1), else_=1))
    parts = func.array(select(literal_column("'%'", Text) + beginning + literal_column("'%'", Text)).scalar_subquery())
    return or_(not_(_is_ascii(words)), func.lower(words).like(all_(parts)))


def _has_words(document: ColumnElement[str], name: str, *, as_they_are: bool = False) -> ColumnElement[bool]:
    """Return whether a text has the words of a web search: as they are, or stemmed where English does not skip all."""
    wanted = _folded(bindparam(name, type_=Text))
    english, simple = literal_column("'english'", Text), literal_column("'simple'", Text)
    stemmed = func.websearch_to_tsquery(english, wanted)
    words = _folded(document)
    literal: ColumnElement[bool] = func.to_tsvector(simple, words).op("@@")(func.websearch_to_tsquery(simple, wanted))
    if as_they_are:
        return literal
    return case((func.numnode(stemmed) > 0, func.to_tsvector(english, words).op("@@")(stemmed)), else_=literal)


def _has_parts(document: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether a text has all of these stretches of signs or letters."""
    part = func.unnest(bindparam("terms", type_=ARRAY(Text))).column_valued("part")
    return not_(exists(select(part).where(func.strpos(_compared(document), _compared(part)) == 0)))


def _compared(letters: ColumnElement[str]) -> ColumnElement[str]:
    return func.lower(func.normalize(letters, literal_column("NFKD")))
