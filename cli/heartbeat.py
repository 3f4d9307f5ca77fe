"""Show to other processes that this one works: a file that is touched for as long as it does."""

import argparse
import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from errors import SettingsError
from storage.files import expand_path
from util_async import background_task

logger = logging.getLogger(__name__)

_GLANCE = timedelta(seconds=1)  # so that whoever waits for health learns of it soon


@asynccontextmanager
async def heartbeat(path: Path, *, every: timedelta, healthy: Callable[[], bool]) -> AsyncGenerator[None]:
    """Touch a file every so often, while the event loop runs and `healthy()` says yes; remove it on exit.

    Raises SettingsError when the file cannot be written.
    """
    with _taken_away_at_the_end(path):
        async with background_task(_beat(path, every, healthy)):
            yield


def staleness(path: Path, *, at_most: timedelta, now: datetime) -> str | None:
    """Return one sentence that says why the last beat does not do; None when it is no older than `at_most`."""
    try:
        beat = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        return f"There is no heartbeat in {path} ({(error.strerror or type(error).__name__).lower()})."
    age = abs(now - beat)  # a beat from the future, after a clock was set back, says nothing of the present
    return f"The heartbeat in {path} is {age.total_seconds():.0f} seconds old." if age > at_most else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the last beat; exit with status 1 and a sentence when it does not do."""
    parser = argparse.ArgumentParser(description="Tell by the exit status whether a heartbeat goes on.")
    parser.add_argument("path", type=expand_path, help="the file that is touched")
    parser.add_argument("--at-most", type=_seconds, required=True, metavar="SECONDS", help="how old a beat may be")
    options = parser.parse_args(arguments)
    sys.exit(staleness(options.path, at_most=options.at_most, now=datetime.now(UTC)))


@contextmanager
def _taken_away_at_the_end(path: Path) -> Iterator[None]:
    """Take the file away on exit, and first of all the beat of a predecessor, which would vouch for us."""
    try:
        path.touch()
        path.unlink()
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingsError(
            f"The heartbeat file {path} cannot be written ({reason}): name one in a folder that this account may use."
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # one that stays soon grows old
            path.unlink()


async def _beat(path: Path, every: timedelta, healthy: Callable[[], bool]) -> None:
    while True:  # until it is cancelled
        is_healthy = healthy()
        if is_healthy:
            _touch(path)
        pause = every if is_healthy else min(every, _GLANCE)
        await asyncio.sleep(pause.total_seconds())


def _touch(path: Path) -> None:
    """Touch the file, on the event loop itself: what a thread did could come after the file was removed."""
    try:
        path.touch()
    except OSError as error:
        logger.warning("the heartbeat file %s cannot be touched: %s", path, error)


def _seconds(text: str) -> timedelta:
    return timedelta(seconds=float(text))


if __name__ == "__main__":
    main()
