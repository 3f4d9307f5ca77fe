"""Run a slash command: record it, acknowledge it at once, and always end it with words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import discord
from discord import app_commands

from bot.buttons import Buttons, Renew, Reply, ReplyView
from bot.events import answer_of, command_of
from bot.services import Services
from errors import JournalUnavailableError, ModelUnavailableError, TemporaryError
from memory.message import Message

logger = logging.getLogger(__name__)

ANSWER_LIMIT = timedelta(minutes=10)  # an interaction's token lives for 15
SEND_LIMIT = timedelta(seconds=30)  # for one request to Discord, with the pauses that it may ask for
OFFER_LIMIT = timedelta(seconds=60)  # for looking for more, once the answer is there
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
    """Records each command, acknowledges it at once, and always ends it with words.

    The `buttons` own those under its replies.
    """

    def __init__(self, services: Services, buttons: Buttons) -> None:
        self._services = services
        self._buttons = buttons
        self._in_flight = buttons.in_flight

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

    async def replace(self, interaction: discord.Interaction, *, compose: Callable[[], Awaitable[Reply]]) -> None:
        """Show what `compose` returns in the place of the message whose button was pressed; the press is not recorded.

        Of a reply with several messages the first is shown. What fails is told to whoever pressed, and to nobody else.
        """
        with self._in_flight.entered():
            try:
                async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                    await interaction.response.defer()
                async with asyncio.timeout(ANSWER_LIMIT.total_seconds()):
                    reply = await compose()
                await _show(_Shown(interaction, self._buttons, private=True), replace(reply, parts=reply.parts[:1]))
            except Exception as error:
                logger.exception("press %d not answered", interaction.id)
                await _say_instead(_Shown(interaction, self._buttons, private=True, is_answered=True), apology(error))

    async def apologise(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """End a command that failed before or beside its answer, so that nobody waits for one."""
        with self._in_flight.entered():
            logger.error("command %d failed", interaction.id, exc_info=error)
            if interaction.response.is_done() or await _acknowledge(interaction, private=True):
                await _say_instead(_Shown(interaction, self._buttons, private=True), UNEXPECTED)

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
        shown = _Shown(interaction, self._buttons, private=private)
        try:
            reply = await _show(shown, reply)
        except Exception:
            logger.exception("answer to command %d not sent whole", interaction.id)
            await _say_instead(shown, UNSENDABLE)
        for message in shown.messages:
            await self._keep(answer_of(interaction, message, session=self._services.session))
        if reply.offer is not None:
            await self._offer(interaction, reply.offer)

    async def _offer(self, interaction: discord.Interaction, offer: Renew) -> None:
        """Tell the person alone who gave a command what else there is; the answer is there, so failures are logged."""
        try:
            async with asyncio.timeout(OFFER_LIMIT.total_seconds()):
                reply = await offer()
                if reply is None:
                    return
                shown = _Shown(interaction, self._buttons, private=True, is_answered=True)
                await _show(shown, reply)
        except Exception:
            logger.exception("nothing more is offered after command %d", interaction.id)

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


class _Shown:
    """The messages that show an answer; the first takes the place of "thinking", unless that `is_answered` already."""

    def __init__(
        self, interaction: discord.Interaction, buttons: Buttons, *, private: bool, is_answered: bool = False
    ) -> None:
        self.buttons = buttons
        self._interaction = interaction
        self._private = private
        self._is_answered = is_answered
        self.messages: list[discord.Message] = []
        self.is_outdated = False
        """Whether what is shown may not be shown any more."""

    async def put(self, number: int, text: str, *, view: ReplyView | None = None) -> None:
        """Show a text as the message of this number, from 0: one that is there already is edited."""
        nobody = discord.AllowedMentions.none()
        if number < len(self.messages):
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                edited = self.messages[number].edit(content=text, allowed_mentions=nobody, view=view)
                self.messages[number] = await edited
            return
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            self.messages.append(await self._send(text, nobody, view or discord.utils.MISSING))

    async def _send(self, text: str, mentions: discord.AllowedMentions, view: Any) -> discord.Message:
        interaction = self._interaction
        if self.messages or self._is_answered:
            return await interaction.followup.send(
                text, ephemeral=self._private, allowed_mentions=mentions, view=view, wait=True
            )
        return await interaction.edit_original_response(content=text, allowed_mentions=mentions, view=view)

    async def cut(self, length: int) -> None:
        """Take away the messages beyond so many."""
        while len(self.messages) > length:
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                await self.messages[-1].delete()
            self.messages.pop()


async def _show(shown: _Shown, reply: Reply) -> Reply:
    """Show a reply, or what takes its place when it may not be shown any more; return the one that is shown.

    Whether it may is asked before each message, as those that are read there may change at any time.
    """
    number = 0
    while number < max(1, len(reply.parts)):
        if reply.renew is not None and (newer := await _renewed(shown, reply.renew)) is not None:
            reply, number = newer, 0
            continue
        parts = reply.parts or [UNEXPECTED]
        is_last = number == len(parts) - 1
        view = ReplyView(reply.buttons, shown.buttons) if reply.buttons and is_last else None
        await shown.put(number, parts[number], view=view)
        if view:
            view.shown_on(shown.messages[number])
        number += 1
    await shown.cut(number)
    shown.is_outdated = False
    return reply


async def _renewed(shown: _Shown, renew: Renew) -> Reply | None:
    """Return what takes the place of a reply, if anything; all that is shown is outdated until then."""
    was_outdated, shown.is_outdated = shown.is_outdated, True
    newer = await renew()
    shown.is_outdated = was_outdated or newer is not None
    return newer


async def _say_instead(shown: _Shown, words: str) -> None:
    """Say why an answer is not there, if Discord takes any words: under what was shown of it where that may stay."""
    try:
        await shown.put(0 if shown.is_outdated else len(shown.messages), words)
        if shown.is_outdated:
            await shown.cut(1)
    except Exception:
        logger.exception("a command is left without an answer")
