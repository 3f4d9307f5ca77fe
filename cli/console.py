"""Progress bars on the error stream, which leave standard output to answers."""

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import typer
from rich.console import Console, JustifyMethod
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

import util_async
from memory.plain_text import printable, visible

logger = logging.getLogger(__name__)


def show(text: str, *, styled: bool = False) -> None:
    """Print a text, without what would command the terminal; letters that the output cannot show become escapes.

    A text that is `styled` has colours, and none of its words are anybody else's. An output that nobody reads any more,
    as behind `| head`, must not keep the rest from being recorded.
    """
    _print(text, is_error=False, styled=styled)


def tell(text: str) -> None:
    """Print a sentence for the operator, in the same way."""
    _print(text, is_error=True)


def _print(text: str, *, is_error: bool, styled: bool = False) -> None:
    stream = sys.stderr if is_error else sys.stdout
    if stream is None:  # it was closed before we began
        return
    encoding = stream.encoding or "utf-8"
    try:
        shown = text if styled else printable(text)
        typer.echo(shown.encode(encoding, "backslashreplace").decode(encoding), err=is_error)
    except BrokenPipeError:
        _print_no_more(stream.fileno())
    except OSError as error:
        _print_no_more(stream.fileno())
        if not is_error:
            logger.warning("standard output cannot be written (%s): what follows is not shown", error.strerror)


def _print_no_more(descriptor: int) -> None:
    """Lead a stream nowhere: closing it would fail once more when Python ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


_UNWRAPPED = 10_000  # columns; whoever reads a pipe wants a line to stay one


def in_columns(heads: Mapping[str, JustifyMethod], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines under heads, each of which says to which side its column is aligned."""
    console = Console(width=_UNWRAPPED)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head, justify in heads.items():
        table.add_column(head, justify=justify)
    for row in rows:
        # As Text, nothing in the words is taken for a style.
        table.add_row(*(Text(visible(cell).replace("\n", " ")) for cell in row))
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


T = TypeVar("T")


async def shown_while(awaitable: Awaitable[T], description: str) -> T:
    """Await something whose length nobody knows, with a bar that shows it goes on."""
    with _bar() as bar:
        bar.add_task(printable(description), total=None)
        return await awaitable


@contextmanager
def progress_bar(description: str, *, unit: str = "") -> Iterator[util_async.Progress]:
    """Yield a function that takes what is done and the total, and moves a bar; a unit adds how many there are a second.

    The unit B stands for bytes, of which millions are counted.
    """
    with _bar(*([_Rate(unit), TimeRemainingColumn()] if unit else [])) as bar:
        task = bar.add_task(printable(description), total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


@contextmanager
def live_bar(description: str) -> Iterator[Callable[[str, float | None], None]]:
    """Yield a function that takes words and the share that is done, from 0 to 1, and shows both; None: unknown."""
    with _bar() as bar:
        task = bar.add_task(printable(description), total=None)

        def report(words: str, share: float | None) -> None:
            shown = printable(f"{description}: {words}")
            bar.update(task, description=shown, completed=share or 0, total=None if share is None else 1)

        yield report


class _Rate(ProgressColumn):
    """Shows how fast it goes."""

    def __init__(self, unit: str) -> None:
        self._unit = unit
        super().__init__()

    def render(self, task: Task) -> Text:
        """Return the rate of the last half minute."""
        return Text(rate(task.speed, self._unit))


def rate(speed: float | None, unit: str) -> str:
    """Return a speed in words; nothing while it is not known."""
    if not speed:
        return ""
    return f"{speed / 1e6:,.0f} MB/s" if unit == "B" else f"{speed:,.0f} {unit}/s"


def _bar(*more: ProgressColumn) -> Progress:
    """Return a bar that leaves no trace, and shows nothing where nobody looks."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}", markup=False),  # the name of a file may look like markup
        BarColumn(),
        TaskProgressColumn(),
        *more,
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
