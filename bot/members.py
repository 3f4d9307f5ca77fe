"""Ask Discord which roles a person has and which threads they have joined, and remember it for a minute.

The gateway tells neither to a bot without the privileged members intent. It does send the roles of whoever writes or
uses a command along with that, which costs nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Hashable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

import aiohttp
import discord

from bot.private_threads import ArchivedThread

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(seconds=60)
MOST_ASKED = 25  # requests for one answer
ASKING_LIMIT = timedelta(seconds=3)  # for all of them: somebody waits for the answer

_MOST_KNOWN = 10_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class HeldRoles(NamedTuple):
    """The roles of somebody in a guild; nobody reads there who has left it, or who is a bot."""

    role_ids: tuple[int, ...] = ()
    is_reader: bool = True
    name: str = ""


NO_READER = HeldRoles(is_reader=False)


class Members:
    """What Discord has said lately about the members of guilds and of private threads."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._roles: _Recent[tuple[int, int], HeldRoles] = _Recent(monotonic)
        self._joined: _Recent[tuple[int, int], bool] = _Recent(monotonic)

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway which roles whoever has caused it has."""
        if event not in {"INTERACTION_CREATE", "MESSAGE_CREATE"} or not data.get("guild_id") or not data.get("member"):
            return
        user = data["member"].get("user") or data["author"]
        key = int(data["guild_id"]), int(user["id"])
        if event == "INTERACTION_CREATE" or key in self._roles:  # of thousands who write, few are ever asked about
            role_ids = tuple(int(role_id) for role_id in data["member"]["roles"])
            name = data["member"].get("nick") or user.get("global_name") or user.get("username") or ""
            self._roles.keep(key, HeldRoles(role_ids, not user.get("bot"), str(name)))

    def meet(self, member: discord.Member) -> None:
        """Take the roles of somebody who has just written or used a command, unless others are known."""
        key = member.guild.id, member.id
        if key not in self._roles:
            self._roles.keep(key, _held_by(member))

    async def roles(self, guild: discord.Guild, person_ids: Iterable[int]) -> dict[int, HeldRoles]:
        """Return the roles of those people of whom they are known, or become known in time."""
        keys = [(guild.id, person_id) for person_id in dict.fromkeys(person_ids)]
        asked = [key for key in keys if self._roles.get(key) is None]
        await _all_in_time([self._fetch_roles(guild, person_id) for _, person_id in asked[:MOST_ASKED]])
        found = {person_id: self._roles.get((guild_id, person_id)) for guild_id, person_id in keys}
        return {person_id: held for person_id, held in found.items() if held is not None}

    async def still_here(self, guild: discord.Guild | None, person_ids: Collection[int]) -> frozenset[int]:
        """Return those of some people who are not known to have left a guild or to be bots; nobody without a guild."""
        if guild is None:
            return frozenset()
        known = await self.roles(guild, person_ids)
        return frozenset(person for person in person_ids if person not in known or known[person].is_reader)

    def names(self, guild: discord.Guild, person_ids: Iterable[int]) -> dict[int, str]:
        """Return the names of those people whose roles were asked for lately."""
        held = {person_id: self._roles.get((guild.id, person_id)) for person_id in person_ids}
        return {person_id: known.name for person_id, known in held.items() if known is not None and known.name}

    async def joined(self, person_id: int, threads: Iterable[discord.Thread | ArchivedThread]) -> frozenset[int]:
        """Return the ids of those threads that somebody has joined, as far as Discord says so in time."""
        among = list(threads)
        asked = [thread for thread in among if self._joined.get((thread.id, person_id)) is None]
        await _all_in_time([self._fetch_joined(thread, person_id) for thread in asked[:MOST_ASKED]])
        return frozenset(thread.id for thread in among if self._joined.get((thread.id, person_id)))

    async def _fetch_roles(self, guild: discord.Guild, person_id: int) -> None:
        try:
            held = _held_by(await guild.fetch_member(person_id))
        except discord.NotFound:
            held = NO_READER
        self._roles.keep((guild.id, person_id), held)

    async def _fetch_joined(self, thread: discord.Thread | ArchivedThread, person_id: int) -> None:
        try:
            await thread.fetch_member(person_id)
        except discord.NotFound:
            self._joined.keep((thread.id, person_id), False)
        else:
            self._joined.keep((thread.id, person_id), True)


def _held_by(member: discord.Member) -> HeldRoles:
    return HeldRoles(tuple(role.id for role in member.roles), not member.bot, member.display_name)


async def _all_in_time(requests: list[Coroutine[Any, Any, None]]) -> None:
    """Let requests run side by side; what fails, or is not answered in time, stays unknown."""
    if not requests:
        return
    try:
        async with asyncio.timeout(ASKING_LIMIT.total_seconds()):
            results = await asyncio.gather(*requests, return_exceptions=True)
    except TimeoutError:
        logger.warning("Discord did not say in time who is a member of what")
        return
    for error in results:
        if isinstance(error, discord.HTTPException | aiohttp.ClientError | OSError):
            logger.warning("Discord did not say who is a member of what: %r", error)
        elif error is not None:
            raise error


class _Recent(Generic[K, V]):
    """The newest values by their keys, each good for a minute."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._values: dict[K, tuple[V, float]] = {}

    def __contains__(self, key: object) -> bool:
        """Return whether there is a value, fresh or not."""
        return key in self._values

    def get(self, key: K) -> V | None:
        value, fresh_until = self._values.get(key, (None, 0.0))
        return value if fresh_until > self._monotonic() else None

    def keep(self, key: K, value: V) -> None:
        self._values.pop(key, None)  # the newest stands last
        self._values[key] = value, self._monotonic() + FRESH_FOR.total_seconds()
        if len(self._values) > _MOST_KNOWN:
            del self._values[next(iter(self._values))]
