"""Bring sessions, and what others have exported, into long-term memory; take a batch out again; forget a person."""

from typing import Annotated

import typer

from cli.script import open_missing_streams

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def main(
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="A session's name or folder, a CSV, an export, a backup's messages."),
    ] = None,
    *,
    columns: Annotated[
        str, typer.Option("--map", metavar="OURS=THEIRS,...", help="Columns of a CSV, as in author_name=user.")
    ] = "",
    time_zone: Annotated[
        str, typer.Option(metavar="ZONE", help="The clock of times that do not say theirs, as in Europe/Paris.")
    ] = "",
    me: Annotated[
        int | None, typer.Option(metavar="USER_ID", help="The bot in an export: what it said is no evidence.")
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="What 03/04/2026 begins with, where a file does not tell."),
    ] = None,
    encoding: Annotated[
        str, typer.Option(metavar="NAME", help="How a file's letters are written, as in cp1251; else it is found out.")
    ] = "",
    author: Annotated[
        str, typer.Option(metavar="NAME", help="Who wrote a data package that does not tell whose it is.")
    ] = "",
    author_id: Annotated[int | None, typer.Option(metavar="USER_ID", help="The id of that author.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing: only tell what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    index: Annotated[
        bool, typer.Option("--index/--no-index", help="Index the vectors at the end; else the bot does, later.")
    ] = True,
    batch: Annotated[int | None, typer.Option("--undo", metavar="BATCH", help="Take a batch out again.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the batches.")] = False,
    user_id: Annotated[
        int | None, typer.Option("--forget", metavar="USER_ID", help="Erase a person everywhere; the bot must not run.")
    ] = None,
) -> None:
    """Bring messages into long-term memory; without arguments it asks which session's.

    What is there already is left alone, and whoever was stopped runs it again: it goes on where it was.
    """
    open_missing_streams()
    # Imported here: what only prints a help text or refuses an option loads nothing of the program.
    from cli.commands.long_term import CommandLine, run

    run(
        CommandLine(
            sources=sources or [],
            columns=columns,
            time_zone=time_zone,
            me=me,
            day_first=day_first,
            encoding=encoding,
            author=author,
            author_id=author_id,
            dry_run=dry_run,
            asks=not yes,
            index=index,
            batch=batch,
            listing=listing,
            user_id=user_id,
        )
    )


if __name__ == "__main__":
    app()
