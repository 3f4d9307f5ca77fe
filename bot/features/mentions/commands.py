"""Put "Ask about this" on the menu of messages."""

from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from bot.answering import Asking
from bot.buttons import Reply
from bot.features.mentions.answers import ABOUT_WHAT
from bot.features.mentions.chain import pointed_at
from bot.live_answer import LiveAnswer
from bot.parts import Parts
from memory.question.parse import LONGEST_QUESTION

Ask = Callable[[discord.Interaction, str], Awaitable[None]]
"""Answers a question that was written into the form."""


class QuestionForm(discord.ui.Modal, title="Ask about this message"):
    """Asks what somebody wants to know of a message."""

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask
        self.question: discord.ui.TextInput[QuestionForm] = discord.ui.TextInput(
            custom_id="question",
            default=ABOUT_WHAT,
            max_length=LONGEST_QUESTION,
            style=discord.TextStyle.paragraph,
        )
        self.add_item(discord.ui.Label(text="Your question", component=self.question))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Answer the question, for whoever asks alone."""
        await self._ask(interaction, self.question.value.strip() or ABOUT_WHAT)


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let people ask about a message from its menu."""

    @tree.context_menu(name="Ask about this")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def ask_about(interaction: discord.Interaction, message: discord.Message) -> None:
        async def ask(submitted: discord.Interaction, text: str) -> None:
            live = LiveAnswer()

            async def answer() -> Reply:
                me = None if parts.client.user is None else parts.client.user.id
                about = await pointed_at(message, me)
                return await parts.chat.reply(Asking(caller=submitted, text=text, private=True, about=about), live=live)

            said = f"/chat {text} (about a message)"
            await parts.runner.run(submitted, said=said, private=True, compose=answer, live=live)

        await interaction.response.send_modal(QuestionForm(ask))
