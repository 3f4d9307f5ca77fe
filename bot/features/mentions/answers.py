"""Answer a message that mentions the bot or replies to it, in the channel where it was sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import discord

from bot.answering import Asking
from bot.audience import must_be_private
from bot.buttons import Reply
from bot.caller import MessageCaller
from bot.command_runner import ANSWER_LIMIT, apology, interrupted
from bot.events import answer_of
from bot.features.mentions.chain import pointed_at_by
from bot.live_answer import CHANNEL_EDIT_GAP, LiveAnswer
from bot.parts import Parts
from bot.rendering import render_text
from bot.shown import ChannelSender, Shown
from bot.typing_indicator import typing_in
from errors import TemporaryError
from memory.answers.kept import Posted
from memory.question.parse import LONGEST_QUESTION

logger = logging.getLogger(__name__)

ABOUT_WHAT = "What is this about?"
"""What is asked about a message by somebody who does not say what."""

HOW_TO_ASK = "Ask me about what was said here, as in `@{} when is the deploy?`; `/help` tells what else I can do."
ASK_QUIETLY = "I cannot see who reads here, so please ask me with `/chat`: then only you see my answer."

DELETE_LIMIT = timedelta(seconds=30)
_MOST_KNOWN = 1000  # questions whose answers go when they are deleted
_DISCORDS = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)
"""What fails on the way to Discord, or is refused there: a line in the log says which."""


def question_in(content: str, me: int) -> str:
    """Return what a message asks, without the mention of the bot `me` by which it asks."""
    without = content.replace(f"<@{me}>", " ").replace(f"<@!{me}>", " ")
    return without.strip()[:LONGEST_QUESTION]


class Mentions:
    """Answers messages that ask the bot, each in a reply that pings nobody; an answer goes with its question."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._shown: dict[int, Shown] = {}
        """What answers the newest questions, by their ids."""
        self._live: set[int] = set()
        """The channels in which an answer is shown while it comes about; others there are shown once."""

    async def answer(self, message: discord.Message) -> None:
        """Answer a message that asks the bot, unless the bot may not speak there; nothing is raised."""
        caller = MessageCaller(message, self._parts.client)
        with self._parts.in_flight.entered():
            if not _may_speak(caller):
                logger.info("question %d is not answered: the bot may not write in its channel", message.id)
                return
            style, withdrawals = self._parts.services.answer_style, self._parts.withdrawals
            shown = Shown(ChannelSender(caller), self._parts.buttons, style)
            try:
                async with withdrawals.watch(message.id) as asked, self._shown_live(shown, message.channel.id) as live:
                    reply = await self._composed(caller, live)
            except asyncio.CancelledError:
                words = interrupted(self._parts.outbox, message.id, private=False)
                await self._deliver(caller, shown, Reply([words]))
                raise
            if asked.is_withdrawn:
                logger.info("question %d was deleted before it was answered", message.id)
                await _take_back(shown.messages, message.id)
                return
            await self._deliver(caller, shown, reply)  # whole: half of a request to Discord cannot be taken back
            self._keep(message.id, shown)
            if withdrawals.is_gone(message.id):
                await self.deleted([message.id])

    async def deleted(self, message_ids: Collection[int]) -> None:
        """Delete the answers to questions that were deleted, also to those of earlier runs, and let none be owed."""
        with self._parts.in_flight.entered():
            known = self._shown.keys() & message_ids
            for message_id in known:
                await _take_back(self._shown.pop(message_id).messages, message_id)
            for posted in await self._posted_before(set(message_ids) - known):
                channel = self._parts.client.get_partial_messageable(posted.channel_id)
                await _take_back([channel.get_partial_message(posted.message_id)], posted.question_id)

    async def _posted_before(self, message_ids: Collection[int]) -> list[Posted]:
        """Return where answers to these questions still stand, as far as they are kept."""
        answers = self._parts.services.answers
        if answers is None or not message_ids:
            return []
        try:
            return await answers.withdraw(message_ids, now=self._parts.services.clock())
        except TemporaryError as error:
            logger.warning("answers to what was deleted may still be there: %r", error)
            return []

    @asynccontextmanager
    async def _shown_live(self, shown: Shown, channel_id: int) -> AsyncGenerator[LiveAnswer | None]:
        """Show how an answer comes about, unless another one is shown so in its channel."""
        if channel_id in self._live:
            yield None
            return
        live = LiveAnswer()
        self._live.add(channel_id)
        try:
            async with live.running(shown.show_first, gap=CHANNEL_EDIT_GAP):
                yield live
        finally:
            self._live.discard(channel_id)

    async def _composed(self, caller: MessageCaller, live: LiveAnswer | None) -> Reply:
        """Return what answers a message, or an apology; whoever sees the channel sees the bot typing meanwhile."""
        try:
            async with asyncio.timeout(ANSWER_LIMIT.total_seconds()), typing_in(caller.channel):
                return await self._reply(caller, live)
        except Exception as error:
            logger.exception("question %d is not answered", caller.id)
            return Reply([apology(error)])

    async def _reply(self, caller: MessageCaller, live: LiveAnswer | None) -> Reply:
        me = self._parts.client.user
        if me is None:
            raise RuntimeError("a bot that is not logged in hears no messages")
        if must_be_private(caller, self._parts.readers):
            return Reply(render_text(ASK_QUIETLY))
        about = await pointed_at_by(caller.message, me.id)
        text = question_in(caller.message.content, me.id) or (ABOUT_WHAT if about else "")
        if not text:
            return Reply(render_text(HOW_TO_ASK.format(me.display_name)))
        return await self._parts.chat.reply(Asking(caller=caller, text=text, private=False, about=about), live=live)

    async def _deliver(self, caller: MessageCaller, shown: Shown, reply: Reply) -> None:
        """Show an answer and record what Discord took of it."""
        promise = reply.promise
        try:
            if promise is not None:
                await promise.sending()
            await shown.show(reply)
            if promise is not None:
                await promise.delivered(shown.ids)
        except Exception as error:
            if isinstance(error, _DISCORDS):
                logger.warning("the answer to question %d is not sent whole: %r", caller.id, error)
            else:
                logger.exception("the answer to question %d is not sent whole", caller.id)
            if promise is not None:
                promise.failed()
        services = self._parts.services
        for number, message in enumerate(shown.messages):
            try:
                state = answer_of(caller, message, shown.content(number), session=services.session)
                await services.recorder.record(state)
            except Exception:
                logger.exception("answer %d is not in the journal", message.id)

    def _keep(self, question_id: int, shown: Shown) -> None:
        """Remember what answers a question, until there are many newer ones."""
        if shown.messages:
            self._shown[question_id] = shown
        while len(self._shown) > _MOST_KNOWN:
            del self._shown[next(iter(self._shown))]


def _may_speak(caller: MessageCaller) -> bool:
    """Return whether the bot may write where it is asked."""
    if caller.guild is None:
        return True
    rights = caller.app_permissions
    return rights.send_messages_in_threads if isinstance(caller.channel, discord.Thread) else rights.send_messages


async def _take_back(messages: Iterable[discord.Message | discord.PartialMessage], question_id: int) -> None:
    """Delete what answers a question that was deleted: it would stand there as an answer to nothing."""
    for message in messages:
        try:
            async with asyncio.timeout(DELETE_LIMIT.total_seconds()):
                await message.delete()
        except discord.NotFound:
            continue
        except _DISCORDS as error:
            logger.warning("an answer to the deleted question %d is still there: %r", question_id, error)
