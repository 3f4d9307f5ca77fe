"""Keep what administrators have set for their guild, each setting by its name and with a type of its own."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.schema import GuildSettingRow
from errors import DatabaseUnavailableError
from memory.consent.pauses import Pause

logger = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_LIMIT = timedelta(seconds=2)  # somebody waits for an answer
FRESH_FOR = timedelta(minutes=1)  # another process may change a row
MOST_RESTRICTING_ROLES = 250  # as many roles as a guild can have
LONGEST_RETENTION = 36_500
"""Days, a century: nobody means more by a number."""

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


def _load_moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment


def _load_moments(value: Any) -> Mapping[int, datetime]:
    if not isinstance(value, dict):
        raise TypeError("no moments by their ids")
    return {int(number): _load_moment(moment) for number, moment in value.items()}


def _dump_moments(value: Mapping[int, datetime]) -> Any:
    return {str(number): moment.isoformat() for number, moment in sorted(value.items())}


IGNORED_CHANNELS: Setting[Mapping[int, datetime]] = Setting("ignored_channels", {}, _load_moments, _dump_moments)
"""Channels, by their ids, of which nothing is kept, with their threads, and since when."""


def _load_pauses(value: Any) -> tuple[Pause, ...]:
    return tuple(
        Pause(
            start=_load_moment(pause["start"]),
            end=None if pause["end"] is None else _load_moment(pause["end"]),
            channel_id=_load_optional_id(pause["channel_id"]),
        )
        for pause in value
    )


def _dump_pauses(pauses: tuple[Pause, ...]) -> Any:
    return [
        {
            "start": pause.start.isoformat(),
            "end": None if pause.end is None else pause.end.isoformat(),
            "channel_id": pause.channel_id,
        }
        for pause in pauses
    ]


def _load_optional_id(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value <= 0):
        raise ValueError("not an id")
    return value


def _as_it_is(value: T) -> T:
    return value


PAUSES: Setting[tuple[Pause, ...]] = Setting("pauses", (), _load_pauses, _dump_pauses)
"""When nothing was kept; those that are over stay, as what was said in them must never be read."""


def _load_days(value: Any) -> int | None:
    if value is not None and (type(value) is not int or not 1 <= value <= LONGEST_RETENTION):
        raise ValueError("not a number of days")
    return value


RETENTION_DAYS: Setting[int | None] = Setting("retention_days", None, _load_days, _as_it_is)
"""After how many days messages are erased; None: never."""

LOG_CHANNEL: Setting[int | None] = Setting("log_channel", None, _load_optional_id, _as_it_is)
"""The channel that is told what moderators change."""

MODERATOR_ROLE: Setting[int | None] = Setting("moderator_role", None, _load_optional_id, _as_it_is)
"""The role whose members may do what those do who may manage the server."""

MOST_A_DAY = 10_000
"""Questions; nobody means more by a limit."""


def _load_limits(value: Any) -> Mapping[int, int]:
    if not isinstance(value, dict) or not all(type(most) is int for most in value.values()):
        raise TypeError("no numbers by the ids of roles")
    if not all(0 <= most <= MOST_A_DAY for most in value.values()):
        raise ValueError("not a number of questions")
    return {int(role_id): most for role_id, most in value.items()}


def _dump_limits(value: Mapping[int, int]) -> Any:
    return {str(role_id): most for role_id, most in sorted(value.items())}


DAILY_LIMITS: Setting[Mapping[int, int]] = Setting("daily_limits", {}, _load_limits, _dump_limits)
"""How many questions a day those may ask who have a role, by its id; that of the guild is the role of everybody."""

BANNED_USERS: Setting[frozenset[int]] = Setting("banned_users", frozenset(), _load_ids, sorted)
"""Members, by their ids, who may not ask."""


def _load_flag(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("neither true nor false")
    return value


NOTICE_GIVEN: Setting[bool] = Setting("notice_given", False, _load_flag, _as_it_is)
"""Whether the members were told once what is kept, and how to make it forget."""


class AnswerMode(StrEnum):
    """Who sees answers to questions in a server."""

    PUBLIC = "public"
    """Everybody in the channel, unless the asker wants otherwise."""
    PRIVATE = "private"
    """The asker alone."""
    OFF = "off"
    """Nobody: no question is answered."""


ANSWER_MODE: Setting[AnswerMode] = Setting("answer_mode", AnswerMode.PUBLIC, AnswerMode, str)
"""Who sees answers."""


@dataclass(frozen=True, slots=True)
class DigestTime:
    """When a channel gets its weekly digest, on the server's clock: `weekday` 0 is Monday, `minute` 0 is midnight.

    Nothing that is due before `started_at` is posted.
    """

    weekday: int
    minute: int
    started_at: datetime

    def __post_init__(self) -> None:
        """Raise ValueError for a weekday or a minute that is none."""
        if not (0 <= self.weekday < 7 and 0 <= self.minute < 24 * 60):
            raise ValueError("not a weekday and a minute of a day")


def _load_digests(value: Any) -> Mapping[int, DigestTime]:
    return {
        int(channel_id): DigestTime(int(one["weekday"]), int(one["minute"]), _load_moment(one["started_at"]))
        for channel_id, one in value.items()
    }


def _dump_digests(value: Mapping[int, DigestTime]) -> Any:
    return {
        str(channel_id): {"weekday": one.weekday, "minute": one.minute, "started_at": one.started_at.isoformat()}
        for channel_id, one in sorted(value.items())
    }


MOST_DIGESTS = 25
"""Channels of a guild that can have a digest."""

DIGEST_CHANNELS: Setting[Mapping[int, DigestTime]] = Setting("digest_channels", {}, _load_digests, _dump_digests)
"""Channels, by their ids, that get a digest every week, and when."""


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
        self.on_change: list[Callable[[int, str, Any], None]] = []
        """Who is called with the guild, the name and the JSON of each value that was set here."""

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
        async with self._transaction() as session:
            await _write(session, guild_id, setting, value, at=at)
        self._note_change(guild_id, setting, value)

    async def change(self, guild_id: int, setting: Setting[T], change: Callable[[T], T], *, at: datetime) -> T:
        """Set what `change` makes of the present value, which nobody else changes meanwhile, and return that.

        Raises what `change` raises, and DatabaseUnavailableError; then the value is as it was.
        """
        async with self._transaction() as session:
            await session.execute(_LOCK, {"guild": guild_id, "name": setting.name})
            stored = select(GuildSettingRow.name, GuildSettingRow.value).where(
                GuildSettingRow.guild_id == guild_id, GuildSettingRow.name == setting.name
            )
            values = {row.name: row.value for row in await session.execute(stored)}
            changed = change(_value(setting, values, guild_id))
            await _write(session, guild_id, setting, changed, at=at)
        self._note_change(guild_id, setting, changed)
        return changed

    async def of_every_guild(self, setting: Setting[T]) -> dict[int, T]:
        """Return what each guild has set that has set anything; raise DatabaseUnavailableError."""
        rows = select(GuildSettingRow.guild_id, GuildSettingRow.value).where(GuildSettingRow.name == setting.name)
        async with self._transaction() as session:
            found = (await session.execute(rows)).all()
        return {row.guild_id: _value(setting, {setting.name: row.value}, row.guild_id) for row in found}

    def _note_change(self, guild_id: int, setting: Setting[T], value: T) -> None:
        self._changes += 1
        self._known.pop(guild_id, None)
        for listener in self.on_change:
            listener(guild_id, setting.name, setting.dump(value))

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

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="the settings of a guild")


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('backscroll.setting ' || :guild || ' ' || :name, 0))")


async def _write(session: AsyncSession, guild_id: int, setting: Setting[T], value: T, *, at: datetime) -> None:
    row = insert(GuildSettingRow).values(guild_id=guild_id, name=setting.name, value=setting.dump(value), set_at=at)
    await session.execute(
        row.on_conflict_do_update(
            index_elements=[GuildSettingRow.guild_id, GuildSettingRow.name],
            set_={"value": row.excluded.value, "set_at": row.excluded.set_at},
        )
    )


def _value(setting: Setting[T], values: Mapping[str, Any], guild_id: int) -> T:
    """Return the value of a setting; its default, said in the log, where what is stored cannot be one."""
    if setting.name not in values:
        return setting.default
    try:
        return setting.load(values[setting.name])
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("guild %d has a value of %s that is none (%s): it is ignored", guild_id, setting.name, error)
        return setting.default
