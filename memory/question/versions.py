"""Tell of which moment a question wants the state: "as of 3 May", "before the edit"."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from memory.search.terms import keywords_of
from time_expressions.find import TimePhrase
from time_expressions.folding import Span
from time_expressions.window import Window, intersection

_BEFORE_EDITS = re.compile(
    r"\b(?:"
    r"(?:before|prior to) (?:(?:the|an|any|its|his|her|their|that|this) edit(?:s|ing)?|(?:it|that|this) was edited)"
    r"|vor (?:der|dem) (?:bearbeitung|änderung|edit)"
    r"|avant (?:la|cette|sa) modification"
    r"|antes de (?:la|esa|su) edición"
    r")\b",
    re.IGNORECASE,
)
_KNOWING = frozenset(["know", "knew", "known", "wussten", "wusste"])
_MOST_READ = 2000  # characters of a question


def edits_in(text: str) -> list[Span]:
    """Return where a text asks for what messages said before they were edited."""
    return [found.span() for found in _BEFORE_EDITS.finditer(text[:_MOST_READ])]


def moment_of(times: Sequence[TimePhrase]) -> datetime | None:
    """Return the moment of which phrases ask for the state, the earliest of several; None when none does."""
    return min((time.window.end for time in times if time.as_of and time.window.end), default=None)


def until_moment(times: Sequence[TimePhrase], moment: datetime) -> tuple[TimePhrase, ...]:
    """Return the phrases for the time in which things were said, up to a moment of which others ask for the state."""
    clipped = [
        replace(time, window=window)
        for time in times
        if not time.as_of
        for window in intersection((time.window,), (Window(None, moment),))
    ]
    return tuple(clipped) or tuple(time for time in times if time.as_of)


def asks_for_state(rest: str) -> bool:
    """Return whether a question, without its moment, asks for all that was known: "what did we know?"."""
    return all(word.text in _KNOWING for word in keywords_of(rest))
