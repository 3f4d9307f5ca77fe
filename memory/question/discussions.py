"""Find the discussions of a channel, and the windows of phrases that count them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from memory.discussions import DISCUSSION_GAP, Stretch
from time_expressions.find import DiscussionPhrase, TimePhrase, Times
from time_expressions.spans import Span, find_phrases
from time_expressions.window import Window

_DAY = timedelta(days=1)
_LINKS = re.compile(r"\W*(?:(?:of|on|in|from|during|at|that|we|had|held|s|the|our)\b\W*)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Said:
    """A phrase of a text: a time, a count of discussions, or such a count within a time."""

    span: Span
    words: str
    count: DiscussionPhrase | None = None
    time: TimePhrase | None = None


def resolved(text: str, times: Times, discussions: Sequence[Window], *, now: datetime) -> tuple[TimePhrase, ...]:
    """Return the phrases of a text in its order, each with its window, now that the discussions are known.

    - A count of discussions reaches from the start of its first to just after the end of its last. Where there are
      none of that number its window is empty and finds nothing, rather than everything.
    - "Earlier today" ends where the discussion that goes on now began. Where nothing was said in the part of the day
      that is named ("earlier this morning", of something at noon), the day so far is meant; `now` tells in which zone.
    - Discussions counted within a time ("the second session of last week", "our first talk yesterday") are one
      phrase: only those that began in that time are counted. Said apart from each other ("in our first session and
      yesterday") both phrases stand, and both are looked into.
    """
    held = [(one.start, one.end) for one in discussions if one.start and one.end]
    return tuple(_time_phrase(said, held, now) for said in _said(text, times))


def _said(text: str, times: Times) -> list[_Said]:
    """Return the phrases of a text in its order; a count and a time that follow each other are one."""
    spans_of_times = find_phrases(text, [time.phrase for time in times.windows])
    spans_of_counts = find_phrases(text, [count.phrase for count in times.discussions])
    said = [_Said(span, time.phrase, time=time) for span, time in zip(spans_of_times, times.windows, strict=True)]
    said += [
        _Said(span, count.phrase, count=count) for span, count in zip(spans_of_counts, times.discussions, strict=True)
    ]
    together: list[_Said] = []
    for one in sorted(said, key=lambda one: one.span):
        if together and _belong_together(text, together[-1], one):
            together[-1] = _as_one(text, together[-1], one)
        else:
            together.append(one)
    return together


def _belong_together(text: str, one: _Said, other: _Said) -> bool:
    counts, times = (one.count, other.count), (one.time, other.time)
    between = text[one.span[1] : other.span[0]]
    return counts.count(None) == times.count(None) == 1 and _LINKS.fullmatch(between) is not None


def _as_one(text: str, one: _Said, other: _Said) -> _Said:
    span = one.span[0], other.span[1]
    return _Said(span, text[slice(*span)], one.count or other.count, one.time or other.time)


def _time_phrase(said: _Said, held: Sequence[Stretch], now: datetime) -> TimePhrase:
    if said.time is not None and said.count is None:
        return _before_this_discussion(said.time, held, now)
    if said.time is not None:
        held = [stretch for stretch in held if stretch[0] in said.time.window]
    ordered = said.time is not None and said.time.order_mattered
    return TimePhrase(said.words, _counted(said.count, held) or Window(now, now), order_mattered=ordered)


def _counted(count: DiscussionPhrase | None, held: Sequence[Stretch]) -> Window | None:
    """Return the window from the first to the last of the discussions that are counted; None without any."""
    if count is None:
        return None
    first, last = sorted(_index(number, len(held)) for number in (count.first, count.last))
    counted = held[max(first, 0) : max(last + 1, 0)]
    return Window(counted[0][0], max(end for _, end in counted)) if counted else None


def _index(number: int, discussions: int) -> int:
    """Return the index of discussion 1, 2, ... or of -1, the latest, -2, ...; below 0 there is none."""
    return number - 1 if number > 0 else discussions + number


def _before_this_discussion(time: TimePhrase, held: Sequence[Stretch], now: datetime) -> TimePhrase:
    if not time.earlier:
        return time
    goes_on = bool(held) and now - held[-1][1] <= DISCUSSION_GAP
    began = held[-1][0] if goes_on else now
    window = replace(time.window, end=began) if goes_on and began in time.window else time.window
    if _is_within_a_day(window) and not any(window.overlaps(*stretch) for stretch in held):
        window = Window(now.replace(hour=0, minute=0, second=0, microsecond=0), began)
    return replace(time, window=window)


def _is_within_a_day(window: Window) -> bool:
    return window.length is not None and window.length < _DAY
