"""Find out what only a whole file tells: whether its dates begin with the day, and whether its ids were rounded.

Spreadsheets keep 15 digits of a number, JavaScript and others the 53 bits of a float, and Discord's ids have up to 19
digits. No single id shows it: one of a thousand ends in three zeros by chance. All of a file do so only when rounded.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from math import log10

from errors import InputFileError
from memory.message import names_of
from ops.promotion.records import RawBatch
from ops.promotion.sources.files import Location
from ops.promotion.times import NumericDate, numeric_date_in, snowflake_time

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
            if any(evidence.is_enough for evidence in [*columns, sum(columns, _Evidence())]):
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
    """How its ids were rounded, see `IdSurvey.rounding`; empty when they were not."""
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


_MIXED = "Some times are written day first and others month first"


_FEWEST_DATES = 3  # different ones, whose order tells how they are to be read


_AWAY = timedelta(days=1)  # between a date on any clock of the world and the same moment in UTC


@dataclass(slots=True)
class _Reading:
    """The dates of a file as one way to read them has it."""

    last: date | None = None
    forward: int = 0
    backward: int = 0
    by_ids: int = 0
    """How many are the day that the message's id tells."""

    def add(self, day: date, day_of_id: date | None) -> None:
        self.by_ids += day_of_id is not None and abs(day - day_of_id) <= _AWAY
        if self.last is not None:
            self.forward += day > self.last
            self.backward += day < self.last
        self.last = day

    @property
    def is_in_order(self) -> bool:
        """Whether the dates only ever go one way, as those of an export do."""
        return not (self.forward and self.backward) and self.forward + self.backward >= _FEWEST_DATES - 1


@dataclass(slots=True)
class DayOrder:
    """What the dates of a file tell, one column after the other."""

    day_first: bool = False
    """Whether a date reads only with the day first."""
    month_first: bool = False
    open_date: str = ""
    """The first that reads in both ways, and not as the same day."""
    _as_day_first: _Reading = field(default_factory=_Reading)
    _as_month_first: _Reading = field(default_factory=_Reading)

    def add(self, texts: Iterable[str], ids: Sequence[str] = ()) -> None:
        """Take in some times, and the ids of their messages, as many as there are times or none."""
        for position, text in enumerate(texts):
            if (found := numeric_date_in(text)) is not None:
                self._add(found, ids[position] if ids else "")

    def _add(self, found: NumericDate, message_id: str) -> None:
        if found.mark.strip() == ".":  # nobody writes 4.3. month first
            self.day_first = True
        elif found.one > 12 or found.two > 12:
            self.day_first |= found.one > 12
            self.month_first |= found.two > 12
        elif found.one != found.two:
            self.open_date = self.open_date or found.text
        sent_at = snowflake_time(int(message_id)) if message_id.isdecimal() and len(message_id) < 20 else None
        for reading, day, month in (
            (self._as_day_first, found.one, found.two),
            (self._as_month_first, found.two, found.one),
        ):
            try:
                reading.add(date(found.year, month, day), sent_at.date() if sent_at else None)
            except ValueError:
                continue

    def decided(self, choice: bool | None = None) -> bool:
        """Return whether the day comes first; a choice of the operator's is right.

        The ids of Discord tell it where no date does, then the order of the messages. Raises ValueError when nothing
        in the file does.
        """
        if choice is not None:
            return choice
        if self.day_first and self.month_first:
            raise ValueError(_MIXED)
        if self.day_first or self.month_first or not self.open_date:
            return self.day_first
        first, second = self._as_day_first, self._as_month_first
        if bool(first.by_ids) != bool(second.by_ids):
            return bool(first.by_ids)
        if first.is_in_order != second.is_in_order:
            return first.is_in_order
        raise ValueError(f"A time such as {self.open_date} may begin with the day or with the month")


def days_come_first(texts: Iterable[str], ids: Sequence[str] = ()) -> bool:
    """Return whether dates such as 03/04/2026 begin with the day; raise ValueError when the texts leave it open."""
    order = DayOrder()
    order.add(texts, ids)
    return order.decided()
