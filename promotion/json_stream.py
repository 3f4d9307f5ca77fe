"""Read JSON that may be larger than memory, piece by piece."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

import ijson  # type: ignore[import-untyped]
from pandas import DataFrame

from errors import first_line
from memory.messages import storable
from promotion.chunks import ROWS, RawChunk, Refused

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list of messages in JSON, and how one becomes a row."""

    source: str
    prefix: str
    """Where the messages are, such as `messages.item`."""
    names: Sequence[str]
    """The columns that a row may have."""
    row: Callable[[Any], Mapping[str, str]]
    """Raises AttributeError, KeyError, TypeError or ValueError for what is no message."""


@dataclass(slots=True)
class _Batch:
    first: int
    rows: dict[int, Mapping[str, str]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.refused)

    def add(self, number: int, one: Any, row: Callable[[Any], Mapping[str, str]]) -> None:
        try:
            self.rows[number] = row(one)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            reason = f"not a message as such files have it ({type(error).__name__}: {error})"
            self.refused.append(Refused(number, storable(json.dumps(one, default=str)), reason))

    def chunk(self, items: Items, end_bytes: int) -> RawChunk:
        columns = {name: [storable(row.get(name, "")) for row in self.rows.values()] for name in items.names}
        return RawChunk(
            source=items.source,
            first_record=self.first,
            frame=DataFrame(columns, index=list(self.rows), dtype=str),
            end_bytes=end_bytes,
            refused=self.refused,
        )


def chunks_of(file: IO[bytes], items: Items, *, position: Callable[[], int], rows: int = ROWS) -> Iterator[RawChunk]:
    """Yield the messages of a list in chunks; raises ValueError where the file is damaged or ends.

    `position` tells how many bytes are read.
    """
    batch = _Batch(1)
    for number, one in enumerate(_values(file, items.prefix), 1):
        batch.add(number, one, items.row)
        if len(batch) == rows:
            yield batch.chunk(items, position())
            batch = _Batch(number + 1)
    if len(batch):
        yield batch.chunk(items, position())


def values_before(file: IO[bytes], prefix: str, *, limit: int) -> dict[str, str]:
    """Return the single values that stand before the list at a prefix, by their own; empty when there is no such list.

    Of `limit` pieces at most. Raises ValueError for what is not JSON.
    """
    _skip_mark(file)
    values: dict[str, str] = {}
    try:
        for place, event, value in islice(ijson.parse(file), limit):
            if place == prefix and event == "start_array":
                return values
            if event in {"string", "number"}:
                values[place] = str(value)
    except ijson.JSONError as error:
        raise ValueError(_short(error)) from error
    return {}


def check(file: IO[bytes]) -> None:
    """Read to the end; raises ValueError for what is not one whole piece of JSON."""
    _skip_mark(file)
    try:
        for _ in ijson.basic_parse(file):
            pass
    except ijson.JSONError as error:
        raise ValueError(_short(error)) from error


def _values(file: IO[bytes], prefix: str) -> Iterator[Any]:
    _skip_mark(file)
    try:
        yield from ijson.items(file, prefix)
    except ijson.JSONError as error:
        raise ValueError(_short(error)) from error


def _skip_mark(file: IO[bytes]) -> None:
    """Pass over the byte order mark that editors put before UTF-8."""
    if file.read(len(_MARK)) != _MARK:
        file.seek(0)


def _short(error: BaseException) -> str:
    return first_line(error).strip().rstrip(".")  # what follows shows some of the contents
