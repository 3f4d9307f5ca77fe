"""Run Backscroll: on Discord when a token is set, else as a channel in the terminal."""

from typing import Annotated

import typer

from cli.script import open_missing_streams

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    *,
    terminal: Annotated[bool, typer.Option("--terminal", help="Talk here, even when a Discord token is set.")] = False,
    speaker: Annotated[str, typer.Option("--as", metavar="NAME", help="Speak under this name in the terminal.")] = "",
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Take dates on this clock, as in Europe/Paris.")] = "",
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="What 10/11 is; else by DATE_ORDER or the clock.")
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the session; empty: a random one.")
    ] = None,
    add_date: Annotated[bool | None, typer.Option("--date/--no-date", help="Add today's date to the name.")] = None,
    add_number: Annotated[bool | None, typer.Option("--number/--no-number", help="Add the next number.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: keep the current session, add nothing.")] = False,
    csv: Annotated[str | None, typer.Option("--import", metavar="CSV", help="First take in another CSV.")] = None,
    reembed_all: Annotated[bool, typer.Option("--re-embed", help="Embed all memory with EMBEDDING_MODEL.")] = False,
    heartbeat: Annotated[
        str | None, typer.Option(metavar="FILE", help="Touch this file while Discord is connected.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Export the embedding model, as the first start does, and end.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Look at everything, change nothing, say what is wrong.")
    ] = False,
) -> None:
    """Remember what is said, and answer /chat from it, until Ctrl+C."""
    open_missing_streams()
    # Imported here: what only prints a help text or refuses an option loads nothing of the program.
    from cli.commands.main import CommandLine, check_everything, prepare_model, run

    if check:
        raise typer.Exit(check_everything())
    if prepare:
        prepare_model()
        return
    run(
        CommandLine(
            terminal=terminal,
            speaker=speaker,
            time_zone=time_zone,
            session=session,
            add_date=add_date,
            add_number=add_number,
            asks=not yes,
            csv=csv,
            reembed=reembed_all,
            heartbeat=heartbeat,
            day_first=day_first,
        )
    )


if __name__ == "__main__":
    app()
