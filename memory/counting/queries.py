"""The statements that count what was said in one database; each takes the places that may be read.

The words of a message are compared as search compares them: stemmed as English, without case and accents, cut where a
word ends. What was asked for becomes a bound value of PostgreSQL's own full-text query, and never a pattern.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, LiteralString

from psycopg.sql import SQL, Composed, Literal
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import Row, fetch
from memory.counting.results import Example, Matter
from memory.counting.words import ENDINGS, SITES, Sought
from memory.filters import CUSTOM_PLANS, Filters, Shape, conditions, shape_of, tune, values_of
from memory.index.store import COLUMNS_OF_MESSAGES, to_message
from memory.message import MessageKey, SaidAt, said_at_of
from time_expressions.folding import words_of

MOST_PEOPLE = 20_000
"""People whose shares are told apart; the sums are those of all."""

MOST_STATES = 200_000
"""Messages that are compared at most between both memories."""

MOST_QUARTERS = 100_000
"""Quarters of an hour that are told apart: three years in which something is said at any time."""

# Balanced parentheses belong to an address, the one that closes a masked link does not.
LINK: LiteralString = r"https?://(?:[^ \t\r\n<>|\[\]()\"`]|\([^ \t\r\n<>|\[\]()\"`]*\))+"
_LINKS: LiteralString = (
    "SELECT DISTINCT rtrim(found[1], '.,;:!?*_~''') AS item "  # noqa: S608 - constants
    f"FROM regexp_matches(messages.content, '{LINK}', 'gi') AS found"
)
_POLLS: LiteralString = (
    "SELECT poll[1] AS item FROM regexp_matches(messages.content, '(?:^|\\n)Poll: ([^\\n]+)', 'g') AS poll"
)
_FILES: LiteralString = "SELECT file->>'name' AS item FROM jsonb_array_elements(messages.attachments) AS file"


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
        "image/%%", "png|jpe?g|jfif|gif|webp|bmp|tiff?|heic|heif|avif|svg", "^https?://([a-z]+\\.)*(tenor|giphy)\\.com/"
    ),
    Sought.VIDEOS: _files_like(
        "video/%%",
        "mp4|m4v|mov|webm|mkv|avi|wmv|flv|3gp",
        "^https?://([a-z]+\\.)*(youtube\\.com|youtu\\.be|vimeo\\.com|twitch\\.tv|dailymotion\\.com)/",
    ),
    Sought.RECORDINGS: _files_like("audio/%%", "ogg|oga|opus|mp3|m4a|wav|flac|aac|amr|wma", "^$"),
    Sought.PDFS: _files_like("application/pdf", "pdf", "^$"),
    Sought.POLLS: _POLLS,
}
"""What stands in a message or came with it; a poll is kept as "Poll: question". SQL's % is written twice."""

_MAY_HAVE: dict[Sought, LiteralString] = {
    Sought.LINKS: "content LIKE '%%://%%'",
    Sought.POLLS: "content LIKE '%%Poll: %%'",
    Sought.FILES: "attachments <> '[]'",
}
_MAY_HAVE_EITHER: LiteralString = "(attachments <> '[]' OR content LIKE '%%://%%')"

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

_FOLDED: LiteralString = r"""regexp_replace(
    CASE WHEN octet_length({words}) = length({words}) THEN {words} ELSE translate(
        replace(regexp_replace(normalize({words}, NFKD), '[\u0300-\u036f]', '', 'g'), 'ß', 'ss'),
        'łŁøØđĐı{apostrophe}', 'lLoOdDi'''
    ) END,
    {signs}, ' ', 'g'
)"""
"""A text without width and accents, in which no sign joins words; its case is the dictionary's matter.

Letters that have no decomposition are written as they are typed.
"""

_APOSTROPHE = SQL("\N{RIGHT SINGLE QUOTATION MARK}")
_SIGNS = SQL(r"'[][/_|*`~@#=&?:<>\\^+(){}-]|\.(?!\d)'")
"""What may join words; "0.4" stays one word."""

_MAY_HAVE_WORDS: LiteralString = """(
    octet_length({words}) <> length({words})
    OR lower({words}) LIKE ALL (ARRAY(
        SELECT '%%' || left(stem, CASE WHEN length(stem) > 3 THEN length(stem) - 1 ELSE 1 END) || '%%'
        FROM unnest(tsvector_to_array(to_tsvector('english', {terms}))) AS stem
    ))
)"""

_HAS_WORDS_AS_THEY_ARE: LiteralString = "to_tsvector('simple', {document}) @@ websearch_to_tsquery('simple', {terms})"
_HAS_WORDS: LiteralString = """CASE
    WHEN numnode(websearch_to_tsquery('english', {terms})) > 0
    THEN to_tsvector('english', {document}) @@ websearch_to_tsquery('english', {terms})
    ELSE to_tsvector('simple', {document}) @@ websearch_to_tsquery('simple', {terms})
END"""

_HAS_PARTS: LiteralString = """NOT EXISTS (
    SELECT FROM unnest(%(terms)s::text[]) AS part
    WHERE strpos(lower(normalize({document}, NFKD)), lower(normalize(part, NFKD))) = 0
)"""

_NAMED: LiteralString = "strpos(lower(item), lower(%(part)s::text)) > 0"


@dataclass(frozen=True, slots=True)
class _Asked:
    """The shape of a matter: what is sought, how its terms are compared, and whether it has an attribute.

    One that `was_so` counts only what still says what it said then.
    """

    sought: Sought
    terms: str
    attribute: str
    was_so: bool = False


@dataclass(frozen=True, slots=True)
class PersonCount:
    """How much one person has, by a key that both memories know the person by, and the person's newest message."""

    person: str
    messages: int
    items: int
    newest: MessageKey


@dataclass(frozen=True, slots=True)
class Counted:
    """How much there is in one memory: the sums, those of each person, and the keys of messages at both ends."""

    messages: int
    items: int
    people: tuple[PersonCount, ...]
    ends: tuple[MessageKey, ...]


@dataclass(frozen=True, slots=True)
class PersonsBest:
    """How many messages of one person count, when the newest was sent, and the ids of their longest ones."""

    person: str
    messages: int
    newest_at: datetime
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class States:
    """The messages of some time in one memory, and of those that were changed, since when they say what they say.

    `gone` are those that were deleted or are the bot's own answers.
    """

    ids: frozenset[int]
    edited: Mapping[int, SaidAt]
    gone: frozenset[int]


async def count(
    session: AsyncSession,
    *,
    matter: Matter,
    filters: Filters,
    excluded: Collection[int],
    oldest: int,
    newest: int,
) -> Counted:
    """Return how much there is and by whom, and the keys of so many of the `oldest` and `newest` messages.

    `excluded` are messages that the other memory knows better.
    """
    statement = _count(shape_of(filters), _asked(matter, filters))
    values = {"most": MOST_PEOPLE, "oldest": oldest, "newest": newest, **_values(matter, filters, excluded)}
    rows = await _fetch(session, statement, values)
    people = [row for row in rows if row["person"] is not None]
    return Counted(
        messages=people[0]["all_messages"] if people else 0,
        items=people[0]["all_items"] if people else 0,
        people=tuple(PersonCount(row["person"], row["messages"], row["items"], _key(row)) for row in people),
        ends=tuple(_key(row) for row in rows if row["person"] is None),
    )


async def _fetch(session: AsyncSession, statement: Composed, values: dict[str, Any]) -> list[Row]:
    """Return the rows of a statement, planned for its values.

    A plan for any values compares every message with each of those that shall not count, one after the other, in place
    of looking them up: that is 30 seconds instead of two for 100,000 messages of which 10,000 stand in both memories.
    """
    await tune(session, CUSTOM_PLANS)
    return await fetch(session, statement, values)


def _key(row: Row) -> MessageKey:
    return row["message_id"], row["sent_at"]


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
    rows = await _fetch(session, _read(shape_of(filters), _asked(matter, filters)), values)
    return [Example(to_message(row), tuple(row["items"] or ())) for row in rows]


async def best_of_people(
    session: AsyncSession, *, matter: Matter, filters: Filters, excluded: Collection[int], people: int, each: int
) -> list[PersonsBest]:
    """Return the `people` whose longest messages of a matter say most together, and of each so many messages.

    A message is as long as its first `_LONGEST_COUNTED` characters. What webhooks say, whose ids are negative, is not
    counted. `excluded` are messages that the other memory knows better.
    """
    statement = _best_of_people(shape_of(filters), _asked(matter, filters))
    values = {"most": people, "each": each, **_values(matter, filters, excluded)}
    rows = await _fetch(session, statement, values)
    return [PersonsBest(row["person"], row["messages"], row["newest_at"], tuple(row["ids"])) for row in rows]


_LONGEST_COUNTED = 400  # characters, some seventy words


@lru_cache(maxsize=64)
def _best_of_people(shape: Shape, asked: _Asked) -> Composed:
    columns = SQL("coalesce(author_id::text, lower(author_name)) AS person, author_id, message_id, sent_at, content")
    return SQL("""
        SELECT person, messages, newest_at, array_agg(message_id ORDER BY number) AS ids
        FROM (
            SELECT person, message_id, least(length(content), {longest}) AS said,
                   count(*) OVER of_person AS messages, max(sent_at) OVER of_person AS newest_at,
                   row_number() OVER (
                       PARTITION BY person ORDER BY least(length(content), {longest}) DESC, sent_at DESC, message_id
                   ) AS number
            FROM ({found}) AS counted WHERE coalesce(author_id, 0) >= 0
            WINDOW of_person AS (PARTITION BY person)
        ) AS numbered
        WHERE number <= %(each)s GROUP BY person, messages, newest_at
        ORDER BY sum(said) DESC, person LIMIT %(most)s
    """).format(found=_found(shape, asked, columns), longest=Literal(_LONGEST_COUNTED))


@dataclass(frozen=True, slots=True)
class Quarter:
    """How much there is in a quarter of an hour."""

    start: datetime
    messages: int
    items: int


async def quarters(
    session: AsyncSession, *, matter: Matter, filters: Filters, excluded: Collection[int]
) -> list[Quarter]:
    """Return how much there is in each quarter of an hour, of the newest MOST_QUARTERS that have something.

    Every time zone's clock differs from UTC by whole quarters. `excluded` are messages that the other memory knows
    better.
    """
    values = {"most": MOST_QUARTERS, **_values(matter, filters, excluded)}
    rows = await _fetch(session, _quarters(shape_of(filters), _asked(matter, filters)), values)
    return [Quarter(row["start"], row["messages"], row["items"]) for row in rows]


@lru_cache(maxsize=64)
def _quarters(shape: Shape, asked: _Asked) -> Composed:
    start = SQL("date_bin('15 minutes', sent_at, timestamptz '2000-01-01 00:00+00') AS start")
    return SQL("""
        SELECT start, count(*) AS messages, coalesce(sum(cardinality(items)), 0)::bigint AS items
        FROM ({found}) AS counted GROUP BY start ORDER BY start DESC LIMIT %(most)s
    """).format(found=_found(shape, asked, start))


_SPAN = SQL("""
    SELECT (SELECT sent_at FROM messages ORDER BY sent_at LIMIT 1) AS first,
           (SELECT sent_at FROM messages ORDER BY sent_at DESC LIMIT 1) AS last
""")


async def span(session: AsyncSession) -> tuple[datetime, datetime] | None:
    """Return when the first and the last message were sent; None when there is none."""
    (row,) = await fetch(session, _SPAN)
    return (row["first"], row["last"]) if row["first"] is not None and row["last"] is not None else None


_IDS = SQL("""
    SELECT array_agg(message_id) AS ids FROM (
        SELECT message_id FROM messages WHERE sent_at BETWEEN %(first)s AND %(last)s
        ORDER BY sent_at DESC LIMIT %(most)s
    ) AS newest
""")
_CHANGED = SQL("""
    SELECT message_id, edited_at, completed_at, deleted_at IS NOT NULL OR kind = 'answer' AS is_gone FROM messages
    WHERE sent_at BETWEEN %(first)s AND %(last)s
      AND (edited_at IS NOT NULL OR completed_at IS NOT NULL OR deleted_at IS NOT NULL OR kind = 'answer')
    LIMIT %(most)s
""")


async def states(session: AsyncSession, *, first: datetime, last: datetime) -> States:
    """Return the states of the messages from one moment to another, both included; MOST_STATES at most."""
    values = {"first": first, "last": last, "most": MOST_STATES}
    (newest,) = await fetch(session, _IDS, values)
    changed = await fetch(session, _CHANGED, values)
    return States(
        frozenset(newest["ids"] or ()),
        {
            row["message_id"]: said_at_of(row["edited_at"], row["completed_at"])
            for row in changed
            if row["edited_at"] is not None or row["completed_at"] is not None
        },
        frozenset(row["message_id"] for row in changed if row["is_gone"]),
    )


def _asked(matter: Matter, filters: Filters) -> _Asked:
    attribute = (_IN_NAME if matter.attribute.lower() in SITES | ENDINGS else _ANYWHERE) if matter.attribute else ""
    has_words = bool(matter.terms or matter.attribute) or matter.sought is not Sought.MESSAGES
    was_so = has_words and filters.bounds.version_of is not None
    return _Asked(matter.sought, _way_of(matter.terms), attribute, was_so)


def _way_of(terms: str) -> str:
    """Return in which way terms are compared."""
    if not terms or _is_part(terms):
        return _PARTS if terms else ""
    if _is_phrase(terms):
        return _PHRASE
    return _ANY if "or" in words_of(terms) else _WORDS


def _is_phrase(terms: str) -> bool:
    """Return whether terms are one phrase, of which every word counts as it is."""
    return terms.count('"') == 2 and terms[0] == terms[-1] == '"' and " " in terms


def _is_part(terms: str) -> bool:
    """Return whether terms are looked for as parts of a text: signs, and languages without spaces between words."""
    if not words_of(terms):
        return bool(terms)
    return any(start <= ord(letter) <= end for letter in terms for start, end in _RUN_TOGETHER)


def _values(matter: Matter, filters: Filters, excluded: Collection[int]) -> dict[str, Any]:
    terms = matter.terms.replace('"', " ").split() if _is_part(matter.terms) else matter.terms
    return {
        **values_of(filters),
        "excluded": sorted(excluded),
        **({"terms": terms} if matter.terms else {}),
        "version_of": filters.bounds.version_of,
        **({"attribute": matter.attribute, "part": _part_of(matter.attribute)} if matter.attribute else {}),
    }


def _part_of(attribute: str) -> str:
    """Return what an address or the name of a file has when it is called so: YouTube's short addresses are youtu.be."""
    word = attribute.lower()
    if word in ENDINGS:
        return f".{word}"
    return "youtu" if word in {"youtube", "yt"} else attribute


def _found(shape: Shape, asked: _Asked, columns: SQL | Composed, *, among: SQL | None = None) -> Composed:
    """Return columns of the messages that count, and `items`, what was counted in each."""
    passing = [conditions(shape), SQL("message_id <> ALL (%(excluded)s::bigint[])"), *_conditions(asked)]
    if among is not None:
        passing.append(among)
    items = SQL("NULL::text[]") if asked.sought is Sought.MESSAGES else SQL("found.items")
    return SQL("SELECT {columns}, {items} AS items FROM {tables} WHERE {passing}").format(
        columns=columns, items=items, tables=_tables(asked), passing=SQL(" AND ").join(passing)
    )


def _tables(asked: _Asked) -> SQL | Composed:
    """Return the messages, each with what is sought in it as one array beside its row."""
    if asked.sought is Sought.MESSAGES:
        return SQL("messages")
    return SQL("""messages CROSS JOIN LATERAL (
        SELECT array_agg(item) AS items FROM ({every}) AS every WHERE {named}
    ) AS found""").format(every=SQL(_ITEMS[asked.sought]), named=_has_attribute(asked))


def _has_attribute(asked: _Asked) -> SQL | Composed:
    """Return the condition of an item: the word in its name, or else in the message around it."""
    if not asked.attribute:
        return SQL("true")
    if asked.attribute == _IN_NAME:
        return SQL(_NAMED)
    return SQL("({} OR {})").format(SQL(_NAMED), _has_words(_document(asked), _ATTRIBUTE))


def _conditions(asked: _Asked) -> Iterator[SQL | Composed]:
    """Yield the conditions of a message for what is asked."""
    document = _document(asked)
    if asked.was_so:
        yield SQL("(edited_at IS NULL OR edited_at <= %(version_of)s::timestamptz)")
    if asked.terms == _PARTS:
        yield SQL(_HAS_PARTS).format(document=document)
    elif asked.terms:
        if asked.sought is Sought.MESSAGES and asked.terms != _ANY:
            yield may_have_words(SQL("content"), _TERMS)
        yield _has_words(document, _TERMS, as_they_are=asked.terms == _PHRASE)
    if asked.sought is not Sought.MESSAGES:
        yield SQL(_MAY_HAVE.get(asked.sought, _MAY_HAVE_EITHER))
        yield SQL("cardinality(found.items) > 0")
    elif asked.attribute:
        yield _has_words(document, _ATTRIBUTE)


@lru_cache(maxsize=256)
def _count(shape: Shape, asked: _Asked) -> Composed:
    """Return a row for each person, and one without a person for each message at either end, in one reading."""
    columns = SQL("coalesce(author_id::text, lower(author_name)) AS person, message_id, sent_at")
    return SQL("""
        WITH counted AS ({found}), people AS (
            SELECT person, (array_agg(message_id ORDER BY sent_at DESC, message_id DESC))[1] AS message_id,
                   max(sent_at) AS sent_at, count(*) AS messages, coalesce(sum(cardinality(items)), 0) AS items
            FROM counted GROUP BY person
        )
        (SELECT people.*, (sum(messages) OVER ())::bigint AS all_messages, (sum(items) OVER ())::bigint AS all_items
         FROM people ORDER BY items DESC, messages DESC, person LIMIT %(most)s)
        UNION ALL
        (SELECT NULL, message_id, sent_at, NULL, NULL, NULL, NULL FROM counted
         ORDER BY sent_at, message_id LIMIT %(oldest)s)
        UNION ALL
        (SELECT NULL, message_id, sent_at, NULL, NULL, NULL, NULL FROM counted
         ORDER BY sent_at DESC, message_id DESC LIMIT %(newest)s)
    """).format(found=_found(shape, asked, columns))


@lru_cache(maxsize=256)
def _read(shape: Shape, asked: _Asked) -> Composed:
    among = SQL("sent_at = ANY (%(times)s::timestamptz[]) AND message_id = ANY (%(ids)s::bigint[])")
    return _found(shape, asked, COLUMNS_OF_MESSAGES, among=among)


_TERMS, _ATTRIBUTE = SQL("%(terms)s::text"), SQL("%(attribute)s::text")
_CONTENT_AND_FILES = SQL("""(content || ' ' || coalesce(
    (SELECT string_agg(file->>'name', ' ') FROM jsonb_array_elements(attachments) AS file), ''
))""")


def _document(asked: _Asked) -> SQL:
    """Return the text that must have the words; links and files are found by the names of files too."""
    return SQL("content") if asked.sought is Sought.MESSAGES else _CONTENT_AND_FILES


def _folded(words: SQL) -> Composed:
    return SQL(_FOLDED).format(words=words, apostrophe=_APOSTROPHE, signs=_SIGNS)


def may_have_words(words: SQL, terms: SQL) -> Composed:
    """Return whether a text can have all of the terms, at a twentieth of the price of cutting it into words.

    A text in plain letters that has a word also has all letters of its stem but the last ("glazing" and "glaz"); only
    "dying", "lying" and "tying" share no more than one with theirs.
    """
    return SQL(_MAY_HAVE_WORDS).format(words=words, terms=_folded(terms))


def _has_words(document: SQL, terms: SQL, *, as_they_are: bool = False) -> Composed:
    """Return whether a text has the words of a web search: as they are, or stemmed where English does not skip all."""
    template = _HAS_WORDS_AS_THEY_ARE if as_they_are else _HAS_WORDS
    return SQL(template).format(document=_folded(document), terms=_folded(terms))
