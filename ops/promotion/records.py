"""What a source of messages gives, before and after it is cleaned."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from memory.message import Message, Revision
from memory.places.state import PlaceState
from ops.promotion.sources.files import Skipped

ROWS = 10_000
"""Records in a chunk: as many as bulk loads write in a transaction."""

SESSION_KIND = "session"
"""What `FileOfSource.kind` says of the CSV of a session of ours."""

Vector = tuple[NDArray[np.float32], str]
"""A vector and the name of the embedding model that made it."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that is no message: its number, the first of its file being 1, what stands there, and why."""

    record: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBatch:
    """Some records of a source as they stand there.

    The columns of `frame` are text, an empty one where a value is missing. They bear names of
    `memory.message.COLUMNS`, or are `embedding`, `embedding_model` and `command_bot`, which is "1" where a bot answers
    a command; what the source lacks is absent.
    """

    source: str
    """The name of the file, or of the member of an archive."""
    first_record: int
    """The number of the first record that is in `frame` or `refused`, counted from 1 in each file."""
    frame: DataFrame
    """Its index is the number of each record."""
    end_bytes: int
    """How many bytes of the whole source are read after this chunk."""
    ours: bool = False
    """Whether this program wrote it: then nothing is guessed, and what a row says is left as it is."""
    records: Sequence[str] = ()
    """The text of each row of `frame`, where the source is a CSV."""
    day_first: bool = False
    """Whether 03/04/2026 is the third of April."""
    rounding: str = ""
    """How the ids of the file were rounded, see `IdSurvey.rounding`; empty when they were not."""
    rejects: Sequence[Reject] = ()
    """Records that have no place in `frame`."""
    notes: Counter[str] = field(default_factory=Counter)
    """What the reader had to mend, each thing with how often."""
    damage: str = ""
    """A sentence about the file, of which nothing follows behind this chunk."""
    places: Sequence[PlaceState] = ()
    """What the file says of the channels and threads that its messages were sent in."""


@dataclass(frozen=True, slots=True)
class FileOfSource:
    """A file that messages are read from, as the report names it."""

    name: str
    kind: str
    """What sort of file it is, such as CSV."""
    encoding: str = ""
    """How its letters are written; empty where that is not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSource:
    """Where messages come from: one file, or several that are promoted as one."""

    title: str
    """What it is, for people: its kind and the name of the file or folder."""
    session: str
    """The session of those of its messages that name none."""
    paths: tuple[Path, ...]
    digest: str
    """SHA-256 of the contents, and of the options that change what they mean."""
    size: int
    """Bytes."""
    chunks: Callable[[], Iterator[RawBatch]]
    """Reads it from its beginning; raises InputFileError when it is not what it should be."""
    remarks: tuple[str, ...] = ()
    """Sentences for the operator, such as of a file beside it that is left out."""
    files: tuple[FileOfSource, ...] = ()
    """What is read; chunks bear the name of theirs."""
    skipped: tuple[Skipped, ...] = ()
    """What is not read, and why."""
    lacks_ids: bool = False
    """Whether there is a file whose messages come without ids, beside others or alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanBatch:
    """What a raw batch comes to; each of its records is counted once, in one of the five ways."""

    source: str = ""
    """The name of the file."""
    end_bytes: int = 0
    """How many bytes of the whole source are read after it."""
    ours: bool = False
    """Whether this program wrote the file."""
    damage: str = ""
    """A sentence about the file, of which nothing follows behind this batch."""
    places: Sequence[PlaceState] = ()
    """What the file says of channels and threads."""

    messages: list[Message]
    """Each key once, in its last state."""
    revisions: list[Revision]
    """What messages said before edits that the chunk knows of."""
    vectors: dict[int, Vector]
    """The vectors that came along, by the index of the message in `messages`."""
    rejects: list[Reject]
    merged: int
    """Records that are another state of one of the messages."""
    duplicates: int
    """Records that say the same as an earlier one."""
    empty: int
    """Records that say nothing."""
    notes: Counter[str]
    """What was cleaned, in phrases that follow a number."""
    command_bots: Counter[tuple[int | None, str]] = field(default_factory=Counter)
    """How many commands were answered by which bot, its id and its name."""

    @property
    def records(self) -> int:
        """The number of records that the chunk had."""
        return len(self.messages) + self.merged + self.duplicates + self.empty + len(self.rejects)
