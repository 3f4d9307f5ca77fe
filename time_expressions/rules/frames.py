"""Read one time within another: "November last year", "Monday two weeks ago", "last week on Tuesday and Thursday".

The inner time is read again as if it were the end of the outer one: what "Monday" means at the end of a week is the
Monday of that week. It must be in there, and only once, or the words name no time at all: there is no "Monday last
month".
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from time_expressions.chart import Chart, Grammar, Item
from time_expressions.meanings import NO_TIME, Grain, Reading, Span, Spans
from time_expressions.named_things import EVENTS, is_for_a_holiday, is_introduced_by_about
from time_expressions.tokens import Token
from time_expressions.vocabulary import UNITS

_MADE_OF = {
    "day": "day", "weekday span": "day", "slashed span": "day", "day of month": "day", "part span": "part span",
    "moment": "moment", "time span": "time span", "week span": "week span", "span": "span", "bare month": "span",
    "range": "range", "bare weekend": "week span", "bare season": "span", "bare half": "span",
    "bare week": "week span",
}  # fmt: skip
"""What may be within another time, and what it makes with it."""

_FRAMES = ("span", "week span", "bare year")
_TAKES_PART = frozenset([*_MADE_OF, *_FRAMES])
_POINTING = frozenset(
    ["this", "last", "past", "previous", "preceding", "current", "next", "coming", "ago", "before", "back"]
)
_MAKES_FRAMES = _POINTING | {"year", "nineteen", "twenty", "thousand"}
"""Words without one of which, or a number like 2026, a text has no time that others may be within."""

_FROM_NOW = _POINTING | {
    "today", "yesterday", "tomorrow", "tonight", "now", "yday", "earlier", "later", "ytd", "date", "today's",
    "yesterday's",
}  # fmt: skip
"""Words that point from now on: what holds one of them is within nothing else."""

_BETWEEN = EVENTS | {",", "of", "in", "from", "during", "the", "on", "within", "at", "over"}
_APART = EVENTS | {","}
"""After these a frame stands on its own where the inner time is not in it."""
_LISTED = frozenset([",", "and", "or", "/", "+"])
_MOST_BETWEEN = 2
_LONGEST_INNER = 14  # tokens
_MOST_READ_AGAIN = 60  # stretches of one text; a question has a few
_DIGITS_OF_A_YEAR = 4
_INSTANT = timedelta(microseconds=1)


class Frames:
    """Finds in a text, while its chart is filled, the times that stand within others."""

    def __init__(self, tokens: Sequence[Token], grammar: Grammar) -> None:
        self._tokens = tokens
        self._grammar = grammar
        self._left = _MOST_READ_AGAIN
        self._within: dict[Item, Span] = {}
        self._has_frames = any(token.text in _MAKES_FRAMES or _is_like_a_year(token) for token in tokens)

    def beside(self, chart: Chart, item: Item, reading: Reading) -> list[Item]:
        """Return what an item makes with the times that follow it."""
        if not self._has_frames or (item.category not in _TAKES_PART and item not in self._within):
            return []
        made = [*self._then_frame(chart, item, reading), *self._then_inner(chart, item, reading)]
        return [*made, *self._listed(chart, item, reading)]

    def _then_frame(self, chart: Chart, inner: Item, reading: Reading) -> Iterator[Item]:
        """Read "Monday last week"."""
        if not self._may_be_inner(inner):
            return
        for at in self._after(inner.end, _BETWEEN):
            for frame in self._frames(chart, at):
                if self._tokens[frame.end - 1].text.endswith("'s") or self._is_spoken_of(inner):
                    continue  # "on Monday last week's numbers", "about Monday last week"
                span = self._read(chart, inner, frame.value, reading)
                if span is not None:
                    yield self._made(Item(_MADE_OF[inner.category], inner.start, frame.end, span), frame.value)
                elif self._tokens[at - 1].text not in _APART and inner.value.grain < frame.value.grain:
                    yield Item("not placed", inner.start, frame.end, NO_TIME)

    def _then_inner(self, chart: Chart, frame: Item, reading: Reading) -> Iterator[Item]:
        """Read "last week on Monday", "last year's Christmas"."""
        if not self._is_frame(frame):
            return
        for at in self._after(frame.end, _BETWEEN):
            for inner in self._inner(chart, at):
                span = self._read(chart, inner, frame.value, reading)
                if span is not None:
                    yield self._made(Item(_MADE_OF[inner.category], frame.start, inner.end, span), frame.value)

    def _listed(self, chart: Chart, item: Item, reading: Reading) -> Iterator[Item]:
        """Read "Tuesday and Thursday last week", and "last week on Tuesday and Thursday"."""
        for at in self._after(item.end, _LISTED):
            if item in self._within:
                frame = self._within[item]
                for inner in self._inner(chart, at):
                    yield from self._added(chart, item, inner, inner.end, frame, reading)
            if self._may_be_inner(item):
                for outer, frame in [(made, frame) for made, frame in self._within.items() if made.start == at]:
                    yield from self._added(chart, outer, item, outer.end, frame, reading)

    def _added(
        self, chart: Chart, listed: Item, inner: Item, end: int, frame: Span, reading: Reading
    ) -> Iterator[Item]:
        spans: Spans = listed.value if isinstance(listed.value, tuple) else (listed.value,)
        span = self._read(chart, inner, frame, reading)
        if span is None or span.grain != spans[0].grain:
            return
        first = inner.start < listed.start
        start = min(inner.start, listed.start)
        yield self._made(Item("days", start, end, (span, *spans) if first else (*spans, span)), frame)

    def _made(self, item: Item, frame: Span) -> Item:
        self._within[item] = frame
        return item

    def _after(self, end: int, words: frozenset[str]) -> Iterator[int]:
        """Yield where something may follow what ends here: at once, if it needs no word, or after a few of them."""
        if words is _BETWEEN:
            yield end
        at = end
        while at < len(self._tokens) and at < end + _MOST_BETWEEN and self._tokens[at].text in words:
            at += 1
            yield at

    def _frames(self, chart: Chart, at: int) -> list[Item]:
        return [item for kind in _FRAMES for item in chart.items(kind, start=at) if self._is_frame(item)]

    def _inner(self, chart: Chart, at: int) -> list[Item]:
        return [item for kind in _MADE_OF for item in chart.items(kind, start=at) if self._may_be_inner(item)]

    def _is_frame(self, item: Item) -> bool:
        if item.category not in _FRAMES or not isinstance(item.value, Span) or not _is_whole(item.value):
            return False
        words = self._words(item)
        several = words[-1].endswith("s") and words[-1] in UNITS  # "the 5 past years"
        return not several and (item.value.grain >= Grain.YEAR or not _POINTING.isdisjoint(words))

    def _is_spoken_of(self, inner: Item) -> bool:
        return is_introduced_by_about(inner, self._tokens) or is_for_a_holiday(inner, self._tokens)

    def _may_be_inner(self, item: Item) -> bool:
        if item.category not in _MADE_OF or item.end - item.start > _LONGEST_INNER:
            return False
        span = item.value
        if not isinstance(span, Span) or span.start is None or span.end is None:
            return False
        if span.grain >= Grain.YEAR and item.category != "bare half":
            return False
        return _FROM_NOW.isdisjoint(self._words(item)) and not any(word.endswith("'s") for word in self._words(item))

    def _words(self, item: Item) -> list[str]:
        return [token.text for token in self._tokens[item.start : item.end]]

    def _read(self, chart: Chart, inner: Item, frame: Span, reading: Reading) -> Span | None:
        """Return the one time in a frame that the words of an item name; None without one, or with several."""
        assert frame.end is not None  # noqa: S101 - frames are whole units
        for now in (frame.end - _INSTANT, frame.end):
            span = self._at(chart, inner, now, frame, reading)
            if span is not None and span.start is not None:
                before = reading.midnight(span.start.date()) - _INSTANT
                again = self._at(chart, inner, before, frame, reading)
                return replace(span, weekly=False) if again is None else None
        return None

    def _at(self, chart: Chart, inner: Item, now: datetime, frame: Span, reading: Reading) -> Span | None:
        """Return what an item means to somebody who says it at another time, if that begins in the frame."""
        self._left -= 1
        if self._left < 0:
            return None
        again = chart.read_again(inner.start, inner.end, self._grammar, replace(reading, now=now))
        spans = [item.value for item in again.items(inner.category, start=inner.start, end=inner.end)]
        return next((span for span in spans if _begins_in(span, frame)), None)


def _is_like_a_year(token: Token) -> bool:
    return token.is_number and len(token.text) == _DIGITS_OF_A_YEAR


def _begins_in(span: Span, frame: Span) -> bool:
    return bool(span.start and frame.start and frame.end and frame.start <= span.start < frame.end)


def _is_whole(span: Span) -> bool:
    """Return whether a span is whole weeks, a weekend, or whole months."""
    if span.start is None or span.end is None or span.edge or span.grain < Grain.WEEK:
        return False
    days = (span.end.date() - span.start.date()).days
    whole_weeks = span.start.weekday() == 0 and days in (7, 14)
    return whole_weeks or (span.start.weekday() == 5 and days == 2) or (span.start.day == span.end.day == 1)
