"""The statements that count what was said in one database; each takes the places that may be read.

The words of a message are compared as search compares them: stemmed as English, without case and accents, cut where a
word ends. What was asked for becomes a bound value of PostgreSQL's own full-text query, and never a pattern.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, LiteralString

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
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
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from db.tables import AwareTime
from memory.counting_words import Sought
from memory.filtering import COLUMNS, Shape, conditions, shape_of, values_of
from memory.findings import Filters
from memory.folding import words_of
from memory.messages import Kind
from memory.store import MESSAGE_COLUMNS, to_message
from memory.tallies import Example, Matter

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


_WORDS, _PHRASE, _PARTS = "words", "phrase", "parts"
_LETTERS, _PLAIN_LETTERS = "łŁøØđĐı\N{RIGHT SINGLE QUOTATION MARK}", "lLoOdDi'"
_SIGNS = r"/_-|*`~@#=&?<>\^+(){}[]"
"""Letters that have no decomposition and are typed as others, and signs that may join words."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The shape of a matter: what is sought, how its terms are compared, and whether it has an attribute."""

    sought: Sought
    terms: str
    attribute: bool


@dataclass(frozen=True, slots=True)
class PersonCount:
    """How much one person has, by a key that both memories know the person by, and the sums of all people."""

    key: str
    messages: int
    items: int
    all_messages: int
    all_items: int


@dataclass(frozen=True, slots=True)
class State:
    """What decides which of two memories knows a message as it is now."""

    message_id: int
    edited_at: datetime | None
    deleted: bool
    is_answer: bool


async def by_person(
    session: AsyncSession, *, matter: Matter, filters: Filters, excluded: Collection[int]
) -> list[PersonCount]:
    """Return how much each person has, most first; `excluded` are messages that the other memory knows better."""
    if not filters.places:
        return []
    statement = _by_person(shape_of(filters), _asked(matter))
    rows = await session.execute(statement, {"most": MOST_PEOPLE, **_values(matter, filters, excluded)})
    return [PersonCount(row.person, row.messages, row.items, row.all_messages, row.all_items) for row in rows]


async def examples(
    session: AsyncSession,
    *,
    matter: Matter,
    filters: Filters,
    excluded: Collection[int],
    newest_first: bool,
    limit: int,
) -> list[Example]:
    """Return the first `limit` messages that count, newest or oldest first."""
    if not filters.places or not limit:
        return []
    statement = _examples(shape_of(filters), _asked(matter), newest_first=newest_first)
    rows = (await session.execute(statement, {"most": limit, **_values(matter, filters, excluded)})).mappings()
    return [Example(to_message(row), tuple(row["items"] or ())) for row in rows]


async def newest_of_people(
    session: AsyncSession, *, matter: Matter, filters: Filters, excluded: Collection[int], people: Sequence[str]
) -> list[tuple[str, Example]]:
    """Return the newest message that counts of each of these people, under their keys."""
    if not filters.places or not people:
        return []
    statement = _newest_of_people(shape_of(filters), _asked(matter))
    values = {"people": list(people), **_values(matter, filters, excluded)}
    rows = (await session.execute(statement, values)).mappings()
    return [(row["person"], Example(to_message(row), tuple(row["items"] or ()))) for row in rows]


async def span(session: AsyncSession) -> tuple[datetime, datetime] | None:
    """Return when the first and the last message were sent; None when there is none."""
    first = await session.scalar(select(COLUMNS.sent_at).order_by(COLUMNS.sent_at).limit(1))
    last = await session.scalar(select(COLUMNS.sent_at).order_by(COLUMNS.sent_at.desc()).limit(1))
    return (first, last) if first is not None and last is not None else None


async def states(session: AsyncSession, *, first: datetime, last: datetime) -> list[State]:
    """Return the states of the messages from one moment to another, both included; MOST_STATES at most."""
    within = COLUMNS.sent_at.between(bindparam("first", type_=AwareTime), bindparam("last", type_=AwareTime))
    statement = (
        select(COLUMNS.message_id, COLUMNS.edited_at, COLUMNS.deleted_at, COLUMNS.kind)
        .where(within)
        .order_by(COLUMNS.sent_at.desc(), COLUMNS.message_id.desc())
        .limit(MOST_STATES)
    )
    rows = await session.execute(statement, {"first": first, "last": last})
    return [
        State(row.message_id, row.edited_at, row.deleted_at is not None, row.kind == Kind.ANSWER.value) for row in rows
    ]


def _asked(matter: Matter) -> _Asked:
    if _is_part(matter.terms):
        terms = _PARTS
    else:
        terms = (_PHRASE if _is_phrase(matter.terms) else _WORDS) if matter.terms else ""
    return _Asked(matter.sought, terms, bool(matter.attribute))


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
    return "youtu" if attribute.lower() in {"youtube", "yt"} else attribute


def _person() -> ColumnElement[str]:
    return func.coalesce(cast(COLUMNS.author_id, Text), func.lower(COLUMNS.author_name)).label("person")


@cache
def _found(shape: Shape, asked: _Asked) -> Select[Any]:
    """Return the messages that count, each with its person and its items."""
    statement = select(*MESSAGE_COLUMNS, _person()).where(
        *conditions(shape), COLUMNS.message_id != all_(bindparam("excluded", type_=ARRAY(BigInteger)))
    )
    if asked.terms:
        statement = statement.where(_has_terms(asked))
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
        part = func.lower(bindparam("part", type_=Text))
        statement = statement.where(
            (func.strpos(func.lower(item), part) > 0) | _has_words(_document(asked), "attribute")
        )
    return statement.lateral("found")


@cache
def _by_person(shape: Shape, asked: _Asked) -> Select[Any]:
    found = _found(shape, asked).subquery().c
    messages, items = func.count(), func.coalesce(func.sum(func.cardinality(found["items"])), 0)
    return (
        select(
            found.person,
            messages.label("messages"),
            items.label("items"),
            func.sum(messages).over().label("all_messages"),
            func.sum(items).over().label("all_items"),
        )
        .group_by(found.person)
        .order_by(items.desc(), messages.desc(), found.person)
        .limit(bindparam("most", type_=Integer))
    )


@cache
def _examples(shape: Shape, asked: _Asked, *, newest_first: bool) -> Select[Any]:
    order = COLUMNS.sent_at, COLUMNS.message_id
    ordered = [one.desc() for one in order] if newest_first else list(order)
    return _found(shape, asked).order_by(*ordered).limit(bindparam("most", type_=Integer))


@cache
def _newest_of_people(shape: Shape, asked: _Asked) -> Select[Any]:
    person = _person()
    return (
        _found(shape, asked)
        .where(person == any_(bindparam("people", type_=ARRAY(Text))))
        .ext(distinct_on(person))
        .order_by(person, COLUMNS.sent_at.desc(), COLUMNS.message_id.desc())
    )


def _has_terms(asked: _Asked) -> ColumnElement[bool]:
    if asked.terms == _PARTS:
        return _has_parts(_document(asked))
    return _has_words(_document(asked), "terms", as_they_are=asked.terms == _PHRASE)


def _document(asked: _Asked) -> ColumnElement[str]:
    """Return the text that must have the words; links and files are found by the names of files too."""
    if asked.sought is Sought.MESSAGES:
        return COLUMNS.content
    return COLUMNS.content + literal_column("' '", Text) + literal_column(_NAMES, Text)


def _folded(words: ColumnElement[str]) -> ColumnElement[str]:
    """Return a text without width and accents, in which no sign joins words; its case is the dictionary's matter."""
    apart = func.normalize(words, literal_column("NFKD"))
    plain = func.regexp_replace(apart, literal_column(r"'[\u0300-\u036f]'"), "", "g")
    signs = func.translate(func.replace(plain, "ß", "ss"), _LETTERS + _SIGNS, _PLAIN_LETTERS + " " * len(_SIGNS))
    return func.regexp_replace(signs, literal_column(r"'\.(?!\d)'"), " ", "g")


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
