"""End the work on a question when its asker takes the question back, or the answer is deleted."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

_MOST_KNOWN = 1000  # deletions that may come before the work has begun


class Watched:
    """The work on one question, which ends when one of its messages is deleted."""

    def __init__(self, withdrawals: "Withdrawals", task: asyncio.Task[Any]) -> None:
        self._withdrawals = withdrawals
        self._task = task
        self.is_withdrawn = False
        """Whether nobody wants the answer any more."""

    def follow(self, *message_ids: int | None) -> None:
        """End the work when one of these messages is deleted, at once when it was already."""
        for message_id in message_ids:
            if message_id is not None:
                self._withdrawals.follow(message_id, self)

    def withdraw(self) -> None:
        """End the work."""
        if not self.is_withdrawn:
            self.is_withdrawn = True
            self._task.cancel()


class Withdrawals:
    """What is being worked on, by the messages whose deletion ends it."""

    def __init__(self) -> None:
        self._watched: defaultdict[int, set[Watched]] = defaultdict(set)
        self._gone: dict[int, None] = {}

    def deleted(self, message_ids: Iterable[int]) -> None:
        """End the work on what these messages ask or show."""
        for message_id in message_ids:
            for watched in tuple(self._watched.get(message_id, ())):
                watched.withdraw()
            self._gone[message_id] = None
        while len(self._gone) > _MOST_KNOWN:
            del self._gone[next(iter(self._gone))]

    def is_gone(self, message_id: int) -> bool:
        """Return whether a message is among the last that were deleted."""
        return message_id in self._gone

    def follow(self, message_id: int, watched: Watched) -> None:
        """End some work when a message is deleted, at once when it was already."""
        self._watched[message_id].add(watched)
        if message_id in self._gone:
            watched.withdraw()

    @asynccontextmanager
    async def watch(self, *message_ids: int | None) -> AsyncGenerator[Watched]:
        """Yield the work of the current task; the block ends early, and nothing is raised, when it is withdrawn."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task can be withdrawn")
        watched = Watched(self, task)
        watched.follow(*message_ids)
        try:
            yield watched
            if watched.is_withdrawn:  # after the last pause of the block: the cancellation is still to come
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not watched.is_withdrawn or task.uncancel():
                raise  # the program is being stopped
        finally:
            self._leave(watched)

    def _leave(self, watched: Watched) -> None:
        for message_id in [one for one, works in self._watched.items() if watched in works]:
            self._watched[message_id].discard(watched)
            if not self._watched[message_id]:
                with suppress(KeyError):
                    del self._watched[message_id]
