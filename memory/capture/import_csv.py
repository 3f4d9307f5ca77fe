"""Bring another session's CSV into the running one."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from errors import InputFileError
from memory.capture.journal import Journal, JournalBatch
from memory.capture.recorder import Recorder
from memory.message import Message
from util_async import Progress

_State = tuple[int, datetime, datetime | None, datetime | None, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, in lines of the CSV.

    Of what is left out, `answers` are the bot's own, `damaged` the lines that are no messages, and `not_kept` those of
    people who have opted out, of ignored channels and of pauses.
    """

    added: int
    already_there: int
    refused: int
    erased: int = 0
    answers: int = 0
    damaged: int = 0
    not_kept: int = 0


async def import_csv(path: Path, recorder: Recorder, *, report: Progress) -> Imported:
    """Record every line of a CSV that the session has not got yet; return how many of each sort there were.

    What the recorder knows to be erased, or not to be kept, is left out. The file may be from before an erasure, so
    with it go, as from a session that is restored, the bot's answers of that time and all lines that are no messages.
    `report` hears of the bytes read and of the size of the file. Raises InputFileError for a file that is none of ours.
    """
    size = await asyncio.to_thread(checked_size, path)
    known = await asyncio.to_thread(_known_states, recorder.recorded())
    erased = recorder.erased
    done = Imported(added=0, already_there=0, refused=0)
    batches = _all_of(Journal(path))
    while batch := await asyncio.to_thread(next, batches, None):
        wanted = [message for message in batch.messages if not erased.covers(message)]
        answers = sum(erased.may_repeat(message) for message in batch.messages)
        bad = () if erased.has_any else batch.bad
        new = list({_state(message): message for message in wanted if _state(message) not in known}.values())
        states = [replace(message, session=recorder.session) for message in new]
        kept = [state for state in await asyncio.gather(*map(recorder.admitted, states)) if state is not None]
        await asyncio.gather(*map(recorder.record, kept))
        for record in bad:
            await recorder.refuse(record)
        known.update(map(_state, new))
        done = Imported(
            added=done.added + len(kept),
            already_there=done.already_there + len(wanted) - len(new),
            refused=done.refused + len(bad),
            erased=done.erased + len(batch.messages) - len(wanted) - answers,
            answers=done.answers + answers,
            damaged=done.damaged + len(batch.bad) - len(bad),
            not_kept=done.not_kept + len(new) - len(kept),
        )
        report(batch.position, size)
    return done


def checked_size(path: Path) -> int:
    """Return the size, in bytes, of a session's CSV; raise InputFileError for a file that is none."""
    try:
        with path.open("rb") as file:
            if not Journal(path).accepts(file.readline()):
                raise InputFileError(
                    f"{path} is not a session's CSV, whose first line names its columns: bring what others have "
                    "exported into long-term memory with python db_save.py FILE."
                )
        return path.stat().st_size
    except OSError as error:
        raise InputFileError(f"{path} cannot be read ({error.strerror}): correct the path.") from error


def _all_of(journal: Journal) -> Iterator[JournalBatch]:
    """Yield every record of a file, the last one even when its line has no end."""
    position = 0
    for batch in journal.read_all():
        position = batch.position
        yield batch
    yield journal.read_unfinished(position)


def _known_states(batches: Iterator[JournalBatch]) -> set[_State]:
    return {_state(message) for batch in batches for message in batch.messages}


def _state(message: Message) -> _State:
    return (
        message.message_id,
        message.sent_at,
        message.edited_at,
        message.completed_at,
        message.deleted_at,
        message.reactions_at,
    )
