"""Find where the beginning of an answer may end: behind a sentence, a list item, a table or a block of code."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator

from agent.citations import cited_numbers
from agent.proof.times import MONTHS
from agent.spoilers import split_code
from time_expressions.folding import folded

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

_DAY = re.compile(r"(?<!\d)\d{1,2}\.\Z")
_WORD = re.compile(r"[^\W\d_]{1,12}")
_BLANK = re.compile(r"\n[ \t]{0,20}\n\s{0,20}")
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_PAIRED = ("**", "__", "~~", "||", "`")
_OPENING = re.compile(r"\*\*|__|~~|\|\||`|[\[\]]")


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
    pairs = _Pairs(plain)
    start = 0
    for blank in _BLANK.finditer(plain):
        if blank.end() < len(plain):
            yield from _ends_in(plain, start, blank.start(), pairs, is_whole=True)
            if pairs.are_closed_at(blank.start()):
                yield blank.end()
            start = blank.end()
    yield from _ends_in(plain, start, len(plain), pairs, is_whole=False)


def sentence_ends(text: str) -> list[int]:
    """Return where each sentence of a text ends, also within an item or a quote, and each row of a table; its end last.

    Every end that `whole_ends` yields is one of them.
    """
    plain = _without_code(text)
    pairs = _Pairs(plain)
    ends = {*whole_ends(text), len(text)}
    start = 0
    while start < len(plain):
        line_end = plain.find("\n", start)
        stop = line_end if line_end >= 0 else len(plain)
        lead = _ITEM.match(plain, start, stop)
        if "|" not in plain[start:stop].replace("||", ""):
            ends.update(_sentence_ends(plain, lead.end() if lead else start, stop, pairs))
        start = stop + 1
        if pairs.are_closed_at(stop) and not plain[start : start + 40].lstrip(" \t").startswith(("[", "\u3010")):
            ends.add(min(start, len(text)))
    return sorted(ends)


def lead_of(line: str) -> str:
    """Return what makes an item, a heading or a quote of a line, with the spaces behind it; empty for other lines."""
    lead = _ITEM.match(line)
    return lead[0] if lead else ""


def _without_code(text: str) -> str:
    """Return a text of the same length whose code and escaped characters are letters; open code reaches to the end."""
    parts = ("x" * len(part) if is_code else _ESCAPED.sub("xx", part) for is_code, part in split_code(text))
    return "".join(parts)


class _Pairs:
    """Knows for every position of a text whether all that was opened before it is closed there."""

    def __init__(self, plain: str) -> None:
        self._ends: list[int] = []
        self._are_closed: list[bool] = []
        brackets, is_open = 0, dict.fromkeys(_PAIRED, False)
        for found in _OPENING.finditer(plain):
            if found[0] in is_open:
                is_open[found[0]] = not is_open[found[0]]
            else:
                brackets += 1 if found[0] == "[" else -1
            self._ends.append(found.end())
            self._are_closed.append(not brackets and not any(is_open.values()))

    def are_closed_at(self, position: int) -> bool:
        """Return whether nothing is open there."""
        before = bisect_right(self._ends, position)
        return not before or self._are_closed[before - 1]


def _ends_in(plain: str, start: int, stop: int, pairs: _Pairs, *, is_whole: bool) -> Iterator[int]:
    """Yield the ends within a paragraph; that of its last line comes with the blank line behind it."""
    if "|" in plain[start:stop]:
        return
    while start < stop:
        line_end = plain.find("\n", start, stop)
        line = plain[start : line_end if line_end >= 0 else stop]
        if not _WHOLE_LINE.match(line):
            yield from _sentence_ends(plain, start, start + len(line), pairs)
        if line_end < 0:
            return
        start = line_end + 1
        if (is_whole or _has_begun(plain, start)) and pairs.are_closed_at(line_end):
            yield start


def _has_begun(plain: str, start: int) -> bool:
    """Return whether a new line is known to continue nothing of the line before it."""
    line = plain[start : start + 40]
    if not line.strip() or line[0] in "|[(\u3010":
        return False
    return not line[0].isspace() or _ITEM.match(line) is not None


def _sentence_ends(plain: str, start: int, stop: int, pairs: _Pairs) -> Iterator[int]:
    for found in _END.finditer(plain, start, stop):
        word = (found["word"] or "").casefold()
        is_abbreviated = found[0][len(word) : len(word) + 1] == "." and (len(word) == 1 or word in _ABBREVIATIONS)
        if not is_abbreviated and not _is_date(plain, found) and pairs.are_closed_at(found.end()):
            yield found.end()


def _is_date(plain: str, stop: re.Match[str]) -> bool:
    """Return whether a stop is, or may still become, that of a day: "am 3. Mai"."""
    if not _DAY.search(plain, max(0, stop.start() - 3), stop.start() + 1):
        return False
    word = _WORD.match(plain, stop.end())
    return word is None or word.end() == len(plain) or folded(word[0]) in MONTHS
