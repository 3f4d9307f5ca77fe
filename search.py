"""Search both memories from the command line."""

from typing import Annotated

import typer

from cli.script import open_missing_streams

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    text: Annotated[str, typer.Argument(metavar="QUESTION", help="What to look for, in plain English.")],
    *,
    now: Annotated[str, typer.Option(metavar="ISO", help="Ask as if it were this moment.")] = "",
    time_zone: Annotated[str, typer.Option(metavar="ZONE", help="Take dates on this clock, as in Europe/Paris.")] = "",
    day_first: Annotated[
        bool | None, typer.Option("--day-first/--month-first", help="What 10/11 is; else by DATE_ORDER or the clock.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="NUMBER", help="How many messages to find.")] = 8,
    session: Annotated[str, typer.Option(metavar="NAME", help="Search only if this is the current session.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Show how the rows were found, and count them.")] = False,
) -> None:
    """Search what was said, with the time that the question means, and print it with what stands around it."""
    open_missing_streams()
    # Imported here: what only prints a help text or refuses an option loads nothing of the program.
    from cli.commands.search import CommandLine, run

    run(
        CommandLine(
            text=text,
            now=now,
            time_zone=time_zone,
            day_first=day_first,
            limit=limit,
            session=session,
            explain=explain,
        )
    )


if __name__ == "__main__":
    app()
