"""Back up both memories, prove the backups, and restore them."""

from typing import Annotated

import typer

from cli.options import Compression, Which, Written
from cli.script import open_missing_streams
from ops.backup.manifest import Format

app = typer.Typer(
    help="Back up both memories, prove the backups, and restore them.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

_Which = Annotated[Which, typer.Option("--database", help="Which of the two databases.")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the backup's folder.")]
_Daily = Annotated[
    int | None, typer.Option("--keep-daily", metavar="DAYS", min=0, help="Days that keep their last backup.")
]
_Weekly = Annotated[
    int | None, typer.Option("--keep-weekly", metavar="WEEKS", min=0, help="Weeks that keep their last backup.")
]


@app.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """Ask what to back up, when no command is given."""
    open_missing_streams()
    if context.invoked_subcommand is None:
        # Imported in each command: what only prints a help text or refuses an option loads nothing of the program.
        from cli.commands.backups import ask_and_create

        ask_and_create()


@app.command("create")
def create_command(
    *,
    which: _Which = Which.BOTH,
    written: Annotated[
        list[Written] | None,
        typer.Option(
            "--format",
            metavar="[csv|binary|dump|parquet|both]",
            help="Can be given again; both means csv and dump. [default: csv]",
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the folder's name begins with.")] = "backup",
    compress: Annotated[
        Compression, typer.Option("--compress", help="For csv, binary and parquet.")
    ] = Compression.ZSTD,
    empty: Annotated[
        bool, typer.Option("--empty-short-term", help="Afterwards empty short-term memory; the bot must not run.")
    ] = False,
    verifies: Annotated[bool, typer.Option("--verify/--no-verify", help="Read the backup again.")] = True,
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="Again and again, as in 24h.")] = "",
    daily: _Daily = None,
    weekly: _Weekly = None,
) -> None:
    """Make a backup; the bot may be running."""
    from cli.commands.backups import CreateLine, create_backups

    create_backups(
        CreateLine(
            which=which,
            written=written or [Written.CSV],
            name=name,
            compress=compress,
            empty=empty,
            verifies=verifies,
            every=every,
            daily=daily,
            weekly=weekly,
        )
    )


@app.command("list")
def list_command() -> None:
    """List the backups there are."""
    from cli.commands.backups import print_list

    print_list()


@app.command("verify")
def verify_command(
    name: _Name,
    *,
    restores: Annotated[
        bool, typer.Option("--restore", help="Also restore it into a database that is dropped then, and compare.")
    ] = False,
) -> None:
    """Read a backup again and compare it with its manifest; the bot may be running.

    That shows that it is what was written, not who wrote it. Nothing in it is executed, of a dump neither.
    """
    from cli.commands.backups import verify_backup

    verify_backup(name, restores=restores)


@app.command("restore")
def restore_command(
    name: _Name,
    *,
    which: Annotated[Which | None, typer.Option("--database", help="Restore one of those in the backup.")] = None,
    source: Annotated[Format | None, typer.Option("--format", help="Restore from these files of the backup.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    index: Annotated[
        bool, typer.Option("--index/--no-index", help="Index the vectors at the end; else the bot does, later.")
    ] = True,
) -> None:
    """Replace what the databases hold by what they held then; the bot must not run."""
    from cli.commands.backups import restore_backup

    restore_backup(name, which=which, source=source, asks=not yes, index=index)


@app.command("prune")
def prune_command(
    *,
    daily: _Daily = None,
    weekly: _Weekly = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
) -> None:
    """Remove old backups, when those that stay are whole; the last whole one of each name is always kept."""
    from cli.commands.backups import prune_backups

    prune_backups(daily=daily, weekly=weekly, dry_run=dry_run)


if __name__ == "__main__":
    app()
