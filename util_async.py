"""Run things at the same time and again and again, end them in order, and log a failure once: helpers for asyncio."""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Hashable
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

# Users call it by this name. It needs names and atomic files, which are below; nothing in storage imports this module.
from storage.session_names import update_file_num_pkl as update_file_num_pkl

T = TypeVar("T")

Progress = Callable[[int, int], None]
"""Called again and again with how much is done, and of how much in all; what is counted is up to who calls it."""


def no_progress(_: int, __: int) -> None:
    """Ignore progress: for work that nobody watches."""


logger = logging.getLogger(__name__)


async def shared(future: "Future[T]") -> T:
    """Return the result of a thread; it is not cancelled with us, as others may wait for it too, or nobody."""
    waiting = asyncio.wrap_future(future)
    waiting.add_done_callback(_notice_failure)
    return await asyncio.shield(waiting)


def _notice_failure(waiting: "asyncio.Future[T]") -> None:
    """Look at how a future ended, or asyncio complains about a failure that nobody waited for."""
    if not waiting.cancelled():
        waiting.exception()


@asynccontextmanager
async def background_task(work: Coroutine[Any, Any, T]) -> AsyncGenerator[asyncio.Task[T]]:
    """Run a coroutine while the context lasts and yield its task, which is cancelled on exit unless it has ended.

    The exit waits for it. What it raises is left in the task.
    """
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def periodic(action: Callable[[], Awaitable[None]], *, every: timedelta, at_once: bool) -> AsyncGenerator[None]:
    """Run an action again and again while the context lasts, the first time `at_once` or after `every`.

    What the action raises is logged, once in a row, and tried again at the next turn.
    """
    async with asyncio.TaskGroup() as group:
        repeating = group.create_task(_repeat(action, every, at_once=at_once))
        try:
            yield
        finally:
            repeating.cancel()


async def _repeat(action: Callable[[], Awaitable[None]], every: timedelta, *, at_once: bool) -> None:
    """Run the action for ever; log a failure once."""
    failures = FailureLog(logger)
    if not at_once:
        await asyncio.sleep(every.total_seconds())
    while True:
        try:
            await action()
        except Exception as error:  # noqa: BLE001  # upkeep must not end what it is there for
            failures.failed(action, f"upkeep failed, and is tried again in {every}: {error!r}", error)
        else:
            failures.worked(action)
        await asyncio.sleep(every.total_seconds())


class FailureLog:
    """Log a failure when it begins, and not again until its subject has worked or fails in another way."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._logged: dict[Hashable, str] = {}

    def failed(self, subject: Hashable, sentence: str, error: BaseException | None = None) -> None:
        """Log that a subject fails, with the traceback of an error that nobody foresaw."""
        if self._logged.get(subject) != sentence:
            self._logged[subject] = sentence
            self._log.warning(sentence, exc_info=error)

    def worked(self, subject: Hashable) -> None:
        """Note that a subject works, so that its next failure is logged again."""
        self._logged.pop(subject, None)


async def run_until_first_ends(*services: Coroutine[Any, Any, None], stop: asyncio.Event | None = None) -> None:
    """Run the services until one ends, a signal asks to end, or `stop` is set; then cancel and await the rest.

    A service's exception is raised as it is, several as an ExceptionGroup.
    """
    stopping = asyncio.Event() if stop is None else stop
    try:
        with _set_by_signals(stopping):
            await _run_until(stopping, services)
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        failure = group.exceptions[0]
    else:
        return
    raise failure  # out here, so that the group does not become its context


async def _run_until(stopping: asyncio.Event, services: tuple[Coroutine[Any, Any, None], ...]) -> None:
    """Run the services in a task group until the event is set; one that ends sets it."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(service) for service in services]
        for task in running:
            task.add_done_callback(lambda _: stopping.set())
        await stopping.wait()
        for task in running:
            task.cancel()


@contextmanager
def _set_by_signals(stopping: asyncio.Event) -> Generator[None]:
    """Set an event on the signals that ask a program to end; on exit restore the handlers from before."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _ending_signals()}
    try:
        for number in before:
            with suppress(NotImplementedError):  # Windows, where Ctrl+C cancels the main task
                loop.add_signal_handler(number, stopping.set)
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            if handler is not None:  # asyncio.run has a handler of its own, which the loop does not put back
                signal.signal(number, handler)


def _ending_signals() -> list[signal.Signals]:
    """Return the signals that ask to end; that of a terminal that was closed too, unless `nohup` has it ignored."""
    signals = [signal.SIGINT, signal.SIGTERM]
    closed = getattr(signal, "SIGHUP", None)  # which Windows does not know
    return signals if closed is None or signal.getsignal(closed) is signal.SIG_IGN else [*signals, closed]
