"""Keep in long-term memory which stretches of each place's messages the journals hold.

A stretch counts when its session is the current one, or when the session was promoted, whole and after the stretch was
last widened, and no batch up to that one was undone since (docs/decisions/0027).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, LiteralString

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from memory.coverage.intervals import EVERYTHING, Interval, gaps, is_covered, subtract

LEDGER_LIMIT = timedelta(seconds=30)
"""How long one reading or writing of the ledger may take by default: a hundred thousand rows are a few seconds."""

_ONE_READING = timedelta(hours=1)
"""Stretches that touch become one where their readings lie no further apart, so that a page does not cost a row."""

_AT_ONCE = 5_000  # rows that one statement takes; memory and the log of PostgreSQL set the bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """An interval of ids of one place of which a session's CSV holds every message.

    `reaches_start` says that the place has no message before it. `read_at` is the earliest moment for which all of it
    is known to have been as the CSV has it, `widened_at` the latest at which it came to hold more, and `journal_end`
    how many bytes the CSV had then. `session` is set by the ledger.
    """

    place_id: int
    guild_id: int | None
    interval: Interval
    read_at: datetime
    widened_at: datetime
    journal_end: int
    reaches_start: bool = False
    session: str = ""

    @property
    def covered(self) -> Interval:
        """The ids that need not be read again: also those before the beginning of the place."""
        return Interval(EVERYTHING.oldest_id, self.interval.newest_id) if self.reaches_start else self.interval


class Ledger:
    """Reads and writes the stretches of one session, and reads those of promoted ones."""

    def __init__(self, sessions: Sessions, *, session: str, timeout: timedelta = LEDGER_LIMIT) -> None:
        self._sessions = sessions
        self._session = session
        self._timeout = timeout

    async def begin(self, *, journal_end: int) -> int:
        """Forget the stretches of this session that its CSV is too short for; return how many those were.

        It is shorter after a power cut, after somebody's words were erased, and where an older file was put back.
        Raises DatabaseUnavailableError.
        """
        async with self._transaction() as session:
            forgotten = await session.execute(_TOO_LONG, {"session": self._session, "end": journal_end})
            return len(forgotten.all())

    async def add(self, stretches: Iterable[Stretch]) -> None:
        """Write down stretches that the CSV holds; each takes the place of what it overlaps of this session.

        Raises DatabaseUnavailableError, and then none of them is written.
        """
        new: dict[int, list[Stretch]] = defaultdict(list)
        for stretch in stretches:
            if not stretch.interval.is_empty:
                new[stretch.place_id].append(replace(stretch, session=self._session))
        if not new:
            return
        async with self._transaction() as session:
            await session.execute(_LOCK, {"session": self._session})
            known = await self._of_session(session, self._session, new)
            written = [
                kept
                for place_id in new
                for kept in combined([*known.get(place_id, ()), *sorted(new[place_id], key=lambda one: one.read_at)])
            ]
            await session.execute(_FORGET, {"session": self._session, "places": sorted(known)})
            for start in range(0, len(written), _AT_ONCE):
                await session.execute(_INSERT, _columns(written[start : start + _AT_ONCE]))

    async def note_verified(self, place_id: int, interval: Interval, *, read_at: datetime) -> None:
        """Note that the messages of an interval are known to be as Discord had them at a moment.

        That covers nothing new: the stretches that count become as fresh as that where they lie in the interval, also
        those of promoted sessions, and stay what they are otherwise. Raises DatabaseUnavailableError.
        """
        async with self._transaction() as session:
            counting = await self._found(session, _OF_PLACES, places=[place_id])
            overlapping = [one for one in counting.get(place_id, ()) if not one.interval.overlap(interval).is_empty]
            for name in sorted({stretch.session for stretch in overlapping}):
                await session.execute(_LOCK, {"session": name})
                known = (await self._of_session(session, name, [place_id])).get(place_id, [])
                verified = [
                    replace(one, interval=one.interval.overlap(interval), read_at=max(one.read_at, read_at))
                    for one in known
                ]
                written = combined([*known, *(one for one in verified if not one.interval.is_empty)])
                await session.execute(_FORGET, {"session": name, "places": [place_id]})
                await session.execute(_INSERT, _columns(written))

    async def of_places(self, places: Collection[int]) -> dict[int, list[Stretch]]:
        """Return the stretches that count of each place that has any, the oldest first.

        Those of different sessions may overlap. Raises DatabaseUnavailableError.
        """
        return await self._counting(_OF_PLACES, places=sorted(places)) if places else {}

    async def of_guild(self, guild_id: int) -> dict[int, list[Stretch]]:
        """Return the stretches that count of each place of a guild, the oldest first, in the same way."""
        return await self._counting(_OF_GUILD, guild_id=guild_id)

    async def gaps(self, place_id: int, span: Interval = EVERYTHING) -> list[Interval]:
        """Return the ids of a span that no stretch of a place has, the oldest first; raises as `of_places` does."""
        return gaps(span, await self._covered(place_id))

    async def covered(self, place_id: int, window: Interval) -> bool:
        """Return whether all messages of a window of a place are here; raises as `of_places` does."""
        return is_covered(window, await self._covered(place_id))

    async def _covered(self, place_id: int) -> list[Interval]:
        return [stretch.covered for stretch in (await self.of_places([place_id])).get(place_id, ())]

    async def _of_session(self, session: AsyncSession, name: str, places: Collection[int]) -> dict[int, list[Stretch]]:
        rows = await session.execute(_OF_SESSION, {"session": name, "places": sorted(places)})
        return _by_place(rows.mappings().all())

    async def _counting(self, which: LiteralString, **parameters: object) -> dict[int, list[Stretch]]:
        async with self._transaction() as session:
            return await self._found(session, which, **parameters)

    async def _found(
        self, session: AsyncSession, which: LiteralString, **parameters: object
    ) -> dict[int, list[Stretch]]:
        statement = text(f"{_COUNTING} AND {which} ORDER BY place_id, oldest_id")
        rows = await session.execute(statement, {"current": self._session, **parameters})
        return _by_place(rows.mappings().all())

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="what was read")


def combined(stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return stretches of one place and session without overlaps, the oldest ids first.

    A later one of the sequence takes the place of what it overlaps. Neighbours become one where they were read within
    an hour of each other.
    """
    apart: list[Stretch] = []
    for stretch in stretches:
        apart = [left for known in apart for left in _without(known, stretch.interval)]
        apart.append(stretch)
    apart.sort(key=lambda one: one.interval)
    joined = apart[:1]
    for stretch in apart[1:]:
        if _belong_together(joined[-1], stretch):
            joined[-1] = _joined(joined[-1], stretch)
        else:
            joined.append(stretch)
    start = max((one.interval.oldest_id for one in stretches if one.reaches_start), default=-1)
    return [replace(one, reaches_start=one.interval.oldest_id <= start) for one in joined]


def _without(stretch: Stretch, interval: Interval) -> list[Stretch]:
    return [replace(stretch, interval=left) for left in subtract([stretch.interval], [interval])]


def _belong_together(older: Stretch, newer: Stretch) -> bool:
    return older.interval.touches(newer.interval) and abs(older.read_at - newer.read_at) <= _ONE_READING


def _joined(older: Stretch, newer: Stretch) -> Stretch:
    return replace(
        newer,
        interval=Interval(older.interval.oldest_id, newer.interval.newest_id),
        read_at=min(older.read_at, newer.read_at),
        widened_at=max(older.widened_at, newer.widened_at),
        journal_end=max(older.journal_end, newer.journal_end),
    )


def _by_place(rows: Iterable[RowMapping]) -> dict[int, list[Stretch]]:
    found: dict[int, list[Stretch]] = defaultdict(list)
    for row in rows:
        values = dict(row)
        interval = Interval(values.pop("oldest_id"), values.pop("newest_id"))
        found[row["place_id"]].append(Stretch(interval=interval, **values))
    return dict(found)


def _columns(stretches: Sequence[Stretch]) -> dict[str, list[Any]]:
    """Return stretches as the lists that `_INSERT` takes, one of each column."""
    return {
        "oldest_id": [one.interval.oldest_id for one in stretches],
        "newest_id": [one.interval.newest_id for one in stretches],
        **{name: [getattr(one, name) for one in stretches] for name in _TYPES if not name.endswith("est_id")},
    }


_TYPES: dict[LiteralString, LiteralString] = {
    "place_id": "bigint",
    "session": "text",
    "oldest_id": "bigint",
    "newest_id": "bigint",
    "guild_id": "bigint",
    "reaches_start": "boolean",
    "read_at": "timestamptz",
    "widened_at": "timestamptz",
    "journal_end": "bigint",
}
_NAMES: LiteralString = ", ".join(_TYPES)
_LISTS: LiteralString = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _TYPES.items())
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('backscroll.coverage ' || :session, 0))")
_TOO_LONG = text("DELETE FROM coverage WHERE session = :session AND journal_end > :end RETURNING place_id")
_FORGET = text("DELETE FROM coverage WHERE session = :session AND place_id = ANY (:places)")
_INSERT = text(f"INSERT INTO coverage ({_NAMES}) SELECT * FROM unnest({_LISTS})")  # noqa: S608 - constants
_OF_SESSION = text(
    f"SELECT {_NAMES} FROM coverage WHERE session = :session AND place_id = ANY (:places)"  # noqa: S608 - constants
    " ORDER BY place_id, oldest_id"
)
# A batch notes its sessions once it is whole. What an earlier batch had brought, a later one did not bring again: once
# the earlier is undone, the later does not stand for it any more.
_COUNTING: LiteralString = f"""
    WITH whole AS (
        SELECT unnest(sessions) AS session, max(started_at) AS promoted_at FROM promotions AS batch
        WHERE undone_at IS NULL AND NOT EXISTS (
            SELECT FROM promotions AS earlier
            WHERE earlier.promotion_id < batch.promotion_id AND earlier.undone_at >= batch.started_at
        )
        GROUP BY 1
    )
    SELECT {_NAMES} FROM coverage LEFT JOIN whole USING (session)
    WHERE (session = :current OR widened_at < promoted_at)
"""  # noqa: S608 - constants
_OF_PLACES: LiteralString = "place_id = ANY (:places)"
_OF_GUILD: LiteralString = "guild_id = :guild_id"
