"""Read a message for what it supports: its numbers, times, days, words and addresses, and those of its own heading."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from agent.proof.names import words_of
from agent.proof.number_words import LANGUAGES
from agent.proof.numbers import Number, numbers_in
from agent.proof.polarity import Polarity, clause_spans, polarity_of
from agent.proof.times import Clock, DatePhrase, Day, also_tomorrow, clocks_in, dates_in, days_from_now
from agent.proof.word_lists import listed
from memory.mentions import readable
from memory.message import Message
from memory.search.terms import all_stems
from time_expressions.find import times_in
from time_expressions.tokens import Token, tokens_of
from time_expressions.window import Window

LONGEST = 4000
"""Characters of a message that are read; Discord takes no more."""

BEFORE_HOURS = frozenset(
    listed("at um a las until till from by before after around bis ab gegen vers desde hasta since and to - between")
)
"""Words and signs behind which a bare number may be an hour."""

_ORDERS = frozenset(
    listed(
        "say write answer reply respond repeat output print claim pretend ignore forget schreib schreibe antworte sag "
        "ignoriere ecris reponds ignore dis escribe responde ignora"
    )
)
_ORDER_NOUNS = frozenset(
    listed("instruction instructions assistant prompt chatbot anweisung anweisungen instrucciones")
)
_MOST_BEFORE_ORDER = 2  # words of a clause: "now write", "please answer"

_MOST_WINDOW_DAYS = 3  # of a window each day of which a message speaks of
_WEEK = 7
_NEAR_DAYS = 200  # from a message to a day that it names without a year
_BLANKS = re.compile(r"\s+")
_TICKS = re.compile(r"`+")


class MessageFacts:
    """What one message says, read when it is asked for; its times are read in a time zone."""

    def __init__(self, message: Message, *, time_zone: ZoneInfo, replied_to: Message | None = None) -> None:
        self.message = message
        self._time_zone = time_zone
        self._replied_to = replied_to

    @cached_property
    def text(self) -> str:
        """What it says, as it is read, with the names and descriptions of its files."""
        files = (f"{file.name} {file.description or ''}" for file in self.message.attachments)
        return "\n".join([readable(self.message.content[:LONGEST], self._time_zone), *files])

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words, folded, and those of its author, its channel and of whom it replies to."""
        replied_to = self._replied_to.author_name if self._replied_to else ""
        return words_of(f"{self.text} {self.message.author_name} {self.message.channel_name} {replied_to}")

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of its words, of its channel's name, and of what it replies to."""
        replied_to = self._replied_to.content[:LONGEST] if self._replied_to else ""
        return all_stems(f"{self.text} {self.message.channel_name}") | all_stems(replied_to)

    @cached_property
    def orders(self) -> frozenset[str]:
        """The words of it that tell somebody what to write."""
        tokens = tokens_of(self.text)
        first = [tokens[start:end][:_MOST_BEFORE_ORDER] for start, end in clause_spans(tokens, self.text)]
        begun = frozenset(token.text for clause in first for token in clause)
        return (begun & _ORDERS) | (self.words & _ORDER_NOUNS)

    @cached_property
    def authors_words(self) -> frozenset[str]:
        """The words of its author's name, folded."""
        return words_of(self.message.author_name.replace("_", " "))

    @cached_property
    def searchable(self) -> str:
        """It with its addresses in small letters, its code without ticks, and each blank as one space."""
        files = " ".join(file.url for file in self.message.attachments)
        whole = f"{self.message.content[:LONGEST]} {self.text} {files} {self.message.link or ''}"
        return _BLANKS.sub(" ", _TICKS.sub("", whole)).casefold()

    @cached_property
    def _tokens(self) -> list[Token]:
        return tokens_of(f"{self.text}\n{self.message.author_name}\n{self.message.channel_name}")

    @cached_property
    def _dates(self) -> list[DatePhrase]:
        return list(dates_in(self._tokens))

    @cached_property
    def clocks(self) -> tuple[Clock, ...]:
        """The times of day that it names, and those at which it was sent."""
        sent = self.message.sent_at
        own = (sent.astimezone(zone) for zone in (self._time_zone, UTC))
        return (*clocks_in(self._tokens), *(Clock(moment.hour, moment.minute, is_sure=True) for moment in own))

    @cached_property
    def numbers(self) -> tuple[Number, ...]:
        """Its numbers that are no part of a date or a time of day."""
        spans = [(phrase.first, phrase.end) for phrase in self._dates if not phrase.may_be_numbers]
        spans += [(clock.first, clock.end) for clock in clocks_in(self._tokens) if not clock.is_duration_too]
        taken = {at for first, end in spans for at in range(first, end)}
        return tuple(numbers_in(self._tokens, LANGUAGES, taken=taken))

    @cached_property
    def hours(self) -> frozenset[float]:
        """Its bare numbers that may be hours: "at 3", "9-12"."""
        bare = [one for one in self.numbers if one.unit is None and one.first]
        return frozenset(
            value for one in bare if self._tokens[one.first - 1].text in BEFORE_HOURS for value in one.values
        )

    def is_own_day(self, day: Day, *, today: date) -> bool:
        """Return whether it was sent on a day that is named in an answer that is given `today`."""
        own = {_day_of(self.message.sent_at, zone) for zone in (self._time_zone, UTC)}
        return any(day.is_on(one, today=today) for one in own)

    def is_own_time(self, clock: Clock) -> bool:
        """Return whether it was sent at a time of day."""
        own = (self.message.sent_at.astimezone(zone) for zone in (self._time_zone, UTC))
        return any(clock.is_same(Clock(moment.hour, moment.minute, is_sure=True)) for moment in own)

    @cached_property
    def polarity(self) -> Polarity:
        """What it says and denies."""
        return polarity_of(self.text)

    @cached_property
    def days(self) -> frozenset[date]:
        """The days that it speaks of, its own among them."""
        own = {_day_of(self.message.sent_at, zone) for zone in (self._time_zone, UTC)}
        today = _day_of(self.message.sent_at, self._time_zone)
        said = {day for phrase in self._dates for reading in phrase.readings for day in _days_of(reading, today)}
        offsets = [*days_from_now(self._tokens), *([1] if also_tomorrow(self._tokens) else [])]
        return frozenset(own | said | {day for offset in offsets for day in _moved(today, offset)})

    @cached_property
    def _distant_days(self) -> frozenset[date]:
        """The days that the grammar of time finds in it besides: "the day before yesterday", "next week"."""
        found = times_in(self.text[:LONGEST], now=self.message.sent_at, time_zone=self._time_zone)
        relative = [time for time in found.windows if not any(dates_in(tokens_of(time.phrase)))]
        return frozenset(day for time in relative for day in _days_in(time.window, self._time_zone))

    def names_day(self, day: Day, phrase: DatePhrase, *, today: date) -> bool:
        """Return whether a phrase of it stands for a day that is named in an answer that is given `today`."""
        own = _day_of(self.message.sent_at, self._time_zone)
        return any(
            (day.from_now is not None and day.from_now == reading.from_now)
            or (day.day is None and _is_named(day, reading))
            or any(day.is_on(one, today=today) for one in _days_of(reading, own))
            for reading in phrase.readings
        )

    def speaks_of(self, day: Day, *, today: date) -> bool:
        """Return whether it speaks of a day that is named in an answer that is given `today`."""
        readings = [reading for phrase in self._dates for reading in phrase.readings]
        if day.from_now is not None and any(reading.from_now == day.from_now for reading in readings):
            return True
        if day.day is None and any(_is_named(day, reading) for reading in readings):
            return True
        return any(day.is_on(one, today=today) for one in self.days) or any(
            day.is_on(one, today=today) for one in self._distant_days
        )


def _is_named(day: Day, reading: Day) -> bool:
    """Return whether a message names the month or the weekday itself."""
    if day.weekday is not None:
        return day.weekday == reading.weekday
    same_year = day.year is None or reading.year in {None, day.year}
    return day.month is not None and day.month == reading.month and same_year


def _day_of(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def _days_of(reading: Day, today: date) -> Iterator[date]:
    """Yield the days that may be meant by what is said of one `today`: the nearest before and behind."""
    if reading.from_now is not None:
        yield from _moved(today, reading.from_now)
    elif reading.month is not None and reading.day is not None:
        years = (reading.year,) if reading.year else (today.year - 1, today.year, today.year + 1)
        named = [day for year in years if (day := _on(year, reading.month, reading.day))]
        yield from (day for day in named if reading.year or abs((day - today).days) <= _NEAR_DAYS)
    elif reading.weekday is not None:
        ahead = (reading.weekday - today.weekday()) % _WEEK
        for days in (ahead - _WEEK, ahead, ahead + _WEEK):
            yield from _moved(today, days)


def _on(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:  # 29 February
        return None


def _moved(day: date, days: int) -> Iterator[date]:
    try:
        yield day + timedelta(days=days)
    except OverflowError:
        return


def _days_in(window: Window, zone: ZoneInfo) -> Iterator[date]:
    """Yield the days of a short window, and of a longer one the first and the last."""
    if window.start is None or window.end is None:
        edge = window.start or window.end
        if edge is not None:
            yield edge.astimezone(zone).date()
        return
    first = window.start.astimezone(zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    days = (last - first).days
    if 0 <= days <= _MOST_WINDOW_DAYS:
        yield from (day for offset in range(days + 1) for day in _moved(first, offset))
    else:
        yield from (first, last)
