"""Keep what administrators have set for their guild, each setting by its name and with a type of its own."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, transaction
from db.schema import GuildSettingRow
from errors import DatabaseUnavailableError, RefusedRowError

logger = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_LIMIT = timedelta(seconds=2)  # somebody waits for an answer
FRESH_FOR = timedelta(minutes=1)  # another process may change a row
MOST_RESTRICTING_ROLES = 250  # as many roles as a guild can have

_MOST_KNOWN = 10_000  # guilds


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A setting: its name, what counts where nobody has set it, and how it is kept as JSON.

    `load` raises ValueError or TypeError for what cannot be a value of it.
    """

    name: str
    default: T
    load: Callable[[Any], T]
    dump: Callable[[T], Any]


def _load_ids(value: Any) -> frozenset[int]:
    if not isinstance(value, list) or not all(type(one) is int for one in value):
        raise TypeError("not a list of ids")
    return frozenset(value)


RESTRICTING_ROLES: Setting[frozenset[int]] = Setting("restricting_roles", frozenset(), _load_ids, sorted)
"""Roles, by their ids, that are taken never to go together with a role that opens a channel."""


class Chosen(NamedTuple, Generic[T]):
    """The value of a setting; it is not `certain` while nobody can look up what was set."""

    value: T
    certain: bool = True


class _Known(NamedTuple):
    """What was read of a guild, and until when, on the monotonic clock, it need not be read again."""

    values: Mapping[str, Any]
    fresh_until: float


class GuildSettings:
    """The settings of guilds in one database, with the latest ones at hand."""

    def __init__(
        self, sessions: Sessions, *, timeout: timedelta = ANSWER_LIMIT, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions = sessions
        self._timeout = timeout
        self._monotonic = monotonic
        self._known: dict[int, _Known] = {}
        self._changes = 0

    async def get(self, guild_id: int, setting: Setting[T]) -> Chosen[T]:
        """Return what is set in a guild; never raises because a database is away: then what was known counts."""
        known, certain = self._known.get(guild_id), True
        if known is None or known.fresh_until <= self._monotonic():
            try:
                known = await self._look_up(guild_id)
            except DatabaseUnavailableError as error:
                logger.warning("the settings of a guild cannot be looked up: %r", error)
                certain = False
        return Chosen(_value(setting, {} if known is None else known.values, guild_id), certain)

    async def set(self, guild_id: int, setting: Setting[T], value: T, *, at: datetime) -> None:
        """Set a value in a guild; raise DatabaseUnavailableError when it cannot be stored now."""
        row = insert(GuildSettingRow).values(guild_id=guild_id, name=setting.name, value=setting.dump(value), set_at=at)
        async with self._transaction() as session:
            await session.execute(
                row.on_conflict_do_update(
                    index_elements=[GuildSettingRow.guild_id, GuildSettingRow.name],
                    set_={"value": row.excluded.value, "set_at": row.excluded.set_at},
                )
            )
        self._changes += 1
        self._known.pop(guild_id, None)

    async def _look_up(self, guild_id: int) -> _Known:
        changes = self._changes
        columns = select(GuildSettingRow.name, GuildSettingRow.value).where(GuildSettingRow.guild_id == guild_id)
        async with self._transaction() as session:
            values = {row.name: row.value for row in await session.execute(columns)}
        known = _Known(values, self._monotonic() + FRESH_FOR.total_seconds())
        if changes == self._changes:  # else what was read may be older than what was set
            self._known.pop(guild_id, None)  # the newest stands last
            self._known[guild_id] = known
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return known

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[AsyncSession]:
        try:
            async with asyncio.timeout(self._timeout.total_seconds()), transaction(self._sessions) as session:
                yield session
        except (RefusedRowError, TimeoutError) as error:
            raise DatabaseUnavailableError("PostgreSQL did not answer in time about the settings of a guild") from error


def _value(setting: Setting[T], values: Mapping[str, Any], guild_id: int) -> T:
    """Return the value of a setting; its default, said in the log, where what is stored cannot be one."""
    if setting.name not in values:
        return setting.default
    try:
        return setting.load(values[setting.name])
    except (TypeError, ValueError) as error:
        logger.warning("guild %d has a value of %s that is none (%s): it is ignored", guild_id, setting.name, error)
        return setting.default
