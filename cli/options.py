"""The options of all scripts, each named once, and what their values stand for; cheap to import for a help text."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from typer import Argument, Option

from errors import SettingsError
from ops.backup.formats import Format
from storage.files import expand_path
from time_expressions.conventions import DateOrder
from time_expressions.window import Window
from time_expressions.zones import find_zone


class Which(StrEnum):
    """Databases, as the command line names them."""

    SHORT = "short"
    LONG = "long"
    BOTH = "both"


class Written(StrEnum):
    """Formats that a backup is written in, as the command line names them; both are CSV and dump."""

    CSV = "csv"
    BINARY = "binary"
    DUMP = "dump"
    PARQUET = "parquet"
    BOTH = "both"


class Compression(StrEnum):
    """How files of tables are compressed."""

    ZSTD = "zstd"
    NONE = "none"


# Of several scripts
Zone = Annotated[str, Option("--time-zone", metavar="ZONE", help="Take dates on this clock, as in Europe/Paris.")]
DayFirst = Annotated[
    bool | None, Option("--day-first/--month-first", help="What 10/11 is; else by DATE_ORDER or the clock.")
]
Yes = Annotated[bool, Option("--yes", help="Ask nothing.")]
Index = Annotated[bool, Option("--index/--no-index", help="Index the vectors at the end; else the bot does, later.")]

# main_async.py run
Terminal = Annotated[bool, Option("--terminal", help="Talk here, even when a Discord token is set.")]
Speaker = Annotated[str, Option("--as", metavar="NAME", help="Speak under this name in the terminal.")]
SessionName = Annotated[
    str | None, Option("--session", metavar="NAME", help="Name of the session; empty: a random one.")
]
AddDate = Annotated[bool | None, Option("--date/--no-date", help="Add today's date to the name.")]
AddNumber = Annotated[bool | None, Option("--number/--no-number", help="Add the next number.")]
KeepSession = Annotated[bool, Option("--yes", help="Ask nothing: keep the current session, add nothing.")]
Import = Annotated[str | None, Option("--import", metavar="CSV", help="First take in another CSV.")]
Heartbeat = Annotated[
    str | None, Option("--heartbeat", metavar="FILE", help="Touch this file while Discord is connected.")
]

# main_async.py search
Question = Annotated[str, Argument(metavar="QUESTION", help="What to look for, in plain English.")]
Now = Annotated[str, Option("--now", metavar="ISO", help="Ask as if it were this moment.")]
Limit = Annotated[int, Option("--limit", metavar="NUMBER", help="How many messages to find.")]
CurrentSession = Annotated[str, Option("--session", metavar="NAME", help="Search only if this is the current session.")]
Explain = Annotated[bool, Option("--explain", help="Show how the rows were found, and count them.")]

# main_async.py backfill
Server = Annotated[
    str, Option("--server", metavar="SERVER", help="Its id or name. [default: DISCORD_SERVER_ID, else all]")
]
Channel = Annotated[str, Option("--channel", metavar="CHANNEL", help="Only this one with its threads: id or name.")]
Since = Annotated[str, Option("--since", metavar="TIME", help='Read no further back, as in "last May" or 2026-05-01.')]
Until = Annotated[str, Option("--until", metavar="TIME", help="Read nothing newer than that time.")]
Again = Annotated[bool, Option("--full", help="Read again what was read before.")]

# backups.py
Backup = Annotated[str, Argument(metavar="NAME", help="The name of the backup's folder.")]
Databases = Annotated[Which, Option("--database", help="Which of the two databases.")]
Formats = Annotated[
    list[Written] | None,
    Option(
        "--format",
        metavar="[csv|binary|dump|parquet|both]",
        help="Can be given again; both means csv and dump. [default: csv]",
    ),
]
BackupName = Annotated[str, Option("--name", metavar="NAME", help="What the folder's name begins with.")]
Compress = Annotated[Compression, Option("--compress", help="For csv, binary and parquet.")]
Empty = Annotated[bool, Option("--empty-short-term", help="Afterwards empty short-term memory; the bot must not run.")]
Verify = Annotated[bool, Option("--verify/--no-verify", help="Read the backup again.")]
Every = Annotated[str, Option("--every", metavar="TIME", help="Again and again, as in 24h.")]
Daily = Annotated[int | None, Option("--keep-daily", metavar="DAYS", min=0, help="Days that keep their last backup.")]
Weekly = Annotated[
    int | None, Option("--keep-weekly", metavar="WEEKS", min=0, help="Weeks that keep their last backup.")
]
VerifyByRestoring = Annotated[
    bool, Option("--restore", help="Also restore it into a database that is dropped then, and compare.")
]
RestoredDatabases = Annotated[Which | None, Option("--database", help="Restore one of those in the backup.")]
RestoredFormat = Annotated[Format | None, Option("--format", help="Restore from these files of the backup.")]
DryPrune = Annotated[bool, Option("--dry-run", help="Only print what would be removed.")]
Back = Annotated[bool, Option("--back", help="Move from those databases to the embedded server.")]
OnlyCompare = Annotated[bool, Option("--verify", help="Copy nothing: only compare both sides.")]

# db_save.py
Sources = Annotated[
    list[str] | None,
    Argument(metavar="SOURCE", help="A session's name or folder, a CSV, an export, a backup's messages."),
]
Columns = Annotated[str, Option("--map", metavar="OURS=THEIRS,...", help="Columns of a CSV, as in author_name=user.")]
SourceZone = Annotated[
    str, Option("--time-zone", metavar="ZONE", help="The clock of times that do not say theirs, as in Europe/Paris.")
]
Me = Annotated[int | None, Option("--me", metavar="USER_ID", help="The bot in an export: what it said is no evidence.")]
SourceDayFirst = Annotated[
    bool | None, Option("--day-first/--month-first", help="What 03/04/2026 begins with, where a file does not tell.")
]
Encoding = Annotated[
    str,
    Option("--encoding", metavar="NAME", help="How a file's letters are written, as in cp1251; else it is found out."),
]
Author = Annotated[
    str, Option("--author", metavar="NAME", help="Who wrote a data package that does not tell whose it is.")
]
AuthorId = Annotated[int | None, Option("--author-id", metavar="USER_ID", help="The id of that author.")]
DryRun = Annotated[bool, Option("--dry-run", help="Write nothing: only tell what would change.")]
Batch = Annotated[int, Argument(metavar="BATCH", help="The number of the batch, as in the list.")]
UserId = Annotated[int, Argument(metavar="USER_ID", help="The person's id on Discord, or author_id of the CSV.")]


def chosen_order(date_order: str | None, *, day_first: bool | None) -> DateOrder | None:
    """Return the order of days and months that a run or the deployment has chosen; None when neither has."""
    if day_first is not None:
        return DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
    return DateOrder(date_order) if date_order else None


def window_named(text: str, option: str, *, now: datetime, time_zone: ZoneInfo) -> Window:
    """Return the window that an option states; raise SettingsError for what is no time, or several of them."""
    from time_expressions.stated import stated_window  # the grammar takes a moment to load

    try:
        return stated_window(text, now=now, time_zone=time_zone)
    except ValueError as error:
        raise SettingsError(f"{option}: {text!r} is no time: write it as in 2026-05-01 or last May.") from error


def path_named(text: str, option: str) -> Path:
    """Return the path that an option or argument names; raise SettingsError for the home of nobody."""
    try:
        return expand_path(text)
    except ValueError as error:
        raise SettingsError(f"{option}: {error}.") from error


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone that --time-zone names; raise SettingsError when there is none of that name."""
    try:
        return find_zone(name)
    except ValueError as error:
        raise SettingsError(f"--time-zone: {error}") from error
