"""Do what a command line of db_save.py asks for: promote, list, undo or forget."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from commands.startup import running
from errors import SettingsError

_ONE_THING = "--list, --undo, --forget and names of sources do not go together: ask for one of them."


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The options of db_save.py as they were typed."""

    sources: Sequence[str]
    columns: str
    time_zone: str
    me: int | None
    day_first: bool | None
    encoding: str
    author: str
    author_id: int | None
    dry_run: bool
    asks: bool
    index: bool
    batch: int | None
    listing: bool
    user_id: int | None


def run(line: CommandLine) -> None:
    """Do what a command line asks for; an error that is raised on purpose ends the program with its sentence."""
    with running("db_save") as settings:
        if (line.batch is not None) + line.listing + (line.user_id is not None) + bool(line.sources) > 1:
            raise SettingsError(_ONE_THING)
        # Each is imported when it is asked for: a list needs neither pandas nor an embedding model.
        if line.listing:
            from commands.batches import print_batches

            asyncio.run(print_batches(settings))
        elif line.batch is not None:
            from commands.batches import undo_batch

            asyncio.run(undo_batch(settings, line.batch))
        elif line.user_id is not None:
            from commands.forget import forget_person

            forget_person(settings, line.user_id, asks=line.asks)
        else:
            from commands.promote import promote_sources

            promote_sources(settings, line)
