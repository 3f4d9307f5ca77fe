"""Run an examination from a script, and show what it found."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from doctor.examination import examine
from doctor.findings import Line, wrong
from doctor.rounds import Rounds
from doctor.subject import Subject
from doctor.table import present
from errors import SessionError, SettingsError
from logs import write_logs
from terminal.progress import shown_while
from util_async import run_until_first_ends


def consult(subject: Subject, *, now: datetime) -> int:
    """Look at everything, print the table, and return the exit status: 0 when nothing is wrong, else 2."""
    rounds = Rounds()
    with _logged(subject.storage_dir):
        looking = shown_while(examine(subject, rounds, now=now), "Looking at everything")
        asyncio.run(run_until_first_ends(looking))
    return present(rounds.lines)


def refuse(error: SettingsError) -> int:
    """Print the table of a program whose settings cannot be read, and return its exit status."""
    return present([Line("settings", wrong(str(error)))])


@contextmanager
def _logged(storage_dir: Path) -> Iterator[None]:
    """Log into a folder of the check's own, if there is storage already and it can be written."""
    with ExitStack() as stack:
        if storage_dir.is_dir():
            with suppress(SessionError):  # the table tells of a folder that cannot be written
                stack.enter_context(write_logs(storage_dir / "logs" / "check"))
        yield
