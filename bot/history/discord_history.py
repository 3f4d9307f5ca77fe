"""Read a server's past from Discord's REST API, with a client that is connected or only logged in."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import aiohttp
import discord
from discord.http import Route

from bot.events import author_of_payload, message_of_payload, names_for, place_of
from bot.history.pace import background_requests
from bot.history.source import PAGE, Archive, ArchivePage, Listing, PassedOver, Payload, ReadablePlace
from bot.other_bots import ALL_BOTS, OtherBots
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import EVERYTHING, Interval
from memory.mentions import NameOf
from memory.message import Kind, Message

logger = logging.getLogger(__name__)

REQUEST_LIMIT = timedelta(seconds=90)
"""For one request, with the tries and pauses that discord.py makes of it."""

NO_ACCESS = "I may not see it (View Channel)"
NO_HISTORY = "I may not read what was said before (Read Message History)"
GONE = "it is not there any more"
NO_CHANNEL = "there is no such channel, or I cannot see it"

_LOADING = discord.MessageFlags(loading=True).value
_WITH_ARCHIVES = (discord.TextChannel, discord.ForumChannel)


async def load_guild(client: discord.Client, guild_id: int) -> discord.Guild:
    """Return a server with its channels, its active threads and the bot's own roles, for a client without a gateway.

    Raises RefusedPlaceError when the bot is not in it, DiscordUnavailableError.
    """
    async with answered():
        guild = cast("dict[str, Any]", await client.http.get_guild(guild_id, with_counts=False))
        guild["channels"] = await client.http.get_all_guild_channels(guild_id)
        guild["threads"] = (await client.http.get_active_threads(guild_id))["threads"]
        guild["members"] = [await client.http.get_member(guild_id, client.user.id if client.user else 0)]
    return discord.Guild(data=cast("Any", guild), state=client._connection)  # noqa: SLF001 - as the gateway's are made


Learn = Callable[[Payload], object]
"""Takes what Discord says of a channel or thread."""


def ignore(_: Payload) -> None:
    """Learn nothing."""


class DiscordHistory:
    """The past of one server, as `bot.history.source.History` describes it.

    `learn` is given each archived thread that is listed: the gateway never tells of these.
    """

    def __init__(
        self,
        client: discord.Client,
        guild: discord.Guild,
        *,
        learn: Learn = ignore,
        other_bots: OtherBots = ALL_BOTS,
    ) -> None:
        self._client = client
        self._guild = guild
        self._learn = learn
        self._other_bots = other_bots
        self._names: dict[int, NameOf] = {}

    @property
    def guild_id(self) -> int:
        """The id of the server."""
        return self._guild.id

    async def listing(self, channel_id: int | None) -> Listing:
        """Return what there is to read in the whole server, or in a channel with its threads, or in one thread.

        What the bot cannot see is not named at all. Raises RefusedPlaceError for a channel that is not there.
        """
        chosen = await self._chosen(channel_id)
        places: list[ReadablePlace] = []
        archives: list[Archive] = []
        passed_over: list[PassedOver] = []
        for channel in chosen:
            rights = channel.permissions_for(self._guild.me)
            if not rights.view_channel:
                continue
            if not rights.read_message_history:
                passed_over.append(PassedOver(channel.id, f"#{channel.name}", NO_HISTORY))
                continue
            if not isinstance(channel, discord.ForumChannel):
                places.append(self._readable(channel))
            if isinstance(channel, _WITH_ARCHIVES):
                archives += _archives_of(channel, rights)
        return Listing(places, archives, passed_over)

    async def _chosen(self, channel_id: int | None) -> list[discord.abc.GuildChannel | discord.Thread]:
        """Return the channels that are wanted, with their active threads."""
        known: list[discord.abc.GuildChannel | discord.Thread] = [
            *(channel for channel in self._guild.channels if not isinstance(channel, discord.CategoryChannel)),
            *(thread for thread in self._guild.threads if thread.parent is not None),
        ]
        if channel_id is None:
            return known
        chosen = [one for one in known if channel_id in {one.id, getattr(one, "parent_id", None)}]
        return chosen or [await self._thread(channel_id)]

    async def _thread(self, thread_id: int) -> discord.Thread:
        """Return a thread that is not among the active ones."""
        try:
            async with answered():
                payload = cast("dict[str, Any]", await self._client.http.get_channel(thread_id))
        except RefusedPlaceError as error:
            raise RefusedPlaceError(NO_CHANNEL) from error
        if payload.get("guild_id") != str(self._guild.id) or "thread_metadata" not in payload:
            raise RefusedPlaceError(NO_CHANNEL)
        return self._made(payload)

    def _made(self, payload: Mapping[str, Any]) -> discord.Thread:
        state = self._client._connection  # noqa: SLF001 - as those of the gateway are made
        return discord.Thread(guild=self._guild, state=state, data=cast("Any", payload))

    def _readable(self, channel: discord.abc.GuildChannel | discord.Thread) -> ReadablePlace:
        archived_at = channel.archive_timestamp if isinstance(channel, discord.Thread) else None
        return ReadablePlace(
            place=place_of(channel, self._guild.id),
            last_message_id=getattr(channel, "last_message_id", None),
            archived_at=archived_at,
        )

    async def archived(self, archive: Archive, before: str | None) -> ArchivePage:
        """Return a page of an archive; what cannot be read of it is left out."""
        http = self._client.http
        if not archive.is_private:
            asked = http.get_public_archived_threads(archive.channel_id, cast("Any", before), PAGE)
        elif archive.is_joined_only:
            asked = http.get_joined_private_archived_threads(archive.channel_id, cast("Any", before), PAGE)
        else:
            asked = http.get_private_archived_threads(archive.channel_id, cast("Any", before), PAGE)
        async with answered():
            page = cast("dict[str, Any]", await asked)
        payloads = page.get("threads", [])
        threads = list(self._readable_threads(payloads))
        if not page.get("has_more") or not payloads:
            return ArchivePage(threads, None)
        last = payloads[-1]
        return ArchivePage(
            threads, last["id"] if archive.is_joined_only else last["thread_metadata"]["archive_timestamp"]
        )

    def _readable_threads(self, payloads: Sequence[Payload]) -> Iterator[ReadablePlace]:
        for payload in payloads:
            try:
                self._learn(payload)
                yield self._readable(self._made(payload))
            except Exception:
                logger.exception("an archived thread is passed over that cannot be understood")

    async def page(self, place: ReadablePlace, *, before: int) -> Sequence[Payload]:
        """Return the newest messages with ids below one, newest first.

        To a bot that may not read the history of a channel Discord shows an empty one. So one is not believed before
        the bot's rights were looked at again.
        """
        async with answered():
            page = await self._client.http.logs_from(place.place_id, PAGE, before=min(before, EVERYTHING.newest_id))
        if not page and (reason := await self._why_unreadable(place)):
            raise RefusedPlaceError(reason)
        return cast("Sequence[Payload]", page)

    async def page_after(self, place: ReadablePlace, *, after: int) -> Sequence[Payload]:
        """Return the oldest messages with ids above one, newest first; an empty page is believed as `page` does it."""
        async with answered():
            page = await self._client.http.logs_from(place.place_id, PAGE, after=after)
        if not page and (reason := await self._why_unreadable(place)):
            raise RefusedPlaceError(reason)
        return cast("Sequence[Payload]", page)

    async def _why_unreadable(self, place: ReadablePlace) -> str:
        """Return why a place cannot be read; empty when it can."""
        guild = self._client.get_guild(self._guild.id) or await load_guild(self._client, self._guild.id)
        channel = guild.get_channel(place.place.channel_id)
        if channel is None:
            return GONE
        rights = channel.permissions_for(guild.me)
        if not rights.view_channel:
            return NO_ACCESS
        return "" if rights.read_message_history else NO_HISTORY

    def message(self, payload: Payload, place: ReadablePlace, *, session: str) -> Message | None:
        """Return a message of a page; None for an answer of the bot that is not there yet, and for bots left out.

        What the bot has said itself is no evidence, now as then.
        """
        state = message_of_payload(
            {**payload, "applied_tags": self._tags_of(payload)},
            session=session,
            place_of_id=lambda _, __: place.place,
            names_in=lambda channel_id, _: self._names_in(channel_id),
            me=self._client.application_id,
        )
        if author_of_payload(payload) != self._client.application_id:
            return state if self._other_bots.keeps(payload) else None
        if int(payload.get("flags", 0)) & _LOADING:
            return None
        return replace(state, kind=Kind.ANSWER, reply_to=_command_of(payload) or state.reply_to)

    def _tags_of(self, payload: Payload) -> list[dict[str, str]]:
        """Return the tags of the forum post that a message is the first of, where the cache knows it."""
        post = self._guild.get_thread(int(payload["id"]))
        return [{"name": tag.name} for tag in post.applied_tags] if post else []

    def _names_in(self, channel_id: int) -> NameOf:
        """Return how mentions are named in a place."""
        if channel_id not in self._names:
            home = self._guild.get_channel_or_thread(channel_id) or discord.Object(channel_id)
            self._names[channel_id] = names_for(home, self._guild)
        return self._names[channel_id]

    async def about_how_many(self, channel_id: int | None, span: Interval) -> int | None:
        """Return about how many messages Discord's search counts; None while it has no index, or does not answer."""
        wanted: dict[str, Any] = {"limit": 1, "include_nsfw": "true"}
        if channel_id is not None:
            wanted["channel_id"] = channel_id
        if span.oldest_id > EVERYTHING.oldest_id:
            wanted["min_id"] = span.oldest_id - 1
        if span.newest_id < EVERYTHING.newest_id:
            wanted["max_id"] = span.newest_id + 1
        route = Route("GET", "/guilds/{guild_id}/messages/search", guild_id=self._guild.id)
        try:
            async with answered():
                found = await self._client.http.request(route, params=wanted)
            total = found.get("total_results")  # with status 202 there is none
        except (DiscordUnavailableError, RefusedPlaceError, AttributeError) as error:
            logger.info("Discord does not count the messages: %s", error)
            return None
        return total if isinstance(total, int) else None


def _archives_of(channel: discord.TextChannel | discord.ForumChannel, rights: discord.Permissions) -> Iterator[Archive]:
    name = f"#{channel.name}"
    yield Archive(channel.id, name, is_private=False)
    if isinstance(channel, discord.TextChannel) and not channel.is_news():
        yield Archive(channel.id, name, is_private=True, is_joined_only=not rights.manage_threads)


def _command_of(payload: Payload) -> int | None:
    """Return the id of the command that a message answers."""
    command = payload.get("interaction_metadata") or payload.get("interaction") or {}
    return int(command["id"]) if command.get("id") else None


@asynccontextmanager
async def answered() -> AsyncGenerator[None]:
    """Let requests wait for the background limiter, and translate what Discord answers and does not answer.

    Raises RefusedPlaceError and DiscordUnavailableError.
    """
    with background_requests():
        async with answered_in_time():
            yield


@asynccontextmanager
async def answered_in_time() -> AsyncGenerator[None]:
    """Give requests some time, and translate what Discord answers and does not answer.

    Raises RefusedPlaceError and DiscordUnavailableError.
    """
    try:
        async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
            yield
    except discord.Forbidden as error:
        raise RefusedPlaceError(f"Discord refuses it (403, {error.text or 'no reason'})") from error
    except discord.NotFound as error:
        raise RefusedPlaceError(GONE) from error
    except discord.HTTPException as error:
        raise DiscordUnavailableError(f"Discord answers with status {error.status}") from error
    except TimeoutError as error:
        raise DiscordUnavailableError("Discord does not answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise DiscordUnavailableError(f"Discord cannot be reached ({type(error).__name__})") from error
