"""Reminders in a dictionary."""

from dataclasses import replace
from datetime import datetime

from db.shards import ShardRange
from errors import DatabaseUnavailableError
from memory.reminders import MOST_OF_A_PERSON, Reminder, Reminders


class FakeReminders(Reminders):
    """Keeps reminders like a database, which may be away; `delivered_at` tells when each was delivered."""

    def __init__(self) -> None:
        self.kept: dict[int, Reminder] = {}
        self.try_at: dict[int, datetime] = {}
        self.delivered_at: dict[int, datetime] = {}
        self.away = False

    def _open(self) -> list[Reminder]:
        if self.away:
            raise DatabaseUnavailableError("PostgreSQL did not answer")
        return [one for number, one in self.kept.items() if number not in self.delivered_at]

    async def add(self, reminder: Reminder) -> bool:
        if len(await self.waiting(reminder.person_id)) >= MOST_OF_A_PERSON:
            return False
        self.kept[reminder.reminder_id] = reminder
        self.try_at[reminder.reminder_id] = reminder.due_at
        return True

    async def waiting(self, person_id: int) -> list[Reminder]:
        return sorted((one for one in self._open() if one.person_id == person_id), key=lambda one: one.due_at)

    async def cancel(self, person_id: int, reminder_id: int) -> Reminder | None:
        found = next((one for one in await self.waiting(person_id) if one.reminder_id == reminder_id), None)
        return None if found is None else self.kept.pop(reminder_id)

    async def due(self, *, now: datetime, shards: ShardRange | None, limit: int) -> list[Reminder]:
        return [one for one in self._open() if self.try_at[one.reminder_id] <= now][:limit]

    async def next_try(self, *, shards: ShardRange | None) -> datetime | None:
        return min((self.try_at[one.reminder_id] for one in self._open()), default=None)

    async def delivered(self, reminder_id: int, *, at: datetime) -> None:
        self._open()
        self.delivered_at[reminder_id] = at

    async def repeat(self, reminder_id: int, *, due_at: datetime) -> None:
        self.kept[reminder_id] = replace(self.kept[reminder_id], due_at=due_at, tries=0)
        self.try_at[reminder_id] = due_at

    async def put_off(self, reminder_id: int, *, until: datetime) -> None:
        self.kept[reminder_id] = replace(self.kept[reminder_id], tries=self.kept[reminder_id].tries + 1)
        self.try_at[reminder_id] = until

    async def drop_delivered(self, *, now: datetime) -> int:
        return 0
