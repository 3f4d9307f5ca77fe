"""A ledger and a journal in memory, for tests of what reads the past."""

from collections.abc import Iterable
from datetime import timedelta

from memory.coverage.ledger import Ledger, Stretch, combined
from memory.message import Message


class InMemoryLedger(Ledger):
    """A ledger without a database."""

    def __init__(self) -> None:
        self.stretches: dict[int, list[Stretch]] = {}

    async def add(self, stretches: Iterable[Stretch]) -> None:
        for one in stretches:
            self.stretches[one.place_id] = combined([*self.stretches.get(one.place_id, ()), one])

    async def of_guild(self, guild_id: int) -> dict[int, list[Stretch]]:
        return {place_id: list(found) for place_id, found in self.stretches.items()}


class InMemoryJournal:
    """Records what it is given; memory is as far behind as a test says."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.progress = (0, 0)
        self.journal_is_failing = False

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        self.messages.append(message)

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        return True

    async def push(self) -> bool:
        return True

    @property
    def ids(self) -> list[int]:
        """The ids of what was recorded, in order."""
        return [message.message_id for message in self.messages]
