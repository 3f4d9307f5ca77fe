"""Notice what blocks an event loop, on a machine that other processes use as well.

In debug mode asyncio logs every callback that takes longer than `slow_callback_duration`. It looks at the clock on the
wall, so on two processors with a database and some workers anything may seem slow that had to wait for a processor.
Linux counts for each thread how long it was ready to run and did not: that time is taken off. What is left is what the
callback computed, and how long it waited for a disk, a lock or a socket; either keeps the loop from everything else.
Where a system does not count that, the processor time of the thread has to do. Collecting garbage is taken off as well:
it walks through all that thousands of tests have left behind, which no bot has.
"""

import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

LONGEST = 0.1
"""Seconds that a callback may keep the event loop from everything else."""

_RUNQUEUE = "/proc/thread-self/schedstat"  # nanoseconds: on a processor, and ready while there was none
_SLOW = "Executing "


@dataclass(frozen=True)
class _Moment:
    """Where a thread is in time: on the wall, on a processor, and waiting for one; all in seconds."""

    wall: float
    processor: float
    waiting: float | None


class _Watch(logging.Handler):
    """Judges what asyncio says of slow callbacks by what was measured of the callback that has just run."""

    def __init__(self, runqueue: int | None) -> None:
        super().__init__()
        self.slow: list[str] = []
        self._runqueue = runqueue
        self._blocked = 0.0
        self._thread = threading.get_ident()
        self._collecting_since = 0.0
        self._collected = 0.0

    def collecting(self, phase: str, _: object) -> None:
        """Hear from the garbage collector that it begins or ends."""
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting_since

    def close_runqueue(self) -> None:
        """Look at the processor time alone from now on: the callback in which the watch ends is still running."""
        if self._runqueue is not None:
            os.close(self._runqueue)
        self._runqueue = None

    def now(self) -> _Moment:
        """Return this thread's times."""
        waiting = None if self._runqueue is None else int(os.pread(self._runqueue, 100, 0).split()[1]) / 1e9
        return _Moment(time.perf_counter(), time.thread_time(), waiting)

    def measured(self, before: _Moment, after: _Moment) -> None:
        """Keep for how long a callback has kept the loop from everything else."""
        self._blocked = after.processor - before.processor
        if before.waiting is not None and after.waiting is not None:
            self._blocked = (after.wall - before.wall) - (after.waiting - before.waiting)
        self._blocked -= self._collected
        self._collected = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Take down a callback that was slow through its own doing."""
        if str(record.msg).startswith(_SLOW) and self._blocked >= LONGEST:
            self.slow.append(f"{record.getMessage()}, {self._blocked:.3f} of them through its own doing")


@contextmanager
def watched(loop: asyncio.AbstractEventLoop) -> Iterator[list[str]]:
    """Run a loop in debug mode; the list that is yielded gets a line for everything that has blocked it."""
    runqueue = None
    with suppress(OSError):
        runqueue = os.open(_RUNQUEUE, os.O_RDONLY)
    watch = _Watch(runqueue)
    run = asyncio.Handle._run

    def measured_run(handle: asyncio.Handle) -> None:
        before = watch.now()
        run(handle)
        watch.measured(before, watch.now())

    logger, before = logging.getLogger("asyncio"), (loop.get_debug(), loop.slow_callback_duration)
    logger.addHandler(watch)
    gc.callbacks.append(watch.collecting)
    loop.set_debug(True)
    loop.slow_callback_duration = LONGEST
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio.Handle, "_run", measured_run)
        try:
            yield watch.slow
        finally:
            debug, loop.slow_callback_duration = before
            loop.set_debug(debug)
            logger.removeHandler(watch)
            gc.callbacks.remove(watch.collecting)
            watch.close_runqueue()
