"""Delete posts of the bot in Discord over a client that is logged in."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import aiohttp
import discord

from util_async import Progress, no_progress

logger = logging.getLogger(__name__)

_AT_ONCE = 4  # requests; discord.py waits by itself where Discord's limits for a channel ask for it

OUT_OF_TIME = "there was not enough time"
NOT_MINE = "another account has written them"


class Post(Protocol):
    """A message in Discord; `channel_id` is the thread or channel that it is in."""

    @property
    def message_id(self) -> int:
        """The id of the message."""

    @property
    def channel_id(self) -> int:
        """The id of the channel or thread."""

    @property
    def author_id(self) -> int | None:
        """Who wrote it; None when that is not known."""


@dataclass(slots=True)
class Deletion:
    """What became of posts: the ids of those that are gone, and why the others are still there."""

    gone: set[int] = field(default_factory=set)
    problem: str = ""


async def delete_with(
    client: discord.Client, posts: Iterable[Post], *, timeout: timedelta, report: Progress = no_progress
) -> Deletion:
    """Delete those posts that the bot itself has written; one that is not there any more is gone as well.

    Whatever goes wrong is told and leaves posts where they are, as does the end of the time.
    """
    deletion = Deletion()
    waiting = list(posts)
    total = len(waiting)

    async def work() -> None:
        while waiting:
            await _delete(client, waiting.pop(), deletion)
            report(total - len(waiting), total)

    try:
        async with asyncio.timeout(timeout.total_seconds()), asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    except TimeoutError:
        deletion.problem = OUT_OF_TIME
    return deletion


async def _delete(client: discord.Client, post: Post, deletion: Deletion) -> None:
    if client.user is None or post.author_id not in {None, client.user.id}:
        deletion.problem = NOT_MINE
        return
    try:
        await client.http.delete_message(post.channel_id, post.message_id)
        deletion.gone.add(post.message_id)
    except discord.NotFound:  # deleted by hand, or with its channel, or an answer that only the asker could see
        deletion.gone.add(post.message_id)
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        logger.warning("post %d in channel %d is not deleted: %s", post.message_id, post.channel_id, error)
        deletion.problem = f"Discord said: {error}"
