"""Whoever asked a question that is taken up again: what Discord says of them and of the place by now."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import aiohttp
import discord

from errors import DiscordUnavailableError
from memory.answers.kept import KeptQuestion

FETCH_LIMIT = timedelta(seconds=20)  # for all that the cache lacks
TOKEN_LIFE = timedelta(minutes=15) - timedelta(seconds=20)  # Discord's, less what a request may take


class AskerGoneError(Exception):
    """Nobody is there any more to answer: the server, the channel or the person is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCaller:
    """A person whose question was kept; satisfies `bot.caller.Caller`."""

    id: int
    client: Any
    guild: discord.Guild | None
    guild_id: int | None
    channel: Any
    channel_id: int | None
    user: discord.User | discord.Member
    locale: discord.Locale | None
    app_permissions: discord.Permissions
    permissions: discord.Permissions
    created_at: datetime


def has_token(question: KeptQuestion, now: datetime) -> bool:
    """Return whether a question can still be answered by its interaction, and its answer be edited by it."""
    return question.token is not None and now < question.asked_at + TOKEN_LIFE


def webhook_of(client: discord.Client, question: KeptQuestion) -> discord.Webhook:
    """Return what shows and edits the answers to an interaction of an earlier run, while its token lives."""
    data = {"id": question.application_id, "type": 3, "token": question.token}
    return discord.Webhook.from_state(data=cast("Any", data), state=client._connection)  # noqa: SLF001


async def stored_caller(client: discord.Client, question: KeptQuestion) -> StoredCaller:
    """Return who asked a question, with the rights that they and the bot have by now.

    Raises AskerGoneError, and DiscordUnavailableError when Discord does not tell now.
    """
    try:
        async with asyncio.timeout(FETCH_LIMIT.total_seconds()):
            return await _fetched(client, question)
    except discord.NotFound as error:
        raise AskerGoneError(f"question {question.question_id} has lost its place or its asker") from error
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise DiscordUnavailableError("Discord does not tell who asked a question") from error


async def _fetched(client: discord.Client, question: KeptQuestion) -> StoredCaller:
    user: discord.User | discord.Member
    guild = None if question.guild_id is None else client.get_guild(question.guild_id)
    if guild is not None:
        channel = await _channel(guild, question.channel_id)
        user = await guild.fetch_member(question.asker_id)
    elif question.guild_id is not None:
        raise AskerGoneError(f"the bot has left the server of question {question.question_id}")
    else:
        user = await client.fetch_user(question.asker_id)
        channel = await user.create_dm()
    return StoredCaller(
        id=question.question_id,
        client=client,
        guild=guild,
        guild_id=question.guild_id,
        channel=channel,
        channel_id=question.channel_id,
        user=user,
        locale=_locale(question.locale),
        app_permissions=_permissions(channel, client.user if guild is None else guild.me),
        permissions=_permissions(channel, user),
        created_at=question.asked_at,
    )


async def _channel(guild: discord.Guild, channel_id: int) -> Any:
    """Return a channel or thread; None for one that the bot may not see."""
    channel = guild.get_channel_or_thread(channel_id)
    if channel is not None:
        return channel
    try:
        return await guild.fetch_channel(channel_id)
    except discord.Forbidden:
        return None


def _permissions(channel: Any, somebody: Any) -> discord.Permissions:
    """Return what somebody may do; nothing where that is not known, as in a thread whose channel is hidden."""
    if channel is None or somebody is None:
        return discord.Permissions.none()
    try:
        permissions: discord.Permissions = channel.permissions_for(somebody)
    except discord.ClientException:
        return discord.Permissions.none()
    return permissions


def _locale(value: str) -> discord.Locale | None:
    """Return a language of Discord; None where it was not known."""
    try:
        return discord.Locale(value)
    except ValueError:
        return None
