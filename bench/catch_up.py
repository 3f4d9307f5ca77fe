"""Catch somebody up with 10,000 unread messages in 50 channels, beside fetching all of these messages whole.

Short-term memory holds what is unread and what was said before in its session, long-term memory ten times as much from
before; a tenth of the unread messages stand in both. Each is done in turn, so that a busy moment of the machine hits
both alike.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Annotated, LiteralString
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import text

from bench.models import shared_model
from bench.processes import open_workplace
from bench.servers import open_new_database, open_server
from bench.tables import table
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM, Database
from db.name_rows import FILL
from memory.catch_ups import CatchUps
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from memory.search_session import searchable_database
from overviews.all import Overviews
from overviews.overview import Viewer
from time_expressions.window import Window

GUILD, PEOPLE, ME = 1, 200, 7
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AWAY = timedelta(days=3)
LAST_SPOKE = NOW - AWAY

_FIRST_CHANNEL = 1_000
_TEXTS: LiteralString = """(ARRAY[
    'the kiln reached 1280 degrees this morning', 'does anybody know where the spare shelves are?', 'ok',
    'I have written it down here: https://example.org/glazes', 'thank you, that helps', 'how long do you let it cool?',
    'we ship the crates on Friday, and the rest on Monday', 'what about the other one', 'look at this',
    '<@me:7> see above'
])"""
_INSERT: LiteralString = f"""
    INSERT INTO messages (
        message_id, sent_at, session, guild_id, channel_id, author_id, author_name, channel_name, kind, content,
        search_text, reply_to, reactions, reactions_at
    )
    SELECT number, CAST(:until AS timestamptz) - (:before + :rows - number) * CAST(:step AS interval), 'bench', :guild,
        :channel + number % :channels, 1 + number * 7919 % :people, 'person ' || (1 + number * 7919 % :people),
        'channel-' || number % :channels, 'message', {_TEXTS}[1 + number * 31 % 10], '',
        CASE WHEN number % 4 = 0 THEN number - :channels END,
        CASE WHEN number % 50 = 0 THEN CAST('[{{"emoji": "+1", "count": 3}}]' AS jsonb) ELSE '[]' END,
        CASE WHEN number % 50 = 0 THEN CAST(:until AS timestamptz) END
    FROM generate_series(CAST(:before AS bigint) + 1, CAST(:before AS bigint) + :rows) AS number
    WHERE NOT (1 + number * 7919 % :people = :me AND CAST(:is_unread AS boolean))
"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class Scene:
    """Both memories, and who was away."""

    overviews: Overviews
    viewer: Viewer
    unread: int


async def fill(database: Database, *, before: int, rows: int, until: datetime, over: timedelta, channels: int) -> None:
    """Write messages numbered from `before`, spread evenly over a time that ends at `until`."""
    values = {
        "before": before,
        "rows": rows,
        "until": until,
        "step": over / rows,
        "guild": GUILD,
        "channel": _FIRST_CHANNEL,
        "channels": channels,
        "people": PEOPLE,
        "me": ME,
        "is_unread": until == NOW,
    }
    async with database.engine.begin() as connection:
        await connection.execute(text(_INSERT), values)


@asynccontextmanager
async def open_scene(unread: int, channels: int, earlier: int) -> AsyncGenerator[Scene]:
    """Yield both memories on an embedded server, with so many messages unread and so many from before."""
    with open_workplace() as place:
        async with (
            open_server(place, on_timescale=False) as address_of,
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT) as short_term,
            open_new_database(address_of) as long_term,
        ):
            long_ago = LAST_SPOKE - timedelta(days=10)
            recently = earlier // 10
            await fill(long_term, before=0, rows=earlier, until=long_ago, over=timedelta(days=300), channels=channels)
            await fill(
                short_term,
                before=earlier,
                rows=recently,
                until=LAST_SPOKE,
                over=timedelta(days=10),
                channels=channels,
            )
            for database, rows in ((short_term, unread), (long_term, unread // 10)):
                await fill(
                    database,
                    before=earlier + recently + unread - rows,
                    rows=rows,
                    until=NOW,
                    over=AWAY * rows / unread,
                    channels=channels,
                )
                async with database.engine.begin() as connection:
                    await connection.execute(text(FILL))
                    await connection.execute(text("ANALYZE messages, names"))
            databases = searchable_database(short_term), searchable_database(long_term)
            embedder = Embedder(shared_model())
            try:
                memory = Memory(*databases, embedder)
                catch_ups = CatchUps(long_term.sessions)
                await catch_ups.note_shown(ME, GUILD, at=LAST_SPOKE)
                overviews = Overviews(memory=memory, databases=databases, catch_ups=catch_ups)
                yield Scene(overviews, viewer_of(channels), unread)
            finally:
                embedder.close()


def viewer_of(channels: int) -> Viewer:
    """Return somebody who was away, and who may read all channels."""
    return Viewer(
        guild=GUILD,
        places=frozenset(range(_FIRST_CHANNEL, _FIRST_CHANNEL + channels)),
        person_id=ME,
        channel_id=_FIRST_CHANNEL,
        now=NOW,
        time_zone=ZoneInfo("UTC"),
    )


async def catch_up(scene: Scene) -> str:
    """Make a catch-up, and return its title."""
    return (await scene.overviews.catch_up.overview(scene.viewer)).title


async def fetch_all(scene: Scene) -> str:
    """Fetch all unread messages whole, and say how many there are."""
    memory = scene.overviews.memory.in_guild(GUILD)
    window = Window(LAST_SPOKE, NOW)
    found = await memory.list_messages(places=scene.viewer.places, windows=(window,), limit=2 * scene.unread)
    return f"{sum(len(excerpt.lines) for excerpt in found.excerpts):,} messages"


async def unanswered(scene: Scene) -> str:
    """List the open questions of two weeks, and return the title."""
    return (await scene.overviews.unanswered.overview(scene.viewer)).title


Case = Callable[[Scene], Awaitable[str]]
CASES: dict[str, Case] = {"/catchup": catch_up, "fetching all unread messages": fetch_all, "/unanswered": unanswered}


async def measure(unread: int, channels: int, earlier: int, times: int) -> list[tuple[str, float, float, str]]:
    """Return for each case its median and its slowest time in milliseconds, and what it found."""
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    found: dict[str, str] = {}
    async with open_scene(unread, channels, earlier) as scene:
        for case in CASES.values():
            await case(scene)  # plans and caches
        for _ in range(times):
            for name, case in CASES.items():
                began = perf_counter()
                found[name] = await case(scene)
                taken[name].append(1000 * (perf_counter() - began))
    return [(name, median(some), max(some), found[name]) for name, some in taken.items()]


def compared(figures: Sequence[tuple[str, float, float, str]]) -> str:
    """Return how long a catch-up takes beside fetching everything."""
    caught_up, fetched = figures[0][1], figures[1][1]
    return f"/catchup takes {caught_up / fetched:.2f} x as long as fetching all unread messages, and under 1 s: " + (
        "yes" if figures[0][2] < 1000 else "no"
    )


def main(
    unread: Annotated[int, typer.Option(min=100, help="How many messages are unread.")] = 10_000,
    channels: Annotated[int, typer.Option(min=1, help="In how many channels.")] = 50,
    earlier: Annotated[int, typer.Option(min=100, help="How many messages were said before.")] = 100_000,
    times: Annotated[int, typer.Option(min=1, help="How often each is done.")] = 20,
) -> None:
    """Measure catch-ups beside fetching everything that is unread."""
    figures = asyncio.run(measure(unread, channels, earlier, times))
    typer.echo(table(("", "p50 ms", "slowest ms", "found"), figures))
    typer.echo(f"\n{compared(figures)}")


if __name__ == "__main__":
    typer.run(main)
