"""Ask Discord's own message search about the time that memory has not read yet.

`GET /guilds/{id}/messages/search` is of March 2026, and discord.py 2.7 does not know it. It searches with the rights of
the bot and not of the asker, so the asker's channels go with the query, and every hit is checked again.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import aiohttp
import discord
from discord.http import Route

from bot.caller import Caller
from bot.events import message_of_payload, names_in_channel, place_of_id
from bot.other_bots import ALL_BOTS, OtherBots
from memory.coverage.intervals import EVERYTHING, Interval, first_id_at, interval_of, is_covered
from memory.message import Kind, Message, Place
from memory.names.places import thread_name
from memory.question.parse import ParsedQuestion
from memory.search.terms import keywords_of
from time_expressions.window import Windows

logger = logging.getLogger(__name__)

REQUEST_LIMIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=2)  # for an index that says how soon it will be ready
SHORTEST_WAIT = timedelta(milliseconds=500)  # where it says 0, which stands for "soon"
STILL_COMING = timedelta(minutes=15)
"""What was sent so shortly ago counts as heard: the ledger is written now and then, and the search is late as well."""

PAGE = 25  # messages, as many as Discord returns at once
MOST_PLACES = 500  # that Discord takes
MOST_AUTHORS = 100
LONGEST_CONTENT = 1024  # characters
MOST_SKIPPED = 100  # words between those of the query
INDEX_NOT_READY = 110000  # an error code of Discord's, with status 202

_PUBLIC_THREADS = frozenset({discord.ChannelType.news_thread.value, discord.ChannelType.public_thread.value})


class Covered(Protocol):
    """A stretch of a place that memory holds."""

    @property
    def covered(self) -> tuple[int, int]:
        """The oldest and the newest id of it."""


class Coverage(Protocol):
    """Knows which stretches of each place memory holds."""

    async def of_places(self, places: Collection[int]) -> Mapping[int, Sequence[Covered]]:
        """Return the stretches of each place that has any; raise DatabaseUnavailableError."""


class Index(StrEnum):
    """How Discord's search ended."""

    ANSWERED = "answered"
    NOT_READY = "not ready"
    FAILED = "failed"  # no permission, too many requests, no answer in time


@dataclass(frozen=True, slots=True)
class Found:
    """The messages that Discord found and that may be used, as far as that was searched."""

    messages: tuple[Message, ...] = ()
    index: Index = Index.ANSWERED


class Unread:
    """What memory has not read of some places."""

    def __init__(self, stretches: Mapping[int, Sequence[Covered]], places: frozenset[int], *, now: datetime) -> None:
        self._covered = {place: [Interval(*one.covered) for one in stretches.get(place, ())] for place in places}
        self._latest = first_id_at(now - STILL_COMING)

    def places(self, windows: Windows) -> frozenset[int]:
        """Return those places of which something in the windows is not read; no windows are all time."""
        asked = [interval_of(window.start, window.end) for window in windows] or [EVERYTHING]

        def is_read(place: int, known: Sequence[Interval]) -> bool:
            """Return whether nothing is missing since the place was made, which its id tells."""
            spans = (Interval(max(oldest, place), min(newest, self._latest)) for oldest, newest in asked)
            return all(is_covered(span, known) for span in spans)

        return frozenset(place for place, known in self._covered.items() if not is_read(place, known))

    def has(self, message: Message) -> bool:
        """Return whether a message is not read: nobody heard it, and no history had it."""
        known = self._covered.get(message.place_id, self._covered.get(message.channel_id, []))
        return not any(oldest <= message.message_id <= newest for oldest, newest in known)


async def search_discord(
    caller: Caller,
    parsed: ParsedQuestion,
    *,
    places: frozenset[int],
    session: str,
    other_bots: OtherBots = ALL_BOTS,
) -> Found:
    """Return what Discord finds for a question in some places; it is asked once, or again with fewer words.

    Nothing is raised: an answer goes on without Discord's search.
    """
    guild = caller.guild
    if guild is None or not places:
        return Found()
    search = _Search(caller.client, guild, places, session, other_bots)
    query = _query(parsed, guild, places)
    found = Found()
    for content in _contents(parsed):
        found = await search.ask({**query, **content})
        if found.messages or found.index is not Index.ANSWERED:
            break
    return found


@dataclass(frozen=True, slots=True)
class _Search:
    """Discord's search in a guild, for somebody who may use these places."""

    client: discord.Client
    guild: discord.Guild
    places: frozenset[int]
    session: str
    other_bots: OtherBots

    async def ask(self, query: Mapping[str, Any]) -> Found:
        """Return what a query finds; where the index is not ready, it is asked once more when that is soon."""
        try:
            page = await self._page(query)
            if _is_not_ready(page) and (wait := _wait(page)) <= LONGEST_WAIT:
                await asyncio.sleep(wait.total_seconds())
                page = await self._page(query)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # a time-out is an OSError too
            logger.warning("Discord did not search guild %d: %r", self.guild.id, error)
            return Found(index=Index.FAILED)
        if _is_not_ready(page):
            logger.info("Discord's index of guild %d is not ready", self.guild.id)
            return Found(index=Index.NOT_READY)
        return Found(tuple(self._usable(page)))

    async def _page(self, query: Mapping[str, Any]) -> Any:
        route = Route("GET", "/guilds/{guild_id}/messages/search", guild_id=self.guild.id)
        async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
            return await self.client.http.request(route, params=query)

    def _usable(self, page: Any) -> Iterator[Message]:
        """Yield the hits that somebody said in a place which may be used, those of the bot and of bots left out not."""
        threads = {int(thread["id"]): thread for thread in _dicts(page, "threads")}
        for payload in filter(self.other_bots.keeps, _hits(page)):
            try:
                message = self._message(payload, threads)
            except Exception:
                logger.exception("a hit of Discord's search cannot be read")
                continue
            own = self.client.user is not None and message.author_id == self.client.user.id
            if message.kind is Kind.MESSAGE and not own and message.access_id in self.places:
                yield message

    def _message(self, payload: Mapping[str, Any], threads: Mapping[int, Mapping[str, Any]]) -> Message:
        return message_of_payload(
            {**payload, "guild_id": self.guild.id},
            session=self.session,
            place_of_id=partial(self._place, threads),
            names_in=partial(names_in_channel, self.client),
            me=None if self.client.user is None else self.client.user.id,
        )

    def _place(self, threads: Mapping[int, Mapping[str, Any]], channel_id: int, guild_id: int | None) -> Place:
        """Return a place as the cache knows it, or an archived thread as it came with the hits."""
        thread = threads.get(channel_id)
        known = self.guild.get_thread(channel_id)
        kind = known.type.value if known else thread and thread.get("type")
        if thread is None or self.guild.get_channel_or_thread(channel_id) is not None:
            return replace(place_of_id(self.client, channel_id, guild_id), in_public_thread=kind in _PUBLIC_THREADS)
        parent = self.guild.get_channel(int(thread["parent_id"]))
        return Place(
            guild_id=guild_id,
            channel_id=int(thread["parent_id"]),
            channel_name=thread_name(parent.name if parent else "", str(thread.get("name") or "")),
            thread_id=channel_id,
            in_public_thread=kind in _PUBLIC_THREADS,
        )


def _query(parsed: ParsedQuestion, guild: discord.Guild, places: frozenset[int]) -> dict[str, Any]:
    """Return where, when and whose messages to search for, as Discord's API takes it."""
    channels = [channel for place in places if (channel := guild.get_channel_or_thread(place)) is not None]
    asked = sorted(channels, key=_newest_first)[:MOST_PLACES]
    query: dict[str, Any] = {
        "limit": PAGE,
        "channel_id": [str(channel.id) for channel in asked],
        "include_nsfw": str(any(_is_nsfw(channel) for channel in asked)).lower(),
        "sort_by": "relevance" if parsed.topic else "timestamp",
    }
    starts, ends = [w.start for w in parsed.windows], [w.end for w in parsed.windows]
    if starts and None not in starts:
        query["min_id"] = str(first_id_at(min(filter(None, starts))) - 1)
    if ends and None not in ends:
        query["max_id"] = str(first_id_at(max(filter(None, ends))))
    if parsed.authors and parsed.authors.ids and not parsed.authors.excluded:
        query["author_id"] = [str(author) for author in sorted(parsed.authors.ids)[:MOST_AUTHORS]]
    return query


def _contents(parsed: ParsedQuestion) -> list[dict[str, Any]]:
    """Return the words to search for, and in case no message has all of them, the longest, which is likely the rarest.

    A question for a time or a person alone has none.
    """
    words = [keyword.text for keyword in keywords_of(parsed.topic)]
    if not words:
        return [{}]
    tries = dict.fromkeys([" ".join(words)[:LONGEST_CONTENT], max(words, key=len)[:LONGEST_CONTENT]])
    return [{"content": content, "slop": MOST_SKIPPED} for content in tries]


def _newest_first(channel: Any) -> int:
    return -int(getattr(channel, "last_message_id", None) or channel.id)


def _is_nsfw(channel: Any) -> bool:
    return bool(channel.is_nsfw()) if hasattr(channel, "is_nsfw") else False


def _is_not_ready(page: Any) -> bool:
    return isinstance(page, Mapping) and page.get("code") == INDEX_NOT_READY


def _wait(page: Mapping[str, Any]) -> timedelta:
    seconds = page.get("retry_after")
    if not isinstance(seconds, int | float) or not 0 <= seconds < LONGEST_WAIT.total_seconds() + 1:
        return LONGEST_WAIT + timedelta(seconds=1)
    return max(SHORTEST_WAIT, timedelta(seconds=seconds))


def _hits(page: Any) -> Iterable[Mapping[str, Any]]:
    """Return the messages of a page, each of which comes in a list of its own."""
    rows = page.get("messages") if isinstance(page, Mapping) else None
    for row in (rows if isinstance(rows, list) else [])[:PAGE]:
        if isinstance(row, list) and row and isinstance(row[0], Mapping):
            yield row[0]


def _dicts(page: Any, name: str) -> list[Mapping[str, Any]]:
    found = page.get(name) if isinstance(page, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
