"""Read a CSV record by record: what is no record of the table is refused, and costs no other record."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from statistics import fmean
from typing import TextIO
from zoneinfo import ZoneInfo

from pandas import DataFrame

from memory.capture.message_csv import LARGEST, SEPARATOR, fields_in, has_key, is_session_header, pieces_in, rows_of
from ops.promotion.records import ROWS, RawBatch, Reject
from ops.promotion.sources.encodings import escape_undecodable
from ops.promotion.times import read_time

_DISCORD_ID = re.compile(r"\d{17,20}", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?\d{1,8}", re.ASCII)
_LONGEST_NAME = 40  # characters, on average
_ZONE = ZoneInfo("UTC")  # any will do: whether it is a time does not depend on it


def guessed_columns(records: Sequence[Sequence[str]]) -> dict[int, str]:
    """Return our names of columns by their positions; empty when it is not plain which holds the time and the words."""
    if not records:
        return {}
    columns = {at: [record[at].strip() for record in records] for at in range(len(records[0]))}
    times = [at for at, texts in columns.items() if all(map(_is_time, texts))]
    ids = [at for at, texts in columns.items() if all(map(_DISCORD_ID.fullmatch, texts))]
    words = [at for at, texts in columns.items() if at not in {*times, *ids} and not all(map(_is_number, texts))]
    if len(times) != 1 or not words:
        return {}
    found = {times[0]: "sent_at", **_of_ids(columns, ids)}
    by_length = sorted(words, key=lambda at: fmean(map(len, columns[at])))
    found[by_length[-1] if len(by_length) != 2 else _likelier_words(columns, words)] = "content"
    names = [at for at in by_length if at not in found and fmean(map(len, columns[at])) <= _LONGEST_NAME]
    if names:
        found[min(names, key=lambda at: len(set(columns[at])))] = "author_name"
    return found


def _of_ids(columns: dict[int, list[str]], ids: Sequence[int]) -> dict[int, str]:
    """Return which column holds the messages' ids, all different, and which the authors'."""
    different = [at for at in ids if len(set(columns[at])) == len(columns[at])]
    found = {different[0]: "message_id"} if different else {}
    rest = [at for at in ids if at not in found]
    return found | ({rest[0]: "author_id"} if len(rest) == 1 else {})


def _likelier_words(columns: dict[int, list[str]], both: Sequence[int]) -> int:
    """Return which of two columns holds the words and not the names: that with more blanks, or else the last."""
    blanks = {at: sum(" " in text for text in columns[at]) for at in both}
    first, last = both
    return first if blanks[first] > blanks[last] else last


def _is_time(text: str) -> bool:
    if _DISCORD_ID.fullmatch(text) or _PLAIN_NUMBER.fullmatch(text):
        return False
    try:
        read_time(text, zone=_ZONE, day_first=True)
    except ValueError:
        try:
            read_time(text, zone=_ZONE, day_first=False)
        except ValueError:
            return False
    return True


def _is_number(text: str) -> bool:
    return bool(_PLAIN_NUMBER.fullmatch(text))


_SEPARATOR = SEPARATOR.decode()
FURTHER_LINES = "lines around the records, such as a repeated header or a count, left out"
_FOOTER = re.compile(
    r"[^\w\r\n]{0,10}(?:exported|displaying|showing|generated|end of|total|count|rows?|records?"
    r"|\d{1,9} (?:rows?|messages?|records?|lines?|entries))\b.{0,200}",
    re.IGNORECASE | re.ASCII,
)
"""What programs write below a table."""

_ESCAPED_BYTES = "bytes that are of no letter in the file's encoding, kept as escapes"


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvTable:
    """How a CSV is to be read."""

    source: str
    header: Sequence[str]
    columns: Mapping[str, str]
    """Which of its columns goes by which name of ours; several that go by one are joined with a blank."""
    delimiter: str = ","
    ours: bool = False
    header_line: str = ""
    """The header as it stands in the file, where it has one that may come again."""
    added: Mapping[str, str] = field(default_factory=dict)
    """Columns that have the same text in every row, unless the file has them."""

    def fields(self, record: str) -> list[str]:
        """Return the fields of a record; raise ValueError when they are not as many as the header's."""
        if len(record) >= LARGEST:
            raise ValueError("is longer than any message")
        fields, width = fields_in(record, delimiter=self.delimiter), len(self.header)
        if len(fields) != width and (self.ours or len(fields) < width or any(fields[width:])):
            raise ValueError(f"has {len(fields)} fields instead of {width}")
        return fields[:width]

    def says_nothing(self, record: str) -> bool:
        """Return whether all cells of a record are empty, as spreadsheets leave them below a table."""
        return not record.strip(f'{self.delimiter}" \t\r\n')

    def is_further_line(self, record: str) -> bool:
        """Return whether a line of others is no record at all: the header once more, or what stands below a table."""
        line = record.strip("\r\n")
        if line == self.header_line:
            return True
        words = line.rstrip(self.delimiter)
        return len(self.header) > 1 and self.delimiter not in words and bool(_FOOTER.fullmatch(words.strip('"')))

    def is_record(self, text: str) -> bool:
        """Return whether a text is one record."""
        try:
            fields = self.fields(text)
        except ValueError:
            return False
        return not is_session_header(self.header) or has_key(fields)


def read_header(file: TextIO, delimiter: str = ",") -> list[str]:
    """Return the fields of the first line, and leave the file behind it; empty when it is no line of a CSV."""
    return names_in(file.readline(LARGEST), delimiter)


def names_in(line: str, delimiter: str) -> list[str]:
    """Return the fields of a line; empty when it is no line of a CSV."""
    try:
        return fields_in(line, delimiter=delimiter)
    except ValueError:
        return []


def chunks_of(file: TextIO, table: CsvTable, *, position: Callable[[], int], rows: int = ROWS) -> Iterator[RawBatch]:
    """Yield the records behind the header in chunks; `position` tells how many bytes are read."""
    records = records_in(file, table.is_record)
    further = Counter[str]()
    if not table.ours:
        records = _only_records(records, table, further)
    first = 1
    while batch := list(islice(records, rows)):
        chunk = _chunk(batch, table, first=first, end_bytes=position())
        yield replace(chunk, notes=chunk.notes + further)
        further.clear()
        first += len(batch)


def _only_records(records: Iterator[str], table: CsvTable, further: Counter[str]) -> Iterator[str]:
    """Yield the records of a table of others; count what stands between them."""
    for record in records:
        if table.is_further_line(record):
            further[FURTHER_LINES] += 1
        elif not table.says_nothing(record):
            yield record


def records_in(file: TextIO, is_record: Callable[[str], bool], *, largest: int = LARGEST) -> Iterator[str]:
    """Yield the records of a file, and the lines that belong to none; blank lines and our own marks are left out."""
    for piece in pieces_in(file, is_record, largest=largest):
        if piece.text.strip("\r\n") and piece.text != _SEPARATOR:
            yield piece.text


def _chunk(records: list[str], table: CsvTable, *, first: int, end_bytes: int) -> RawBatch:
    records, escaped = _mended(records)
    fields, rejects = _split(records, table, first)
    if rejects:
        wrong = {reject.record for reject in rejects}
        index: list[int] | range = [first + at for at in range(len(records)) if first + at not in wrong]
        records = [records[number - first] for number in index]
    else:
        index = range(first, first + len(records))
    return RawBatch(
        source=table.source,
        first_record=first,
        frame=_frame(fields, table, index),
        end_bytes=end_bytes,
        ours=table.ours,
        records=records,
        rejects=rejects,
        notes=Counter({_ESCAPED_BYTES: escaped}) if escaped else Counter(),
    )


def _mended(records: list[str]) -> tuple[list[str], int]:
    if not escape_undecodable("".join(records))[1]:
        return records, 0
    both = [escape_undecodable(record) for record in records]
    return [text for text, _ in both], sum(count for _, count in both)


def _split(records: list[str], table: CsvTable, first: int) -> tuple[list[list[str]], list[Reject]]:
    """Return the fields of the records, all at once if they are as they should be, and those records that are not."""
    try:
        fields = rows_of(records, delimiter=table.delimiter)
    except ValueError:
        fields = []
    width = len(table.header)
    whole = len(fields) == len(records) and all(len(row) == width for row in fields)
    if whole and max(map(len, records)) < LARGEST:
        return fields, []
    fields, rejects = [], []
    for number, record in enumerate(records, first):
        try:
            fields.append(table.fields(record))
        except ValueError as error:
            rejects.append(Reject(number, record.rstrip("\r\n"), f"not a record of this table: {error}"))
    return fields, rejects


def _frame(fields: list[list[str]], table: CsvTable, index: list[int] | range) -> DataFrame:
    columns = list(zip(*fields, strict=True)) if fields else [() for _ in table.header]
    named: dict[str, Sequence[str]] = {}
    for theirs, column in zip(table.header, columns, strict=True):
        ours = table.columns.get(theirs)
        if ours is not None:
            named[ours] = (
                [" ".join(both) for both in zip(named[ours], column, strict=True)] if ours in named else column
            )
    added = {name: [text] * len(fields) for name, text in table.added.items()}
    return DataFrame(added | named, index=index, dtype=str)
