"""Run a slash command: record it, acknowledge it at once, and always end it with words."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import discord
from discord import app_commands

from bot.buttons import Buttons, Renew, Reply
from bot.caller import Caller
from bot.events import answer_of, command_of
from bot.layout import AnswerStyle
from bot.live_answer import LiveAnswer
from bot.outbox import Outbox
from bot.services import Services
from bot.shown import SEND_LIMIT, InteractionSender, Sender, Shown
from bot.withdrawals import Withdrawals
from errors import JournalUnavailableError, ModelUnavailableError, TemporaryError
from memory.message import Message

logger = logging.getLogger(__name__)

ANSWER_LIMIT = timedelta(minutes=10)  # an interaction's token lives for 15
OFFER_LIMIT = timedelta(seconds=60)  # for looking for more, once the answer is there
JOURNAL_LIMIT = timedelta(seconds=2)  # for writing a command down while the disk is full
INTERRUPTED = "I am being stopped, so I cannot answer now. Please ask again when I am back."
INTERRUPTED_KEPT = "I am being stopped; your question is kept, and I answer it when I am back."
INTERRUPTED_IN_PRIVATE = (
    "I am being stopped; your question is kept, and I answer it if I am back within a quarter of an hour. Later nobody "
    "but you may see the answer, and I could not show it to you alone."
)
TOO_SLOW = "This took me too long, so I gave up. Please ask again, perhaps about a shorter time or a single channel."
NO_MEMORY = (
    "My memory cannot be reached just now; your message is kept, and nothing is lost. "
    "Please ask again in a few minutes."
)
NO_MODEL = "My language model cannot be reached just now; your message is kept. Please ask again in a few minutes."
NO_JOURNAL = "I cannot write anything down just now, not even your question. Please tell whoever runs me."
UNEXPECTED = "Something went wrong on my side, and it has been logged. Please ask again, or tell whoever runs me."
UNSENDABLE = "I have an answer, but Discord did not take it. Please ask again."
UNSENDABLE_YET = "I have an answer, but Discord did not take it. I try again in a moment."

Compose = Callable[[], Awaitable[Reply]]
"""Makes the reply to a command."""


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


def interrupted(outbox: Outbox | None, question_id: int, *, private: bool) -> str:
    """Return what to tell of a question that this run of the program does not answer any more."""
    if outbox is None or not outbox.is_kept(question_id):
        return INTERRUPTED
    return INTERRUPTED_IN_PRIVATE if private else INTERRUPTED_KEPT


class CommandRunner:
    """Records each command, acknowledges it at once, and always ends it with words.

    The `buttons` own those under its replies. Work ends when the message that shows "thinking" is deleted.
    """

    def __init__(
        self,
        services: Services,
        buttons: Buttons,
        outbox: Outbox | None = None,
        withdrawals: Withdrawals | None = None,
    ) -> None:
        self._services = services
        self._withdrawals = withdrawals or Withdrawals()
        self._outbox = outbox
        self._buttons = buttons
        self._in_flight = buttons.in_flight

    async def run(
        self,
        interaction: discord.Interaction,
        *,
        said: str | None,
        private: bool,
        compose: Compose,
        live: LiveAnswer | None = None,
    ) -> None:
        """Record a command as `said` and answer it with what `compose` returns; a private answer is for the asker.

        Neither it nor its answer is recorded where `said` is None. A `live` answer is shown while it is composed.
        """
        with self._in_flight.entered():
            thinking_id = await _acknowledge(interaction, private=private)
            if thinking_id is None:
                await self._composed(interaction, said, None)
                return
            shown = self._shown(interaction, private=private)
            try:
                async with (
                    self._withdrawals.watch(thinking_id) as asked,
                    live.running(shown.show_first) if live else nullcontext(),
                ):
                    reply = await self._composed(interaction, said, compose)
            except asyncio.CancelledError:
                words = interrupted(self._outbox, interaction.id, private=private)
                await self._deliver(interaction, shown, Reply([words]), said)
                raise
            if asked.is_withdrawn:
                logger.info("command %d was taken back before it was answered", interaction.id)
                return
            reply = await self._deliver(interaction, shown, reply, said)
            if reply.offer is not None:
                await self._offer(interaction, reply.offer)

    async def replace(self, interaction: discord.Interaction, *, compose: Compose) -> None:
        """Show what `compose` returns in the place of the message whose button was pressed; the press is not recorded.

        Of a reply with several messages the first is shown. What fails is told to whoever pressed, and to nobody else.
        """
        with self._in_flight.entered():
            try:
                async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                    await interaction.response.defer()
                async with asyncio.timeout(ANSWER_LIMIT.total_seconds()):
                    reply = await compose()
                await self._in_place(interaction).show(replace(reply, parts=reply.parts[:1]))
            except Exception as error:
                logger.exception("press %d not answered", interaction.id)
                await _say_instead(self._shown(interaction, private=True, is_answered=True), apology(error))

    async def deliver(
        self,
        sender: Sender,
        caller: Caller,
        compose: Callable[[LiveAnswer | None], Awaitable[Reply]],
        *,
        style: AnswerStyle | None,
    ) -> tuple[int, ...]:
        """Send the answer to a question of an earlier run, and record it; return the ids of its messages.

        It is shown how the answer comes about. Raises what `compose`, Discord or a time-out raises.
        """
        shown, live = Shown(sender, self._buttons, style or self._services.answer_style), LiveAnswer()
        async with live.running(shown.show_first):
            reply = await compose(live)
        await shown.show(reply)
        for number, message in enumerate(shown.messages):
            await self._keep(answer_of(caller, message, shown.content(number), session=self._services.session))
        return shown.ids

    async def apologise(self, interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
        """End a command that failed before or beside its answer, so that nobody waits for one."""
        with self._in_flight.entered():
            logger.error("command %d failed", interaction.id, exc_info=error)
            if interaction.response.is_done() or await _acknowledge(interaction, private=True) is not None:
                await _say_instead(self._shown(interaction, private=True), UNEXPECTED)

    def _shown(self, interaction: discord.Interaction, *, private: bool, is_answered: bool = False) -> Shown:
        sender = InteractionSender(interaction, private=private, is_answered=is_answered)
        return Shown(sender, self._buttons, self._services.answer_style)

    def _in_place(self, interaction: discord.Interaction) -> Shown:
        """Return the message whose button was pressed, to be changed; a card can never become plain text again."""
        is_card = interaction.message is not None and interaction.message.flags.components_v2
        sender = InteractionSender(interaction, private=True)
        return Shown(sender, self._buttons, AnswerStyle.CARD if is_card else AnswerStyle.TEXT)

    async def _composed(self, caller: Caller, said: str | None, compose: Compose | None) -> Reply:
        """Record the command and return its answer, or an apology."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT.total_seconds()):
                if said is not None:
                    command = command_of(caller, said, session=self._services.session)
                    await self._services.recorder.record(command, patience=JOURNAL_LIMIT)
                return await compose() if compose else Reply([])
        except Exception as error:
            logger.exception("command %d not answered", caller.id)
            return Reply([apology(error)])

    async def _deliver(self, caller: Caller, shown: Shown, reply: Reply, said: str | None) -> Reply:
        """Send the messages of an answer and record those that Discord took; whatever fails, there are words.

        Returns the reply that is shown, in which another may have taken the place of this one.
        """
        promise = reply.promise
        try:
            if promise is not None:
                await promise.sending()
            reply = await shown.show(reply if reply.parts else replace(reply, parts=[UNEXPECTED]))
            if promise is not None:
                await promise.delivered(shown.ids)
        except Exception:
            logger.exception("answer to command %d not sent whole", caller.id)
            await _say_instead(shown, UNSENDABLE if promise is None else UNSENDABLE_YET)
            if promise is not None:
                promise.failed()
        if said is not None:
            for number, message in enumerate(shown.messages):
                await self._keep(answer_of(caller, message, shown.content(number), session=self._services.session))
        return reply

    async def _offer(self, interaction: discord.Interaction, offer: Renew) -> None:
        """Tell the person alone who gave a command what else there is; the answer is there, so failures are logged."""
        try:
            async with asyncio.timeout(OFFER_LIMIT.total_seconds()):
                reply = await offer()
                if reply is not None:
                    await self._shown(interaction, private=True, is_answered=True).show(reply)
        except Exception:
            logger.exception("nothing more is offered after command %d", interaction.id)

    async def _keep(self, answer: Message) -> None:
        """Record what was answered; whoever asked has the answer already, so a journal that fails is only logged."""
        try:
            await self._services.recorder.record(answer)
        except Exception:
            logger.exception("answer %d is not in the journal", answer.message_id)


async def _acknowledge(interaction: discord.Interaction, *, private: bool) -> int | None:
    """Tell Discord within its three seconds that an answer will come; None when it came too late.

    Returns the id of the message that shows "thinking", or that of the interaction where Discord does not tell it.
    """
    try:
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            shown = await interaction.response.defer(ephemeral=private, thinking=True)
    except Exception:
        logger.exception("command %d not acknowledged", interaction.id)
        return None
    return (shown and shown.message_id) or interaction.id


async def _say_instead(shown: Shown, words: str) -> None:
    """Say why an answer is not there, if Discord takes any words."""
    try:
        await shown.say_instead(words)
    except Exception:
        logger.exception("a command is left without an answer")
