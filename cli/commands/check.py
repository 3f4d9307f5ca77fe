"""Show what the doctor found as a table, one line for each thing."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.commands.startup import chat_model, secret_value
from cli.console import show, shown_while
from cli.logs import write_logs
from errors import SessionError, SettingsError
from memory.plain_text import printable
from ops.checks.models import LanguageModel
from ops.checks.result import Line, State, exit_status, wrong
from ops.checks.run import Rounds, examine
from ops.checks.subject import Subject
from settings import Settings, read_settings
from util_async import run_until_first_ends

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.WRONG: "bold red", State.LEFT_OUT: "dim"}
_UNWRAPPED = 10_000  # columns; whoever reads a pipe wants a line to stay one


def present(lines: Sequence[Line]) -> int:
    """Print the table with a last word, and return the exit status."""
    show(rendered(lines, Console()), styled=True)
    return exit_status(lines)


def rendered(lines: Sequence[Line], console: Console) -> str:
    """Return the table as it suits a console: with colours and wrapped to its width if it is a terminal."""
    if not console.is_terminal:
        console.width = _UNWRAPPED
    table = Table("what", "state", "found", box=SIMPLE_HEAD if console.is_terminal else None, padding=(0, 2, 0, 0))
    for line in lines:
        state = line.finding.state
        # As Text, nothing in the words is taken for a style.
        words = (printable(line.name), printable(line.finding.words))
        table.add_row(Text(words[0]), Text(state, style=_STYLES[state]), Text(words[1]))
    with console.capture() as captured:
        console.print(table)
    shown = "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
    return f"{shown}\n\n{last_word(lines)}"


def last_word(lines: Sequence[Line]) -> str:
    """Return whether all is well, and how much is not."""
    counts = Counter(line.finding.state for line in lines)
    if counts[State.WRONG]:
        said = f"Not all is well: {counts[State.WRONG]} wrong"
        return f"{said}, {_warnings(counts[State.WARNING])}." if counts[State.WARNING] else f"{said}."
    return f"All is well, with {_warnings(counts[State.WARNING])}." if counts[State.WARNING] else "All is well."


def _warnings(count: int) -> str:
    return "1 warning" if count == 1 else f"{count} warnings"


def check_everything() -> NoReturn:
    """Look at all that the settings lead to, print the table, and exit: 0 when nothing is wrong, else 2."""
    try:
        settings = read_settings()
    except SettingsError as error:
        raise typer.Exit(present([Line("settings", wrong(str(error)))])) from error
    raise typer.Exit(consult(_subject(settings), now=datetime.now(UTC)))


def _subject(settings: Settings) -> Subject:
    language_model = LanguageModel(
        name=settings.llm_model,
        base_url=settings.llm_base_url,
        openai_api_key=secret_value(settings.openai_api_key),
        hf_token=secret_value(settings.hf_token),
        create=partial(chat_model, settings),
    )
    return Subject(
        storage_dir=settings.storage_dir,
        addresses=settings.database.addresses,
        layouts=settings.database.layouts,
        embedding=settings.embedding,
        language_model=language_model,
        time_zone=ZoneInfo(settings.time_zone),
        discord_token=secret_value(settings.discord_token),
        discord_server_id=settings.discord_server_id,
    )


def consult(subject: Subject, *, now: datetime) -> int:
    """Look at everything, print the table, and return the exit status: 0 when nothing is wrong, else 2."""
    rounds = Rounds()
    with _logged(subject.storage_dir):
        looking = shown_while(examine(subject, rounds, now=now), "Looking at everything")
        asyncio.run(run_until_first_ends(looking))
    return present(rounds.lines)


@contextmanager
def _logged(storage_dir: Path) -> Iterator[None]:
    """Log into a folder of the check's own, if there is storage already and it can be written."""
    with ExitStack() as stack:
        if storage_dir.is_dir():
            with suppress(SessionError):  # the table tells of a folder that cannot be written
                stack.enter_context(write_logs(storage_dir / "logs" / "check"))
        yield
