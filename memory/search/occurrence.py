"""Tell which words stand in no message of some places: exactly, by looking at every message and not at the best ones.

PostgreSQL finds the messages that contain a word's letters anywhere, which is quick and overlooks nothing; whether they
are the word or a part of another one is compared here, as search compares words.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from os.path import commonprefix
from typing import LiteralString

from psycopg.sql import SQL, Composed
from sqlalchemy.ext.asyncio import AsyncSession

from db.statements import fetch
from memory.filters import Filters, Shape, conditions, shape_of, values_of
from memory.index.store import COLUMNS_OF_MESSAGES, to_message
from memory.message import Message
from memory.search.terms import all_stems, stems_in, stems_of

MOST_COMPARED = 100
"""Messages that are compared for one word; one whose letters stand in more is taken for a word that somebody said."""

_SHORTEST_BEGINNING = 5  # letters by which a longer word begins that is taken for a form of it
_PLAIN: LiteralString = r"""CASE
    WHEN octet_length({text}) = length({text}) THEN lower({text})
    ELSE lower(replace(regexp_replace(normalize({text}, NFKD), '[\u0300-\u036f]', '', 'g'), 'ß', 'ss'))
END"""


def _has(text: LiteralString) -> Composed:
    return SQL("strpos({}, word.root) > 0").format(SQL(_PLAIN).format(text=SQL(text)))


@lru_cache(maxsize=64)
def _containing(shape: Shape) -> Composed:
    return SQL("""
        SELECT found.* FROM unnest(%(roots)s::text[]) AS word (root) CROSS JOIN LATERAL (
            SELECT {columns} FROM messages
            WHERE {passing} AND ({in_content} OR {in_author} OR (attachments <> '[]' AND {in_files}))
            LIMIT %(most)s
        ) AS found
    """).format(
        columns=COLUMNS_OF_MESSAGES,
        passing=conditions(shape),
        in_content=_has("content"),
        in_author=_has("author_name"),
        in_files=_has("attachments::text"),
    )


async def containing(session: AsyncSession, *, words: Collection[str], filters: Filters) -> list[Message]:
    """Return messages of one database that have the letters of any of the words, up to MOST_COMPARED for each."""
    roots = list(dict.fromkeys(map(_root, words)))
    values = {"roots": roots, "most": MOST_COMPARED, **values_of(filters)}
    return [to_message(row) for row in await fetch(session, _containing(shape_of(filters)), values)]


def words_in_none(words: Sequence[str], messages: Collection[Message]) -> frozenset[str]:
    """Return those of some folded words that are in none of the messages which have their letters."""
    return frozenset(word for word in words if not _is_in_any(word, messages))


def _is_in_any(word: str, messages: Collection[Message]) -> bool:
    stems, root = stems_of(word), _root(word)
    having = 0
    for message in messages:
        found = stems_in(message) | all_stems(message.author_name)
        if not found.isdisjoint(stems) or any(_is_form(stem, word) for stem in found):
            return True
        having += any(root in stem for stem in found)
    return having >= MOST_COMPARED


def _root(word: str) -> str:
    """Return the letters with which all forms of a word begin: "parti" and "party" are one word."""
    return commonprefix([word, *stems_of(word)]) or word  # noqa: RUF071  # they are no paths


def _is_form(stem: str, word: str) -> bool:
    """Return whether a stem begins with a whole long word, as that of a compound does, or has a number such as 0.4."""
    return word in stem if not word.isalpha() else len(word) >= _SHORTEST_BEGINNING and stem.startswith(word)
