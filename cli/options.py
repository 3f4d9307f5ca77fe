"""What command lines say; cheap to import, as every help text needs some of it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from errors import SettingsError
from settings import Settings
from time_expressions.conventions import DateOrder
from time_expressions.zones import find_zone
from util_async import expand_path


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the bot's command line asks for, beside the session."""

    terminal: bool
    speaker: str
    time_zone: ZoneInfo | None
    csv: Path | None
    reembed: bool
    heartbeat: Path | None
    day_first: bool | None


def chosen_order(settings: Settings, *, day_first: bool | None) -> DateOrder | None:
    """Return the order of days and months that a run or the deployment has chosen; None when neither has."""
    if day_first is not None:
        return DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
    return DateOrder(settings.date_order) if settings.date_order else None


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
