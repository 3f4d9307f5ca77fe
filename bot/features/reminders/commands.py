"""Put /remind and "Remind me about this" on a command tree."""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from bot.buttons import Reply
from bot.features.reminders import replies
from bot.parts import Parts
from bot.rendering import render_text
from memory.reminders import LONGEST_TEXT
from time_expressions.stated import LONGEST

TOMORROW = "tomorrow at 9"

_When = app_commands.Range[str, 1, LONGEST]
_Text = app_commands.Range[str, 0, LONGEST_TEXT]
_Keep = Callable[[discord.Interaction, str, str], Awaitable[None]]
"""Keeps a reminder: when, and of what."""


class ReminderForm(discord.ui.Modal, title="Remind me about this message"):
    """Asks when somebody wants to be reminded of a message."""

    def __init__(self, keep: _Keep) -> None:
        super().__init__()
        self._keep = keep
        self.when: discord.ui.TextInput[ReminderForm] = discord.ui.TextInput(
            custom_id="when", default=TOMORROW, max_length=LONGEST
        )
        self.text: discord.ui.TextInput[ReminderForm] = discord.ui.TextInput(
            custom_id="text", required=False, max_length=LONGEST_TEXT, style=discord.TextStyle.paragraph
        )
        hint = 'As in "in 2 hours", "next Friday 18:00" or "every Monday at 9"'
        self.add_item(discord.ui.Label(text="When?", description=hint, component=self.when))
        self.add_item(discord.ui.Label(text="A note to yourself", component=self.text))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Keep the reminder."""
        await self._keep(interaction, self.when.value, self.text.value)


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let people be reminded, see of what, and change their minds."""
    tree.add_command(Remind(parts))

    @tree.context_menu(name="Remind me about this")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def remind_about(interaction: discord.Interaction, message: discord.Message) -> None:
        async def keep(submitted: discord.Interaction, when: str, text: str) -> None:
            async def answer() -> Reply:
                kept = replies.remind(
                    submitted,
                    when=when,
                    text=text,
                    in_channel=False,
                    services=parts.services,
                    message_id=message.id,
                )
                return Reply(render_text(await kept))

            await parts.runner.run(submitted, said=f"/remind me when:{when} text:{text}", private=True, compose=answer)

        await interaction.response.send_modal(ReminderForm(keep))


class Remind(app_commands.Group):
    """/remind me, list and cancel."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(
            name="remind",
            description="Be reminded of something.",
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._parts = parts
        self._services = parts.services

    @app_commands.command(description="Be reminded of something, by a direct message.")
    @app_commands.describe(
        when='As in "in 2 hours", "tomorrow at 9", "next Friday 18:00" or "every Monday at 9"',
        text="What of",
        in_channel="If your direct messages are closed, ping me in this channel, where others see what of",
    )
    async def me(
        self, interaction: discord.Interaction, when: _When, text: _Text = "", in_channel: bool = False
    ) -> None:
        """Keep a reminder."""

        async def answer() -> str:
            return await replies.remind(
                interaction, when=when, text=text, in_channel=in_channel, services=self._services
            )

        await self._run(interaction, f"/remind me when:{when} text:{text}", answer)

    @me.autocomplete("when")
    async def _suggest_times(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await replies.suggested_times(interaction, typed[:LONGEST], self._services)

    @app_commands.command(name="list", description="See what you are to be reminded of.")
    async def list_(self, interaction: discord.Interaction) -> None:
        """List what waits."""

        async def answer() -> str:
            return await replies.waiting(interaction.user.id, self._services)

        await self._run(interaction, "/remind list", answer)

    @app_commands.command(description="Cancel a reminder.")
    @app_commands.describe(reminder="Which one")
    async def cancel(self, interaction: discord.Interaction, reminder: app_commands.Range[str, 1, LONGEST]) -> None:
        """Cancel one."""

        async def answer() -> str:
            return await replies.cancel(interaction.user.id, reminder, self._services)

        await self._run(interaction, "/remind cancel", answer)

    @cancel.autocomplete("reminder")
    async def _suggest_reminders(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await replies.suggested_reminders(interaction.user.id, typed, self._services)

    async def _run(self, interaction: discord.Interaction, said: str, compose: Callable[[], Awaitable[str]]) -> None:
        """Answer for the person alone."""

        async def answer() -> Reply:
            return Reply(render_text(await compose()))

        await self._parts.runner.run(interaction, said=said, private=True, compose=answer)
