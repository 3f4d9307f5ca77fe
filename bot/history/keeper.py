"""Keep memory as Discord has it: catch up after every break, sweep by night, check what is about to be quoted."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import discord

from agent.front_end import Recorder
from bot.history.catch_up import CatchUp
from bot.history.cited_check import CitedCheck
from bot.history.discord_history import DiscordHistory, Learn
from bot.history.freshness import Freshness
from bot.history.listening import Listening
from bot.history.memory import HistoryMemory
from bot.history.pace import background_requests
from bot.history.rest import HistoryReader
from bot.history.source import Archive, ReadablePlace
from bot.history.sweep import LENGTH, Sweep, next_start
from bot.history.verification import Verifier
from bot.other_bots import OtherBots
from errors import RefusedPlaceError, TemporaryError
from memory.coverage.intervals import first_id_at
from memory.message import Message

logger = logging.getLogger(__name__)

TICK = timedelta(minutes=1)
"""Between two notes of how far everything was heard."""

MOST_PAGES = 10
"""Pages of archived threads of one channel that are looked through for those that were archived lately."""


class HistoryKeeper:
    """Runs a task for each guild that catches up, and one that sweeps by night; `close` ends them all.

    A new connection of the gateway (`connected`) is a break: nothing that happened before it was told, so it is read
    again. A connection that was resumed is none, as Discord replays what happened meanwhile.
    """

    def __init__(
        self,
        client: discord.Client,
        *,
        memory: HistoryMemory,
        recorder: Recorder,
        session: str,
        clock: Callable[[], datetime],
        time_zone: ZoneInfo,
        is_busy: Callable[[], bool],
        learn: Learn,
        other_bots: OtherBots,
    ) -> None:
        self._client = client
        self._learn = learn
        self._clock = clock
        self._time_zone = time_zone
        self._sweep_at = memory.sweep_at
        self._freshness = Freshness()
        self._listening = Listening(memory.writer)
        self._coverage = memory.writer
        self._doubtful: set[int] = set()
        self._catching_up: dict[int, asyncio.Task[None]] = {}
        self._upkeep: list[asyncio.Task[None]] = []
        self._listens = asyncio.Event()
        reader = HistoryReader(client, session=session, clock=clock, other_bots=other_bots)
        verifier = Verifier(reader, stored=memory.stored, recorder=recorder, session=session, clock=clock)
        self.cited_check = CitedCheck(reader, verifier=verifier, freshness=self._freshness, clock=clock)
        self._catch_up = CatchUp(
            reader=reader,
            verifier=verifier,
            stretches=memory.ledger,
            coverage=memory.writer,
            freshness=self._freshness,
            open_places=self._open_places,
            archived_since=self._archived_since,
        )
        self._sweep = Sweep(
            reader=reader,
            verifier=verifier,
            stretches=memory.ledger,
            freshness=self._freshness,
            open_places=self._open_places,
            find_place=self._find_place,
            is_busy=is_busy,
            clock=clock,
        )

    # ---- what happens to the connection, and what is heard over it

    def connected(self, guild_ids: Iterable[int]) -> None:
        """Note that the bot listens to guilds from now on, after a break, and begin to read what was missed there."""
        self._listens.set()
        for guild_id in guild_ids:
            from_id = first_id_at(self._clock())
            self._listening.began(guild_id, from_id=from_id)
            self._freshness.began(guild_id, from_id=from_id)
            self._doubtful.discard(guild_id)
            self._begin(guild_id, from_id)
        if not self._upkeep:
            self._upkeep = [asyncio.create_task(self._sweep_by_night()), asyncio.create_task(self._tick())]

    def disconnected(self, guild_ids: Iterable[int]) -> None:
        """Note that a connection is lost: it may be resumed, and then nothing is missed."""
        for guild_id in guild_ids:
            self._listening.paused(guild_id)

    def resumed(self, guild_ids: Iterable[int]) -> None:
        """Note that Discord has told all that happened while a connection was lost."""
        for guild_id in guild_ids:
            self._listening.resumed(guild_id)

    def heard(self, message: Message) -> None:
        """Note that a new message is recorded."""
        self._listening.heard(message)

    def not_recorded(self, message: Message) -> None:
        """Note that an event could not be recorded, so that its guild has to be read again."""
        if message.guild_id is not None:
            self._listening.paused(message.guild_id)
            self._doubtful.add(message.guild_id)

    def seen(self, guild_id: int, place_id: int) -> None:
        """Note that the bot sees a channel; one that it did not see is listened to from now on, and read."""
        if self._listening.sees(guild_id, place_id):
            return
        from_id = first_id_at(self._clock())
        self._listening.opened(guild_id, place_id, from_id=from_id)
        self._freshness.opened(guild_id, place_id, from_id=from_id)
        if (running := self._catching_up.get(guild_id)) is None or running.done():
            self._begin(guild_id, from_id, only=place_id)

    def hidden(self, guild_id: int, place_ids: Iterable[int]) -> None:
        """Note that the bot does not see some places any more."""
        self._listening.hidden(guild_id, place_ids)

    # ---- tasks

    def _begin(self, guild_id: int, listened_from: int, *, only: int | None = None) -> None:
        if (earlier := self._catching_up.pop(guild_id, None)) is not None:
            earlier.cancel()
        work = self._caught_up(guild_id, listened_from, earlier, only)
        self._catching_up[guild_id] = asyncio.create_task(work)

    async def caught_up(self) -> None:
        """Wait until the bot has been connected, and nothing that was missed is being read any more."""
        await self._listens.wait()
        await asyncio.gather(*self._catching_up.values(), return_exceptions=True)

    async def close(self) -> None:
        """End all reading; the next start goes on with it."""
        tasks = [*self._catching_up.values(), *self._upkeep]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _caught_up(
        self, guild_id: int, listened_from: int, earlier: "asyncio.Task[None] | None", only: int | None
    ) -> None:
        """Catch up with a guild once an earlier attempt has ended; an error that nobody foresaw is logged."""
        if earlier is not None:
            await asyncio.gather(earlier, return_exceptions=True)
        try:
            open_places = await self._open_places(guild_id)
            self._listening.see(guild_id, [place.place_id for place in open_places])
            await self._coverage.flush()  # until when the bot has listened is not in the ledger before
            places = None if only is None else [place for place in open_places if place.place_id == only]
            with background_requests():
                await self._catch_up.run(guild_id, listened_from=listened_from, places=places)
        except Exception:
            logger.exception("guild %d is not caught up", guild_id)

    async def _tick(self) -> None:
        """Note now and then how far everything was heard, and read again where something was lost."""
        while True:
            await asyncio.sleep(TICK.total_seconds())
            self._listening.certain_until(self._clock())
            if self._doubtful:
                self.connected(list(self._doubtful))

    async def _sweep_by_night(self) -> None:
        while True:
            now = self._clock()
            start = next_start(now, at=self._sweep_at, time_zone=self._time_zone)
            await asyncio.sleep((start - now).total_seconds())
            try:
                with background_requests():
                    await self._sweep.run([guild.id for guild in self._client.guilds], until=self._clock() + LENGTH)
            except Exception:
                logger.exception("this night's sweep has failed")

    async def _open_places(self, guild_id: int) -> Collection[ReadablePlace]:
        """Return the channels and active threads of a guild whose history can be read."""
        guild = self._client.get_guild(guild_id)
        return [] if guild is None else (await DiscordHistory(self._client, guild).listing(None)).places

    async def _find_place(self, guild_id: int, place_id: int) -> ReadablePlace:
        """Return an archived thread by its id; raise RefusedPlaceError for one that is gone or closed."""
        guild = self._client.get_guild(guild_id)
        try:
            found = [] if guild is None else (await DiscordHistory(self._client, guild).listing(place_id)).places
        except discord.ClientException as error:
            raise RefusedPlaceError("its channel is not there any more") from error
        for place in found:
            if place.place_id == place_id:
                return place
        raise RefusedPlaceError("it cannot be read")

    async def _archived_since(self, guild_id: int, since: datetime) -> Collection[ReadablePlace]:
        """Return the threads of a guild that were archived after a moment, as far as Discord lists them now."""
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return []
        history = DiscordHistory(self._client, guild, learn=self._learn)
        found: list[ReadablePlace] = []
        for archive in (await history.listing(None)).archives:
            try:
                found += await _newest_of(history, archive, since)
            except (RefusedPlaceError, TemporaryError) as error:
                logger.warning("the archived threads of %s are not caught up: %s", archive.name, error)
        return found


async def _newest_of(history: DiscordHistory, archive: Archive, since: datetime) -> list[ReadablePlace]:
    """Return the threads of an archive, which lists those first that were archived last, back to a moment."""
    found: list[ReadablePlace] = []
    before: str | None = None
    for _ in range(MOST_PAGES):
        page = await history.archived(archive, before)
        recent = [thread for thread in page.threads if thread.archived_at is None or thread.archived_at >= since]
        found += recent
        before = page.before
        if before is None or (len(recent) < len(page.threads) and not archive.is_joined_only):
            break
    return found
