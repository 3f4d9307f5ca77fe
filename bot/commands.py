"""Answer /chat, /about and /help."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import discord
from discord import app_commands

from agent.types import Question
from bot.audience import Readers, audience_of
from bot.buttons import AllTimeButton, Buttons, Reply
from bot.command_runner import CommandRunner
from bot.rendering import render, render_text
from bot.running_handlers import RunningHandlers
from bot.services import NOT_LOOKED_UP, Services
from memory.question.parse import LONGEST_QUESTION
from time_expressions.conventions import date_order

SETTLE_LIMIT = timedelta(seconds=2)

NOT_SETTLED = "The newest messages were still being stored, so this answer may not know them."
MORE_IN_PRIVATE = (
    "I looked only where everybody here can read. `/chat` with `private: True` also looks into the channels that "
    "only you and some others can read, and shows the answer to you alone."
)
HELP = """\
I remember what is said in the channels that I can see, from the moment that I joined, and answer questions about it \
with the messages that prove it.

`/chat text:what did Ana say about the deploy last Tuesday?` asks me. My answer is for everyone in this channel, so I \
use only what everyone here can read.
`/chat text:... private:True` asks me quietly: only you see the answer, and I use every channel that you can read.
`/timezone zone:Europe/Paris` tells me on whose clock you mean "last Tuesday"; alone it shows the time zone in use. \
Those who manage a server choose one for all others with `/servertimezone`.
`/settings` shows administrators which channels answers here leave out, and why.
`/about` tells what I run on and how much I remember.

A number such as [1] in an answer opens the message that it stands for. When you name a time, I search that time \
alone, tell which it was, and offer a button to search all time.

What I do not know yet: what is said, edited or deleted while I am away (when I am being restarted, say) stays unknown \
to me, so I may quote what has been changed or deleted meanwhile. Age-restricted channels I quote only in \
channels that are age-restricted too, and spoiler channels only in themselves."""


class SlashCommands:
    """Answers /chat, /about and /help."""

    def __init__(self, services: Services, runner: CommandRunner, in_flight: RunningHandlers, readers: Readers) -> None:
        self._services = services
        self._runner = runner
        self._readers = readers
        self._buttons = Buttons(in_flight)

    async def close(self) -> None:
        """Take away what can still be pressed."""
        await self._buttons.close()

    async def chat(self, interaction: discord.Interaction, text: str, *, private: bool) -> None:
        """Answer a question from memory; a private answer is shown to the asker alone."""

        async def answer() -> Reply:
            return await self._answer(interaction, text, private=private)

        await self._runner.run(interaction, said=f"/chat {text}", private=private, compose=answer)

    async def _chat_again(
        self, interaction: discord.Interaction, button: AllTimeButton, text: str, *, private: bool
    ) -> None:
        """Answer a question once more, from all time and from what may be read by now."""

        async def answer() -> Reply:
            await button.retire()
            return await self._answer(interaction, text, private=private, all_time=True)

        await self._runner.run(interaction, said=f"/chat {text} (all time)", private=private, compose=answer)

    async def about(self, interaction: discord.Interaction) -> None:
        """Tell the asker what the program runs on."""

        async def answer() -> Reply:
            return Reply(render_text(await self._services.about(interaction.guild_id)))

        await self._runner.run(interaction, said="/about", private=True, compose=answer)

    async def help(self, interaction: discord.Interaction) -> None:
        """Tell the asker how to use the commands."""

        async def answer() -> Reply:
            return Reply(render_text(HELP))

        await self._runner.run(interaction, said="/help", private=True, compose=answer)

    async def _answer(
        self, interaction: discord.Interaction, text: str, *, private: bool, all_time: bool = False
    ) -> Reply:
        services = self._services
        audience = await audience_of(interaction, private=private, readers=self._readers)
        zone = await services.zone_of(interaction.user.id, interaction.guild_id)
        settled = await services.recorder.settle(timeout=SETTLE_LIMIT)
        question = Question(
            text=text,
            channel_id=interaction.channel_id or 0,
            guild=interaction.guild_id,
            asker_id=interaction.user.id,
            asker_name=interaction.user.display_name,
            places=audience.places,
            now=services.clock(),
            time_zone=zone.zone,
            private=private,
            all_time=all_time,
            date_order=date_order(locale=interaction.locale.value, time_zone=zone.zone, setting=services.date_order),
        )
        answer = await services.asker.ask(question)
        notes = [] if settled else [NOT_SETTLED]
        if audience.more_in_private and not answer.sources:
            notes.append(MORE_IN_PRIVATE)
        if not zone.certain:
            notes.append(NOT_LOOKED_UP.format(zone.zone.key))
        parts = render(replace(answer, notes=(*answer.notes, *notes)), zone.zone)
        return Reply(parts, self._all_time_button(question) if answer.is_limited else None)

    def _all_time_button(self, question: Question) -> AllTimeButton:
        """Return a button that knows the question's words and nothing of what could be read when it was asked."""
        again = partial(self._chat_again, text=question.text, private=question.private)
        return AllTimeButton(asker_id=question.asker_id, repeat=again, buttons=self._buttons)


def add_commands(tree: app_commands.CommandTree, commands: SlashCommands) -> None:
    """Put the commands on a command tree."""

    @tree.command(name="chat", description="Ask what was said; I answer with the messages that prove it.")
    @app_commands.describe(
        text="Your question, in your own words",
        private="Show the answer to you alone, from all channels that you can read",
    )
    @app_commands.allowed_installs(guilds=True, users=False)
    async def chat(
        interaction: discord.Interaction,
        text: app_commands.Range[str, 1, LONGEST_QUESTION],
        private: bool = False,
    ) -> None:
        await commands.chat(interaction, text, private=private)

    @tree.command(name="about", description="What I run on and how much I remember.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def about(interaction: discord.Interaction) -> None:
        await commands.about(interaction)

    @tree.command(name="help", description="How to ask me.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def help_(interaction: discord.Interaction) -> None:
        await commands.help(interaction)
