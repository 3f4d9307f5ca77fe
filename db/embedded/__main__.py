"""Start, stop or look at the embedded server: `python -m db.embedded`."""

import asyncio
import shlex
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from cli.console import show, tell
from cli.options import path_named
from cli.script import open_missing_streams
from db.embedded import is_running, start_embedded, stop_embedded
from errors import BackscrollError

_Result = TypeVar("_Result")
_BaseDir = Annotated[
    str, typer.Option("--dir", metavar="FOLDER", help="The folder of the embedded server. [default: that of the bot]")
]

app = typer.Typer(
    help="Start, stop or look at the embedded PostgreSQL server.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _main() -> None:
    open_missing_streams()


@app.command("start")
def _start_command(directory: _BaseDir = "") -> None:
    """Start the server and leave it running until it is stopped, whatever scripts come and go."""
    server = _run(_folder(directory), partial(start_embedded, keeps=True))
    talk = shlex.join([str(server.binaries / "psql"), server.dsn("postgres")])
    show(f"The embedded server runs on {server.data_dir}; talk to it with {talk}")


@app.command("stop")
def _stop_command(directory: _BaseDir = "") -> None:
    """Stop the server, even while clients are connected."""
    stopped = _run(_folder(directory), stop_embedded)
    show("The embedded server has stopped." if stopped else "The embedded server was not running.")


@app.command("status")
def _status_command(directory: _BaseDir = "") -> None:
    """Say whether the server runs; the exit status is 1 when it does not."""
    folder = _folder(directory)
    running = _run(folder, is_running)
    show(f"The embedded server in {folder} {'runs' if running else 'does not run'}.")
    raise typer.Exit(0 if running else 1)


def _folder(directory: str) -> Path:
    """Return the folder that an option names, or else the one that the bot uses."""
    with _exiting_with_errors():
        if directory:
            return path_named(directory, "--dir")
        from settings import read_settings  # an option may do without

        return read_settings().server_dir


def _run(folder: Path, action: Callable[[Path], Coroutine[None, None, _Result]]) -> _Result:
    """Run an action on the server of a folder to its end."""
    with _exiting_with_errors():
        return asyncio.run(action(folder))


@contextmanager
def _exiting_with_errors() -> Iterator[None]:
    """Say what went wrong in its one sentence, and end with status 2."""
    try:
        yield
    except BackscrollError as error:
        tell(str(error))
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
