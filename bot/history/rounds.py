"""Hand out work in turns, urgent work first."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Rounds(Generic[T]):
    """Items that several workers take a step with, one step each in turn; those that are urgent before all others.

    An item is handed back with `back` after its step, or is at its end with `done`.
    """

    def __init__(self, is_urgent: Callable[[T], bool]) -> None:
        self._is_urgent = is_urgent
        self._urgent: deque[T] = deque()
        self._others: deque[T] = deque()
        self._taken = 0
        self._changed = asyncio.Event()

    def put(self, item: T) -> None:
        """Take in a new item, as the last of its kind."""
        (self._urgent if self._is_urgent(item) else self._others).append(item)
        self._changed.set()

    async def take(self) -> T | None:
        """Return whose turn it is, when need be once somebody hands one back; None when all are at their end."""
        while not self._urgent and not self._others:
            if not self._taken:
                return None
            self._changed.clear()
            await self._changed.wait()
        self._taken += 1
        return self._urgent.popleft() if self._urgent else self._others.popleft()

    def back(self, item: T) -> None:
        """Hand an item back for its next turn."""
        self._taken -= 1
        self.put(item)

    def done(self) -> None:
        """Say that an item that was taken is at its end."""
        self._taken -= 1
        self._changed.set()
