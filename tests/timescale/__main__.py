"""Let a developer make, start and stop the tests' TimescaleDB: `python -m tests.timescale`."""

from pathlib import Path
from typing import Annotated, NoReturn

import psycopg
import typer

from errors import BackscrollError, DatabaseSetupError, first_line
from tests.timescale import Machine, find_address, find_place, is_running, remove, start, stop, versions, why_not

_Folder = Annotated[Path | None, typer.Option("--dir", help="Where it is kept; in the user's cache when not given.")]
_Port = Annotated[int, typer.Option(min=1024, max=65535, help="Its port on loopback.")]
_Dsn = Annotated[bool, typer.Option("--dsn", help="Print its address; the password is in a file.")]

app = typer.Typer(help="Make, start, stop, look at or remove the tests' TimescaleDB.", add_completion=False)


@app.command("check")
def _check_command() -> None:
    """Tell whether this machine can run it; the exit status is 3 when it cannot."""
    if reason := why_not(Machine()):
        typer.echo(reason)
        raise typer.Exit(3)


@app.command("start")
def _start_command(directory: _Folder = None, port: _Port = 54329) -> None:
    """Start it with empty data, making it first when it is not there."""
    _refuse_where_it_cannot_run()
    address = start(find_place(directory), port=port, report=typer.echo)
    typer.echo(f"The tests' TimescaleDB runs: {versions(address)}.")


@app.command("stop")
def _stop_command(directory: _Folder = None) -> None:
    """Stop it, even while tests are connected."""
    stopped = stop(find_place(directory))
    typer.echo("The tests' TimescaleDB has stopped." if stopped else "The tests' TimescaleDB was not running.")


@app.command("status")
def _status_command(directory: _Folder = None, dsn: _Dsn = False) -> None:
    """Tell whether it runs; the exit status is 1 when it does not."""
    place = find_place(directory)
    if not is_running(place):
        typer.echo("The tests' TimescaleDB does not run.")
        raise typer.Exit(1)
    address = find_address(place)
    typer.echo(address if dsn else f"The tests' TimescaleDB runs: {versions(address)}.")


@app.command("remove")
def _remove_command(directory: _Folder = None) -> None:
    """Stop it and remove all that was made for it."""
    place = find_place(directory)
    remove(place)
    typer.echo(f"{place.folder} is gone.")


def _refuse_where_it_cannot_run() -> None:
    if reason := why_not(Machine()):
        raise DatabaseSetupError(reason)


def main() -> None:
    """Run a command; what goes wrong is said in its one sentence, with exit status 2."""
    try:
        app()
    except BackscrollError as error:
        _refuse(str(error))
    except (OSError, psycopg.Error) as error:
        _refuse(f"The tests' TimescaleDB cannot be used: {first_line(error).rstrip('.')}.")


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
