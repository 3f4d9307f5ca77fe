"""Know which event handlers are running, so that closing can wait for them."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any


class RunningHandlers:
    """The handlers that run just now; discord.py starts them and forgets them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextmanager
    def entered(self) -> Generator[None]:
        """Count the current task as a running handler for the length of the block."""
        task = asyncio.current_task()
        if task is None or task in self._tasks:
            yield
            return
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)

    @property
    def any_running(self) -> bool:
        """Whether something is being answered or recorded just now."""
        return bool(self._tasks)

    async def finish(self, *, grace: timedelta, farewell: timedelta) -> None:
        """Give the handlers `grace` to end, then cancel the rest and give them `farewell` to say so."""
        running = set(self._tasks)
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=grace.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=farewell.total_seconds())
