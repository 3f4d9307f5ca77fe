"""Progress bars on the error stream, which leave standard output to answers."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
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
from rich.text import Text

from agent.visible import printable

T = TypeVar("T")


async def shown_while(awaitable: Awaitable[T], description: str) -> T:
    """Await something whose length nobody knows, with a bar that shows it goes on."""
    with _bar() as bar:
        bar.add_task(printable(description), total=None)
        return await awaitable


@contextmanager
def progress_bar(description: str, *, unit: str = "") -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes what is done and the total, and moves a bar; a unit adds how many there are a second.

    The unit B stands for bytes, of which millions are counted.
    """
    with _bar(*([_Rate(unit), TimeRemainingColumn()] if unit else [])) as bar:
        task = bar.add_task(printable(description), total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

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
