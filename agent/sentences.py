"""Find where the beginning of an answer may end: behind a sentence, a list item, a table or a block of code."""

import re
from collections.abc import Collection, Iterator

from agent.citations import cited_numbers
from agent.spoilers import split_code

_MARKS = r"(?:[ \t]{0,4}\[[\d, ]{1,20}\]){0,8}"
_END = re.compile(
    rf"(?:(?P<word>[^\W\d_]{{1,12}})?[.!?\u2026]{{1,3}}[\"'\u201d\u2019\u00bb)*_~]{{0,4}}{_MARKS}[.,]?[ \t]{{1,4}}"
    rf"|[\u3002\uff01\uff1f]{{1,3}}[\u201d\u2019\u300d\u300f\uff09]{{0,4}}{_MARKS}[ \t]{{0,4}})"
    r"(?=[^\s\[\u3010\\(a-z])"
)
"""The end of a sentence with its marks, and the spaces before the next one."""

_ABBREVIATIONS = frozenset(["dr", "mr", "mrs", "ms", "prof", "st", "no", "nr", "vs", "etc", "ca", "bzw", "approx"])
_ITEM_START = r"[ \t]{0,20}(?:[-*+]|\d{1,9}[.)]|#{1,3}|-#|>{1,3})[ \t]"
_ITEM = re.compile(_ITEM_START)
"""The start of a line that stands for itself: an item of a list, a heading, a quote."""

_WHOLE_LINE = re.compile(rf"{_ITEM_START}|[ \t]")
"""The start of a line that is whole with its end: such a line, or one that goes on with it."""

_BLANK = re.compile(r"\n[ \t]{0,20}\n\s{0,20}")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_PAIRED = ("**", "__", "~~", "||", "`")


def proven_end(text: str, numbers: Collection[int]) -> int:
    """Return where the last whole sentence ends that has one of these marks; 0 when none does.

    What comes behind it may still become something else: a sentence without a mark is proven by the next mark, or not
    at all.
    """
    start = end = 0
    for stop in whole_ends(text):
        if not set(numbers).isdisjoint(cited_numbers(text[start:stop])):
            end = stop
        start = stop
    return end


def whole_ends(text: str) -> Iterator[int]:
    """Yield the positions, in order, before which nothing of a text is half written.

    Nothing else follows a sentence on its line, or what follows has begun already; a list item, a heading and a quote
    are whole with their line, and lines with bars, which are a table or hide something, with their paragraph. Code,
    bold, struck and hidden words, and brackets are closed.
    """
    plain = _without_code(text)
    start = 0
    for blank in _BLANK.finditer(plain):
        if blank.end() < len(plain):
            yield from _ends_in(plain, start, blank.start(), is_whole=True)
            if _is_closed(plain, blank.start()):
                yield blank.end()
            start = blank.end()
    yield from _ends_in(plain, start, len(plain), is_whole=False)


def _without_code(text: str) -> str:
    """Return a text of the same length whose code and escaped characters are letters; open code reaches to the end."""
    parts = ("x" * len(part) if is_code else _ESCAPED.sub("xx", part) for is_code, part in split_code(text))
    return "".join(parts)


def _ends_in(plain: str, start: int, stop: int, *, is_whole: bool) -> Iterator[int]:
    """Yield the ends within a paragraph; that of its last line comes with the blank line behind it."""
    if "|" in plain[start:stop]:
        return
    while start < stop:
        line_end = plain.find("\n", start, stop)
        line = plain[start : line_end if line_end >= 0 else stop]
        if not _WHOLE_LINE.match(line):
            yield from _sentence_ends(plain, start, start + len(line))
        if line_end < 0:
            return
        start = line_end + 1
        if (is_whole or _has_begun(plain, start)) and _is_closed(plain, line_end):
            yield start


def _has_begun(plain: str, start: int) -> bool:
    """Return whether a new line is known to continue nothing of the line before it."""
    line = plain[start : start + 40]
    if not line.strip() or line[0] in "|[(\u3010":
        return False
    return not line[0].isspace() or _ITEM.match(line) is not None


def _sentence_ends(plain: str, start: int, stop: int) -> Iterator[int]:
    for found in _END.finditer(plain, start, stop):
        word = (found["word"] or "").casefold()
        is_abbreviated = found[0][len(word) : len(word) + 1] == "." and (len(word) == 1 or word in _ABBREVIATIONS)
        if not is_abbreviated and _is_closed(plain, found.end()):
            yield found.end()


def _is_closed(plain: str, end: int) -> bool:
    """Return whether all that was opened before a position is closed there."""
    if plain.count("[", 0, end) != plain.count("]", 0, end):
        return False
    return all(plain.count(pair, 0, end) % 2 == 0 for pair in _PAIRED)
