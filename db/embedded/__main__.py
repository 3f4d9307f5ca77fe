"""Let an operator start, stop or look at the embedded server: `python -m db.embedded`."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from db.embedded import is_running, start_embedded, stop_embedded
from errors import BackscrollError

DEFAULT_DIR = Path("db/storage/postgres")

_Result = TypeVar("_Result")
_BaseDir = Annotated[Path, typer.Option("--dir", help="The folder of the embedded server.")]

app = typer.Typer(help="Start, stop or look at the embedded PostgreSQL server.", add_completion=False)


@app.command("start")
def _start_command(directory: _BaseDir = DEFAULT_DIR) -> None:
    """Start the server and leave it running."""
    server = _answer(start_embedded(directory))
    psql = server.binaries / "psql"
    typer.echo(f"The embedded server runs on {server.data_dir}; talk to it with {psql} '{server.dsn('postgres')}'")


@app.command("stop")
def _stop_command(directory: _BaseDir = DEFAULT_DIR) -> None:
    """Stop the server, even while clients are connected."""
    stopped = _answer(stop_embedded(directory))
    typer.echo("The embedded server has stopped." if stopped else "The embedded server was not running.")


@app.command("status")
def _status_command(directory: _BaseDir = DEFAULT_DIR) -> None:
    """Tell whether the server runs; the exit status is 1 when it does not."""
    running = _answer(is_running(directory))
    typer.echo(f"The embedded server in {directory} {'runs' if running else 'does not run'}.")
    raise typer.Exit(0 if running else 1)


def _answer(action: Coroutine[None, None, _Result]) -> _Result:
    """Run an action to its end; say what went wrong in its one sentence."""
    try:
        return asyncio.run(action)
    except BackscrollError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


if __name__ == "__main__":
    app()
