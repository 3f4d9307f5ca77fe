"""Check the `[n]` marks of an answer against the stored messages, and number them in the order of first citation.

An escaped bracket belongs to no mark: `agent.markdown` escapes every bracket in what people wrote.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from agent.context import Context
from agent.markdown import inline
from agent.marks import Mark, marks_in
from agent.types import Searched, Source
from errors import DatabaseUnavailableError
from memory.message import Message
from time_expressions.find import TimePhrase
from time_expressions.format import spoken_end, spoken_windows
from time_expressions.window import ALL_TIME, Window, union

_BRACKET = re.compile(r"(?<!\\)\[")
_MOST_MADE = 20

logger = logging.getLogger(__name__)


def cited_numbers(text: str) -> list[int]:
    """Return the numbers that an answer cites outside code, each once, in order."""
    marks = (mark for mark in marks_in(text) if not mark.is_bare)
    return list(dict.fromkeys(number for mark in marks for number in mark.numbers))


def with_sources(text: str, messages: Mapping[int, Message]) -> tuple[str, tuple[Source, ...]]:
    """Return the text with its marks renumbered from 1, and what they stand for.

    `messages` holds, by the number in the text, each message that may be cited; every other mark is dropped, and so are
    the words that a mark says it copied.
    """
    order: dict[int, int] = {}
    for number in cited_numbers(text):
        if number in messages:
            order[number] = len(order) + 1

    def renumbered(mark: Mark) -> list[int]:
        return [] if mark.is_bare else [order[number] for number in mark.numbers if number in order]

    sources = tuple(Source(order[number], messages[number]) for number in order)
    return rewritten(text, renumbered), sources


def rewritten(text: str, numbers_of: Callable[[Mark], Sequence[int]], *, names: Collection[str] = ()) -> str:
    """Return a text with a plain mark `[n]` for each of the numbers that take the place of a mark's own.

    A mark of which none is left goes with the spaces before it. What only looks like a mark stays where no number is
    given for it.
    """
    written: list[str] = []
    position = length = 0
    ours: set[int] = set()
    for mark in marks_in(text, names=names):
        numbers = numbers_of(mark)
        if mark.is_bare and not numbers:
            continue
        before = text[position : mark.start] + (mark.space if numbers else "")
        written.append(before)
        length += len(before)
        for number in dict.fromkeys(numbers):
            ours.add(length)
            written.append(f"[{number}]")
            length += len(written[-1])
        position = mark.end
    return _without_made_marks("".join([*written, text[position:]]), ours, names)


def _without_made_marks(text: str, ours: Collection[int], names: Collection[str]) -> str:
    """Return a text without the marks that came about where another was taken out: of `[[9]2]` stays `\\[2]`."""
    for _ in range(_MOST_MADE):
        marks = marks_in(text, names=names)
        made = [mark for mark in marks if mark.start + len(mark.space) not in ours and not mark.is_bare]
        if not made:
            return text
        at = made[0].start + len(made[0].space)
        text = f"{text[:at]}\\{text[at:]}"
        ours = {position + (position > at) for position in ours}
    return _BRACKET.sub(r"\\[", text)


def without_marks(text: str) -> str:
    """Return an answer without its marks, which mean nothing once the run that numbered them is over."""
    return with_sources(text, {})[0]


UNCHECKED = "The citations could not be checked a second time; a message may have been deleted just now."


async def check_again(cited: Mapping[int, Message], context: Context) -> tuple[dict[int, Message], tuple[str, ...]]:
    """Return those of the messages, by number, that may still be shown, as they are now, and notes for the person.

    When memory does not answer, they are returned as they were, with UNCHECKED.
    """
    if not cited:
        return {}, ()
    question = context.question
    try:
        stored = await context.memory.lookup([message.message_id for message in cited.values()], places=question.places)
    except DatabaseUnavailableError as error:
        logger.warning("citations in channel %d not checked: %r", question.channel_id, error)
        return dict(cited), (UNCHECKED,)
    current = {number: stored.get(message.message_id) for number, message in cited.items()}
    may_show = context.evidence.may_show
    return {number: message for number, message in current.items() if message and may_show(message)}, ()


MOST_CHANNELS = 4
MOST_DATES = 2
LONGEST_TEXT = 80
"""Characters of what was searched for that are shown."""

_MOMENT = timedelta(microseconds=1)


def footer(searched: Searched | None, *, written: Callable[[str], str] = inline) -> str:
    """Return the line, such as "searched Tue 17 Nov 00:00 - 24:00 Europe/Paris in #deploys".

    It begins with what was searched for where that is not what was asked: 'searched "deploy friday" in #deploys'.
    It also tells how a date was read that others read in another way ("10/11/2026"). The words of others in it are
    `written` as Markdown, unless the line is shown where there is none.
    Nothing is told of an answer that everything was searched for, unless its question named a time.
    """
    if searched is None:
        return ""
    when = "all time" if searched.went_beyond and not searched.as_of else _when(searched)
    names = [f"#{written(name)}" for name in searched.channels[:MOST_CHANNELS]]
    where = f"in {', '.join(names)}" if names else ""
    texts = " and ".join(f'"{written(_short(text))}"' for text in searched.texts)
    words = " ".join(filter(None, (texts, when, where)))
    parts = [f"searched {words}"] if words else []
    return "; ".join(parts + [_read(time, searched, written) for time in searched.ordered[:MOST_DATES]])


def _when(searched: Searched) -> str:
    """Return the time that was searched in words, and the moment of which the state was asked for."""
    windows, moment = searched.windows, searched.as_of
    if moment is not None and windows in (ALL_TIME, union([Window(None, moment)])):
        return as_of(moment, searched)
    when = spoken_windows(windows, time_zone=searched.time_zone, now=searched.now)
    return when if moment is None else f"{when}, {as_of(moment, searched)}"


def as_of(moment: datetime, searched: Searched) -> str:
    """Return the moment of which the state was asked for: "as of Sun 3 May 24:00 Europe/Paris"."""
    return f"as of {spoken_end(moment, time_zone=searched.time_zone, now=searched.now)}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1].rstrip()}…"


def _read(time: TimePhrase, searched: Searched, written: Callable[[str], str]) -> str:
    """Return how a date in digits was read, such as "10/11/2026 read as 10 November (day first)"."""
    order = searched.date_order.replace("-", " ")
    phrase, start, end = written(time.phrase), time.window.start, time.window.end
    if start and end:
        first, last = (moment.astimezone(searched.time_zone) for moment in (start, end - _MOMENT))
        if first.date() == last.date():
            return f"{phrase} read as {first.day} {first:%B} ({order})"
    return f"{phrase} read {order}"
