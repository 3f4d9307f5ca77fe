"""A stand-in for what administrators have set for their guild."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from errors import DatabaseUnavailableError
from memory.guild_settings import Chosen, Setting

T = TypeVar("T")


@dataclass
class FakeGuildSettings:
    """Keeps settings in memory; while it is `away` it knows nothing and takes nothing."""

    chosen: dict[tuple[int, str], Any] = field(default_factory=dict)
    away: bool = False

    async def get(self, guild_id: int, setting: Setting[T]) -> Chosen[T]:
        if self.away:
            return Chosen(setting.default, certain=False)
        return Chosen(self.chosen.get((guild_id, setting.name), setting.default))

    async def set(self, guild_id: int, setting: Setting[T], value: T, *, at: datetime) -> None:
        if self.away:
            raise DatabaseUnavailableError("db:5432")
        self.chosen[guild_id, setting.name] = setting.load(setting.dump(value))

    async def change(self, guild_id: int, setting: Setting[T], change: Callable[[T], T], *, at: datetime) -> T:
        value = change(self.chosen.get((guild_id, setting.name), setting.default))
        await self.set(guild_id, setting, value, at=at)
        return value

    async def of_every_guild(self, setting: Setting[T]) -> dict[int, T]:
        if self.away:
            raise DatabaseUnavailableError("db:5432")
        return {guild_id: value for (guild_id, name), value in self.chosen.items() if name == setting.name}
