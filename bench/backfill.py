"""Read the past of a large server from a Discord of our own whose limits are enforced, and time it.

`main_async.py backfill` runs as a process of its own, on an embedded PostgreSQL, as somebody runs it. The fake says how
many requests it has answered and refused, and the database how soon the last month can be found.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

import psycopg
import typer

from bench.processes import PATIENCE, Program, open_program, open_workplace, patience_for
from db.addresses import keywords_of, parse_address
from db.connections import connect
from db.embedded import open_embedded
from tests.fake_discord import FakeDiscord, World, open_fake_discord
from tests.fake_discord.limits import GLOBAL, HISTORY
from tests.fake_discord.worlds import Town, fill

RECENT = timedelta(days=30)
_GLANCE = 0.5  # seconds
_PATIENCE = timedelta(seconds=10)
_SHARE, _MINUTE = 0.8, 60.0  # what is asked for
_MARGIN = 0.005  # of the share: what the first and the last second of a measurement make uncertain
_STORED = "SELECT count(*), count(*) FILTER (WHERE sent_at >= %s) FROM messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a reading of the past has come to; times are in seconds since its first page."""

    messages: int
    places: int
    recent: int
    requests: int
    refused: int
    busiest_second: int
    reading: float
    recent_read: float
    recent_found: float | None
    all_found: float | None
    stored: int

    @property
    def share(self) -> float:
        """The share of the global ceiling that was used while there was something to ask for."""
        return self.requests / self.reading / (GLOBAL.requests / GLOBAL.seconds)

    @property
    def is_right(self) -> bool:
        """Whether all that is asked for is reached."""
        in_time = self.recent_found is not None and self.recent_found <= _MINUTE
        is_whole = self.stored == self.messages and self.refused == 0
        return in_time and is_whole and self.share >= _SHARE - _MARGIN

    def text(self) -> str:
        """Return it in lines."""
        pace = f"{self.requests / self.reading:.1f}/s, {self.share:.3f} of the ceiling, {self.busiest_second} at most"
        speed = f"{self.messages / self.reading:,.0f} messages/s"
        found = f"the last month after {_spoken(self.recent_found)}, all after {_spoken(self.all_found)}"
        return "\n".join(
            [
                f"{self.messages:,} messages in {self.places:,} places, {self.recent:,} of them of the last month",
                f"requests   {self.requests:,} in {self.reading:.1f} s: {pace} in a second",
                f"refused    {self.refused}",
                f"read       {speed}; the last month after {self.recent_read:.1f} s",
                f"stored     {self.stored:,}; {found}",
            ]
        )


def _spoken(seconds: float | None) -> str:
    return "no end" if seconds is None else f"{seconds:.1f} s"


def busiest(times: Sequence[float], *, seconds: float = 1.0) -> int:
    """Return how many of some times, in order, lie in the fullest stretch of so many seconds."""
    first, most = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@dataclass(slots=True)
class _Found:
    """When what is asked for could be found, on the clock of the event loop."""

    stored: int = 0
    recent_at: float | None = None
    all_at: float | None = None


async def measure(*, messages: int, places: int, days: float) -> Measured:
    """Read so many messages of so many places, said in so many days up to now."""
    world = World()
    begun = world.clock()
    town = fill(world, messages=messages, places=places, now=begun, days=days)
    recent = sum(said.sent_at >= begun - RECENT for place in town.places for said in place.messages.values())
    found = _Found()
    with open_workplace() as place:
        async with (
            open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server,
            open_fake_discord(world) as fake,
        ):
            there = replace(place, settings=fake.settings)
            async with open_program(there, "backfill") as program, asyncio.TaskGroup() as group:
                watching = group.create_task(
                    _watch(server.dsn("short_term"), found, since=begun - RECENT, recent=recent, messages=messages)
                )
                await _finished(program, messages)
                await asyncio.sleep(2 * _GLANCE)
                watching.cancel()
            return _measured(fake, town, found, begun - RECENT, messages=messages, recent=recent)


async def _finished(program: Program, messages: int) -> None:
    finished = await program.finish(patience=patience_for(messages))
    typer.echo(finished.out + finished.err, err=True)


async def _watch(dsn: str, found: _Found, *, since: datetime, recent: int, messages: int) -> None:
    """Look again and again how much of what was said can be found."""
    loop = asyncio.get_running_loop()
    while True:
        with suppress(psycopg.Error):  # the tables are not there from the start
            async with await connect(keywords_of(parse_address(dsn)), timeout=_PATIENCE, autocommit=True) as connection:
                while True:
                    row = await (await connection.execute(_STORED, [since])).fetchone()
                    found.stored, new = row or (0, 0)
                    if found.recent_at is None and new >= recent:
                        found.recent_at = loop.time()
                    if found.all_at is None and found.stored >= messages:
                        found.all_at = loop.time()
                    await asyncio.sleep(_GLANCE)
        await asyncio.sleep(_GLANCE)


def _measured(fake: FakeDiscord, town: Town, found: _Found, since: datetime, *, messages: int, recent: int) -> Measured:
    counted = [one for one in fake.rest.requests if one.status == 200]
    pages = [one for one in counted if one.route == HISTORY]
    start, end = pages[0].at, pages[-1].at
    times = [one.at for one in counted if start <= one.at <= end]
    last_month = _last_of_the_month(town, [(one.path, one.at) for one in pages], since)
    return Measured(
        messages=messages,
        places=len(town.places),
        recent=recent,
        requests=len(times),
        refused=len(fake.throttled),
        busiest_second=busiest(times),
        reading=end - start,
        recent_read=last_month - start,
        recent_found=None if found.recent_at is None else found.recent_at - start,
        all_found=None if found.all_at is None else found.all_at - start,
        stored=found.stored,
    )


def _last_of_the_month(town: Town, pages: Sequence[tuple[str, float]], since: datetime) -> float:
    """Return when the last page came that had something of the last month in it."""
    left = {str(place.id): sum(said.sent_at >= since for said in place.messages.values()) for place in town.places}
    last = 0.0
    for path, at in pages:
        place_id = path.split("/")[-2]
        if left.get(place_id, 0) > 0:
            left[place_id] -= 100
            last = at
    return last


def main(
    messages: Annotated[int, typer.Option(min=100, max=10_000_000, help="How much was said.")] = 100_000,
    places: Annotated[int, typer.Option(min=1, max=50_000, help="In how many channels, threads and posts.")] = 300,
    days: Annotated[float, typer.Option(min=1, max=4_000, help="In how many days up to now.")] = 365,
) -> None:
    """Time a backfill; exit status 1 when something is refused or missing, or it is slower than what is asked for."""
    measured = asyncio.run(measure(messages=messages, places=places, days=days))
    typer.echo(measured.text())
    raise typer.Exit(0 if measured.is_right else 1)


if __name__ == "__main__":
    typer.run(main)
