"""Remove phrases from a text, with the words that lead to them."""

import re
from collections.abc import Iterable

Span = tuple[int, int]
"""Where a phrase begins in a text, and where what follows it begins."""

_BEFORE = frozenset(
    [
        "about",
        "across",
        "after",
        "around",
        "as",
        "at",
        "back",
        "before",
        "between",
        "by",
        "during",
        "for",
        "from",
        "in",
        "inside",
        "into",
        "of",
        "on",
        "over",
        "since",
        "through",
        "throughout",
        "till",
        "to",
        "until",
        "up",
        "upon",
        "via",
        "within",
    ]
)
_WORD = re.compile(r"\w+")
_LEFT_BEHIND = re.compile("['\u2019]s\\b", re.IGNORECASE)
_SPACE_BEFORE_MARK = re.compile(r" ([,.;:?!])")
_NOTHING_ENCLOSED = re.compile(r"\(\s*\)|\[\s*\]|\"\s*\"")
_MARKS_IN_A_ROW = re.compile(r",(?:\s*,)+")


def remove_phrases(text: str, spans: Iterable[Span]) -> str:
    """Return a text without these stretches, without what led to them ("in", "since"), and tidy."""
    kept, position = "", 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        kept += _without_leading_in(text[position : max(start, position)]).rstrip() + " "
        position = end + len(_possessive(text, end))
    return normalise_spaces(kept + text[position:])


def normalise_spaces(text: str) -> str:
    """Return a text with single spaces, none before a mark, and no marks that lost their words."""
    single = _SPACE_BEFORE_MARK.sub(r"\1", " ".join(_NOTHING_ENCLOSED.sub(" ", text).split()))
    return _MARKS_IN_A_ROW.sub(",", single).lstrip(" ,.;:!?-").rstrip(" ,;:-")


def _without_leading_in(text: str) -> str:
    """Return a text without the words at its end that led to what followed: "in", "since the"."""
    end = cut = len(text)
    for found in reversed(list(_WORD.finditer(text))):
        word = found[0].lower()
        if text[found.end() : end].strip() or (word not in _BEFORE and word != "the"):
            break
        end = found.start()
        if word in _BEFORE:
            cut = end
    return text[:cut]


def _possessive(text: str, position: int) -> str:
    found = _LEFT_BEHIND.match(text, position)
    return found[0] if found else ""
