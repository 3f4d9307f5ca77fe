"""Post the digests that are due, each once, and rewrite those whose sources have gone.

A row claims a digest before its message is sent. When the process ends between both, the next turn looks for the
message in the channel before it sends one: what Discord has taken is not posted again.

A digest is checked within a minute when one of its sources is edited or deleted, or when roles or channels of its
server change, or when an erasure has reached it, and besides at each start and every hour, for 30 days; after that it
stays as it is. When something that it quotes is not there any more, reads otherwise, or may no longer be read by
everybody who sees the channel, it is made anew for the same week.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import discord
from discord.ext import tasks

from bot.audience import Readers
from bot.features.digest.page import DigestPage, digest_page, readable_places
from bot.guild_rules import CHANGES
from bot.services import Services
from bot.shards import available_guilds
from errors import TemporaryError
from memory.digests import Digests, Sources, StoredDigest, last_due, sources_of
from memory.guild_settings import DIGEST_CHANNELS
from overviews.digest import Digest
from util_async import FailureLog

logger = logging.getLogger(__name__)

TURN_EVERY = timedelta(seconds=30)
CHECK_EVERY = timedelta(hours=1)
LEFT_TO_ITS_CLAIMER = timedelta(minutes=5)
"""How long after another process has claimed a digest it is left alone; then that process is taken to have ended."""

GONE = "This digest was taken back, as I do not know any more who can read it here."

_SEND_LIMIT = timedelta(seconds=30)
_SETTLE_LIMIT = timedelta(seconds=20)
_MOST_LOOKED_AT = 200  # messages behind a claim among which its own is looked for
_CLOCKS_DIFFER = timedelta(minutes=10)  # ours and Discord's
_TRIES = 2


@dataclass(slots=True)
class _Changes:
    """What has changed, by the ids of guilds and of messages."""

    guilds: set[int] = field(default_factory=set)
    messages: set[int] = field(default_factory=set)

    def concern(self, digest: StoredDigest) -> bool:
        """Return whether something has changed that a digest may show."""
        return digest.guild_id in self.guilds or not self.messages.isdisjoint(digest.sources.ids)


class DigestKeeper:
    """Owns the task that posts digests and keeps them true; `start` begins it, `close` ends and awaits it."""

    def __init__(
        self, client: discord.Client, *, services: Services, readers: Readers, digests: Digests, digest: Digest
    ) -> None:
        self._client = client
        self._services = services
        self._readers = readers
        self._digests = digests
        self._digest = digest
        self._failures = FailureLog(logger)
        self._turning = asyncio.Lock()
        self._changes = _Changes()
        self._changed_before = _Changes()
        self._sources: frozenset[int] = frozenset()
        self._claimed: dict[int, datetime] = {}  # what is known to be claimed, by the id of its channel
        self._mine: set[tuple[int, datetime]] = set()
        self._check_all_at: datetime | None = None
        self._turns = tasks.loop(seconds=TURN_EVERY.total_seconds())(self.turn)

    def start(self) -> None:
        """Begin, unless it has begun already, and check all digests: something may have been missed."""
        self.check_all()
        if not self._turns.is_running():
            self._turns.start()

    async def close(self) -> None:
        """End the task and wait for it."""
        self._turns.cancel()
        if (task := self._turns.get_task()) is not None:
            await asyncio.gather(task, return_exceptions=True)

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway that a source, or what may be read in a guild, has changed."""
        match event:
            case "MESSAGE_UPDATE" | "MESSAGE_DELETE":
                self._changes.messages |= {int(data["id"])} & self._sources
            case "MESSAGE_DELETE_BULK":
                self._changes.messages |= {int(message_id) for message_id in data["ids"]} & self._sources
            case _ if event in CHANGES:
                self._changes.guilds.add(int(data.get("guild_id") or data["id"]))

    def check_all(self) -> None:
        """Have every digest checked at the next turn, as after an erasure."""
        self._check_all_at = None

    async def turn(self) -> None:
        """Post what is due, and check what may have changed; a failure is logged, and tried again at the next turn."""
        async with self._turning:
            await self._turn()

    async def _turn(self) -> None:
        now = self._services.clock()
        guilds = {guild.id: guild for guild in available_guilds(self._client)}
        try:
            await self._post_due(guilds, now)
            await self._keep_true(guilds, now)
        except TemporaryError as error:
            self._failures.failed("turn", f"digests cannot be looked after, and are at the next turn: {error!r}")
        except Exception as error:  # noqa: BLE001 - one turn that fails must not be the last
            self._failures.failed("turn", f"digests are not looked after: {error!r}", error)
        else:
            self._failures.worked("turn")

    async def _post_due(self, guilds: Mapping[int, discord.Guild], now: datetime) -> None:
        wanted = await self._services.guild_settings.of_every_guild(DIGEST_CHANNELS)
        for guild_id in wanted.keys() & guilds.keys():
            zone = (await self._services.time_zones.of(None, guild_id, self._services.time_zone)).zone
            for channel_id, time in wanted[guild_id].items():
                channel = _postable(guilds[guild_id], channel_id)
                start, end = last_due(time, now, zone)
                if channel is not None and end > time.started_at and self._claimed.get(channel_id) != end:
                    mine = await self._digests.claim(guild_id, channel_id, starts_at=start, due_at=end, now=now)
                    self._claimed[channel_id] = end
                    if mine is not None:
                        self._mine.add((channel_id, end))

    async def _keep_true(self, guilds: Mapping[int, discord.Guild], now: datetime) -> None:
        """Post what is claimed and open, and check the others that may have changed."""
        recent = await self._digests.recent(guilds.keys(), now=now)
        is_due = self._check_all_at is None or self._check_all_at <= now
        # Twice: memory may hear of a change after the first turn that knows of it.
        changes, before = self._changes, self._changed_before
        self._changes, self._changed_before = _Changes(), changes
        if is_due:
            await self._digests.forget_old(now=now)
            self._check_all_at = now + CHECK_EVERY
        concerned = [digest for digest in recent if self._is_to_be_looked_after(digest, now, is_due, changes, before)]
        for digest in concerned:
            await self._look_after(guilds[digest.guild_id], digest)
        if concerned:
            recent = await self._digests.recent(guilds.keys(), now=now)
        posted = (digest for digest in recent if digest.message_id is not None)
        self._sources = frozenset(source for digest in posted for source in digest.sources.ids)

    def _is_to_be_looked_after(self, digest: StoredDigest, now: datetime, is_due: bool, *changes: _Changes) -> bool:
        """Return whether a digest is to be posted by this process, or may not be true any more."""
        if digest.is_open:
            is_left_behind = digest.claimed_at <= now - LEFT_TO_ITS_CLAIMER
            return is_left_behind or (digest.channel_id, digest.due_at) in self._mine
        is_outdated = not digest.sources.checksum  # an erasure says so
        may_differ = is_due or is_outdated or any(some.concern(digest) for some in changes)
        return digest.message_id is not None and may_differ

    async def _look_after(self, guild: discord.Guild, digest: StoredDigest) -> None:
        """Post or check one digest; what fails is tried again, and holds up no other."""
        subject = digest.channel_id, digest.due_at
        try:
            if digest.is_open:
                await self._deliver(guild, digest)
            else:
                await self._check(guild, digest)
        except discord.Forbidden as error:
            self._failures.failed(subject, f"the bot may not write into channel {digest.channel_id}: {error!r}")
        except (TemporaryError, discord.DiscordException, TimeoutError, OSError) as error:
            self._failures.failed(subject, f"the digest of channel {digest.channel_id} is tried again: {error!r}")
            self._changes.guilds.add(digest.guild_id)
        else:
            self._failures.worked(subject)

    async def _deliver(self, guild: discord.Guild, digest: StoredDigest) -> None:
        channel = _postable(guild, digest.channel_id)
        if channel is None:
            return
        page = await self._page(channel, digest)
        if page is None:
            return
        message_id = None
        if page.sources.ids:
            message_id = await self._sent_before(channel, digest, page)
            if message_id is None:
                async with asyncio.timeout(_SEND_LIMIT.total_seconds()):
                    sent = await channel.send(page.text, allowed_mentions=discord.AllowedMentions.none(), silent=True)
                message_id = sent.id
        await self._digests.note_posted(digest, message_id, page.sources, at=self._services.clock())

    async def _sent_before(self, channel: discord.TextChannel, digest: StoredDigest, page: DigestPage) -> int | None:
        """Return the message that the digest has become already, in a process that could not note it any more.

        The channel's history says: the title names the week, so that no other digest begins so.
        """
        title = page.text.partition("\n")[0]
        after = discord.Object(discord.utils.time_snowflake(digest.claimed_at - _CLOCKS_DIFFER))
        async with asyncio.timeout(_SEND_LIMIT.total_seconds()):
            async for message in channel.history(after=after, limit=_MOST_LOOKED_AT, oldest_first=True):
                if message.author == channel.guild.me and message.content.startswith(title):
                    return message.id
        return None

    async def _page(self, channel: discord.TextChannel, digest: StoredDigest) -> DigestPage | None:
        """Return a digest as it may be shown now; None where it is not known who reads it.

        What may be read can change while it is made, so that is found out again afterwards.
        """
        await self._services.recorder.settle(timeout=_SETTLE_LIMIT)
        for _ in range(_TRIES):
            places = await readable_places(channel, self._readers)
            if places is None:
                return None
            page = await digest_page(
                self._digest,
                channel,
                start=digest.starts_at,
                end=digest.due_at,
                places=places,
                services=self._services,
            )
            if (await readable_places(channel, self._readers) or frozenset()) >= places:
                return page
        return None

    async def _check(self, guild: discord.Guild, digest: StoredDigest) -> None:
        """Rewrite a digest if something that it quotes has changed."""
        channel = guild.get_channel(digest.channel_id)
        if not isinstance(channel, discord.TextChannel) or digest.message_id is None:
            return
        await self._services.recorder.settle(timeout=_SETTLE_LIMIT)
        places = await readable_places(channel, self._readers)
        if places is None:
            await self._rewrite(channel, digest, DigestPage(GONE, Sources(), frozenset()))
            return
        memory = self._digest.memory.in_guild(guild.id)
        found = await memory.lookup(digest.sources.ids, places=places)
        if sources_of(found.values()) == digest.sources:
            return
        page = await self._page(channel, digest)
        if page is not None:
            await self._rewrite(channel, digest, page)

    async def _rewrite(self, channel: discord.TextChannel, digest: StoredDigest, page: DigestPage) -> None:
        if digest.message_id is None or page.sources == digest.sources:
            return
        message = channel.get_partial_message(digest.message_id)
        try:
            async with asyncio.timeout(_SEND_LIMIT.total_seconds()):
                await message.edit(content=page.text, allowed_mentions=discord.AllowedMentions.none())
        except discord.NotFound:
            await self._digests.drop(digest)
            return
        await self._digests.note_rewritten(digest, page.sources)


def _postable(guild: discord.Guild, channel_id: int) -> discord.TextChannel | None:
    """Return a channel in which the bot may post, if it is one and the bot knows what was said there."""
    channel = guild.get_channel(channel_id)
    if not isinstance(channel, discord.TextChannel):
        return None
    mine = channel.permissions_for(guild.me)
    return channel if mine.view_channel and mine.send_messages and mine.read_message_history else None
