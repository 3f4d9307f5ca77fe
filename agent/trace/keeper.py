"""Keep the traces of answers, and export them, after the answers have gone out; no answer waits for either."""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from agent.trace.tree import tree_of
from errors import TemporaryError
from memory.answers.traces import StoredTrace, TraceStore
from tracing import Trace
from util_async import FailureLog, background_task

logger = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Traces that wait to be written; of more the oldest are lost."""

TIDY_EVERY = timedelta(hours=1)
LAST_WRITE = timedelta(seconds=3)
"""How long the end of the program waits for what is not written yet."""


class Exporter(Protocol):
    """Sends traces somewhere; see `agent.trace.export.SpanExport`."""

    def export(self, trace: Trace, *, ended_at: datetime) -> None:
        """Take a finished trace to be sent later; it may take a moment."""

    def close(self) -> None:
        """Send what waits, within a bounded time."""


@dataclass(frozen=True, slots=True)
class _Finished:
    trace: Trace
    ended_at: datetime

    def stored(self) -> StoredTrace:
        """Return it as it is kept."""
        trace = self.trace
        return StoredTrace(
            trace_id=trace.trace_id,
            made_at=self.ended_at,
            asker_id=trace.asked_by,
            guild_id=trace.guild_id,
            channel_id=trace.asked_in,
            has_texts=trace.keeps_texts,
            tree=tree_of(trace.root, left_out=trace.left_out),
        )


class TraceKeeper:
    """Takes finished traces; while `run` runs they are written, for `kept_for`, and exported.

    Without a `store` they are only exported, without an `exporter` only kept.
    """

    def __init__(
        self,
        store: TraceStore | None,
        *,
        clock: Callable[[], datetime],
        kept_for: timedelta,
        exporter: Exporter | None = None,
    ) -> None:
        self._store = store
        self._exporter = exporter
        self._clock = clock
        self._kept_for = kept_for
        self._waiting: deque[_Finished] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._failures = FailureLog(logger)
        self._tidied: datetime | None = None

    def keep(self, trace: Trace) -> None:
        """Take a trace; this does nothing but note it."""
        self._waiting.append(_Finished(trace, self._clock()))
        self._news.set()

    async def run(self) -> None:
        """Write and export traces until cancelled; what fails is logged, and lost."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.write()

    async def write(self) -> None:
        """Write and export what waits; nothing is raised."""
        finished = list(self._waiting)
        self._waiting.clear()
        try:
            if self._exporter is not None:
                await asyncio.to_thread(_export, self._exporter, finished)
            if self._store is not None and finished:
                await self._store.add([one.stored() for one in finished])
                await self._tidy(self._store)
        except Exception as error:  # noqa: BLE001 - a trace is never worth more than the program; the log has it
            foreseen = isinstance(error, TemporaryError)
            self._failures.failed("write", f"traces are not kept: {error!r}", None if foreseen else error)
        else:
            self._failures.worked("write")

    async def _tidy(self, store: TraceStore) -> None:
        now = self._clock()
        if self._tidied is None or now >= self._tidied + TIDY_EVERY:
            await store.drop_old(before=now - self._kept_for)
            self._tidied = now


@asynccontextmanager
async def kept_traces(keeper: TraceKeeper, exporter: Exporter | None) -> AsyncGenerator[None]:
    """Keep traces while the context lasts, and those that wait at its end."""
    try:
        async with background_task(keeper.run()):
            yield
    finally:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WRITE.total_seconds()):
                await keeper.write()
                if exporter is not None:
                    await asyncio.to_thread(exporter.close)


def _export(exporter: Exporter, finished: list[_Finished]) -> None:
    for one in finished:
        exporter.export(one.trace, ended_at=one.ended_at)
