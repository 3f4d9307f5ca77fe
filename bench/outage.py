"""Send messages while the database is stopped, start it again, and count what arrived."""

import asyncio
from datetime import timedelta
from typing import Annotated

import psycopg
import typer

from bench.counts import Counts, compare, journalled_texts, stored_texts
from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, run_module, until
from db.embedded import open_embedded

SESSION = "outage"
ARGUMENTS = ("--terminal", "--yes", "--as", "bench", "--session", SESSION)

_GLANCE = timedelta(milliseconds=100)


async def measure(messages: int) -> Counts:
    """Send messages to a program whose database is away, bring that back, wait for the rest, and count."""
    sent = [f"message number {number}: the database was away when this was said" for number in range(messages)]
    with open_workplace() as place:
        async with (
            open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server,
            open_program(place, *ARGUMENTS) as program,
        ):
            await program.say("/help")
            await program.hear("/quit")
            await _send_in_an_outage(place, program, sent)
            stored = await _caught_up(server.dsn("short_term"), len(sent))
            await program.finish()
            journalled = journalled_texts(place.journal_path(SESSION))
    return compare(sent, journalled, stored)


async def _send_in_an_outage(place: Workplace, program: Program, sent: list[str]) -> None:
    """Stop the database for as long as it takes to send the messages."""
    await _switch_database(place, "stop")
    try:
        await program.say(*sent)
        await until(lambda: len(journalled_texts(place.journal_path(SESSION))) == len(sent), program)
    finally:
        await _switch_database(place, "start")


async def _switch_database(place: Workplace, action: str) -> None:
    if await run_module("db.embedded", action, "--dir", str(place.embedded_dir)):
        raise RuntimeError(f"the database did not {action}")


async def _caught_up(dsn: str, count: int) -> list[str]:
    """Return what the database holds once that is as much as was sent, or after some patience."""
    stored: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while len(stored) < count:
                await asyncio.sleep(_GLANCE.total_seconds())
                stored = await stored_texts(dsn)
    except (TimeoutError, psycopg.Error) as error:
        typer.echo(f"The database did not catch up: {error!r}", err=True)
    return stored


def main(messages: Annotated[int, typer.Option(min=1, help="How many to send.")] = 500) -> None:
    """Send messages during an outage of the database; exit status 1 when one is lost or stored twice."""
    counts = asyncio.run(measure(messages))
    typer.echo(counts.table())
    raise typer.Exit(0 if counts.is_right(at_least=messages) else 1)


if __name__ == "__main__":
    typer.run(main)
