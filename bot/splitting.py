"""Split Markdown into Discord messages without breaking its code, its spoilers or its links."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

MESSAGE_LIMIT = 2000  # characters that Discord takes in one message

# As Discord reads it: a fence is a pair of marks anywhere, and a language is alone on its line with the first mark.
_SPAN = re.compile(
    r"```(?:(?P<language>[\w+.#-]{0,20})\n)?(?P<code>.+?)\n?```"
    r"|\\[^0-9A-Za-z\s]"
    r"|\|\|(?P<hidden>.+?)\|\|"
    r"|\[\[\d{1,9}\]\]\(<[^\s<>]{1,300}>\)|<[^\s<>]{1,1600}>|``[^\n]{1,300}?``|`[^`\n]{1,300}`",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Span:
    """What belongs together in a text: where it and the body begin and end within which it may be cut.

    Where it is cut it is closed, and opened again behind the cut.
    """

    start: int
    body_start: int
    body_end: int
    end: int
    opening: str = ""

    @classmethod
    def from_match(cls, match: re.Match[str]) -> Self:
        """Return the span; one without a body, such as a link, is not to be cut at all."""
        if match["code"] is not None:
            opening = f"```{match['language'] or ''}\n"
            return cls(match.start(), match.start("code"), match.end("code"), match.end(), opening)
        if match["hidden"] is not None:
            return cls(match.start(), match.start("hidden"), match.end("hidden"), match.end(), "||")
        return cls(match.start(), match.end(), match.end(), match.end())

    def closing(self, text: str, end: int) -> str:
        """Return what closes the span at a cut."""
        if self.opening == "||":
            return "||"
        return "```" if text[end - 1] == "\n" else "\n```"


class _Spans:
    """The spans of a text, in order; which one is at a position is found without looking at all of them."""

    def __init__(self, text: str) -> None:
        self._spans = [_Span.from_match(match) for match in _SPAN.finditer(text)]
        self._starts = [span.start for span in self._spans]

    def around(self, position: int) -> _Span | None:
        """Return the span that a cut at this position would part."""
        number = bisect_left(self._starts, position) - 1
        span = self._spans[number] if number >= 0 else None
        return span if span is not None and position < span.end else None

    def opened(self, position: int) -> _Span | None:
        """Return the span whose body goes on behind a cut at this position."""
        span = self.around(position)
        return span if span is not None and span.body_start < position < span.body_end else None


def split_message(text: str, limit: int = MESSAGE_LIMIT) -> Iterator[str]:
    """Yield parts of at most `limit` characters (64 or more) that together are the text, unchanged.

    A part ends after a line where it can, after a space when one line is too long, anywhere when even a word is.
    Code and spoilers that go on in the next part are closed here and opened again there, code with its language: those
    marks are all that is added. Links, emoji, times and code within a line are not cut. The time it takes grows with
    the length of the text, whatever is in it.
    """
    spans = _Spans(text)
    start = 0
    opening = ""
    while len(opening) + len(text) - start > limit:
        end = _cut(text, start, start + limit - len(opening), spans)
        span = spans.opened(end)
        yield opening + text[start:end] + (span.closing(text, end) if span else "")
        start, opening = end, span.opening if span else ""
    if start < len(text):
        yield opening + text[start:]


def _cut(text: str, start: int, latest: int, spans: _Spans) -> int:
    """Return where to end the part that begins at `start`, at `latest` or before."""
    after_space = anywhere = None
    for end in range(latest, start, -1):
        if not _may_cut(text, end, latest, spans):
            continue
        if text[end - 1] == "\n":
            return end
        if after_space is None and text[end - 1] == " ":
            after_space = end
        anywhere = anywhere or end
    return after_space or anywhere or latest


def _may_cut(text: str, end: int, latest: int, spans: _Spans) -> bool:
    """Tell whether a part may end here: never within marks or behind a backslash, nor where no mark has room."""
    span = spans.around(end)
    if span is None:
        return True
    if not span.body_start < end < span.body_end or text[end - 1] == "\\":
        return False
    return end + len(span.closing(text, end)) <= latest
