"""Hear of edits and deletions once they are stored, and queue the answers that cite these messages for an update."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from agent.changed_answers import without_changed
from errors import TemporaryError
from memory.answers.changes import AnswerChanges
from memory.message import Kind, Message
from util_async import FailureLog

logger = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Messages that may wait for the database; the look every ten minutes finds what is beyond."""

PAUSE = timedelta(seconds=5)
"""From one failed attempt to the next."""

Clock = Callable[[], datetime]


class AnswerWatch:
    """Queues the answers that cite what has changed, as long as `run` runs; nobody waits for it."""

    def __init__(self, changes: AnswerChanges, *, clock: Clock, pause: timedelta = PAUSE) -> None:
        self._changes = changes
        self._clock = clock
        self._pause = pause.total_seconds()
        self._edited: dict[int, datetime] = {}
        self._deleted: set[int] = set()
        self._news = asyncio.Event()
        self._failures = FailureLog(logger)

    def note_stored(self, messages: Sequence[Message]) -> None:
        """Take note of what was edited or deleted among states of messages that were stored."""
        for message in messages:
            if message.kind is Kind.ANSWER or len(self._edited) + len(self._deleted) >= MOST_WAITING:
                continue
            if message.deleted_at is not None:
                self._deleted.add(message.message_id)
            elif message.edited_at is not None:
                self._edited[message.message_id] = message.edited_at
        if self._edited or self._deleted:
            self._news.set()

    async def run(self) -> None:
        """Queue answers until cancelled; what the database does not take now is tried again."""
        while True:
            await self._news.wait()
            self._news.clear()
            edited, deleted = self._edited, self._deleted
            self._edited, self._deleted = {}, set()
            try:
                amount = await self._changes.note(
                    edited=edited, deleted=deleted, take_out=without_changed, now=self._clock()
                )
            except Exception as error:  # noqa: BLE001 - one failure must not be the end; the log has it
                foreseen = isinstance(error, TemporaryError)
                self._failures.failed("note", f"changed answers are not queued: {error!r}", None if foreseen else error)
                self._edited, self._deleted = edited | self._edited, deleted | self._deleted
                await asyncio.sleep(self._pause)
                self._news.set()
            else:
                self._failures.worked("note")
                if amount:
                    logger.info("%d answers cite what was edited or deleted, and are to be updated", amount)
