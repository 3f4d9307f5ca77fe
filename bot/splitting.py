"""Split Markdown into Discord messages without breaking its code fences."""

import re
from bisect import bisect_left
from collections.abc import Iterator
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


class _Fences:
    """The code fences of a text, in order; which one is at a position is found without looking at all of them."""

    def __init__(self, text: str) -> None:
        self._fences = [_Fence.from_match(match) for match in _FENCE.finditer(text)]
        self._starts = [fence.start for fence in self._fences]

    def around(self, position: int) -> _Fence | None:
        """Return the fence between whose marks a cut at this position would be, or within whose marks."""
        number = bisect_left(self._starts, position) - 1
        fence = self._fences[number] if number >= 0 else None
        return fence if fence is not None and position < fence.end else None

    def opened(self, position: int) -> _Fence | None:
        """Return the fence whose code goes on behind a cut at this position."""
        fence = self.around(position)
        return fence if fence is not None and fence.body_start < position < fence.body_end else None


def split_message(text: str, limit: int = MESSAGE_LIMIT) -> Iterator[str]:
    """Yield parts of at most `limit` characters (64 or more) that together are the text, unchanged.

    A part ends after a line where it can, after a space when one line is too long, anywhere when even a word is.
    A code fence that goes on in the next part is closed here and opened again there, with its language: those
    marks are all that is added. The time it takes grows with the length of the text, whatever is in it.
    """
    fences = _Fences(text)
    start = 0
    opening = ""
    while len(opening) + len(text) - start > limit:
        end = _cut(text, start, start + limit - len(opening), fences)
        fence = fences.opened(end)
        yield opening + text[start:end] + (_closing(text, end) if fence else "")
        start, opening = end, fence.opening if fence else ""
    if start < len(text):
        yield opening + text[start:]


def _cut(text: str, start: int, latest: int, fences: _Fences) -> int:
    """Return where to end the part that begins at `start`, at `latest` or before."""
    after_space = anywhere = None
    for end in range(latest, start, -1):
        if not _may_cut(text, end, latest, fences):
            continue
        if text[end - 1] == "\n":
            return end
        if after_space is None and text[end - 1] == " ":
            after_space = end
        anywhere = anywhere or end
    return after_space or anywhere or latest


def _may_cut(text: str, end: int, latest: int, fences: _Fences) -> bool:
    """Tell whether a part may end here: never within a fence's marks, nor where its closing mark has no room."""
    fence = fences.around(end)
    if fence is None:
        return True
    if not fence.body_start < end < fence.body_end:
        return False
    return end + len(_closing(text, end)) <= latest


def _closing(text: str, end: int) -> str:
    return "```" if text[end - 1] == "\n" else "\n```"
