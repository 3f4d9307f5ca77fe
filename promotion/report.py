"""Count what becomes of the records of a source, and put it into words."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from promotion.chunks import Cleaned, Refused
from promotion.differences import Compared, Verdict

_TOLD_REASONS = 5
_TOLD_EXAMPLES = 3
_KNOWN_REASONS = 1000  # a hostile file has another one in every record
_LONGEST_EXAMPLE = 100  # characters
_ALWAYS_TOLD = ("new", "changed: edited or deleted since", "already there", "refused")
OTHER_REASONS = "other reasons"


@dataclass(slots=True)
class Tally:
    """What became of the records so far; each is counted once."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    erased: int = 0
    answers: int = 0
    """Answers of the bot that may repeat somebody who is forgotten."""
    merged: int = 0
    duplicates: int = 0
    empty: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """How many were refused, by the reason."""
    examples: list[tuple[str, Refused]] = field(default_factory=list)
    """The first that were refused, each with the file that it is in."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was mended, in phrases that follow a number."""
    embedded: int = 0
    reused: int = 0

    @property
    def records(self) -> int:
        """How many records were read."""
        told = self.erased + self.answers + self.merged + self.duplicates + self.empty + self.refused.total()
        return told + self.verdicts.total()

    @property
    def has_effect(self) -> bool:
        """Whether anything is new or changed."""
        return bool(self.verdicts[Verdict.NEW] or self.verdicts[Verdict.CHANGED])

    def add_cleaned(self, cleaned: Cleaned, source: str) -> None:
        """Count what is no message, or was one already, in a chunk of a file."""
        self.merged += cleaned.merged
        self.duplicates += cleaned.duplicates
        self.empty += cleaned.empty
        self.notes += cleaned.notes
        for refused in cleaned.refused:
            self._refuse(refused.reason)
            if len(self.examples) < _TOLD_EXAMPLES:
                self.examples.append((source, refused))

    def add_compared(self, compared: Iterable[Compared]) -> None:
        """Count messages by what they are beside what is there."""
        self.verdicts.update(one.verdict for one in compared)

    def add_command_bots(self, bots: Mapping[tuple[int | None, str], int]) -> None:
        """Count what bots have answered to commands that nothing is known of; one of them may be this one."""
        for (user_id, name), count in bots.items():
            note = f"answers of the bot {name} to commands, taken for evidence: --me {user_id} if that is this bot"
            if note in self.notes or len(self.notes) < _KNOWN_REASONS:
                self.notes[note] += count

    def take_back(self, verdict: Verdict, reason: str) -> None:
        """Count a message as refused that was counted as something else before the database was asked."""
        self.verdicts[verdict] -= 1
        self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        known = reason in self.refused or len(self.refused) < _KNOWN_REASONS
        self.refused[reason if known else OTHER_REASONS] += 1


def in_words(tally: Tally, title: str) -> str:
    """Return what became of the records of a source, a line for each way that some of them went."""
    return "\n".join(_lines(tally, title))


def _lines(tally: Tally, title: str) -> Iterator[str]:
    yield f"{title}: {tally.records:,} records"
    counts = [
        (tally.verdicts[Verdict.NEW], "new"),
        (tally.verdicts[Verdict.CHANGED], "changed: edited or deleted since"),
        (tally.verdicts[Verdict.THERE], "already there"),
        (tally.merged + tally.verdicts[Verdict.FURTHER], "other states of these messages, brought together"),
        (tally.duplicates, "repetitions"),
        (tally.empty, "without any words or files, left out"),
        (tally.erased, "left out, of people who are forgotten"),
        (tally.answers, "left out, answers of the bot that may repeat them"),
        (tally.refused.total(), "refused"),
    ]
    yield from (f"{count:>11,}  {what}" for count, what in counts if count or what in _ALWAYS_TOLD)
    yield from _reasons(tally)
    if tally.notes:
        yield "cleaned:"
        yield from (f"{count:>11,}  {what}" for what, count in tally.notes.most_common())


def _reasons(tally: Tally) -> Iterator[str]:
    for reason, count in tally.refused.most_common(_TOLD_REASONS):
        yield f"{count:>15,}  {reason}"
    if (more := len(tally.refused) - _TOLD_REASONS) > 0:
        yield f"{more:>15,}  more reasons"
    for source, refused in tally.examples:
        yield f"{'':11}  such as record {refused.record:,} of {source}: {_shortened(refused.text)}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_EXAMPLE else f"{line[: _LONGEST_EXAMPLE - 1]}\N{HORIZONTAL ELLIPSIS}"
