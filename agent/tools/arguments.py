"""What the tools' arguments mean: texts, names of people, and times in words or as dates."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from langchain_core.tools import ToolException
from pydantic import BeforeValidator
from pydantic.json_schema import SkipJsonSchema

from agent.context import Context
from agent.whose import Whose, whose_called
from memory.message import sanitize
from memory.question.parse import LONGEST_QUESTION, parse_question
from time_expressions.folding import folded
from time_expressions.window import ALL_TIME, FIRST_MOMENT, LAST_MOMENT, Window, Windows, showable

ScopeName = Literal["short", "long", "both"]

_LONGEST_DATE = 64  # characters
_LONGEST_TIME = 200  # characters of a time in words or as a date

_ALWAYS = frozenset({"all time", "all the time", "any time", "anytime", "always", "ever"})
_FORMS = (
    'Write `when` like "last Tuesday", "3 November", "since March", "the last two weeks" or "two discussions ago", '
    "or give start and end as dates such as 2026-11-03."
)


def _as_list(value: object) -> object:
    """Let a small model write one name where a list is due."""
    return [value] if isinstance(value, str) else value


Names = Annotated[list[str] | SkipJsonSchema[None], BeforeValidator(_as_list)]
Text = str | SkipJsonSchema[None]
"""A text that may be left out: the description of a tool is shorter without the words for none."""


def read_window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Window | None:
    """Return the half-open window between two ISO texts, None when both are missing or as far away as a date can be.

    What carries no offset is read on the clock of `time_zone`; a date alone is the start of that day. The year 9999 as
    end is what models write for no end. Raises ValueError, with a sentence for the model, for what is no date and for
    an end that is not after the start.
    """
    first, last = _moment(start, time_zone), _moment(end, time_zone)
    window = Window(None if first == FIRST_MOMENT else first, None if last == LAST_MOMENT else last)
    if window == Window():
        return None
    if window.start and window.end and window.start >= window.end:
        raise ValueError(
            f"end ({end}) must be after start ({start}); the end is not included, "
            "so for one whole day give the next day as end."
        )
    return window


def _moment(text: str | None, time_zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    if len(text) > _LONGEST_DATE:
        raise ValueError(f"{text[:_LONGEST_DATE]!r}... is not a date: write it like 2026-11-03 or 2026-11-03T14:00.")
    try:
        moment = datetime.fromisoformat(text.strip())
        return showable(moment if moment.tzinfo else moment.replace(tzinfo=time_zone)).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: write it like 2026-11-03 or 2026-11-03T14:00.") from error


def short_text(name: str, text: str) -> str:
    """Return an argument that is no longer than a question may be; raise ToolException for a longer text."""
    if len(text) > LONGEST_QUESTION:
        raise ToolException(f"{name} has {len(text)} characters: write {LONGEST_QUESTION} at most.")
    return text


async def whose_meant(called: list[str] | None, context: Context) -> Whose:
    """Return whom a model's list of names means, and which names were read as others that they are near."""
    short_text("authors", " ".join(called or ()))
    names = [sanitize(name.replace("\x00", " ").strip().removeprefix("@")) for name in called or ()]
    if not names:
        return Whose(None)
    return await whose_called(names, await context.memory.known_names(places=context.parsed.places))


async def windows_meant(when: str | None, start: str | None, end: str | None, context: Context) -> Windows | None:
    """Return the windows that a call names, None when it names none; words count before dates."""
    question = context.question
    if any(len(text) > _LONGEST_TIME for text in (when, start, end) if text):
        raise ToolException(f"That is too long for a time. {_FORMS}")
    words = (when or "").strip()
    if folded(words) in _ALWAYS:
        return ALL_TIME
    if not words:
        return _window(start, end, question.time_zone)
    for phrase in (words, f"in {words}"):  # "May" by itself may be no month
        understood = await parse_question(
            phrase,
            places=question.places,
            here=question.channel_id,
            now=question.now,
            time_zone=question.time_zone,
            memory=context.memory,
        )
        if understood.windows:
            return understood.windows
    raise ToolException(f"{words!r} is no time that can be computed. {_FORMS}")


def _window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Windows | None:
    try:
        window = read_window(start, end, time_zone)
    except ValueError as error:
        raise ToolException(str(error)) from error
    return None if window is None else (window,)
