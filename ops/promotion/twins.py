"""Know a message that comes again in another format, without the id that it had before or has now.

An export as CSV or text has no ids: its messages get ids made from what they say. The same messages as JSON have those
of Discord. They are the same when place, author, time and words are, as precisely as the coarser of the two tells them.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from db.errors import driver_errors
from db.table_copy import Connection
from memory.message import Message
from ops.promotion.derived_ids import FIRST_DERIVED_ID
from ops.promotion.seen_messages import SeenMessages, SeenVersion

_MILLISECOND, _SECOND, _MINUTE = timedelta(milliseconds=1), timedelta(seconds=1), timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_WORDS = 20  # characters that two people do not both write in one minute and place
_MOST_TAKEN = 200_000  # messages of a file that are remembered as known, the last ones
_MARKUP = re.compile(r"<(?:@[!&]?|#|a?:|/|t:)[^<>\n]{1,140}>")
"""Mentions, emoji and times, which one program writes as Discord does and another one as people read them."""

_ANY_MADE: LiteralString = "SELECT EXISTS (SELECT FROM messages WHERE message_id >= %s)"
# To be left out by TimescaleDB a chunk has to be outside of bounds that it knows when it plans.
_STORED: LiteralString = """
    SELECT wanted.number::int4 - 1, message_id, sent_at, author_id, author_name, content
    FROM unnest(%(places)b::int8[], %(starts)b::timestamptz[], %(ends)b::timestamptz[])
        WITH ORDINALITY AS wanted (place, first, beyond, number)
    JOIN messages ON coalesce(thread_id, channel_id) = wanted.place
        AND sent_at >= wanted.first AND sent_at < wanted.beyond
    WHERE sent_at >= %(first)b::timestamptz AND sent_at < %(beyond)b::timestamptz AND message_id >= %(from_id)b::int8
"""

_Window = tuple[int, datetime, datetime]
"""The position of a message, and the time from which on and before which its twin was sent."""


@dataclass(slots=True)
class _Group:
    """Messages that are compared alike."""

    windows: list[_Window]
    from_id: int
    """The least id that a twin may have."""


class Twins:
    """Looks for twins in long-term memory, which may have no tables yet, and in what the run has brought.

    `remembers` says that the source has several files of which some lack ids.
    """

    def __init__(self, connection: Connection, seen: SeenMessages, *, has_tables: bool, remembers: bool) -> None:
        self._connection = connection
        self._seen = seen
        self._has_tables = has_tables
        self._remembers = remembers
        self._any_made: bool | None = None
        self._file = ""
        self._taken: OrderedDict[int, None] = OrderedDict()

    async def known(self, messages: Sequence[Message], file: str) -> set[int]:
        """Return the positions of those messages of a file that are there already under another id.

        What a file has twice is not known by one message: each counts for one. Raises DatabaseUnavailableError.
        """
        if file != self._file:
            self._file = file
            self._taken.clear()
        found: dict[int, list[SeenVersion]] = {}
        for group in await self._groups(messages):
            for position, said in await self._candidates(messages, group):
                found.setdefault(position, []).append(said)
        known = {position for position in sorted(found) if self._takes_twin(messages[position], found[position])}
        for message in messages:
            self._take(message.message_id)
        if self._remembers:
            self._seen.note_said(file, (message for at, message in enumerate(messages) if at not in known))
        return known

    async def _groups(self, messages: Sequence[Message]) -> list[_Group]:
        made = [at for at, message in enumerate(messages) if message.message_id >= FIRST_DERIVED_ID]
        groups = []
        if made:
            precision = _precision(messages[at].sent_at for at in made)
            groups.append(_Group([w for at in made for w in _around(at, messages[at], precision)], -(2**63)))
        others = set(range(len(messages))).difference(made)
        if others and await self._has_made():
            windows = [w for at in sorted(others) for w in _coarser(at, messages[at])]
            groups.append(_Group(windows, FIRST_DERIVED_ID))
        return groups

    async def _has_made(self) -> bool:
        """Return whether any message with a made id is there."""
        if self._any_made is None:
            rows = await self._rows(_ANY_MADE, [FIRST_DERIVED_ID]) if self._has_tables else [(False,)]
            self._any_made = bool(rows[0][0])
        return self._any_made or self._remembers

    async def _candidates(self, messages: Sequence[Message], group: _Group) -> list[tuple[int, SeenVersion]]:
        """Return messages that were sent in the windows, each with the position of what it may be a twin of."""
        windows = group.windows
        found: list[tuple[int, SeenVersion]] = []
        if self._has_tables and windows:
            values = {
                "places": [messages[at].place_id for at, _, _ in windows],
                "starts": [start for _, start, _ in windows],
                "ends": [end for _, _, end in windows],
                "first": min(start for _, start, _ in windows),
                "beyond": max(end for _, _, end in windows),
                "from_id": group.from_id,
            }
            rows = await self._rows(_STORED, values)
            found = [(windows[number][0], SeenVersion(*said)) for number, *said in rows]
        if self._remembers:
            for at, start, end in windows:
                said = self._seen.said(messages[at].place_id, start, end, but=self._file)
                found += ((at, version) for version in said if version.message_id >= group.from_id)
        return found

    def _takes_twin(self, message: Message, candidates: list[SeenVersion]) -> bool:
        """Return whether one of the candidates is the message and stands for no other one of the file yet."""
        if any(candidate.message_id == message.message_id for candidate in candidates):
            return False  # it is there itself
        likeliest_first = sorted(
            candidates, key=lambda version: (version.content != message.content, abs(version.sent_at - message.sent_at))
        )
        for candidate in likeliest_first:
            if candidate.message_id not in self._taken and _is_same(message, candidate):
                self._take(candidate.message_id)
                return True
        return False

    def _take(self, message_id: int) -> None:
        self._taken[message_id] = None
        if len(self._taken) > _MOST_TAKEN:
            self._taken.popitem(last=False)

    async def _rows(self, query: LiteralString, values: dict[str, object] | list[int]) -> list[Any]:
        with driver_errors():
            async with self._connection.cursor(binary=True) as cursor:
                # A plan that serves all values would have TimescaleDB look into every chunk.
                return await (await cursor.execute(query, values, prepare=False)).fetchall()


def _precision(times: Iterable[datetime]) -> timedelta:
    """Return how precisely a file tells times: the finest that any of them needs."""
    finest = _MINUTE
    for time in times:
        if time.microsecond:
            return _MILLISECOND
        if time.second:
            finest = _SECOND
    return finest


def _around(at: int, message: Message, precision: timedelta) -> Iterator[_Window]:
    """Yield when what a message without an id stands for was sent: at its time or a little later."""
    start = _floor(message.sent_at, _MILLISECOND)
    yield at, start, start + max(precision, _MILLISECOND)
    if precision < _MINUTE:
        yield from _coarser(at, message)


def _coarser(at: int, message: Message) -> Iterator[_Window]:
    """Yield the times that coarser files tell of a message."""
    for start in dict.fromkeys(_floor(message.sent_at, unit) for unit in (_MILLISECOND, _SECOND, _MINUTE)):
        yield at, start, start + _MILLISECOND


def _floor(time: datetime, unit: timedelta) -> datetime:
    return time - (time - _EPOCH) % unit


def _is_same(message: Message, said: SeenVersion) -> bool:
    """Return whether two messages of about the same time and of one place are one.

    Nobody sends two messages in a millisecond: then different words are those before and after an edit.
    """
    has_ids = message.author_id is not None and said.author_id is not None
    is_same_author = (
        message.author_id == said.author_id
        if has_ids
        else message.author_name.strip().casefold() == said.author_name.strip().casefold()
    )
    same_words = _are_same_words(message.content, said.content)
    if is_same_author:
        is_precise = bool(message.sent_at.microsecond) and message.sent_at == said.sent_at
        return same_words or is_precise
    return not has_ids and same_words and len(message.content) >= _LONG_WORDS


def _are_same_words(first: str, second: str) -> bool:
    """Return whether two texts say the same, whatever they make of mentions, emoji, blanks and cards below the text."""
    first, second = " ".join(first.split()), " ".join(second.split())
    if first == second:
        return True
    if _MARKUP.search(first) or _MARKUP.search(second):
        return _fits(first, second) or _fits(second, first)
    shorter, longer = sorted((first, second), key=len)
    return len(shorter) >= _LONG_WORDS and longer.startswith(f"{shorter} ")


def _fits(raw: str, shown: str) -> bool:
    """Return whether a text may be what people read of another one, which has mentions as Discord writes them."""
    pieces = _MARKUP.split(raw)
    if len(pieces) == 1:
        return raw == shown
    shown = _MARKUP.sub("@", shown)
    first, *middle, last = pieces
    if not shown.startswith(first) or not shown.endswith(last) or len(shown) < len(first) + len(last):
        return False
    at, end = len(first), len(shown) - len(last)
    for piece in middle:
        found = shown.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
