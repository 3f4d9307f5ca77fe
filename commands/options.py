"""What command lines say; cheap to import, as every help text needs some of it."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo


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
