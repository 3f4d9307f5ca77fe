"""Cut an answer into its sentences, items, rows and blocks, and put those that are kept together again."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.sentences import lead_of, sentence_ends

_RULE = re.compile(r"[\s|:+-]{3,400}\Z")
_FENCE = "```"
_HEADING = ("#", "-# ")


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, or whatever stands or falls as a whole, with the blanks behind it.

    Units of one `line` may share a mark. `lead` is what makes an item of the line, where the unit begins one; it is not
    part of its `text`.
    """

    text: str
    line: int
    lead: str
    is_after_blank: bool
    is_introduction: bool
    """Whether it only introduces what follows it: "Two things:", a heading, the head of a table."""

    @property
    def is_code(self) -> bool:
        """Whether it is a block of code."""
        return self.text.lstrip().startswith(_FENCE)

    @property
    def is_apart(self) -> bool:
        """Whether it goes on with no list and no table."""
        return not self.lead and "|" not in self.text


def units_of(text: str) -> list[Unit]:
    """Return the units of an answer, in order; together they are the text."""
    pieces = list(_pieces(text))
    found: list[Unit] = []
    line, before = 0, "\n"
    for at, piece in enumerate(pieces):
        begins_line = before.endswith("\n")
        line += begins_line
        lead = lead_of(piece) if begins_line else ""
        body = piece[len(lead) :]
        following = pieces[at + 1] if at + 1 < len(pieces) else ""
        found.append(
            Unit(
                text=body,
                line=line,
                lead=lead,
                is_after_blank=before.endswith("\n\n") or not found,
                is_introduction=_is_introduction(lead, body, following),
            )
        )
        before = piece
    return found


def _pieces(text: str) -> Iterator[str]:
    """Yield the text between two ends; blanks belong to what stands before them."""
    start, piece = 0, ""
    for end in sentence_ends(text):
        part = text[start:end]
        start = end
        if part.strip() and piece.strip():
            yield piece
            piece = ""
        piece += part
    if piece:
        yield piece


def _is_introduction(lead: str, body: str, following: str) -> bool:
    words = body.strip()
    if lead.startswith(_HEADING):
        return True
    if "|" in words and (
        _RULE.match(words) or ("|" in following and "-" in following and _RULE.match(following.strip()))
    ):
        return True
    return words.rstrip("*_ ").endswith((":", "\uff1a"))


def joined(kept: Iterable[tuple[Unit, bool]]) -> str:
    """Return an answer of the units that are kept; an introduction goes with all that it introduces.

    What is put together of the first units is the beginning of what is put together of more.
    """
    written = _Written()
    for unit, is_kept in kept:
        written.add(unit, is_kept=is_kept)
    return written.text.rstrip()


class _Written:
    """An answer that grows by units."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._end = "\n"
        self._waiting: list[Unit] = []
        self._has_lost = False
        self._lead: tuple[int, str] = (0, "")

    @property
    def text(self) -> str:
        """What is written."""
        return "".join(self._parts)

    def add(self, unit: Unit, *, is_kept: bool) -> None:
        """Write the next unit, or the line break that it leaves behind."""
        if unit.lead:
            self._lead = (unit.line, unit.lead)
        if not is_kept:
            self._has_lost = True
            self._break(unit.text)
            return
        if self._has_lost and (unit.is_introduction or unit.is_after_blank or unit.is_apart):
            self._waiting, self._has_lost = [], False
        if unit.is_introduction and not unit.is_code:
            self._waiting.append(unit)
            return
        for introduction in self._waiting:
            self._write(introduction)
        self._waiting, self._has_lost = [], False
        self._write(unit)

    def _write(self, unit: Unit) -> None:
        line, lead = (unit.line, unit.lead) if unit.lead else self._lead
        if line == unit.line:
            self._put(lead)
            self._lead = (0, "")
        self._put(unit.text)

    def _break(self, text: str) -> None:
        """Keep the line breaks behind a unit that is left out, where there are none yet."""
        breaks = text[len(text.rstrip()) :].count("\n")
        having = len(self._end) - len(self._end.rstrip("\n"))
        if self._parts and not self._waiting and breaks:
            self._parts[-1] = self._parts[-1].rstrip(" \t")
        if self._parts and not self._waiting and breaks > having:
            self._put("\n" * (min(breaks, 2) - having))

    def _put(self, text: str) -> None:
        if text:
            self._parts.append(text)
            self._end = (self._end + text)[-4:]
