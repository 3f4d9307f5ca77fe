"""Ask for what happened in a year, a week and a day of a memory of a million messages, and who knows about a topic."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import text

from bench.models import shared_model
from bench.processes import open_workplace
from bench.servers import open_new_database, open_server
from bench.tables import table
from cli.console import shown_while
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM, Database
from db.migrate import LONG_STATEMENT_TIMEOUT
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from memory.search_session import searchable_database
from overviews.overview import Overview, Viewer
from overviews.search import MessageSearch, Wanted
from overviews.timeline import Timeline
from overviews.who import WhoKnows

GUILD, CHANNELS, PEOPLE = 1, 60, 3000
_RUNS = 3
_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2027, 1, 1, tzinfo=UTC)

_FILL = text("""
    INSERT INTO messages (
        message_id, sent_at, session, guild_id, channel_id, author_id, author_name, channel_name, kind, content,
        search_text, reply_to, reactions
    )
    SELECT number,
           CAST(:start AS timestamptz) + number * (interval '365 days' / CAST(:rows AS double precision)),
           'bench', CAST(:guild AS bigint), 1 + (number * 7919) % CAST(:channels AS bigint),
           1 + (number * 104729) % CAST(:people AS bigint),
           'person ' || (number * 104729) % CAST(:people AS bigint),
           'channel-' || (1 + (number * 7919) % CAST(:channels AS bigint)), 'message',
           CASE WHEN number % 40 = 0 THEN 'see https://bench.example/page/' || number ELSE '' END
           || ' what was said about the kiln, the rent and number ' || number
           || CASE WHEN number % 500 = 0 THEN ' with a copper glaze that turned red in reduction' ELSE '' END,
           '', CASE WHEN number % 5 = 0 THEN greatest(1, number - (number % 35) * CAST(:channels AS bigint)) END,
           CASE WHEN number % 20 = 0 THEN jsonb_build_array(jsonb_build_object('emoji', '👍', 'count', number % 13))
                ELSE '[]'::jsonb END
    FROM generate_series(CAST(1 AS bigint), CAST(:rows AS bigint)) AS number
""")


async def fill(database: Database, rows: int) -> None:
    """Write so many messages of a year, without vectors."""
    async with database.engine.begin() as connection:
        await connection.execute(LONG_STATEMENT_TIMEOUT)
        values = {"rows": rows, "start": _YEAR, "guild": GUILD, "channels": CHANNELS, "people": PEOPLE}
        await connection.execute(_FILL, values)
        await connection.execute(text("ANALYZE messages"))


async def seconds(make: Callable[[], Awaitable[Overview]]) -> tuple[float, Overview]:
    """Return the median time that it takes to make an overview, and the overview."""
    taken = []
    for _ in range(_RUNS):
        begun = perf_counter()
        overview = await make()
        taken.append(perf_counter() - begun)
    return median(taken), overview


async def measure(rows: int) -> str:
    """Return the figures as text."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(open_workplace())
        address_of = await stack.enter_async_context(open_server(place, on_timescale=False))
        long_term = await stack.enter_async_context(open_new_database(address_of))
        short_term = await stack.enter_async_context(
            open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT)
        )
        await fill(long_term, rows)
        await fill(short_term, rows // 10)  # a session that was promoted and goes on
        embedder = Embedder(shared_model())
        stack.callback(embedder.close)
        await embedder.ready()
        databases = searchable_database(short_term), searchable_database(long_term)
        memory = Memory(*databases, embedder)
        timeline, who, search = Timeline(memory, databases), WhoKnows(memory, databases), MessageSearch(memory)
        viewer = Viewer(
            guild=GUILD,
            places=frozenset(range(1, CHANNELS + 1)),
            person_id=1,
            channel_id=1,
            now=_NOW,
            time_zone=ZoneInfo("UTC"),
        )
        asked: dict[str, Callable[[], Awaitable[Overview]]] = {
            "/timeline 2026": lambda: timeline.of(viewer, when="2026"),
            "/timeline a week": lambda: timeline.of(viewer, when="7 to 13 September 2026"),
            "/timeline a day": lambda: timeline.of(viewer, when="9 September 2026"),
            "/search without words": lambda: search.find(viewer, Wanted(when="2026")),
            "/who knows copper glaze": lambda: who.about(viewer, "copper glaze"),
        }
        rows_of_table = []
        for name, make in asked.items():
            taken, overview = await seconds(make)
            rows_of_table.append((name, f"{taken:.2f}", len(overview.messages)))
    return table(("asked", "seconds", "messages shown"), rows_of_table)


def main(
    rows: Annotated[int, typer.Option(min=1000, help="How many messages there are in long-term memory.")] = 1_000_000,
) -> None:
    """Print how long overviews of a large memory take; it is made first, on a server of its own."""
    typer.echo(asyncio.run(shown_while(measure(rows), "Making messages and asking")))


if __name__ == "__main__":
    typer.run(main)
