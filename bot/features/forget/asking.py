"""Find out what somebody may have erased, and how much that is, and show the form by which they agree."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import discord
from discord import app_commands

from bot.features.forget.erasure import Target, erase
from bot.parts import Parts
from errors import TemporaryError
from memory.personal import HeldMessage, PersonalData

logger = logging.getLogger(__name__)

LOOKING_LIMIT = timedelta(seconds=2)  # a form has to be shown within three
_SENDING_LIMIT = timedelta(seconds=10)
_FORM_LIMIT = timedelta(minutes=15)
_LARGEST_ID = 2**63 - 1

NOT_HERE = "Nobody can have me forget anything by a command here: please ask whoever runs me."
NO_MEMORY = "My memory cannot be reached just now, so nothing was begun. Please try again in a few minutes."
NOT_A_MESSAGE = "That is no link or id of a message: right-click the message, *Copy Message Link*, and paste it."
NOT_YOURS = "I hold no such message of yours, nor one that you may remove here as a moderator."
NOT_YOUR_MESSAGE = "That message is not yours: forgetting it is for its author and for moderators."
NOT_YOUR_CHANNEL = "Forgetting a channel is for those who may see it and have the permission Manage Server."

ALL_OF_YOU = (
    "**All that I hold of you goes, in every server that I am in and in direct messages**: {}. With it go what I have "
    "answered from it, what others forwarded of it, your conversations with me and your choices."
)
A_MESSAGE = "**{} goes**, with its earlier texts, what others forwarded of it and what I have answered from it."
A_CHANNEL = "**All that was said so far in #{} and its threads goes**: {}. With it goes what I have answered from it."
FOR_EVER = (
    "This cannot be taken back. It stays in Discord, where I do not read it again. What others wrote about it, or "
    "quoted of it, stays; backups keep it until they are removed, and none brings it back to me."
)
FROM_NOW_ON = "What is said from now on I keep again, unless you `/optout`."

NOTHING_DONE = "Nothing was forgotten."

YES, NO = "yes", "no"

Words = Callable[[PersonalData], Awaitable[str]]
"""Says what goes, from what is held; a ValueError has a sentence for whoever may not have it erased."""


async def ask_about_person(interaction: discord.Interaction, parts: Parts) -> None:
    """Ask somebody whether all that is held of them shall go."""
    target = Target(people=(interaction.user.id,), said="/forget me")

    async def words(personal: PersonalData) -> str:
        held = await personal.held(interaction.user.id)
        kept = [_amount(held.messages, "message"), *(f"{count} {name}" for name, count in held.amounts.items())]
        return f"{ALL_OF_YOU.format(', '.join(kept))} {FOR_EVER} {FROM_NOW_ON}"

    await _ask(interaction, target, words, parts)


async def ask_about_message(interaction: discord.Interaction, text: str, parts: Parts) -> None:
    """Ask about a message that is given by its link or id."""
    message_id = _id_in(text)
    if message_id is None:
        await _say(interaction, NOT_A_MESSAGE, parts)
        return

    async def words(personal: PersonalData) -> str:
        held = await personal.message(message_id)
        if held is None or not _may_remove(interaction, held):
            raise ValueError(NOT_YOURS)
        return f"{A_MESSAGE.format(f'The message with the id {message_id}')} {FOR_EVER}"

    await _ask(interaction, Target(messages=(message_id,), said=f"/forget message {message_id}"), words, parts)


async def ask_about_menu(interaction: discord.Interaction, message: discord.Message, parts: Parts) -> None:
    """Ask about a message from whose menu the command was given; it may not be held, and shall not be then."""
    if message.author.id != interaction.user.id and not interaction.permissions.manage_messages:
        await _say(interaction, NOT_YOUR_MESSAGE, parts)
        return

    async def words(_: PersonalData) -> str:
        whose = "Your message" if message.author.id == interaction.user.id else "This message"
        return f"{A_MESSAGE.format(whose)} {FOR_EVER}"

    await _ask(interaction, Target(messages=(message.id,), said=f"Forget this: {message.id}"), words, parts)


async def ask_about_channel(
    interaction: discord.Interaction,
    channel: app_commands.AppCommandChannel | app_commands.AppCommandThread,
    parts: Parts,
) -> None:
    """Ask about a channel with its threads, or about a thread."""
    may_see = channel.permissions.view_channel
    if interaction.guild_id is None or not interaction.permissions.manage_guild or not may_see:
        await _say(interaction, NOT_YOUR_CHANNEL, parts)
        return

    async def words(personal: PersonalData) -> str:
        messages, people = await personal.count(channels=[channel.id])
        kept = f"{_amount(messages, 'message')} of {people} {'person' if people == 1 else 'people'}"
        return f"{A_CHANNEL.format(discord.utils.escape_markdown(channel.name), kept)} {FOR_EVER}"

    await _ask(interaction, Target(channels=(channel.id,), said=f"/forget channel #{channel.name}"), words, parts)


def _amount(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _id_in(text: str) -> int | None:
    """Return the id of a message that a text is, or ends with as a link does."""
    digits = text.strip().rstrip("/").rpartition("/")[2]
    is_id = digits.isascii() and digits.isdigit() and len(digits) < len(str(_LARGEST_ID)) + 1
    return int(digits) if is_id and 0 < int(digits) <= _LARGEST_ID else None


def _may_remove(interaction: discord.Interaction, held: HeldMessage) -> bool:
    """Return whether a message is of whoever asks, or they may manage messages where it was sent."""
    if held.author_id is not None and held.author_id == interaction.user.id:
        return True
    guild, member = interaction.guild, interaction.user
    if guild is None or held.guild_id != guild.id or not isinstance(member, discord.Member):
        return False
    channel = guild.get_channel_or_thread(held.thread_id or held.channel_id) or guild.get_channel(held.channel_id)
    if channel is None:  # it is gone, and nobody can tell who managed it
        return member.guild_permissions.manage_guild
    permissions = channel.permissions_for(member)
    return permissions.view_channel and permissions.manage_messages


async def _ask(interaction: discord.Interaction, target: Target, words: Words, parts: Parts) -> None:
    """Show the form, or say why there is none."""
    with parts.in_flight.entered():
        erasing, personal = parts.services.erasing, parts.services.personal
        if erasing is None or personal is None:
            await _send(interaction, NOT_HERE)
            return
        try:
            async with asyncio.timeout(LOOKING_LIMIT.total_seconds()):
                what_goes = await words(personal)
        except ValueError as error:
            await _send(interaction, str(error))
            return
        except (TemporaryError, TimeoutError) as error:
            logger.warning("nobody can be asked whether to forget something: %r", error)
            await _send(interaction, NO_MEMORY)
            return

        async def submit(submitted: discord.Interaction) -> None:
            await erase(submitted, target, erasing, parts)

        async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
            await interaction.response.send_modal(ForgetForm(what_goes, submit, parts))


async def _say(interaction: discord.Interaction, words: str, parts: Parts) -> None:
    with parts.in_flight.entered():
        await _send(interaction, words)


async def _send(interaction: discord.Interaction, words: str) -> None:
    async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
        await interaction.response.send_message(words, ephemeral=True)


class ForgetForm(discord.ui.Modal):
    """The form that says what goes, and asks whether it shall."""

    def __init__(self, what_goes: str, agreed: Callable[[discord.Interaction], Awaitable[None]], parts: Parts) -> None:
        super().__init__(title="Forget, for ever?", timeout=_FORM_LIMIT.total_seconds(), custom_id="forget")
        self._agreed = agreed
        self._parts = parts
        options = [
            discord.SelectOption(label="No, keep it", value=NO),
            discord.SelectOption(label="Yes, forget it for ever", value=YES),
        ]
        self._answer: discord.ui.Select[ForgetForm] = discord.ui.Select(custom_id="answer", options=options)
        self.add_item(discord.ui.TextDisplay(what_goes))
        self.add_item(discord.ui.Label(text="Shall I forget this?", component=self._answer))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Go on where they have agreed."""
        if self._answer.values == [YES]:
            await self._agreed(interaction)
        else:
            await _say(interaction, NOTHING_DONE, self._parts)
