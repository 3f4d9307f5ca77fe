"""What administrators choose for their server: how it is shown, and how a change is stored and told."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import discord

from agent.markdown import inline
from bot.moderators import tell_moderators
from bot.services import Services
from memory.consent.pauses import in_force
from memory.guild_settings import (
    ANSWER_MODE,
    BANNED_USERS,
    DIGEST_CHANNELS,
    IGNORED_CHANNELS,
    LOG_CHANNEL,
    MODERATOR_ROLE,
    PAUSES,
    RESTRICTING_ROLES,
    RETENTION_DAYS,
    AnswerMode,
    Setting,
)

T = TypeVar("T")

NOT_LOOKED_UP = "I cannot look up just now what is set here."
NOTHING_CHANGED = "Nothing has changed."
CHANGED = "Changed: {}."
NOBODY, NOTHING, NEVER = "nobody", "none", "never"
MODES = {
    AnswerMode.PUBLIC: "everybody in the channel sees them",
    AnswerMode.PRIVATE: "only those who ask see them",
    AnswerMode.OFF: "there are none",
}

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Everything that is chosen for a server; it is not `certain` while that cannot be looked up."""

    ignored: Mapping[int, datetime]
    retention_days: int | None
    log_channel: int | None
    answer_mode: AnswerMode
    moderator_role: int | None
    banned: frozenset[int]
    restricting: frozenset[int]
    digests: tuple[int, ...]
    """The channels in which digests are posted."""
    paused: tuple[int | None, ...]
    """The channels that are paused, None for the whole server."""
    certain: bool


async def chosen_in(guild_id: int, services: Services) -> Chosen:
    """Return what is chosen for a server."""
    certain = True

    async def get(setting: Setting[T]) -> T:
        nonlocal certain
        value = await services.guild_settings.get(guild_id, setting)
        certain = certain and value.certain
        return value.value

    pauses, digests = await get(PAUSES), await get(DIGEST_CHANNELS)
    known: dict[str, Any] = {
        "ignored": await get(IGNORED_CHANNELS),
        "retention_days": await get(RETENTION_DAYS),
        "log_channel": await get(LOG_CHANNEL),
        "answer_mode": await get(ANSWER_MODE),
        "moderator_role": await get(MODERATOR_ROLE),
        "banned": await get(BANNED_USERS),
        "restricting": await get(RESTRICTING_ROLES),
        "digests": tuple(digests),
        "paused": tuple(pause.channel_id for pause in in_force(pauses, at=services.clock())),
    }
    return Chosen(**known, certain=certain)


def summary(chosen: Chosen, guild: discord.Guild) -> str:
    """Return what is chosen for a server, line by line."""
    if not chosen.certain:
        return NOT_LOOKED_UP
    days = chosen.retention_days
    lines = [
        f"**Ignored channels**, of which I keep nothing: {_channels(chosen.ignored)}",
        f"**Messages are erased** after: {NEVER if days is None else f'{days} days'}",
        f"**Answers**: {MODES[chosen.answer_mode]}",
        f"**Log channel**: {_channels([] if chosen.log_channel is None else [chosen.log_channel])}",
        f"**Moderators**: who may manage the server; role {_roles([chosen.moderator_role], guild)}",
        f"**May not ask me**: {_listed([f'<@{user_id}>' for user_id in sorted(chosen.banned)]) or NOBODY}",
    ]
    lines.append(f"**Digests**, which `/digest` changes: {_channels(chosen.digests)}")
    if chosen.paused:
        paused = ["the whole server" if place is None else f"<#{place}>" for place in chosen.paused]
        lines.append(f"**Paused**: {_listed(paused)}")
    return "\n".join(lines)


@dataclass(slots=True)
class Edit:
    """One form that an administrator has filled in; it collects what was changed, in words."""

    guild: discord.Guild
    services: Services
    editor: discord.abc.User
    at: datetime
    words: list[str]

    async def put(self, setting: Setting[T], value: T, *, shown: T, words: str) -> None:
        """Store a value that is another one than the form has shown; raise DatabaseUnavailableError."""
        if value != shown:
            await self.services.guild_settings.set(self.guild.id, setting, value, at=self.services.clock())
            self.words.append(words)

    async def put_ids(
        self, setting: Setting[frozenset[int]], ids: Iterable[int], *, shown: Iterable[int], words: str
    ) -> None:
        """Add to a set what was chosen, and take from it what was shown and is not chosen any more."""
        added, removed = frozenset(ids) - frozenset(shown), frozenset(shown) - frozenset(ids)
        await self._change(setting, lambda known: (known | added) - removed, added or removed, words)

    async def ignore(self, ids: Iterable[int], *, shown: Iterable[int]) -> None:
        """Ignore the channels that were chosen, from now on, and those no longer that were shown and are not chosen."""
        added, removed = frozenset(ids) - frozenset(shown), frozenset(shown) - frozenset(ids)

        def changed(known: Mapping[int, datetime]) -> Mapping[int, datetime]:
            return {
                **dict.fromkeys(added, self.at),
                **{one: since for one, since in known.items() if one not in removed},
            }

        words = [f"ignored: {_channels(added)}"] if added else []
        words += [f"not ignored any more: {_channels(removed)}"] if removed else []
        await self._change(IGNORED_CHANNELS, changed, added or removed, "; ".join(words))

    async def _change(self, setting: Setting[T], change: Callable[[T], T], is_one: object, words: str) -> None:
        if is_one:
            await self.services.guild_settings.change(self.guild.id, setting, change, at=self.services.clock())
            self.words.append(words)

    async def told(self) -> str:
        """Return what was changed, once the log channel of the server was told too."""
        if not self.words:
            return NOTHING_CHANGED
        told = CHANGED.format("; ".join(self.words))
        await tell_moderators(self.guild, self.services, f"{inline(self.editor.display_name)}: {told}")
        return told


def _channels(ids: Iterable[int]) -> str:
    return _listed([f"<#{channel_id}>" for channel_id in sorted(ids)]) or NOTHING


def _roles(ids: Iterable[int | None], guild: discord.Guild) -> str:
    roles = (None if role_id is None else guild.get_role(role_id) for role_id in ids)
    return _listed([f"@{inline(role.name)}" for role in roles if role is not None]) or NOTHING


def _listed(words: list[str]) -> str:
    more = [f"{len(words) - _MOST_NAMED} more"] if len(words) > _MOST_NAMED else []
    return ", ".join([*words[:_MOST_NAMED], *more])
