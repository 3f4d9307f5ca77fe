"""Count what becomes of the records of a source, and put it into words."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ops.promotion.compare import ComparedMessage, Verdict
from ops.promotion.records import CleanBatch, FileOfSource, MessageSource, Reject
from ops.promotion.sources.files import OF_NO_KIND, Skipped

_MOST_REASONS = 5
_MOST_EXAMPLES = 3
_KNOWN_REASONS = 1000  # a hostile file has another one in every record
_LONGEST_EXAMPLE = 100  # characters
_ALWAYS_SHOWN = ("new", "changed: edited or deleted since", "already there", "refused")
_MOST_FILES = 20
_LONGEST_NAME = 60  # characters of the path of a file
_KNOWN_FILES = 100_000
KNOWN_OTHERWISE = "messages that were known already from another format, by their place, author, time and words"
OTHER_REASONS = "other reasons"


@dataclass(slots=True)
class FileTally:
    """What became of the records of one file."""

    records: int = 0
    refused: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    damage: str = ""
    """A sentence about what could not be read; empty where all could."""

    @property
    def words(self) -> str:
        """What became of the records, in a few words."""
        counts = [
            (self.verdicts[Verdict.NEW], "new"),
            (self.verdicts[Verdict.CHANGED], "changed"),
            (self.verdicts[Verdict.THERE] + self.verdicts[Verdict.FURTHER], "known already"),
            (self.refused, "refused"),
        ]
        rest = self.records - sum(count for count, _ in counts)
        counts.append((rest, "left out or brought together"))
        return ", ".join(f"{count:,} {what}" for count, what in counts if count > 0) or "no messages"


@dataclass(slots=True)
class RecordTally:
    """What became of the records so far; each is counted once."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    erased: int = 0
    not_kept: int = 0
    """Of people who have opted out, of ignored channels and of pauses."""
    answers: int = 0
    """Answers of the bot that may repeat somebody who is forgotten."""
    merged: int = 0
    duplicates: int = 0
    empty: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """How many were refused, by the reason."""
    examples: list[tuple[str, Reject]] = field(default_factory=list)
    """The first that were refused, each with the file that it is in."""
    notes: Counter[str] = field(default_factory=Counter)
    """What was mended, in phrases that follow a number."""
    files: dict[str, FileTally] = field(default_factory=dict)
    """What became of each file, by its name."""
    embedded: int = 0
    reused: int = 0

    @property
    def records(self) -> int:
        """How many records were read."""
        shown = (
            self.erased
            + self.not_kept
            + self.answers
            + self.merged
            + self.duplicates
            + self.empty
            + self.refused.total()
        )
        return shown + self.verdicts.total()

    @property
    def has_effect(self) -> bool:
        """Whether anything is new or changed."""
        return bool(self.verdicts[Verdict.NEW] or self.verdicts[Verdict.CHANGED])

    def add_cleaned(self, cleaned: CleanBatch, source: str) -> None:
        """Count what is no message, or was one already, in a chunk of a file."""
        self.merged += cleaned.merged
        self.duplicates += cleaned.duplicates
        self.empty += cleaned.empty
        self.notes += cleaned.notes
        file = self._file(source)
        file.records += cleaned.records
        file.refused += len(cleaned.rejects)
        for reject in cleaned.rejects:
            self._refuse(reject.reason)
            if len(self.examples) < _MOST_EXAMPLES:
                self.examples.append((source, reject))

    def add_compared(self, compared: Sequence[ComparedMessage], source: str) -> None:
        """Count messages of a file by what they are beside what is there."""
        self.verdicts.update(message.verdict for message in compared)
        self._file(source).verdicts.update(message.verdict for message in compared)

    def add_known(self, count: int, source: str) -> None:
        """Count messages of a file that are there already under the ids of another format."""
        if count:
            self.verdicts[Verdict.THERE] += count
            self._file(source).verdicts[Verdict.THERE] += count
            self.notes[KNOWN_OTHERWISE] += count

    def add_damage(self, damage: str, source: str) -> None:
        """Note what could not be read of a file; nothing where that is empty."""
        if damage:
            self._file(source).damage = damage

    def _file(self, name: str) -> FileTally:
        if len(self.files) >= _KNOWN_FILES:
            return self.files.get(name, FileTally())
        return self.files.setdefault(name, FileTally())

    def add_command_bots(self, bots: Mapping[tuple[int | None, str], int]) -> None:
        """Count what bots have answered to commands that nothing is known of; one of them may be this one."""
        for (user_id, name), count in bots.items():
            bot = _printable(name)
            note = f"answers of the bot {bot} to commands, taken for evidence: --me {user_id} if that is this bot"
            if note in self.notes or len(self.notes) < _KNOWN_REASONS:
                self.notes[note] += count

    def take_back(self, verdict: Verdict, reason: str) -> None:
        """Count a message as refused that was counted as something else before the database was asked."""
        self.verdicts[verdict] -= 1
        self._refuse(reason)

    def _refuse(self, reason: str) -> None:
        known = reason in self.refused or len(self.refused) < _KNOWN_REASONS
        self.refused[reason if known else OTHER_REASONS] += 1


def describe(tally: RecordTally, title: str, source: MessageSource | None = None) -> str:
    """Return what became of the records of a source, a line for each way that some of them went, and for each file."""
    lines = list(_lines(tally, title))
    if source is not None:
        lines += _of_files(tally, source.files)
        lines += _of_skipped(source.skipped)
    return "\n".join(lines)


def _of_files(tally: RecordTally, files: Sequence[FileOfSource]) -> Iterator[str]:
    """Yield a line for each of the first files; those of which something could not be read come first."""
    known = {file.name: tally.files.get(file.name, FileTally()) for file in files}
    ordered = sorted(files, key=lambda file: not known[file.name].damage)[:_MOST_FILES]
    if ordered:
        yield "files:"
    width = max((len(_end_of(file.name)) for file in ordered), default=0)
    for file in ordered:
        what = f"{file.kind}, {file.encoding.removesuffix('-sig')}" if file.encoding else file.kind
        yield f"  {_end_of(file.name):{width}}  {what}: {known[file.name].words}"
        if damage := known[file.name].damage:
            yield f"  {'':{width}}  not all of it can be read: {_printable(damage)}"
    if (more := len(files) - len(ordered)) > 0:
        yield f"  and {more:,} more files"


def _of_skipped(skipped: Sequence[Skipped]) -> Iterator[str]:
    """Yield a line for each of the first files that nothing is read of; those of no kind come last, in one line."""
    shown = [file for file in skipped if file.reason != OF_NO_KIND]
    if shown:
        yield "not read:"
    for file in shown[:_MOST_FILES]:
        yield f"  {_end_of(file.name)}: {_printable(file.reason)}"
    if (more := len(shown) - _MOST_FILES) > 0:
        yield f"  and {more:,} more files"
    if others := len(skipped) - len(shown):
        names = ", ".join(_end_of(file.name) for file in skipped if file.reason == OF_NO_KIND)
        files = "file" if others == 1 else "files"
        yield f"passed over: {others:,} {files} of a kind that messages are not read from ({_shortened(names)})"


def _end_of(name: str) -> str:
    """Return the path of a file, or the end of a long one."""
    name = _printable(name)
    return name if len(name) <= _LONGEST_NAME else f"\N{HORIZONTAL ELLIPSIS}{name[1 - _LONGEST_NAME :]}"


def _printable(text: str) -> str:
    """Return a text as one line that cannot command a terminal."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _lines(tally: RecordTally, title: str) -> Iterator[str]:
    yield f"{_printable(title)}: {tally.records:,} records"
    counts = [
        (tally.verdicts[Verdict.NEW], "new"),
        (tally.verdicts[Verdict.CHANGED], "changed: edited or deleted since"),
        (tally.verdicts[Verdict.THERE], "already there"),
        (tally.merged + tally.verdicts[Verdict.FURTHER], "other states of these messages, brought together"),
        (tally.duplicates, "repetitions"),
        (tally.empty, "without any words or files, left out"),
        (tally.erased, "left out, of people who are forgotten"),
        (tally.not_kept, "left out, of people who have opted out, of ignored channels or of pauses"),
        (tally.answers, "left out, answers of the bot that may repeat them"),
        (tally.refused.total(), "refused"),
    ]
    yield from (f"{count:>11,}  {what}" for count, what in counts if count or what in _ALWAYS_SHOWN)
    yield from _reasons(tally)
    if tally.notes:
        yield "cleaned:"
        yield from (f"{count:>11,}  {what}" for what, count in tally.notes.most_common())


def _reasons(tally: RecordTally) -> Iterator[str]:
    for reason, count in tally.refused.most_common(_MOST_REASONS):
        yield f"{count:>15,}  {reason}"
    if (more := len(tally.refused) - _MOST_REASONS) > 0:
        yield f"{more:>15,}  more reasons"
    for source, reject in tally.examples:
        yield f"{'':11}  such as record {reject.record:,} of {_end_of(source)}: {_shortened(reject.text)}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_EXAMPLE else f"{line[: _LONGEST_EXAMPLE - 1]}\N{HORIZONTAL ELLIPSIS}"
