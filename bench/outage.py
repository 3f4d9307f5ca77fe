"""Send messages while the database is stopped, start it again, and count what arrived."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Annotated

import typer

from bench.counts import Counts, compare, journalled_texts, stored_texts
from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, patience_for, run_module, until
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
            await _catch_up(server.dsn("short_term"), len(sent))
            await program.finish()  # which stops the server: our own connection to it broke in the outage
        journalled = journalled_texts(place.journal_path(SESSION))
        async with open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server:
            stored = await stored_texts(server.dsn("short_term"))
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


async def _catch_up(dsn: str, count: int) -> None:
    """Wait until the database holds as much as was sent, or until patience is at its end."""
    with suppress(TimeoutError):  # the counts will tell
        async with asyncio.timeout(patience_for(count).total_seconds()):
            stored = 0
            while stored < count:
                await asyncio.sleep(_GLANCE.total_seconds())
                stored = len(await stored_texts(dsn))


def main(messages: Annotated[int, typer.Option(min=1, help="How many to send.")] = 500) -> None:
    """Send messages during an outage of the database; exit status 1 when one is lost or stored twice."""
    counts = asyncio.run(measure(messages))
    typer.echo(counts.table())
    raise typer.Exit(0 if counts.is_right(at_least=messages) else 1)


if __name__ == "__main__":
    typer.run(main)
