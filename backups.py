"""Back up both memories, prove the backups, restore them, and move all memory to another server."""

from cli import options as option
from cli.script import script_app

app = script_app("Back up both memories, prove the backups, restore them. Without a command it asks.", default="ask")


@app.command(hidden=True)
def ask() -> None:
    """Ask what to back up, and make that backup."""
    from cli.commands.backups import ask_and_create

    ask_and_create()


@app.command()
def create(
    *,
    which: option.Databases = option.Which.BOTH,
    written: option.Formats = None,
    name: option.BackupName = "backup",
    compress: option.Compress = option.Compression.ZSTD,
    empty: option.Empty = False,
    verifies: option.Verify = True,
    every: option.Every = "",
    daily: option.Daily = None,
    weekly: option.Weekly = None,
) -> None:
    """Make a backup; the bot may be running."""
    from cli.commands.backups import CreateOptions, create_backups

    formats = written or [option.Written.CSV]
    create_backups(CreateOptions(which, formats, name, compress, empty, verifies, every, daily, weekly))


@app.command("list")
def list_backups() -> None:
    """List the backups there are."""
    from cli.commands.backup_list import print_list

    print_list()


@app.command()
def verify(name: option.Backup, *, restores: option.VerifyByRestoring = False) -> None:
    """Read a backup again. Nothing in it is executed, and the bot may be running."""
    from cli.commands.backups import verify_backup

    verify_backup(name, restores=restores)


@app.command()
def restore(
    name: option.Backup,
    *,
    which: option.RestoredDatabases = None,
    source: option.RestoredFormat = None,
    yes: option.Yes = False,
    index: option.Index = True,
) -> None:
    """Put the databases back to what they held then. The bot must not run."""
    from cli.commands.backups import restore_backup

    restore_backup(name, which=which, source=source, asks=not yes, index=index)


@app.command()
def prune(*, daily: option.Daily = None, weekly: option.Weekly = None, dry_run: option.DryPrune = False) -> None:
    """Remove old backups. Those that stay are read first; the last whole one of each name is always kept."""
    from cli.commands.backups import prune_backups

    prune_backups(daily=daily, weekly=weekly, dry_run=dry_run)


@app.command()
def move(*, back: option.Back = False, verify: option.OnlyCompare = False) -> None:
    """Copy all memory from the embedded server to others, and compare. It can be run again."""
    from cli.commands.move import move_memory

    move_memory(back=back, verify=verify)


if __name__ == "__main__":
    app()
