"""What cannot be done just now: said once, and tried again until it can."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from enum import Enum
from typing import TypeVar

from errors import BackscrollError, OperatorError, first_line

logger = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_RETRY = timedelta(seconds=0.2)
_SLOWEST_RETRY = timedelta(seconds=2)


class Doing(Enum):
    """What is tried again: messages are read from the journal and stored, vectors that lack are made."""

    READING = "reading"
    STORING = "storing"
    EMBEDDING = "embedding"


class Outages:
    """Knows who of those that bring messages into a memory waits for something to work again.

    `on_change` is called when that has changed; `waits_in` names where messages wait meanwhile.
    """

    def __init__(self, *, waits_in: str, on_change: Callable[[], Awaitable[None]]) -> None:
        self._waits_in = waits_in
        self._on_change = on_change
        self._reasons: dict[Doing, str] = {}
        self._told = ""

    @property
    def keep_messages_out(self) -> bool:
        """Whether messages cannot be stored just now."""
        return bool(self._reasons.keys() - {Doing.EMBEDDING})

    @property
    def keep_vectors_out(self) -> bool:
        """Whether vectors that lack cannot be stored just now."""
        return bool(self._reasons)

    async def patiently(self, doing: Doing, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Call until it works; whoever owns this task bounds it by cancelling.

        An OperatorError is raised: only the person who starts the program can put it right.
        """
        waits = retry_waits()
        while True:
            try:
                result = await call(*arguments)
            except OperatorError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever it is, it may work later
                await self.begin(doing, error)
                await asyncio.sleep(next(waits))
            else:
                await self.end(doing)
                return result

    async def begin(self, doing: Doing, error: Exception) -> None:
        """Note that something does not work, and say so unless that was said already."""
        reason = first_line(error)
        if self._reasons.get(doing) == reason:
            return
        self._reasons[doing] = reason
        if reason != self._told:
            self._told = reason
            self._tell(doing, error)
        await self._on_change()

    def _tell(self, doing: Doing, error: Exception) -> None:
        is_foreseen = isinstance(error, (BackscrollError, OSError))
        if doing is Doing.EMBEDDING:
            logger.error("vectors that lack cannot be added just now (%s)", self._told, exc_info=not is_foreseen)
        else:
            sentence = "messages cannot be stored just now (%s); they wait in %s"
            logger.error(sentence, self._told, self._waits_in, exc_info=not is_foreseen)

    async def end(self, doing: Doing) -> None:
        """Note that something works; nothing happens when it worked before."""
        if self._reasons.pop(doing, None) is None:
            return
        if not self._reasons:
            self._told = ""
        if doing is not Doing.EMBEDDING and not self.keep_messages_out:
            logger.warning("messages can be stored again; short-term memory catches up from the journal")
        await self._on_change()


def retry_waits() -> Iterator[float]:
    """Yield how many seconds to wait after each failure: longer and longer, up to two."""
    seconds = _FIRST_RETRY.total_seconds()
    while True:
        yield seconds
        seconds = min(2 * seconds, _SLOWEST_RETRY.total_seconds())
