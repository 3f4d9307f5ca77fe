"""Find out whether the dates of a file begin with the day or with the month."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ops.promotion.times import NumericDate, numeric_date_in, snowflake_time

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

    def add(self, day: date, told: date | None) -> None:
        self.by_ids += told is not None and abs(day - told) <= _AWAY
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
        told = snowflake_time(int(message_id)) if message_id.isdecimal() and len(message_id) < 20 else None
        for reading, day, month in (
            (self._as_day_first, found.one, found.two),
            (self._as_month_first, found.two, found.one),
        ):
            try:
                reading.add(date(found.year, month, day), told.date() if told else None)
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
