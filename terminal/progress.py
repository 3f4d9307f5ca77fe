"""Progress bars on the error stream, which leave standard output to answers."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

T = TypeVar("T")


async def shown_while(awaitable: Awaitable[T], description: str) -> T:
    """Await something whose length nobody knows, with a bar that shows it goes on."""
    with _bar() as bar:
        bar.add_task(description, total=None)
        return await awaitable


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that takes what is done and the total, and moves a bar."""
    with _bar() as bar:
        task = bar.add_task(description, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report


def _bar() -> Progress:
    """Return a bar that leaves no trace, and shows nothing where nobody looks."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
