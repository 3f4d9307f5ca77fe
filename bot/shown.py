"""Show a reply as messages, through an interaction or in a channel, and change what is shown."""

import asyncio
from datetime import timedelta
from typing import Any, Protocol

import discord

from bot.buttons import Buttons, Renew, Reply
from bot.caller import MessageCaller
from bot.layout import AnswerStyle, Posting, laid_out

SEND_LIMIT = timedelta(seconds=30)  # for one request to Discord, with the pauses that it may ask for


class Sender(Protocol):
    """Sends the messages of one reply."""

    async def send(self, *, first: bool, **fields: Any) -> discord.Message:
        """Send one, the first or a further one, with these fields of discord.py's `send`."""


class InteractionSender:
    """Answers an interaction; the first message takes the place of "thinking", unless that `is_answered` already."""

    def __init__(self, interaction: discord.Interaction, *, private: bool, is_answered: bool = False) -> None:
        self._interaction = interaction
        self._private = private
        self._is_answered = is_answered

    async def send(self, *, first: bool, **fields: Any) -> discord.Message:
        """Send a message."""
        if first and not self._is_answered:
            return await self._interaction.edit_original_response(**fields)
        message: discord.Message = await self._interaction.followup.send(ephemeral=self._private, wait=True, **fields)
        return message


class ChannelSender:
    """Answers a message in its channel; the first answer is a reply to it, which does not ping."""

    def __init__(self, caller: MessageCaller) -> None:
        self._caller = caller

    async def send(self, *, first: bool, **fields: Any) -> discord.Message:
        """Send a message."""
        if first and self._may_reply():
            fields |= {"reference": self._caller.message.to_reference(), "mention_author": False}
        message: discord.Message = await self._caller.channel.send(**fields)
        return message

    def _may_reply(self) -> bool:
        """Return whether Discord takes a reply: to one who may not read the history there it refuses it."""
        return self._caller.guild is None or self._caller.app_permissions.read_message_history


class Shown:
    """The messages that show a reply."""

    def __init__(self, sender: Sender, buttons: Buttons, style: AnswerStyle) -> None:
        self.style = style
        self._sender = sender
        self._buttons = buttons
        self._postings: list[Posting] = []
        self.messages: list[discord.Message] = []
        self.is_outdated = False
        """Whether what is shown may not be shown any more."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of its messages."""
        return tuple(message.id for message in self.messages)

    def content(self, number: int) -> str:
        """Return what the message of a number, from 0, was made to say."""
        return self._postings[number].content

    async def put(self, number: int, posting: Posting) -> None:
        """Show something as the message of this number, from 0: one that is there already is edited if that changes it.

        Raises TimeoutError, or what discord.py raises.
        """
        if self._postings[number : number + 1] == [posting] and not posting.controls:
            return
        view = posting.view(self._buttons)
        fields = posting.fields(view)
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            if number < len(self.messages):
                self.messages[number] = await self.messages[number].edit(**fields | {"view": view})
                self._postings[number] = posting
            else:
                self.messages.append(await self._sender.send(first=not self.messages, **fields))
                self._postings.append(posting)
        if view and posting.controls:
            view.shown_on(self.messages[number])

    async def cut(self, length: int) -> None:
        """Take away the messages beyond so many."""
        while len(self.messages) > length:
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                await self.messages[-1].delete()
            self.messages.pop()
            self._postings.pop()

    async def show_first(self, reply: Reply) -> None:
        """Show the first message of a reply alone."""
        await self.put(0, laid_out(reply, self.style)[0])

    async def show(self, reply: Reply) -> Reply:
        """Show a reply, or what takes its place when it may not be shown any more; return the one that is shown.

        Whether it may is asked before each message, as those that are read there may change at any time.
        """
        postings = laid_out(reply, self.style)
        number = 0
        while number < len(postings):
            if reply.renew is not None and (newer := await self._renewed(reply.renew)) is not None:
                reply, number = newer, 0
                postings = laid_out(reply, self.style)
                continue
            await self.put(number, postings[number])
            number += 1
        await self.cut(number)
        self.is_outdated = False
        return reply

    async def _renewed(self, renew: Renew) -> Reply | None:
        """Return what takes the place of a reply, if anything; all that is shown is outdated until then."""
        was_outdated, self.is_outdated = self.is_outdated, True
        newer = await renew()
        self.is_outdated = was_outdated or newer is not None
        return newer

    async def say_instead(self, words: str) -> None:
        """Say why an answer is not there: under what was shown of it where that may stay."""
        (posting,) = laid_out(Reply([words]), self.style)
        await self.put(0 if self.is_outdated else len(self.messages), posting)
        if self.is_outdated:
            await self.cut(1)
