"""The formats of a backup's files."""

from enum import StrEnum


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"  # for people and for other programs
    BINARY = "binary"  # PostgreSQL's own, the fastest to write and to restore
    DUMP = "dump"  # pg_dump's custom format, the whole database
    PARQUET = "parquet"  # for analysis; nothing is restored from it
