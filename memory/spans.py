"""Find where phrases stand in a text, and take them out of it."""

import re
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""Where a phrase begins in a text, and where what follows it begins."""

_BEFORE = (
    "about|across|after|around|as|at|back|before|between|by|during|for|from|in|inside|into|of|on|over|since|through|"
    "throughout|till|to|until|up|upon|via|within"
)
_LEADING_IN = re.compile(rf"(?:\b(?:{_BEFORE})\b\s*(?:\bthe\b\s*)?)+$", re.IGNORECASE)
_LEFT_BEHIND = re.compile("['\u2019]s\\b", re.IGNORECASE)
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.;:?!])")
_MARKS_AT_THE_EDGE = re.compile(r"^[\s,.;:!?-]+|[\s,;:-]+$")
_NOTHING_ENCLOSED = re.compile(r"\(\s*\)|\[\s*\]|\"\s*\"")
_MARKS_IN_A_ROW = re.compile(r",(?:\s*,)+")


def located(text: str, phrases: Sequence[str]) -> list[Span]:
    """Return where each of these phrases, which come in the order of the text, stands in it.

    Phrases that are said once and meant twice stand in the same place; one that is not there stands at the end.
    """
    spans: list[Span] = []
    cursor = 0
    for phrase in phrases:
        whole = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)")
        found = whole.search(text, cursor) or whole.search(text)
        spans.append(found.span() if found else (len(text), len(text)))
        cursor = spans[-1][1] if found else cursor
    return spans


def without(text: str, spans: Iterable[Span]) -> str:
    """Return a text without these stretches, without what led to them ("in", "since"), and tidy."""
    kept, position = "", 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        kept += _LEADING_IN.sub("", text[position : max(start, position)]).rstrip() + " "
        position = end + len(_possessive(text, end))
    return tidied(kept + text[position:])


def tidied(text: str) -> str:
    """Return a text with single spaces, none before a mark, and no marks that lost their words."""
    single = _SPACE_BEFORE_MARK.sub(r"\1", " ".join(_NOTHING_ENCLOSED.sub(" ", text).split()))
    return _MARKS_AT_THE_EDGE.sub("", _MARKS_IN_A_ROW.sub(",", single))


def _possessive(text: str, position: int) -> str:
    found = _LEFT_BEHIND.match(text, position)
    return found[0] if found else ""
