"""Run a slash command: record it, acknowledge it at once, and always end it with words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

import discord
from discord import app_commands

from bot.buttons import AllTimeButton, Reply
from bot.events import answer_of, command_of
from bot.running_handlers import RunningHandlers
from bot.services import Services
from errors import JournalUnavailableError, ModelUnavailableError, TemporaryError
from memory.message import Message

logger = logging.getLogger(__name__)

ANSWER_LIMIT = timedelta(minutes=10)  # an interaction's token lives for 15
SEND_LIMIT = timedelta(seconds=30)  # for one request to Discord, with the pauses that it may ask for
JOURNAL_LIMIT = timedelta(seconds=2)  # for writing a command down while the disk is full
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


class CommandRunner:
    """Records each command, acknowledges it at once, and always ends it with words."""

    def __init__(self, services: Services, in_flight: RunningHandlers) -> None:
        self._services = services
        self._in_flight = in_flight

    async def run(
        self,
        interaction: discord.Interaction,
        *,
        said: str,
        private: bool,
        compose: Callable[[], Awaitable[Reply]],
    ) -> None:
        """Record a command as `said` and answer it with what `compose` returns; a private answer is for the asker."""
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
