"""Find the messages that a question points at: what it replies to, and what the bot cited there."""

import asyncio
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import discord

from agent.about import MOST_MESSAGES
from bot.events import message_of

logger = logging.getLogger(__name__)

MOST_REPLIES = 5
"""Replies that are followed back from a question."""

FETCH_LIMIT = timedelta(seconds=3)  # for all of them that are in no cache

_LINK = re.compile(r"https://discord\.com/channels/(?:\d{1,20}|@me)/\d{1,20}/(?P<message_id>\d{1,20})\b")


async def pointed_at_by(message: discord.Message, me: int | None) -> tuple[int, ...]:
    """Return the ids of what a message replies to, the nearest first.

    In the place of an answer of the bot `me` stand the question that it answers and the messages that it cites, as it
    is no evidence itself. They are ids: what of these messages may be used is for memory to say.
    """
    found: list[int] = []
    current: discord.Message | None = message
    try:
        async with asyncio.timeout(FETCH_LIMIT.total_seconds()):
            for _ in range(MOST_REPLIES):
                if (reference := _reply_in(current)) is None or reference.message_id is None:
                    break
                current = await _referenced(message.channel, reference)
                found += [reference.message_id] if current is None else ids_in(current, me)
    except (TimeoutError, discord.HTTPException) as error:
        logger.info("not all is known that message %d replies to: %r", message.id, error)
    return tuple(dict.fromkeys(found))[:MOST_MESSAGES]


async def pointed_at(message: discord.Message, me: int | None) -> tuple[int, ...]:
    """Return what a question about a message points at: that message, and what it replies to."""
    ids = (*ids_in(message, me), *await pointed_at_by(message, me))
    return tuple(dict.fromkeys(ids))[:MOST_MESSAGES]


def ids_in(message: discord.Message, me: int | None) -> Iterator[int]:
    """Yield the id of a message; of an answer of the bot those of the command that it answers and what it cites."""
    if message.author.id != me:
        yield message.id
        return
    if message.interaction_metadata is not None:
        yield message.interaction_metadata.id
    for link in _LINK.finditer(message_of(message, session="").content):
        yield int(link["message_id"])


def _reply_in(message: discord.Message | None) -> discord.MessageReference | None:
    reference = None if message is None else message.reference
    return reference if reference is not None and reference.type is discord.MessageReferenceType.reply else None


async def _referenced(channel: discord.abc.Messageable, reference: discord.MessageReference) -> discord.Message | None:
    """Return the message that a reply refers to: as it came with it, from the cache, or from Discord."""
    known = reference.cached_message or reference.resolved
    if isinstance(known, discord.Message):
        return known
    if known is not None or reference.message_id is None:
        return None  # it was deleted
    try:
        return await channel.fetch_message(reference.message_id)
    except discord.NotFound:
        return None
