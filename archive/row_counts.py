"""Count the rows in a file of a backup, by its own structure."""

from collections.abc import Callable
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO

from archive.formats import Format
from archive.parquet import rows_in_parquet
from archive.whole import open_plain
from errors import InputFileError

_PIECE = 1024 * 1024  # bytes
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEAD, _FIELDS, _LENGTH = Struct("!iI"), Struct("!h"), Struct("!i")
_LONGEST_FIELD = 1 << 30  # bytes; PostgreSQL has no longer ones
_NULL = _END = -1

Heard = Callable[[int], None]


def count_rows(path: Path, written_as: Format, heard: Heard) -> int:
    """Return the number of rows in a file of a table; `heard` is told how many of its bytes are read.

    Raises InputFileError for a file that is not of that format, or that ends too early.
    """
    try:
        if written_as is Format.PARQUET:
            return rows_in_parquet(path)
        with open_plain(path, heard) as file:
            return _csv_rows(file) if written_as is Format.CSV else _binary_rows(file)
    except (ValueError, error) as reason:
        raise InputFileError(f"{path} is not a {written_as} file that is whole: take another backup.") from reason


def _csv_rows(file: BinaryIO) -> int:
    """Count the ends of lines outside quotation marks, less the header's."""
    lines, inside, last = 0, False, b""
    while piece := file.read(_PIECE):
        parts = piece.split(b'"')  # every other one is between quotation marks; one that is doubled changes nothing
        lines += sum(part.count(b"\n") for part in parts[inside::2])
        inside ^= len(parts) % 2 == 0
        last = piece[-1:]
    if inside or last != b"\n":
        raise ValueError("it ends within a line")
    return lines - 1


def _binary_rows(file: BinaryIO) -> int:
    """Walk from row to row."""
    if _exactly(file, len(_SIGNATURE)) != _SIGNATURE:
        raise ValueError("it begins otherwise")
    _, extension = _HEAD.unpack(_exactly(file, _HEAD.size))
    _skip(file, extension)
    rows = 0
    while (fields := _FIELDS.unpack(file.read(_FIELDS.size))[0]) != _END:
        for _ in range(fields):
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            if length != _NULL:
                _skip(file, length)
        rows += 1
    if file.read(1):
        raise ValueError("it goes on behind its end")
    return rows


def _exactly(file: BinaryIO, length: int) -> bytes:
    content = file.read(length)
    if len(content) != length:
        raise ValueError("it ends within a field")
    return content


def _skip(file: BinaryIO, length: int) -> None:
    """Go on behind a field, however long it says to be, without having all of it in memory."""
    if not 0 <= length <= _LONGEST_FIELD:
        raise ValueError("a field has no such length")
    while length > 0:
        length -= len(_exactly(file, min(length, _PIECE)))
