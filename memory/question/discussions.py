"""Find the discussions of a channel, and the windows of phrases that count them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Interval, Subquery, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.schema import MessageRow, place_id
from memory.index.store import one_of
from memory.message import Kind
from time_expressions.find import DiscussionPhrase, TimePhrase, Times
from time_expressions.spans import Span, find_phrases
from time_expressions.window import Window

DISCUSSION_GAP = timedelta(minutes=30)
"""The longest silence inside a discussion; after a longer one the next message begins another.

Half an hour is the usual limit of inactivity after which web analytics begin a new visit. It was checked on 8 chats,
some 5,000 messages, whose speakers meet for 231 talks at set times: the longest silence inside a talk was just under 7
minutes, the shortest between two of them 56. Any limit between those finds the same talks.
"""

Island = tuple[int, datetime, datetime]
"""A place, and the first and the last message of an uninterrupted run of messages there."""

_Stretch = tuple[datetime, datetime]

_INSTANT = timedelta(microseconds=1)  # the resolution of PostgreSQL's times: a window's end is just after a message
_DAY = timedelta(days=1)
_LINKS = re.compile(r"\W*(?:(?:of|on|in|from|during|at|that|we|had|held|s|the|our)\b\W*)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Said:
    """A phrase of a text: a time, a count of discussions, or such a count within a time."""

    span: Span
    words: str
    count: DiscussionPhrase | None = None
    time: TimePhrase | None = None


async def islands(session: AsyncSession, *, places: frozenset[int]) -> list[Island]:
    """Return the runs of messages in each of these places, as far as this database knows them.

    Only what people said to each other counts: neither what they asked the bot, nor its answers, nor what was
    deleted. The rows of a place are read once, in the order of its index; a run comes back as its two ends, and the
    engine's limit on the time of a statement bounds the whole.
    """
    if not places:
        return []
    runs = _numbered_by_run(places)
    statement = select(runs.c.place, func.min(runs.c.sent_at), func.max(runs.c.sent_at)).group_by(
        runs.c.place, runs.c.run
    )
    return [(place, first, last) for place, first, last in await session.execute(statement)]


def _numbered_by_run(places: frozenset[int]) -> Subquery:
    """Give every message of a place the number of those before it, itself included, that came after a silence."""
    before = func.lag(MessageRow.sent_at).over(partition_by=place_id, order_by=MessageRow.sent_at)
    messages = (
        select(
            place_id.label("place"),
            MessageRow.sent_at,
            (MessageRow.sent_at - before > literal(DISCUSSION_GAP, Interval)).label("begins"),
        )
        .where(
            one_of(place_id, places),
            MessageRow.kind == Kind.MESSAGE.value,
            MessageRow.deleted_at.is_(None),
        )
        .subquery("messages_in_time")
    )
    begun = func.count().filter(messages.c.begins)
    run = begun.over(partition_by=messages.c.place, order_by=messages.c.sent_at).label("run")
    return select(messages.c.place, messages.c.sent_at, run).subquery("runs")


def joined(found: Iterable[Island]) -> list[Window]:
    """Return the discussions that the islands of both memories add up to, in time order.

    Two islands of one place with no long silence between them are one discussion. A message that is deleted in one
    memory and not yet in the other still counts.
    """
    discussions: list[_Stretch] = []
    for _, of_place in groupby(sorted(found), key=lambda island: island[0]):
        runs: list[_Stretch] = []
        for _, first, last in of_place:
            if runs and first - runs[-1][1] <= DISCUSSION_GAP:
                runs[-1] = runs[-1][0], max(runs[-1][1], last)
            else:
                runs.append((first, last))
        discussions += runs
    return [Window(first, last + _INSTANT) for first, last in sorted(discussions)]


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


def _time_phrase(said: _Said, held: Sequence[_Stretch], now: datetime) -> TimePhrase:
    if said.time is not None and said.count is None:
        return _before_this_discussion(said.time, held, now)
    if said.time is not None:
        held = [stretch for stretch in held if stretch[0] in said.time.window]
    ordered = said.time is not None and said.time.order_mattered
    return TimePhrase(said.words, _counted(said.count, held) or Window(now, now), order_mattered=ordered)


def _counted(count: DiscussionPhrase | None, held: Sequence[_Stretch]) -> Window | None:
    """Return the window from the first to the last of the discussions that are counted; None without any."""
    if count is None:
        return None
    first, last = sorted(_index(number, len(held)) for number in (count.first, count.last))
    counted = held[max(first, 0) : max(last + 1, 0)]
    return Window(counted[0][0], max(end for _, end in counted)) if counted else None


def _index(number: int, discussions: int) -> int:
    """Return the index of discussion 1, 2, ... or of -1, the latest, -2, ...; below 0 there is none."""
    return number - 1 if number > 0 else discussions + number


def _before_this_discussion(time: TimePhrase, held: Sequence[_Stretch], now: datetime) -> TimePhrase:
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
