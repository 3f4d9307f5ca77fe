"""Values that a command line takes by name; cheap to import, as every help text needs them."""

from enum import StrEnum


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
