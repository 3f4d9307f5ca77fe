"""Answer the slash commands."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import discord
from discord import app_commands

from agent.types import Question
from bot.audience import audience_of
from bot.buttons import AllTimeButton, Buttons, Reply
from bot.events import answer_of, command_of
from bot.features.time_zones import replies
from bot.rendering import render, render_text
from bot.running_handlers import RunningHandlers
from bot.services import Services
from bot.spoiler_channels import SpoilerChannels
from errors import JournalUnavailableError, ModelUnavailableError, TemporaryError
from memory.message import Message
from memory.question.parse import LONGEST_QUESTION
from time_expressions.conventions import date_order

logger = logging.getLogger(__name__)

ANSWER_LIMIT = timedelta(minutes=10)  # an interaction's token lives for 15
SEND_LIMIT = timedelta(seconds=30)  # for one request to Discord, with the pauses that it may ask for
SETTLE_LIMIT = timedelta(seconds=2)
JOURNAL_LIMIT = timedelta(seconds=2)  # for writing a command down while the disk is full

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
`/about` tells what I run on and how much I remember.

A number such as [1] in an answer opens the message that it stands for. When you name a time, I search that time \
alone, tell which it was, and offer a button to search all time.

What I do not know yet: what is said, edited or deleted while I am away (when I am being restarted, say) stays unknown \
to me, so I may quote what has been changed or deleted meanwhile. Archived threads and posts I search only once \
somebody writes in them again. Age-restricted channels I quote only in channels that are age-restricted too, and \
spoiler channels only in themselves."""

INTERRUPTED = "I am being stopped, so I cannot answer now. Please ask again when I am back."
TOO_SLOW = "This took me too long, so I gave up. Please ask again, perhaps about a shorter time or a single channel."
NO_MEMORY = (
    "My memory cannot be reached just now; your message is kept, and nothing is lost. "
    "Please ask again in a few minutes."
)
NO_MODEL = "My language model cannot be reached just now; your message is kept. Please ask again in a few minutes."
NO_JOURNAL = "I cannot write anything down just now, not even your question. Please tell whoever runs me."
UNEXPECTED = "Something went wrong on my side, and it has been logged. Please ask again, or tell whoever runs me."
UNSENDABLE = "I have an answer, but Discord did not take it. Please ask again."


def apology(error: Exception) -> str:
    """Return what to tell a person about an error; it never shows the error's own words."""
    match error:
        case JournalUnavailableError():
            return NO_JOURNAL
        case ModelUnavailableError():
            return NO_MODEL
        case TemporaryError():
            return NO_MEMORY
        case TimeoutError():
            return TOO_SLOW
        case _:
            return UNEXPECTED


class SlashCommands:
    """Records each command, acknowledges it at once, and always ends it with words."""

    def __init__(self, services: Services, in_flight: RunningHandlers, spoilers: SpoilerChannels) -> None:
        self._services = services
        self._in_flight = in_flight
        self._spoilers = spoilers
        self._buttons = Buttons(in_flight)

    async def close(self) -> None:
        """Take away what can still be pressed."""
        await self._buttons.close()

    async def chat(self, interaction: discord.Interaction, text: str, *, private: bool) -> None:
        """Answer a question from memory; a private answer is shown to the asker alone."""

        async def answer() -> Reply:
            return await self._answer(interaction, text, private=private)

        await self._reply(interaction, said=f"/chat {text}", private=private, compose=answer)

    async def _chat_again(
        self, interaction: discord.Interaction, button: AllTimeButton, text: str, *, private: bool
    ) -> None:
        """Answer a question once more, from all time and from what may be read by now."""

        async def answer() -> Reply:
            await button.retire()
            return await self._answer(interaction, text, private=private, all_time=True)

        await self._reply(interaction, said=f"/chat {text} (all time)", private=private, compose=answer)

    async def about(self, interaction: discord.Interaction) -> None:
        """Tell the asker what the program runs on."""

        async def answer() -> Reply:
            return Reply(render_text(await self._services.about()))

        await self._reply(interaction, said="/about", private=True, compose=answer)

    async def help(self, interaction: discord.Interaction) -> None:
        """Tell the asker how to use the commands."""

        async def answer() -> Reply:
            return Reply(render_text(HELP))

        await self._reply(interaction, said="/help", private=True, compose=answer)

    async def timezone(self, interaction: discord.Interaction, zone: str) -> None:
        """Choose the asker's time zone, or tell which one counts."""

        async def answer() -> Reply:
            return Reply(render_text(await replies.personal(interaction, zone, self._services)))

        await self._reply(interaction, said=f"/timezone {zone}".rstrip(), private=True, compose=answer)

    async def server_timezone(self, interaction: discord.Interaction, zone: str) -> None:
        """Choose the time zone of a server, or tell which one counts."""

        async def answer() -> Reply:
            return Reply(render_text(await replies.of_server(interaction, zone, self._services)))

        await self._reply(interaction, said=f"/servertimezone {zone}".rstrip(), private=True, compose=answer)

    async def suggest_zones(self, typed: str) -> list[app_commands.Choice[str]]:
        """Return the time zones that somebody may be typing."""
        return await replies.suggestions(typed, self._services.clock())

    async def _answer(
        self, interaction: discord.Interaction, text: str, *, private: bool, all_time: bool = False
    ) -> Reply:
        services = self._services
        audience = await audience_of(interaction, private=private, spoilers=self._spoilers)
        zone = await replies.zone_of(interaction, services)
        settled = await services.recorder.settle(timeout=SETTLE_LIMIT)
        question = Question(
            text=text,
            channel_id=interaction.channel_id or 0,
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
            notes.append(replies.NOT_LOOKED_UP.format(zone.zone.key))
        parts = render(replace(answer, notes=(*answer.notes, *notes)), zone.zone)
        return Reply(parts, self._all_time_button(question) if answer.is_limited else None)

    def _all_time_button(self, question: Question) -> AllTimeButton:
        """Return a button that knows the question's words and nothing of what could be read when it was asked."""
        again = partial(self._chat_again, text=question.text, private=question.private)
        return AllTimeButton(asker_id=question.asker_id, repeat=again, buttons=self._buttons)

    async def _reply(
        self,
        interaction: discord.Interaction,
        *,
        said: str,
        private: bool,
        compose: Callable[[], Awaitable[Reply]],
    ) -> None:
        with self._in_flight.entered():
            acknowledged = await _acknowledge(interaction, private=private)
            try:
                reply = await self._composed(interaction, said, compose if acknowledged else None)
            except asyncio.CancelledError:
                await self._deliver(interaction, Reply([INTERRUPTED]), private=private)
                raise
            if acknowledged:
                await self._deliver(interaction, reply, private=private)

    async def apologise(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """End a command that failed before or beside its answer, so that nobody waits for one."""
        with self._in_flight.entered():
            logger.error("command %d failed", interaction.id, exc_info=error)
            if interaction.response.is_done() or await _acknowledge(interaction, private=True):
                await _send_words(interaction, UNEXPECTED, private=True, first=True)

    async def _composed(
        self, interaction: discord.Interaction, said: str, compose: Callable[[], Awaitable[Reply]] | None
    ) -> Reply:
        """Record the command and return its answer, or an apology."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT.total_seconds()):
                command = command_of(interaction, said, session=self._services.session)
                await self._services.recorder.record(command, patience=JOURNAL_LIMIT)
                return await compose() if compose else Reply([])
        except Exception as error:
            logger.exception("command %d not answered", interaction.id)
            return Reply([apology(error)])

    async def _deliver(self, interaction: discord.Interaction, reply: Reply, *, private: bool) -> None:
        """Send the messages of an answer and record those that Discord took; whatever fails, there are words."""
        sent: list[discord.Message] = []
        try:
            for number, part in enumerate(reply.parts or [UNEXPECTED], 1):
                button = reply.button if number == len(reply.parts) else None
                sent.append(await _send(interaction, part, private=private, first=not sent, button=button))
                if button:
                    button.shown_on(sent[-1])
        except Exception:
            logger.exception("answer to command %d not sent whole", interaction.id)
            sent += await _send_words(interaction, UNSENDABLE, private=private, first=not sent)
        for message in sent:
            await self._keep(answer_of(interaction, message, session=self._services.session))

    async def _keep(self, answer: Message) -> None:
        """Record what was answered; whoever asked has the answer already, so a journal that fails is only logged."""
        try:
            await self._services.recorder.record(answer)
        except Exception:
            logger.exception("answer %d is not in the journal", answer.message_id)


def add_commands(tree: app_commands.CommandTree, conversation: SlashCommands) -> None:
    """Put the slash commands on a command tree."""
    tree.error(conversation.apologise)

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
        await conversation.chat(interaction, text, private=private)

    @tree.command(name="about", description="What I run on and how much I remember.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def about(interaction: discord.Interaction) -> None:
        await conversation.about(interaction)

    @tree.command(name="help", description="How to ask me.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def help_(interaction: discord.Interaction) -> None:
        await conversation.help(interaction)

    _add_time_zone_commands(tree, conversation)


def _add_time_zone_commands(tree: app_commands.CommandTree, conversation: SlashCommands) -> None:
    async def suggest(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await conversation.suggest_zones(typed)

    @tree.command(name="timezone", description="Choose your time zone, or see which one counts for you.")
    @app_commands.describe(zone="A city or a name such as Europe/Paris; none takes your choice back")
    @app_commands.autocomplete(zone=suggest)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def timezone(
        interaction: discord.Interaction, zone: app_commands.Range[str, 0, replies.LONGEST_NAME] = ""
    ) -> None:
        await conversation.timezone(interaction, zone)

    @tree.command(name="servertimezone", description="Choose the time zone of those here who have chosen none.")
    @app_commands.describe(zone="A city or a name such as Europe/Paris; none takes the choice back")
    @app_commands.autocomplete(zone=suggest)
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def server_timezone(
        interaction: discord.Interaction, zone: app_commands.Range[str, 0, replies.LONGEST_NAME] = ""
    ) -> None:
        await conversation.server_timezone(interaction, zone)


async def _acknowledge(interaction: discord.Interaction, *, private: bool) -> bool:
    """Tell Discord within its three seconds that an answer will come; False when it came too late."""
    try:
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            await interaction.response.defer(ephemeral=private, thinking=True)
    except Exception:
        logger.exception("command %d not acknowledged", interaction.id)
        return False
    return True


async def _send(
    interaction: discord.Interaction, text: str, *, private: bool, first: bool, button: AllTimeButton | None = None
) -> discord.Message:
    """Send one message of an answer; the first takes the place of "thinking"."""
    nobody = discord.AllowedMentions.none()
    view = button or discord.utils.MISSING
    async with asyncio.timeout(SEND_LIMIT.total_seconds()):
        if first:
            return await interaction.edit_original_response(content=text, allowed_mentions=nobody, view=view)
        return await interaction.followup.send(text, ephemeral=private, allowed_mentions=nobody, view=view, wait=True)


async def _send_words(
    interaction: discord.Interaction, words: str, *, private: bool, first: bool
) -> list[discord.Message]:
    """Send words in place of an answer, if Discord takes any."""
    try:
        return [await _send(interaction, words, private=private, first=first)]
    except Exception:
        logger.exception("command %d is left without an answer", interaction.id)
        return []
