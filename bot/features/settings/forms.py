"""The forms in which administrators choose for their server, and the buttons that open them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any

import discord

from bot.buttons import NOT_YOURS, Reply, ReplyView
from bot.features.settings.choices import Chosen, Edit
from bot.features.settings.replies import NOT_ALLOWED
from bot.parts import Parts
from bot.rendering import render_text
from errors import DatabaseUnavailableError
from memory.guild_settings import (
    ANSWER_MODE,
    BANNED_USERS,
    LOG_CHANNEL,
    LONGEST_RETENTION,
    MODERATOR_ROLE,
    RESTRICTING_ROLES,
    RETENTION_DAYS,
    AnswerMode,
)

logger = logging.getLogger(__name__)

KEPT_LABEL, MEMBERS_LABEL = "What is kept, and answers", "Roles and members"
NOT_STORED = "I cannot reach the place where I keep settings just now, so not all has changed. Please try again soon."
NO_DAYS = f"A number of days is a whole one from 1 to {LONGEST_RETENTION}, or nothing: never. Nothing has changed."
EVERYBODY = (
    "Everybody has that role, so it cannot be the role of moderators, nor a restricting one. Nothing has changed."
)

_MOST_AT_ONCE = 25  # that a select of Discord's takes
_SHOWING_LIMIT = timedelta(seconds=3)
_TEXT_PLACES = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
    discord.ChannelType.forum,
    discord.ChannelType.media,
]
_MODE_LABELS = {
    AnswerMode.PUBLIC: "Everybody in the channel, unless the asker wants otherwise",
    AnswerMode.PRIVATE: "Only the person who asks",
    AnswerMode.OFF: "Nobody: no question is answered",
}


class _Form(discord.ui.Modal):
    """A form of settings; `apply` stores what differs from what it has shown."""

    def __init__(self, chosen: Chosen, guild: discord.Guild, parts: Parts, *, title: str) -> None:
        super().__init__(title=title)
        self.chosen = chosen
        self.guild = guild
        self._parts = parts

    def ask(self, label: str, item: discord.ui.Item[Any], description: str = "") -> None:
        """Put an item on the form, with what it is for."""
        self.add_item(discord.ui.Label(text=label, description=description or None, component=item))

    def problem(self) -> str:
        """Return why nothing of the form is taken, if that is so."""
        return ""

    async def apply(self, edit: Edit) -> None:
        """Store what is another than was shown; raise DatabaseUnavailableError."""
        raise NotImplementedError

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Store what was chosen, and say what has changed."""

        async def answer() -> Reply:
            return Reply(render_text(await self._changed(interaction)))

        await self._parts.runner.run(interaction, said="/settings (changed)", private=True, compose=answer)

    async def _changed(self, interaction: discord.Interaction) -> str:
        if interaction.guild_id != self.guild.id or not interaction.permissions.administrator:
            return NOT_ALLOWED
        if problem := self.problem():
            return problem
        edit = Edit(self.guild, self._parts.services, interaction.user, interaction.created_at, [])
        try:
            await self.apply(edit)
        except DatabaseUnavailableError as error:
            logger.warning("settings were not stored: %r", error)
            await edit.told()
            return NOT_STORED
        return await edit.told()


class KeptForm(_Form):
    """Chooses what is kept, for how long, and who sees answers."""

    def __init__(self, chosen: Chosen, guild: discord.Guild, parts: Parts) -> None:
        super().__init__(chosen, guild, parts, title=KEPT_LABEL)
        self._shown = _known(chosen.ignored, guild)
        days, log = chosen.retention_days, [] if chosen.log_channel is None else [chosen.log_channel]
        self.ignored: discord.ui.ChannelSelect[Any] = discord.ui.ChannelSelect(
            custom_id="ignored",
            channel_types=_TEXT_PLACES,
            required=False,
            min_values=0,
            max_values=_MOST_AT_ONCE,
            default_values=_channels(self._shown),
        )
        self.retention: discord.ui.TextInput[Any] = discord.ui.TextInput(
            custom_id="retention", required=False, max_length=6, default="" if days is None else str(days)
        )
        self.mode: discord.ui.RadioGroup[Any] = discord.ui.RadioGroup(
            custom_id="mode",
            options=[
                discord.RadioGroupOption(label=label, value=mode.value, default=mode is chosen.answer_mode)
                for mode, label in _MODE_LABELS.items()
            ],
        )
        self.log: discord.ui.ChannelSelect[Any] = discord.ui.ChannelSelect(
            custom_id="log",
            channel_types=[discord.ChannelType.text],
            required=False,
            min_values=0,
            max_values=1,
            default_values=_channels(_known(log, guild)),
        )
        self.ask("Ignored channels", self.ignored, "Nothing said there from now on is kept, nor read from the past.")
        self.ask("Erase messages after days", self.retention, "Empty: never. What is erased cannot be brought back.")
        self.ask("Who sees answers", self.mode)
        self.ask("Log channel", self.log, "Is told what is changed here, and of pauses.")

    def problem(self) -> str:
        """Return what is wrong with the number of days, if anything."""
        words = self.retention.value.strip()
        is_number = words.isascii() and words.isdecimal() and 1 <= int(words) <= LONGEST_RETENTION
        return "" if not words or is_number else NO_DAYS

    async def apply(self, edit: Edit) -> None:
        """Store what is another than was shown."""
        words, chosen = self.retention.value.strip(), self.chosen
        days, log = int(words) if words else None, next((channel.id for channel in self.log.values), None)
        mode = AnswerMode(self.mode.value or chosen.answer_mode)
        await edit.ignore([channel.id for channel in self.ignored.values], shown=self._shown)
        erased = "messages are never erased by their age" if days is None else f"messages are erased after {days} days"
        await edit.put(RETENTION_DAYS, days, shown=chosen.retention_days, words=erased)
        await edit.put(ANSWER_MODE, mode, shown=chosen.answer_mode, words=f"answers: {mode}")
        await edit.put(
            LOG_CHANNEL, log, shown=chosen.log_channel, words=f"log channel: {'none' if log is None else f'<#{log}>'}"
        )


class MembersForm(_Form):
    """Chooses who moderates, who may not ask, and which roles are restricting."""

    def __init__(self, chosen: Chosen, guild: discord.Guild, parts: Parts) -> None:
        super().__init__(chosen, guild, parts, title=MEMBERS_LABEL)
        self._shown_roles = [role_id for role_id in sorted(chosen.restricting) if guild.get_role(role_id)]
        self._shown_roles = self._shown_roles[:_MOST_AT_ONCE]
        self._shown_users = sorted(chosen.banned)[:_MOST_AT_ONCE]
        moderator = [] if chosen.moderator_role is None else [chosen.moderator_role]
        self.moderator: discord.ui.RoleSelect[Any] = discord.ui.RoleSelect(
            custom_id="moderator",
            required=False,
            min_values=0,
            max_values=1,
            default_values=_roles(role_id for role_id in moderator if guild.get_role(role_id)),
        )
        self.banned: discord.ui.UserSelect[Any] = discord.ui.UserSelect(
            custom_id="banned",
            required=False,
            min_values=0,
            max_values=_MOST_AT_ONCE,
            default_values=[discord.SelectDefaultValue(id=one, type=_USER) for one in self._shown_users],
        )
        self.restricting: discord.ui.RoleSelect[Any] = discord.ui.RoleSelect(
            custom_id="restricting",
            required=False,
            min_values=0,
            max_values=_MOST_AT_ONCE,
            default_values=_roles(self._shown_roles),
        )
        self.ask("Role of moderators", self.moderator, "May pause and resume, as those may who manage the server.")
        self.ask("May not ask me", self.banned, "They can still see, erase and opt out.")
        self.ask("Restricting roles", self.restricting, "Nobody has one together with a role that opens a channel.")

    def problem(self) -> str:
        """Return that everybody has a role that was chosen, if that is so."""
        chosen = (*self.moderator.values, *self.restricting.values)
        return EVERYBODY if any(role.id == self.guild.id for role in chosen) else ""

    async def apply(self, edit: Edit) -> None:
        """Store what is another than was shown."""
        moderator = next((role.id for role in self.moderator.values), None)
        named = "none" if moderator is None else f"<@&{moderator}>"
        await edit.put(
            MODERATOR_ROLE, moderator, shown=self.chosen.moderator_role, words=f"role of moderators: {named}"
        )
        users, roles = [user.id for user in self.banned.values], [role.id for role in self.restricting.values]
        await edit.put_ids(BANNED_USERS, users, shown=self._shown_users, words="who may not ask")
        await edit.put_ids(RESTRICTING_ROLES, roles, shown=self._shown_roles, words="restricting roles")


_CHANNEL, _ROLE, _USER = (
    discord.SelectDefaultValueType.channel,
    discord.SelectDefaultValueType.role,
    discord.SelectDefaultValueType.user,
)

Form = Callable[[Chosen, discord.Guild, Parts], discord.ui.Modal]


class OpenForm(discord.ui.Button[ReplyView]):
    """Opens a form for whoever was shown the settings, as often as they press it."""

    def __init__(
        self, label: str, form: Form, *, chosen: Callable[[], Awaitable[Chosen]], owner_id: int, parts: Parts
    ) -> None:
        super().__init__(style=discord.ButtonStyle.secondary, label=label)
        self._form = form
        self._chosen = chosen
        self._owner_id = owner_id
        self._parts = parts

    async def callback(self, interaction: discord.Interaction) -> None:
        """Show the form with what is chosen by now."""
        with self._parts.in_flight.entered():
            guild = interaction.guild
            async with asyncio.timeout(_SHOWING_LIMIT.total_seconds()):
                if interaction.user.id != self._owner_id or guild is None:
                    await interaction.response.send_message(NOT_YOURS, ephemeral=True)
                    return
                await interaction.response.send_modal(self._form(await self._chosen(), guild, self._parts))


def _known(ids: Iterable[int], guild: discord.Guild) -> list[int]:
    """Return the channels that are still there, as many as a select takes."""
    return [one for one in sorted(ids) if guild.get_channel(one) is not None][:_MOST_AT_ONCE]


def _channels(ids: Iterable[int]) -> list[discord.SelectDefaultValue]:
    return [discord.SelectDefaultValue(id=one, type=_CHANNEL) for one in ids]


def _roles(ids: Iterable[int]) -> list[discord.SelectDefaultValue]:
    return [discord.SelectDefaultValue(id=one, type=_ROLE) for one in ids]
