"""Bring sessions, and what others have exported, into long-term memory; take a batch out again; forget a person."""

from cli import options as option
from cli.script import script_app

app = script_app(
    "Bring messages into long-term memory, take a batch out again, forget a person. Without a command it promotes.",
    default="promote",
    flags={"--list": "list", "--undo": "undo", "--forget": "forget"},
)


@app.command()
def promote(
    sources: option.Sources = None,
    *,
    columns: option.Columns = "",
    time_zone: option.SourceZone = "",
    me: option.Me = None,
    day_first: option.SourceDayFirst = None,
    encoding: option.Encoding = "",
    author: option.Author = "",
    author_id: option.AuthorId = None,
    dry_run: option.DryRun = False,
    yes: option.Yes = False,
    index: option.Index = True,
) -> None:
    """Bring messages into long-term memory. Without arguments it asks which session's.

    What is there already is left alone. A promotion that was stopped is run again: it goes on where it was.
    """
    from cli.commands.promote import SourceOptions, promote_sources

    read_as = SourceOptions(columns, time_zone, me, day_first, encoding, author, author_id)
    promote_sources(sources or [], read_as, dry_run=dry_run, asks=not yes, index=index)


@app.command("list")
def list_batches() -> None:
    """List the batches that were promoted."""
    from cli.commands.batches import print_batches

    print_batches()


@app.command()
def undo(batch: option.Batch) -> None:
    """Take a batch out of long-term memory again."""
    from cli.commands.batches import undo_batch

    undo_batch(batch)


@app.command(context_settings={"ignore_unknown_options": True})  # ids of webhooks' people begin with a minus
def forget(user_id: option.UserId, *, yes: option.Yes = False) -> None:
    """Erase all that a person has said, everywhere. The bot must not run."""
    from cli.commands.forget import forget_person

    forget_person(user_id, asks=not yes)


if __name__ == "__main__":
    app()
