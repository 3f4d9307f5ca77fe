"""Notice, over a whole file, that a program has rounded its ids.

Spreadsheets keep 15 digits of a number, JavaScript and others the 53 bits of a float, and Discord's ids have up to 19
digits. No single id shows it: one of a thousand ends in three zeros by chance. All of a file do so only when rounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from math import log10

from errors import InputFileError
from memory.message import names_of
from ops.promotion.day_order import DayOrder
from ops.promotion.records import RawBatch
from ops.promotion.sources.files import Location

_LONG = re.compile(r"\d{17,19}", re.ASCII)
_SPREADSHEET_DIGITS = 15
_FEWEST_DIGITS = 13  # that are left when the last of fifteen happen to be zeros; an id with fewer was made up
_BITS_OF_FLOATS = 53
_BELOW_THE_TIME = (1 << 22) - 1
"""Bits of a Discord id that are all zero only when the id was made from a time: rounding does not leave them so."""

_ENOUGH = 6.0  # one file of a million is accused without reason
_SHARE = 0.5  # of the ids
_MOST_IDS = 100_000  # different ones of a column that are looked at


@dataclass(slots=True)
class _Evidence:
    rounded: int = 0
    others: int = 0
    weight: float = 0.0
    """The power of ten of how unlikely it is that chance made these ids."""

    def __add__(self, other: "_Evidence") -> "_Evidence":
        return _Evidence(self.rounded + other.rounded, self.others + other.others, self.weight + other.weight)

    @property
    def is_enough(self) -> bool:
        return self.weight >= _ENOUGH and self.rounded >= _SHARE * (self.rounded + self.others)


@dataclass(slots=True)
class IdSurvey:
    """Takes in the ids of a file, column by column."""

    _known: dict[str, set[str]] = field(default_factory=dict)

    def add(self, column: str, texts: Iterable[str]) -> None:
        """Take in some ids of a column."""
        known = self._known.setdefault(column, set())
        if len(known) < _MOST_IDS:
            known.update(text for text in set(texts) if _LONG.fullmatch(text))

    def rounding(self) -> str:
        """Return how the ids of the file were rounded, "digits" or "float"; empty when they were not."""
        for name, (is_rounded, weight) in _ROUNDINGS.items():
            columns = [_evidence(known, is_rounded, weight) for known in self._known.values()]
            if any(one.is_enough for one in [*columns, sum(columns, _Evidence())]):
                return name
        return ""


def is_rounded(text: str, rounding: str) -> bool:
    """Return whether an id of a file whose ids were rounded so has lost its last digits."""
    return bool(rounding and _LONG.fullmatch(text)) and _ROUNDINGS[rounding][0](text)


def _evidence(known: set[str], looks_rounded: Callable[[str], bool], weight: Callable[[str], float]) -> _Evidence:
    evidence = _Evidence()
    for text in known:
        if int(text) & _BELOW_THE_TIME == 0 or len(text.rstrip("0")) < _FEWEST_DIGITS:
            continue
        if looks_rounded(text):
            evidence.rounded += 1
            evidence.weight += weight(text)
        else:
            evidence.others += 1
    return evidence


def _has_few_digits(text: str) -> bool:
    return len(text.rstrip("0")) <= _SPREADSHEET_DIGITS


def _is_float(text: str) -> bool:
    """Return whether a number is a float, or the shortest decimal that stands for one."""
    number = int(text)
    nearest = float(number)
    return number.bit_length() > _BITS_OF_FLOATS and number in {int(nearest), int(Decimal(repr(nearest)))}


# Of the numbers between two floats only one is a float, and one more may be its shortest decimal.
_ROUNDINGS: dict[str, tuple[Callable[[str], bool], Callable[[str], float]]] = {
    "digits": (_has_few_digits, lambda text: len(text) - _SPREADSHEET_DIGITS),
    "float": (_is_float, lambda text: log10(2 ** (int(text).bit_length() - _BITS_OF_FLOATS) / 2)),
}


_IDS = names_of(int)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file as a whole tells."""

    day_first: bool = False
    rounding: str = ""
    """How its ids were rounded, as `promotion.rounded_ids` names it; empty when they were not."""
    has_ids: bool = False
    """Whether any message has an id."""


def survey(chunks: Iterable[RawBatch], *, day_first: bool | None) -> Survey:
    """Return what the chunks of a file tell; a choice of the operator's about days and months is right.

    Raises ValueError when the dates of the file can be read in two ways.
    """
    order, ids, has_ids = DayOrder(), IdSurvey(), False
    for chunk in chunks:
        columns = {name: chunk.frame[name].tolist() for name in (*_IDS, "sent_at") if name in chunk.frame}
        order.add(columns.get("sent_at", []), columns.get("message_id", []))
        has_ids = has_ids or any(columns.get("message_id", []))
        for name in _IDS:
            ids.add(name, columns.get(name, []))
    return Survey(order.decided(day_first), ids.rounding(), has_ids)


def survey_file(path: Location, chunks: Iterator[RawBatch], *, day_first: bool | None) -> Survey:
    """Return what the chunks of a file tell, as far as it can be read.

    Raises InputFileError, with what to do, when the dates of the file can be read in two ways.
    """
    try:
        return survey(_readable(chunks), day_first=day_first)
    except ValueError as error:
        raise InputFileError(
            f"{error} in {path}, and nothing else in it says which: run this again with --day-first or with "
            "--month-first."
        ) from error


def _readable(chunks: Iterator[RawBatch]) -> Iterator[RawBatch]:
    """Yield chunks until the file is damaged: that is said when it is read in earnest."""
    try:
        yield from chunks
    except InputFileError:
        return
