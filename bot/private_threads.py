"""Know the private threads of a guild that discord.py's cache lacks, as they are archived."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import discord

from errors import TemporaryError
from util_async import FailureLog

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=1)
LOADING_LIMIT = timedelta(seconds=2)

Load = Callable[[int], Awaitable[Mapping[int, int]]]
"""Returns the private threads of a guild that are written down, each with its channel; raises TemporaryError."""


async def load_none(_: int) -> Mapping[int, int]:
    """Return no threads, where nothing is written down of any."""
    return {}


@dataclass(frozen=True, slots=True)
class ArchivedThread:
    """A private thread that is in no cache, as far as deciding who may read it needs it."""

    id: int
    parent_id: int
    guild: discord.Guild

    def is_private(self) -> bool:
        """Return that it is private: of public threads nothing need be known."""
        return True

    async def fetch_member(self, member_id: int) -> Any:
        """Ask Discord for a member of the thread, as discord.Thread does; raise discord.NotFound for who is none."""
        return await self.guild._state.http.get_thread_member(self.id, member_id)  # noqa: SLF001 - as discord.Thread


class PrivateThreads:
    """The private threads of guilds, loaded once a minute at most; while that fails, those that were known last."""

    def __init__(self, load: Load = load_none, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._monotonic = monotonic
        self._known: dict[int, tuple[Mapping[int, int], float]] = {}
        self._failures = FailureLog(logger)

    async def archived(self, guild: discord.Guild) -> list[ArchivedThread]:
        """Return the private threads of a guild that its cache lacks."""
        cached = {thread.id for thread in guild.threads}
        threads = await self._of(guild.id)
        return [ArchivedThread(thread, parent, guild) for thread, parent in threads.items() if thread not in cached]

    async def _of(self, guild_id: int) -> Mapping[int, int]:
        known, fresh_until = self._known.get(guild_id, ({}, 0.0))
        if self._monotonic() < fresh_until:
            return known
        try:
            async with asyncio.timeout(LOADING_LIMIT.total_seconds()):
                known = await self._load(guild_id)
        except (TemporaryError, TimeoutError) as error:
            self._failures.failed("loading", f"archived private threads cannot be looked up: {error!r}")
        else:
            self._failures.worked("loading")
        self._known[guild_id] = known, self._monotonic() + FRESH_FOR.total_seconds()
        return known
