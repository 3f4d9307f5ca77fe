"""Erase what somebody has agreed to, and tell them what went and what is left."""

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import discord

from bot.buttons import Reply
from bot.erasing import Erasing, Forgotten
from bot.parts import Parts
from bot.post_deletion import delete_with
from bot.rendering import render_text
from errors import BackscrollError, SettingsError

logger = logging.getLogger(__name__)

WAITING_LIMIT = timedelta(minutes=8)  # the token of the interaction lives for 15, and an answer is given up after 10
DELETING_LIMIT = timedelta(seconds=60)

GONE = "Forgotten: {}."
NOTHING_THERE = "I held nothing of that. It is noted as forgotten all the same, and does not come to me again."
GOING_ON = (
    "It is noted, and nothing of it is kept any more from now on. To erase what is there takes longer than I can tell "
    "you about here: I go on with it by myself, after a restart as well."
)
FAILED = (
    "I could not finish this now. What is noted I go on with by myself, after a restart as well; if I still hold it "
    "tomorrow (`/memory` tells), please tell whoever runs me."
)
NOT_NOTED = (
    "I cannot note just now what is to be forgotten, so nothing was. Please tell whoever runs me, and try again."
)
POSTS_DELETED = "I have deleted {} of mine here in Discord that repeated it."
POSTS_LEFT = "{} of mine in Discord may still repeat it: I could not delete them ({}). Whoever runs me has their links."
BACKUPS_LEFT = "{} made before may still hold it, until they are removed. No restore brings it back to me."


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is to be erased, and the command, as it is said, that asks for it."""

    people: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    said: str


async def erase(interaction: discord.Interaction, target: Target, erasing: Erasing, parts: Parts) -> None:
    """Erase, and tell whoever asked for it alone."""

    async def answer() -> Reply:
        try:
            async with asyncio.timeout(WAITING_LIMIT.total_seconds()):
                forgotten = await erasing.forget(
                    people=target.people, messages=target.messages, channels=target.channels
                )
        except TimeoutError:
            return Reply(render_text(GOING_ON))
        except SettingsError as error:
            logger.error("something cannot be forgotten: %s", error)  # noqa: TRY400 - the sentence says what to do
            return Reply(render_text(NOT_NOTED))
        except BackscrollError as error:
            logger.warning("something was not forgotten yet: %s", error)
            return Reply(render_text(FAILED))
        return Reply(render_text(" ".join([_what_went(forgotten), *await _what_is_left(forgotten, erasing, parts)])))

    await parts.runner.run(interaction, said=target.said, private=True, compose=answer)


def _what_went(forgotten: Forgotten) -> str:
    return NOTHING_THERE if forgotten.found_nothing else GONE.format(forgotten.amounts)


async def _what_is_left(forgotten: Forgotten, erasing: Erasing, parts: Parts) -> list[str]:
    """Delete the bot's own posts that repeat what is erased; return what is to be said about these and backups."""
    sentences = []
    if forgotten.posts:
        deletion = await delete_with(parts.client, forgotten.posts, timeout=DELETING_LIMIT)
        await _strike(deletion.gone, erasing)
        if deletion.gone:
            sentences.append(POSTS_DELETED.format(_amount(len(deletion.gone), "message")))
        if left := len(forgotten.posts) - len(deletion.gone):
            sentences.append(POSTS_LEFT.format(_amount(left, "message"), deletion.problem))
    if forgotten.backups:
        sentences.append(BACKUPS_LEFT.format(_amount(len(forgotten.backups), "backup")))
    return sentences


async def _strike(gone: Collection[int], erasing: Erasing) -> None:
    try:
        await erasing.strike_posts(gone)
    except BackscrollError as error:  # they are tried again, and found to be gone
        logger.warning("posts that are deleted are still noted: %s", error)


def _amount(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
