"""Read what this program has written: sessions' CSVs and the messages of a backup."""

from collections.abc import Iterator, Sequence

from memory.capture.message_csv import OLDEST_COLUMNS, is_session_header
from memory.message import COLUMNS
from ops.promotion.records import RawBatch
from ops.promotion.sources.csv_reader import CsvTable, chunks_of, read_header
from ops.promotion.sources.encodings import open_as_text
from ops.promotion.sources.files import Location, opened

_ENCODING = "utf-8-sig"  # our files have no mark, but editors may add one
_KEPT = (*COLUMNS, "embedding", "embedding_model")


def header_of(path: Location) -> list[str]:
    """Return the fields of a file's first line, if it is text as we write it; raises InputFileError."""
    with opened(path) as (plain, _), open_as_text(plain, _ENCODING) as text:
        return read_header(text)


def is_session(header: Sequence[str]) -> bool:
    """Return whether a CSV with this header is a session's."""
    return is_session_header(header)


def is_backup(header: Sequence[str]) -> bool:
    """Return whether a CSV with this header holds the messages of a backup."""
    return {*OLDEST_COLUMNS, "search_text", "embedding", "embedding_model"} <= set(header)


def read(path: Location) -> Iterator[RawBatch]:
    """Yield what a CSV of ours holds; raises InputFileError."""
    with opened(path) as (plain, raw), open_as_text(plain, _ENCODING) as text:
        table = CsvTable(source=path.name, header=read_header(text), columns={name: name for name in _KEPT}, ours=True)
        yield from chunks_of(text, table, position=raw.tell)
