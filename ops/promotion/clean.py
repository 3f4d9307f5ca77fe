"""Read a source and make messages of its records; what cannot be one is refused with the reason.

Every column is read as a whole, each of its different texts once: most columns of a chat repeat themselves.
"""

import asyncio
import csv
import io
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from errors import BackscrollError, InputFileError
from memory.capture.message_csv import flag_of, optional, time_of
from memory.message import COLUMNS, FIELDS, Kind, Message, MessageKey, fold, names_of, sanitize
from ops.promotion import cells
from ops.promotion.derived_ids import Occurrences, derived_id
from ops.promotion.records import CleanBatch, MessageSource, RawBatch, Reject, Vector
from ops.promotion.sources.survey import is_rounded
from ops.promotion.times import ReadTime, read_time, snowflake_time

logger = logging.getLogger(__name__)

T = TypeVar("T")

_State = tuple[int, datetime, datetime | None, datetime | None, datetime | None, datetime | None]

_AGREES = timedelta(minutes=1)  # what a time may differ from that in the id when it was written without its seconds
IDS_MADE = "messages without an id, which got one made from what they say"
IDS_ROUNDED = (
    "ids whose last digits a program has rounded away: these messages got ids made from what they say, and people go "
    "by their names; export again with the ids as text"
)
_POINT_TO = {"thread_id": "channel", "reply_to": "message"}
"""Ids whose name does not tell what they are the id of, such as `author_id` does."""

_REFERENCES = ("guild_id", "thread_id", "reply_to")
UNKNOWN_AUTHOR = "unknown author"
"""The name of whoever wrote a message of which no author is known."""

SERIAL_TIMES = "times that are a spreadsheet's numbers of days"
AUTHORS_UNKNOWN = f"messages whose author is not known, kept under the name {UNKNOWN_AUTHOR}"
IDS_FROM_WORDS = "ids that are no numbers, which became numbers made from them"
DUPLICATES = "records that say the same as an earlier one"
EMPTY = "records without any words or files, left out"
STATES = "edits and deletions brought together with their messages"
UNREADABLE_VECTORS = "vectors that cannot be read, to be made again"


@dataclass(slots=True)
class _BatchColumns:
    """What is known of a chunk while its columns are read."""

    chunk: RawBatch
    reasons: dict[int, str]
    """Why a row is refused, by its position in the frame."""
    notes: Counter[str]

    def texts(self, name: str) -> list[str]:
        """Return a column; empty texts where the source has none of that name."""
        frame = self.chunk.frame
        return frame[name].tolist() if name in frame else [""] * len(frame)

    def storable_texts(self, name: str) -> list[str]:
        """Return a column as PostgreSQL takes it."""
        texts = self.texts(name)
        return texts if sanitize(together := "\n".join(texts)) == together else [sanitize(text) for text in texts]

    def column(self, name: str, convert: Callable[[str], T | None]) -> list[T | None]:
        """Return the values of a column; a row whose text `convert` refuses has None and is refused."""
        texts = self.texts(name)
        values: dict[str, T | None] = {}
        wrong: dict[str, str] = {}
        for text in set(texts):
            try:
                values[text] = convert(text)
            except ValueError as error:
                values[text], wrong[text] = None, f"{name}: {error}"
        if wrong:
            for position, text in enumerate(texts):
                if text in wrong:
                    self.reasons.setdefault(position, wrong[text])
        return [values[text] for text in texts]

    def rejects(self) -> list[Reject]:
        """Return the rows that have a reason, and what the reader had refused before."""
        index = self.chunk.frame.index
        rows = [
            Reject(int(index[position]), _raw(self.chunk, position), reason)
            for position, reason in self.reasons.items()
        ]
        return sorted([*self.chunk.rejects, *rows], key=lambda reject: reject.record)


async def read(source: MessageSource, *, time_zone: ZoneInfo) -> AsyncGenerator[CleanBatch]:
    """Yield the batches of a source, each cleaned; raise InputFileError when the source is not what it should be."""
    batches, earlier = source.chunks(), _EarlierBatches()
    while (batch := await asyncio.to_thread(_next_cleaned, batches, source, time_zone, earlier)) is not None:
        yield batch


@dataclass(slots=True)
class _EarlierBatches:
    """What earlier batches tell of the next one."""

    file: str = ""
    occurrences: Occurrences = field(default_factory=Occurrences)

    def of_file(self, name: str) -> Occurrences:
        """Return what the batches of a file have said so far; files come one after the other."""
        if name != self.file:
            self.file, self.occurrences = name, Occurrences()
        return self.occurrences


def _next_cleaned(
    batches: Iterator[RawBatch], source: MessageSource, time_zone: ZoneInfo, earlier: _EarlierBatches
) -> CleanBatch | None:
    """Return the next batch; a file whose contents fail in a way that nobody foresaw is refused, too."""
    try:
        batch = next(batches, None)
        if batch is None:
            return None
        occurrences = earlier.of_file(batch.source)
        return clean(batch, session=source.session, time_zone=time_zone, occurrences=occurrences)
    except BackscrollError:
        raise
    except Exception as error:
        logger.exception("%s cannot be read", source.title)
        raise InputFileError(
            f"The {source.title} cannot be read ({type(error).__name__}, see the log): name another file, and report "
            "what the log says."
        ) from error


def clean(chunk: RawBatch, *, session: str, time_zone: ZoneInfo, occurrences: Occurrences | None = None) -> CleanBatch:
    """Return the messages of a chunk, each in its last state, with all that was mended, left out or refused.

    A row without a session is of `session`, a time without an offset of `time_zone`. What an edited message said before
    is among the revisions as far as this chunk knows it; the database brings the states of several chunks together.
    `occurrences` knows what the chunks of the file before this one said.
    """
    reading = _BatchColumns(chunk, {}, Counter(chunk.notes))
    states = _messages(reading, session, time_zone, occurrences or Occurrences())
    once, duplicates = _without_repetitions(reading, states)
    saying = once if chunk.ours else [(position, state) for position, state in once if _says_something(state)]
    messages, revisions = fold(state for _, state in saying)
    merged, empty = len(saying) - len(messages), len(once) - len(saying)
    reading.notes.update({STATES: merged, DUPLICATES: duplicates, EMPTY: empty})
    return CleanBatch(
        source=chunk.source,
        end_bytes=chunk.end_bytes,
        ours=chunk.ours,
        damage=chunk.damage,
        places=chunk.places,
        messages=messages,
        revisions=revisions,
        vectors=_vectors(reading, saying, messages),
        rejects=reading.rejects(),
        merged=merged,
        duplicates=duplicates,
        empty=empty,
        notes=+reading.notes,
        command_bots=Counter(
            (states[position].author_id, states[position].author_name)
            for position, flag in enumerate(reading.texts("command_bot"))
            if flag and position in states
        ),
    )


def _messages(
    reading: _BatchColumns, session: str, time_zone: ZoneInfo, occurrences: Occurrences
) -> dict[int, Message]:
    """Return the message of each row that is one, by the position of the row."""
    columns = _our_columns(reading) if reading.chunk.ours else _columns_of_others(reading, time_zone, occurrences)
    is_ours = reading.chunk.ours
    columns["session"] = [
        session if not text or (not is_ours and cells.is_missing(text)) else text for text in columns["session"]
    ]
    rows = enumerate(zip(*(columns[name] for name in COLUMNS), strict=True))
    return {
        position: Message(**dict(zip(COLUMNS, row, strict=True)))
        for position, row in rows
        if position not in reading.reasons
    }


def _our_columns(reading: _BatchColumns) -> dict[str, list[Any]]:
    """Return the columns of a CSV that this program has written, as `memory.capture.message_csv` reads them."""
    columns: dict[str, list[Any]] = {}
    for column in FIELDS:
        if column.type is str:
            columns[column.name] = reading.storable_texts(column.name)
        else:
            convert = cells.items(column) if column.type is tuple else _OUR_CELLS[column.type]
            columns[column.name] = reading.column(column.name, optional(convert) if column.is_optional else convert)
    return columns


_OUR_CELLS: dict[type, Callable[[str], Any]] = {
    int: cells.own_id,
    datetime: time_of,
    bool: flag_of,
    Kind: Kind,
}


def _columns_of_others(reading: _BatchColumns, time_zone: ZoneInfo, occurrences: Occurrences) -> dict[str, list[Any]]:
    """Return the columns of a source that others have written; what is missing is made where that can be done."""
    columns: dict[str, list[Any]] = {name: _ids(reading, name) for name in names_of(int)}
    columns |= {name: _times(reading, name, time_zone) for name in names_of(datetime)}
    columns |= {name: reading.storable_texts(name) for name in names_of(str)}
    columns |= {name: reading.column(name, flag_of) for name in names_of(bool)}
    columns |= {name: reading.column(name, cells.kind_of_others) for name in names_of(Kind)}
    columns |= {
        field.name: reading.column(field.name, cells.items_of_others(field)) for field in FIELDS if field.type is tuple
    }
    _note_ids_from_words(reading)
    _complete_authors(reading, columns)
    _complete_channels(reading, columns)
    _complete_times(reading, columns)
    _complete_ids(reading, columns, occurrences)
    return columns


def _ids(reading: _BatchColumns, name: str) -> list[int | None]:
    """Return the ids of a column; one that lost digits is none, lest two people or two messages become the same.

    That of a place stands for a place of its own, which nobody may read in Discord.
    """
    rounding = reading.chunk.rounding
    kind = _POINT_TO.get(name, name.removesuffix("_id"))
    texts = reading.texts(name)
    lost = {text for text in set(texts) if cells.is_spoilt(text) or is_rounded(text.strip(), rounding)}
    reading.notes[IDS_ROUNDED] += sum(text in lost for text in texts) if lost else 0

    def convert(text: str) -> int | None:
        if text in lost:
            return derived_id(kind, text.strip()) if kind == "channel" else None
        return cells.id_of_others(text, kind=kind)

    lacks = cells.is_no_reference if name in _REFERENCES else cells.is_missing
    return reading.column(name, cells.optional_of_others(convert, lacks=lacks))


def _times(reading: _BatchColumns, name: str, zone: ZoneInfo) -> list[datetime | None]:
    """Return the moments of a column, and note what had to be decided."""
    read: list[ReadTime | None] = reading.column(
        name,
        cells.optional_of_others(
            partial(read_time, zone=zone, day_first=reading.chunk.day_first), lacks=cells.is_no_time
        ),
    )
    known = [time for time in read if time is not None]
    reading.notes[f"times without an offset, read in the time zone {zone.key}"] += sum(t.zone_used for t in known)
    reading.notes.update(time.clock for time in known if time.clock)
    reading.notes[SERIAL_TIMES] += sum(time.serial for time in known)
    return [time.moment if time else None for time in read]


def _complete_authors(reading: _BatchColumns, columns: dict[str, list[Any]]) -> None:
    """Give rows without any author the name that stands for nobody known.

    "nan" or "None" is missing where no id stands beside it: with an id it is what this person is called.
    """
    names, ids = columns["author_name"], columns["author_id"]
    for position, (name, author_id) in enumerate(zip(names, ids, strict=True)):
        if author_id is None and cells.is_missing_name(name):
            names[position] = UNKNOWN_AUTHOR
            reading.notes[AUTHORS_UNKNOWN] += 1


def _complete_channels(reading: _BatchColumns, columns: dict[str, list[Any]]) -> None:
    """Give rows without a channel one that is called after the file, and channels that have but a name an id.

    The id is made from the name and the guild, so that all files that name a channel mean the same one.
    """
    ids, names, guilds = columns["channel_id"], columns["channel_name"], columns["guild_id"]
    if None not in ids:
        return
    made: dict[tuple[int | None, str], int] = {}
    for position, channel_id in enumerate(ids):
        if channel_id is None:
            name = "" if cells.is_missing_name(names[position]) else names[position]
            guild, name = guilds[position], name or PurePath(reading.chunk.source).stem
            if (guild, name) not in made:
                made[guild, name] = derived_id("channel", str(guild or ""), name)
            names[position], ids[position] = name, made[guild, name]


def _complete_times(reading: _BatchColumns, columns: dict[str, list[Any]]) -> None:
    """Take the time that is in a Discord id where none is given, and where the given one is the same but coarser."""
    times = columns["sent_at"]
    texts = reading.texts("message_id")
    for position, (message_id, time) in enumerate(zip(columns["message_id"], times, strict=True)):
        known = snowflake_time(message_id) if message_id is not None else None
        if known is None and time is None and is_rounded(texts[position].strip(), reading.chunk.rounding):
            known = snowflake_time(int(texts[position]))  # the digits that are lost are less than a millisecond
        if known is not None and (time is None or abs(known - time) < _AGREES):
            times[position] = known
        elif time is None:
            reading.reasons.setdefault(position, "sent_at: there is no time, and no Discord id that would tell it")


def _complete_ids(reading: _BatchColumns, columns: dict[str, list[Any]], occurrences: Occurrences) -> None:
    """Make an id for each message without one from its time, channel, author, words, and which of several such it is.

    Rows that are the same in every column get the same one only where their time tells milliseconds: in a second
    somebody may well say the same twice.
    """
    ids = columns["message_id"]
    if None not in ids:
        return
    frame = reading.chunk.frame
    whole = list(zip(*(frame[name].tolist() for name in frame.columns), strict=True))
    for position, message_id in enumerate(ids):
        if message_id is None and position not in reading.reasons:
            said = _identity(columns, position)
            is_precise = bool(columns["sent_at"][position].microsecond)
            occurrence = occurrences.number(said, whole[position] if is_precise else None)
            ids[position] = derived_id("message", *said, str(occurrence))
            reading.notes[IDS_MADE] += 1


def _identity(columns: dict[str, list[Any]], position: int) -> tuple[str, ...]:
    sent_at: datetime = columns["sent_at"][position]
    author = columns["author_id"][position] or columns["author_name"][position]
    place = columns["thread_id"][position] or columns["channel_id"][position]
    return sent_at.isoformat(), str(place), str(author), columns["content"][position]


def _note_ids_from_words(reading: _BatchColumns) -> None:
    for name in ("message_id", "channel_id", "author_id"):
        texts = reading.texts(name)
        words = {text for text in set(texts) if cells.becomes_a_number(text)}
        reading.notes[IDS_FROM_WORDS] += sum(text in words for text in texts) if words else 0


def _without_repetitions(reading: _BatchColumns, states: dict[int, Message]) -> tuple[list[tuple[int, Message]], int]:
    """Return each state once, and how many came again; one that contradicts an earlier one is refused."""
    if len({state.message_id for state in states.values()}) == len(states):  # as nearly always
        return list(states.items()), 0
    once: dict[_State, tuple[int, Message]] = {}
    duplicates = 0
    for position, state in states.items():
        said = (state.edited_at, state.completed_at)
        key = (state.message_id, state.sent_at, *said, state.deleted_at, state.reactions_at)
        _, first = once.setdefault(key, (position, state))
        if first is state:
            continue
        if first.content == state.content:
            duplicates += 1
        else:
            reading.reasons[position] = "message_id: an earlier record has the same id and time, and other words"
    return list(once.values()), duplicates


def _says_something(message: Message) -> bool:
    return bool(message.content.strip() or message.attachments or message.deleted_at)


def _vectors(
    reading: _BatchColumns, states: Sequence[tuple[int, Message]], messages: Sequence[Message]
) -> dict[int, Vector]:
    """Return the vectors that came along, for those messages whose words are the ones that they stand for."""
    if "embedding" not in reading.chunk.frame:
        return {}
    texts, models = reading.texts("embedding"), reading.texts("embedding_model")
    places: dict[tuple[MessageKey, str], int] = {
        (message.key, message.content): index for index, message in enumerate(messages)
    }
    vectors: dict[int, Vector] = {}
    for position, state in states:
        index = places.get((state.key, state.content))
        if index is None or not texts[position]:
            continue
        try:
            vectors[index] = cells.vector(texts[position], models[position])
        except ValueError:
            reading.notes[UNREADABLE_VECTORS] += 1
    return vectors


def _raw(chunk: RawBatch, position: int) -> str:
    """Return a row as it stands in the source, or as a line of CSV where that is none."""
    if chunk.records:
        return chunk.records[position].rstrip("\r\n")
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(chunk.frame.iloc[position].tolist())
    return line.getvalue()
