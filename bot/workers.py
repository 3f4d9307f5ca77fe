"""Do work that comes now and then beside the handlers of events, in a few tasks that end when nothing is left."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Workers:
    """Runs up to `most` tasks of `work`, which goes on until nothing is left to do; `close` ends and awaits them."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], *, most: int) -> None:
        self._work = work
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def wake(self) -> None:
        """Have what has come done, by one more task unless there are enough."""
        running = sum(not task.done() for task in self._tasks)
        if running < self._most and not self._is_closed:
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Cancel the tasks, and wait until they have ended."""
        self._is_closed = True
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
