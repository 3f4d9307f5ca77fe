"""Split Markdown into Discord messages without breaking its code fences."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

MESSAGE_LIMIT = 2000  # characters that Discord takes in one message

# As Discord reads it: a fence is a pair of marks anywhere, and a language is alone on its line with the first mark.
_FENCE = re.compile(r"```(?:(?P<language>[\w+.#-]{0,20})\n)?(?P<body>.+?)\n?```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Fence:
    """A code fence in a text: where its marks and the code between them begin and end."""

    start: int
    body_start: int
    body_end: int
    end: int
    opening: str

    @classmethod
    def from_match(cls, match: re.Match[str]) -> Self:
        opening = f"```{match['language'] or ''}\n"
        return cls(match.start(), match.start("body"), match.end("body"), match.end(), opening)


def split_message(text: str, limit: int = MESSAGE_LIMIT) -> list[str]:
    """Return parts of at most `limit` characters (64 or more) that together are the text, unchanged.

    A part ends after a line where it can, after a space when one line is too long, anywhere when even a word is.
    A code fence that goes on in the next part is closed here and opened again there, with its language: those
    marks are all that is added.
    """
    fences = [_Fence.from_match(match) for match in _FENCE.finditer(text)]
    parts = []
    start = 0
    opening = ""
    while len(opening) + len(text) - start > limit:
        end = _cut(text, start, start + limit - len(opening), fences)
        fence = _fence_around(end, fences)
        parts.append(opening + text[start:end] + (_closing(text, end) if fence else ""))
        start, opening = end, fence.opening if fence else ""
    if start < len(text):
        parts.append(opening + text[start:])
    return parts


def _cut(text: str, start: int, latest: int, fences: Sequence[_Fence]) -> int:
    """Return where to end the part that begins at `start`, at `latest` or before."""
    possible = [end for end in range(latest, start, -1) if _may_cut(text, end, latest, fences)]
    for ending in ("\n", " "):
        for end in possible:
            if text[end - 1] == ending:
                return end
    return possible[0] if possible else latest


def _may_cut(text: str, end: int, latest: int, fences: Sequence[_Fence]) -> bool:
    """Tell whether a part may end here: never within a fence's marks, nor where its closing mark has no room."""
    for fence in fences:
        if fence.start < end <= fence.body_start or fence.body_end <= end < fence.end:
            return False
    return _fence_around(end, fences) is None or end + len(_closing(text, end)) <= latest


def _fence_around(position: int, fences: Sequence[_Fence]) -> _Fence | None:
    return next((fence for fence in fences if fence.body_start < position < fence.body_end), None)


def _closing(text: str, end: int) -> str:
    return "```" if text[end - 1] == "\n" else "\n```"
