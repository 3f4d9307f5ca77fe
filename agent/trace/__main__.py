"""Print how an answer came about: `python -m agent.trace ID`."""

import asyncio
import re
from typing import Annotated

import typer

from agent.trace.tree import rendered
from cli.commands.startup import opened_memory
from cli.console import show
from cli.script import errors_end_the_script, open_missing_streams
from errors import SettingsError
from memory.answers.traces import StoredTrace, TraceStore
from settings import Settings, read_settings

_ID = re.compile(r"[0-9a-f]{6,32}")

NOT_AN_ID = "{!r} is no id of a trace: give 6 to 32 digits, 0 to 9 and a to f, as a debug answer ends with them."
NONE = "There is no trace {}: it is too old (TRACE_DAYS), was erased with its asker, or was never kept."
SEVERAL = "Several traces begin with {}: give more digits of the id."


def run() -> None:
    """Read the command line and print a trace; what is wrong is one sentence and status 2."""
    typer.run(_print_trace)


def _print_trace(trace_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its first digits.")]) -> None:
    """Print how an answer came about, as a tree: what was done, how long it took, and what it gave."""
    open_missing_streams()
    with errors_end_the_script():
        start = trace_id.strip().lower()
        if not _ID.fullmatch(start):
            raise SettingsError(NOT_AN_ID.format(trace_id))
        found = asyncio.run(_found(read_settings(), start))
        if not found:
            raise SettingsError(NONE.format(start))
        if len(found) > 1:
            raise SettingsError(SEVERAL.format(start))
        show(rendered(found[0]))


async def _found(settings: Settings, start: str) -> list[StoredTrace]:
    async with opened_memory(settings.database) as (_, long_term):
        return await TraceStore(long_term.sessions).find(start, limit=2)


if __name__ == "__main__":
    run()
