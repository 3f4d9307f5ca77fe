"""Erase while the bot runs: one erasure after the other, each of which a crash leaves to be gone on with.

What is to be erased is written into a file before it is begun, and taken out at its end. So the next start goes on with
what was not finished; so does the running bot, after an outage. The ledgers say from the first moment on that it is
not to come back, and so does what the recorder keeps out.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from db.databases import Database
from errors import BackscrollError, InputFileError, OperatorError, SettingsError
from memory.capture.erased import Erased
from ops.erasure.erase import OpenFiles, Receipt, erase, note_in_ledgers
from ops.erasure.ledger import COPIES, POSTS, read_copies, strike_posts
from ops.erasure.subject import Subject
from ops.promotion.history import promotion_lock
from storage.files import raise_os_errors_as, translate_os_errors, write_atomically
from util_async import Progress, no_progress

logger = logging.getLogger(__name__)

UNFINISHED = "erasures_to_finish.jsonl"
"""The name of the file, in the folder of backups, with the erasures that were begun and not finished."""

_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)


class _Begun(BaseModel):
    """A line of that file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: dict[int, AwareDatetime]
    messages: list[int]
    channels: dict[int, AwareDatetime]

    @property
    def subject(self) -> Subject:
        """What is to be erased."""
        return Subject(people=self.people, messages=frozenset(self.messages), channels=self.channels)


def read_unfinished(path: Path) -> list[Subject]:
    """Return what is still to be erased, nothing without such a file; raise InputFileError for a damaged one."""
    with raise_os_errors_as(InputFileError, f"{path} cannot be read", "correct its permissions"):
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []
    try:
        return [_Begun.model_validate_json(line).subject for line in lines]
    except ValidationError as error:
        raise InputFileError(f"{path} is damaged: give the erasures that it names again, then delete it.") from error


def write_unfinished(path: Path, subjects: Sequence[Subject]) -> None:
    """Write down what is still to be erased, in the place of what was; raise SessionError when that cannot be."""
    if not subjects:
        with translate_os_errors(path.parent, setting="BACKUP_DIR"):
            path.unlink(missing_ok=True)
        return
    begun = [
        _Begun(people=dict(one.people), messages=sorted(one.messages), channels=dict(one.channels)) for one in subjects
    ]
    with translate_os_errors(path.parent, setting="BACKUP_DIR"):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, "".join(f"{line.model_dump_json()}\n" for line in begun).encode(), setting="BACKUP_DIR")


def note_unfinished(backup_dir: Path) -> None:
    """Have the ledgers tell of what was begun, whatever it was stopped in; the caller reads them after this.

    Raises InputFileError for a damaged file, SettingsError when a ledger cannot be written.
    """
    for subject in read_unfinished(backup_dir / UNFINISHED):
        note_in_ledgers(backup_dir, subject)


@dataclass(slots=True, eq=False)
class _Waiting:
    """Somebody who waits for an erasure."""

    subject: Subject
    done: "asyncio.Future[Receipt]"
    report: Progress


@dataclass(slots=True, kw_only=True)
class LiveErasure:
    """Erases from both memories and all sessions while the recorder of one of them is at work.

    `erased` is what this recorder keeps out. Nothing is erased but while `run` runs.
    """

    short_term: Database
    long_term: Database
    storage_dir: Path
    backup_dir: Path
    timeout: timedelta
    running: OpenFiles
    erased: Erased
    clock: Callable[[], datetime]
    _noting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _waiting: list[_Waiting] = field(default_factory=list)

    async def forget(
        self,
        *,
        people: Sequence[int] = (),
        messages: Sequence[int] = (),
        channels: Sequence[int] = (),
        report: Progress = no_progress,
    ) -> Receipt:
        """Erase what people have said, messages, and all of channels or threads, up to now.

        From the first moment on nothing of it is kept any more. Whoever is cancelled, or gets an error, has it erased
        nevertheless, as soon as that can be. Raises OperatorError or TemporaryError when it cannot be finished now, and
        SettingsError when it cannot even be noted.
        """
        now = self.clock()
        subject = Subject(
            people=dict.fromkeys(people, now), messages=frozenset(messages), channels=dict.fromkeys(channels, now)
        )
        async with self._noting:
            try:
                subject = await asyncio.to_thread(self._begin, subject)
            except OperatorError as error:
                raise SettingsError(str(error)) from error
        self.erased.add(people=subject.people, messages=subject.messages, channels=subject.channels)
        waiting = _Waiting(subject, asyncio.get_running_loop().create_future(), report)
        waiting.done.add_done_callback(_heard)
        self._waiting.append(waiting)
        self._news.set()
        return await asyncio.shield(waiting.done)

    async def run(self) -> None:
        """Erase whatever was begun and is not finished, in this run or before, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            self._news.clear()
            all_done = await self._try_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if all_done else pause.total_seconds()):
                    await self._news.wait()
            pause = _FIRST_PAUSE if all_done else min(2 * pause, _LONGEST_PAUSE)

    @property
    def unfinished(self) -> list[Subject]:
        """What was begun and is not finished."""
        return read_unfinished(self.backup_dir / UNFINISHED)

    async def strike_posts(self, gone: Collection[int]) -> None:
        """Note that posts of the bot are deleted in Discord; raise SessionError when that cannot be written."""
        await asyncio.to_thread(strike_posts, self.backup_dir / POSTS, gone)

    async def _try_all(self) -> bool:
        """Erase what is not erased yet; return whether nothing is left of that."""
        try:
            waiting = await asyncio.to_thread(lambda: self.unfinished)
        except BackscrollError as error:
            logger.warning("nothing is erased: %s", error)
            return False
        return all([await self._try(subject) for subject in waiting])

    async def _try(self, subject: Subject) -> bool:
        """Erase a subject and tell whoever waits for it; return whether it is erased."""
        waiting = next((one for one in self._waiting if one.subject == subject), None)
        if waiting is not None:
            self._waiting.remove(waiting)
        try:
            receipt = await self._erase(subject, no_progress if waiting is None else waiting.report)
        except BaseException as error:
            if waiting is not None and not waiting.done.done():
                waiting.done.set_exception(error)
            if not isinstance(error, Exception):
                raise
            is_foreseen = isinstance(error, BackscrollError)
            logger.warning("an erasure that was begun cannot be finished yet: %s", error, exc_info=not is_foreseen)
            return False
        if waiting is not None and not waiting.done.done():
            waiting.done.set_result(receipt)
        return True

    def _begin(self, subject: Subject) -> Subject:
        """Write down what is to be erased, and that it is not to come back; return it with its moments."""
        before = self.unfinished
        write_unfinished(self.backup_dir / UNFINISHED, [*before, subject])
        noted = note_in_ledgers(self.backup_dir, subject)
        write_unfinished(self.backup_dir / UNFINISHED, [*before, noted])
        return noted

    async def _erase(self, subject: Subject, report: Progress) -> Receipt:
        async with promotion_lock(self.long_term, timeout=self.timeout):
            receipt = await erase(
                subject,
                short_term=self.short_term,
                long_term=self.long_term,
                storage_dir=self.storage_dir,
                backup_dir=self.backup_dir,
                now=self.clock(),
                timeout=self.timeout,
                report=report,
                running=self.running,
            )
        copies = await asyncio.to_thread(read_copies, self.backup_dir / COPIES)  # others have forwarded it
        self.erased.add(people={}, messages=copies, channels={})
        async with self._noting:
            await asyncio.to_thread(self._end, subject)
        return receipt

    def _end(self, subject: Subject) -> None:
        write_unfinished(self.backup_dir / UNFINISHED, [other for other in self.unfinished if other != subject])


def _heard(done: "asyncio.Future[Receipt]") -> None:
    """Take note of an error that nobody may be waiting for any more: it was logged."""
    if not done.cancelled():
        done.exception()
