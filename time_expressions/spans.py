"""Find where phrases stand in a text, and take them out of it."""

import re
from collections.abc import Iterable, Sequence

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


def find_phrases(text: str, phrases: Sequence[str]) -> list[Span]:
    """Return where each of these phrases, which come in the order of the text, stands in it.

    Phrases that are said once and meant twice stand in the same place; one that is not there stands at the end.
    """
    spans: list[Span] = []
    cursor = 0
    for phrase in phrases:
        start = _find_whole(text, phrase, cursor)
        start = _find_whole(text, phrase, 0) if start < 0 else start
        spans.append((len(text), len(text)) if start < 0 else (start, start + len(phrase)))
        cursor = cursor if start < 0 else spans[-1][1]
    return spans


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


def _find_whole(text: str, phrase: str, start: int) -> int:
    """Return where a phrase stands that is no part of longer words, from `start` on; -1 where it does not."""
    while (start := text.find(phrase, start)) >= 0:
        if not _is_in_word(text[start - 1 : start]) and not _is_in_word(text[start + len(phrase) :][:1]):
            return start
        start += 1
    return -1


def _is_in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


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
