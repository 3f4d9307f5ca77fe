"""Kill Backscroll with kill -9 in the middle of many messages, start it again, and count what it kept."""

import asyncio
from typing import Annotated

import typer

from bench.counts import Counts, compare, journalled_texts, stored_texts
from bench.processes import PATIENCE, Workplace, open_program, open_workplace, patience_for, until
from db.embedded import open_embedded

SESSION = "killed"
ARGUMENTS = ("--terminal", "--yes", "--as", "bench", "--session", SESSION)


async def measure(messages: int) -> Counts:
    """Send messages, kill the program while it reads the second half of them, start it again, and count."""
    sent = [
        f"message number {number}: what was said before the kill must be there after it" for number in range(messages)
    ]
    with open_workplace() as place:
        async with open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server:
            await _kill_in_the_middle(place, sent)
            async with open_program(place, *ARGUMENTS) as program:
                again = await program.finish(patience=patience_for(messages))
            if again.status != 0:
                raise RuntimeError(f"the second start failed: {again.err}")
            journalled = journalled_texts(place.journal_path(SESSION))
            stored = await stored_texts(server.dsn("short_term"))
    return compare(sent, journalled, stored)


async def _kill_in_the_middle(place: Workplace, sent: list[str]) -> None:
    journal, half = place.journal_path(SESSION), len(sent) // 2
    async with open_program(place, *ARGUMENTS) as program:
        await program.say(*sent[:half])
        await until(lambda: len(journalled_texts(journal)) == half, program)
        await program.say(*sent[half:])
        await until(lambda: len(journalled_texts(journal)) > half, program)
        await program.kill()


def main(messages: Annotated[int, typer.Option(min=2, help="How many to send.")] = 5000) -> None:
    """Kill the program in the middle of messages; exit status 1 when one is lost or stored twice."""
    counts = asyncio.run(measure(messages))
    typer.echo(counts.table())
    raise typer.Exit(0 if counts.is_right(at_least=messages // 2) else 1)


if __name__ == "__main__":
    typer.run(main)
