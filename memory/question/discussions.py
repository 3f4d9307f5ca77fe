"""Find the discussions of a channel, and the windows of phrases that count them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from memory.discussions import DISCUSSION_GAP, Stretch
from time_expressions.find import DiscussionPhrase, TimePhrase, Times
from time_expressions.folding import Span
from time_expressions.window import Window

_DAY = timedelta(days=1)
_LINKS = re.compile(r"\W*(?:(?:of|on|in|from|during|at|that|we|had|held|s|the|our)\b\W*)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Phrase:
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
    stretches = [(window.start, window.end) for window in discussions if window.start and window.end]
    return tuple(_time_phrase(phrase, stretches, now) for phrase in _phrases(text, times))


def _phrases(text: str, times: Times) -> list[_Phrase]:
    """Return the phrases of a text in its order; a count and a time that follow each other are one."""
    found = [_Phrase(time.span, time.phrase, time=time) for time in times.windows]
    found += [_Phrase(count.span, count.phrase, count=count) for count in times.discussions]
    merged: list[_Phrase] = []
    for phrase in sorted(found, key=lambda phrase: phrase.span):
        if merged and _belong_together(text, merged[-1], phrase):
            merged[-1] = _merged(text, merged[-1], phrase)
        else:
            merged.append(phrase)
    return merged


def _belong_together(text: str, first: _Phrase, second: _Phrase) -> bool:
    counts, times = (first.count, second.count), (first.time, second.time)
    between = text[first.span[1] : second.span[0]]
    return counts.count(None) == times.count(None) == 1 and _LINKS.fullmatch(between) is not None


def _merged(text: str, first: _Phrase, second: _Phrase) -> _Phrase:
    span = first.span[0], second.span[1]
    return _Phrase(span, text[slice(*span)], first.count or second.count, first.time or second.time)


def _time_phrase(phrase: _Phrase, stretches: Sequence[Stretch], now: datetime) -> TimePhrase:
    time, count = phrase.time, phrase.count
    if time is not None and count is None:
        return _before_this_discussion(time, stretches, now)
    if time is not None:
        stretches = [stretch for stretch in stretches if stretch[0] in time.window]
    window = _counted(count, stretches) or Window(now, now)
    ordered = time is not None and time.order_mattered
    return TimePhrase(phrase.words, window, order_mattered=ordered, span=phrase.span)


def _counted(count: DiscussionPhrase | None, stretches: Sequence[Stretch]) -> Window | None:
    """Return the window from the first to the last of the discussions that are counted; None without any."""
    if count is None:
        return None
    first, last = sorted(_index(number, len(stretches)) for number in (count.first, count.last))
    counted = stretches[max(first, 0) : max(last + 1, 0)]
    return Window(counted[0][0], max(end for _, end in counted)) if counted else None


def _index(number: int, discussions: int) -> int:
    """Return the index of discussion 1, 2, ... or of -1, the latest, -2, ...; below 0 there is none."""
    return number - 1 if number > 0 else discussions + number


def _before_this_discussion(time: TimePhrase, stretches: Sequence[Stretch], now: datetime) -> TimePhrase:
    if not time.earlier:
        return time
    goes_on = bool(stretches) and now - stretches[-1][1] <= DISCUSSION_GAP
    began = stretches[-1][0] if goes_on else now
    window = replace(time.window, end=began) if goes_on and began in time.window else time.window
    if _is_within_a_day(window) and not any(window.overlaps(*stretch) for stretch in stretches):
        window = Window(now.replace(hour=0, minute=0, second=0, microsecond=0), began)
    return replace(time, window=window)


def _is_within_a_day(window: Window) -> bool:
    return window.length is not None and window.length < _DAY
