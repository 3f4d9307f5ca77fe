"""What an erasure has done, for whoever asked for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from erasure.rows import Counts

_WORDS = {
    "messages": ("message", "messages"),
    "revisions": ("former text of an edited message", "former texts of edited messages"),
    "replaced": ("former state from before a promotion", "former states from before a promotion"),
    "answers": ("answer of the bot that repeated them", "answers of the bot that repeated them"),
    "conversations": ("conversation with the bot", "conversations with the bot"),
    "search_texts": ("neighbour's search text written anew", "neighbours' search texts written anew"),
    "time_zones": ("time zone", "time zones"),
}


@dataclass(frozen=True, slots=True)
class ErasedFile:
    """A file that was rewritten, and how many of its lines are gone."""

    path: Path
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was erased where; `backups` are the names of those that still hold it."""

    user_id: int
    erased_at: datetime
    short_term: Counts
    long_term: Counts
    files: tuple[ErasedFile, ...]
    backups: tuple[str, ...]

    @property
    def found_nothing(self) -> bool:
        """Tell whether nothing of the person was there."""
        return not (self.short_term or self.long_term or self.files)

    def text(self) -> str:
        """Return the receipt to print."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        moment = f"{self.erased_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        if self.found_nothing:
            yield f"Nothing of user {self.user_id} was found. They are noted as forgotten up to {moment} all the same."
        else:
            yield f"All that user {self.user_id} had said up to {moment} is erased:"
            yield f"  short-term database: {_told(self.short_term)}"
            yield f"  long-term database: {_told(self.long_term)}"
            yield from (f"  {file.path}: {_amount(file.lines, 'line', 'lines')}" for file in self.files)
        if self.backups:
            yield f"Backups that were made before may still hold it: {', '.join(self.backups)}."
        yield "Every restore, and every promotion, leaves it out."


def _told(counts: Counts) -> str:
    amounts = ((getattr(counts, name), words) for name, words in _WORDS.items())
    return ", ".join(_amount(amount, *words) for amount, words in amounts if amount) or "nothing"


def _amount(amount: int, one: str, many: str) -> str:
    return f"{amount:,} {one if amount == 1 else many}"
