"""Find the marks of an answer: `[1]`, `[1, 2]`, and `[1 "copied words"]` with the words that a model says it copied.

Models write them in many ways: `[1: "..."]`, `[1 “...”, 2 “...”]`, `[message 1 "..."]`, with brackets and quotes inside
the words. Each is read within LONGEST characters, so that the time it takes grows with the length of the text and with
nothing else. An escaped bracket begins no mark: `agent.markdown` escapes every bracket in what people wrote.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from agent.spoilers import code_end

LONGEST = 600
"""Characters of one mark; twelve words have a hundred or two."""

_NUMBER = r"(?:(?:messages?|msg|source|no\.?) ?)?#?(?P<number>[1-9]\d{0,8})(?!\d)"
_QUOTES = r"[\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u300c]"
_CLOSING_QUOTES = r"[\"'\u201c\u201d\u2018\u2019\u00bb\u300d]"
_OPENING = re.compile(r"\\[^0-9A-Za-z\s]|[`\[]")
_START = re.compile(rf"\[[ \t]{{0,2}}{_NUMBER}(?=[\]\s,;:&.\-\u2013\u2014\\]|{_QUOTES})", re.IGNORECASE)
_PIECE = re.compile(
    rf"(?P<between>[ \t\n,;:&.\u2013\u2014-]{{1,8}})|{_NUMBER}|(?P<close>\])|\\?(?P<quote>{_QUOTES})", re.IGNORECASE
)
_COPIED_END = re.compile(
    rf"\\?{_CLOSING_QUOTES}(?=[ \t.,;]{{0,4}}"
    rf"(?:\]|(?:(?:messages?|msg|source|no\.?) ?)?#?\d{{1,9}}[ :,]{{0,3}}\\?{_QUOTES}))"
    rf"|\\?{_CLOSING_QUOTES}(?=(?:[ \t]{{0,2}}[,;&][ \t]{{0,2}}|[ \t])\\?[\"\u201c\u201e\u00ab\u300c])",
    re.IGNORECASE,
)
_BARE_WORDS = re.compile(r"(?P<colon>:?)[ \t]{1,3}(?P<words>[^\[\]\n]{3,200})\]")
_LINK = re.compile(r"\([^()\s]{0,500}\)")


@dataclass(frozen=True, slots=True)
class Cited:
    """A number in a mark, with the words that are said to be copied from its message."""

    number: int
    copied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark with what it cites, where it stands, and the spaces before it.

    It is `whole` when it ended where a mark ends, and `bare` when only the message can tell whether it is one:
    `[3 items]` is none.
    """

    cited: tuple[Cited, ...]
    space: str
    start: int
    end: int
    is_whole: bool = True
    is_bare: bool = False

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers, each once, in order."""
        return tuple(dict.fromkeys(cited.number for cited in self.cited))


def marks_in(text: str, *, names: Collection[str] = ()) -> Iterator[Mark]:
    """Yield the marks outside code, in order; what stands within one of these `names` is none."""
    bracketed = [name for name in names if "[" in name and any(letter.isalpha() for letter in name)]
    position = last_end = 0
    while opening := _OPENING.search(text, position):
        at = opening.start()
        if opening[0] == "`":
            position = code_end(text, at)
        elif opening[0] != "[":
            position = opening.end()
        elif name_end := _name_end(text, at, bracketed):
            position = name_end
        elif mark := _mark_at(text, at, last_end):
            yield mark
            position = last_end = mark.end
        else:
            position = at + 1


def _name_end(text: str, at: int, names: Collection[str]) -> int:
    """Return where a name ends that has its bracket at a position; 0 when none has."""
    for name in names:
        bracket = name.find("[")
        start = at - bracket
        if start >= 0 and text.startswith(name, start):
            return start + len(name)
    return 0


def _mark_at(text: str, at: int, last_end: int) -> Mark | None:
    """Return the mark whose bracket stands at a position; the one before it has ended at `last_end`."""
    if _START.match(text, at) is None:
        return None
    cited: list[tuple[int, list[str]]] = []
    position, limit = at + 1, min(len(text), at + LONGEST)
    has_ended = is_whole = False
    while position < limit and not has_ended:
        piece = _PIECE.match(text, position, limit)
        if piece is None:
            return _bare_mark(text, at, position, last_end, cited)
        position = piece.end()
        if piece["number"]:
            cited.append((int(piece["number"]), []))
        elif piece["quote"]:
            copied, position, is_closed = _copied(text, position, limit)
            cited[-1][1].append(copied)
            has_ended = not is_closed
        elif piece["close"]:
            has_ended = is_whole = True
    if not is_whole and not any(copied for _, copied in cited):
        return None  # "[1" that never ends
    return _mark(text, at, position, last_end, cited, is_whole=is_whole)


def _copied(text: str, start: int, limit: int) -> tuple[str, int, bool]:
    """Return the words between quotes that begin at a position, where they end, and whether they end with a quote.

    Without one they end with the next bracket, or with their line.
    """
    line_end = text.find("\n", start, limit)
    stop = line_end if line_end >= 0 else limit
    if closing := _COPIED_END.search(text, start, limit):
        return text[start : closing.start()], closing.end(), True
    bracket = text.find("]", start, stop)
    if bracket >= 0:
        return text[start:bracket], bracket + 1, False
    return text[start:stop], stop, False


def _bare_mark(text: str, at: int, position: int, last_end: int, cited: list[tuple[int, list[str]]]) -> Mark | None:
    """Return a mark whose words stand in no quotes: `[1: the deploy is on friday]`."""
    start = _START.match(text, at)
    words = _BARE_WORDS.match(text, start.end()) if start else None
    if words is None or len(cited) != 1 or position > words.end():
        return None
    cited[0][1].append(words["words"])
    return _mark(text, at, words.end(), last_end, cited, is_whole=True, is_bare=not words["colon"])


def _mark(
    text: str,
    at: int,
    end: int,
    last_end: int,
    cited: list[tuple[int, list[str]]],
    *,
    is_whole: bool,
    is_bare: bool = False,
) -> Mark:
    start = at
    while start > last_end and text[start - 1] in " \t":
        start -= 1
    link = _LINK.match(text, end) if is_whole else None
    return Mark(
        cited=tuple(Cited(number, tuple(filter(None, copied))) for number, copied in cited),
        space=text[start:at],
        start=start,
        end=link.end() if link else end,
        is_whole=is_whole,
        is_bare=is_bare,
    )
