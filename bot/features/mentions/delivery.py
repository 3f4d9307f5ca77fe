"""Show a reply in the channel of the message that it answers."""

import asyncio
from typing import Any

import discord

from bot.buttons import Buttons, Reply, ReplyView
from bot.caller import MessageCaller
from bot.command_runner import UNEXPECTED
from bot.shown import SEND_LIMIT


class ShownInChannel:
    """The messages that answer a message: the first is a reply to it, and none of them pings anybody."""

    def __init__(self, caller: MessageCaller, buttons: Buttons) -> None:
        self.caller = caller
        self._buttons = buttons
        self.messages: list[discord.Message] = []

    async def show(self, reply: Reply) -> None:
        """Show a reply, or what takes its place when it may not be shown any more.

        Whether it may is asked before each message, as those that are read there may change at any time.
        """
        number = 0
        while number < max(1, len(reply.parts)):
            if reply.renew is not None and (newer := await reply.renew()) is not None:
                reply, number = newer, 0
                continue
            parts = reply.parts or [UNEXPECTED]
            is_last = number == len(parts) - 1
            view = ReplyView(reply.buttons, self._buttons) if reply.buttons and is_last else None
            await self._put(number, parts[number], view or discord.utils.MISSING)
            if view:
                view.shown_on(self.messages[number])
            number += 1
        while len(self.messages) > number:
            await self.messages.pop().delete()

    async def _put(self, number: int, text: str, view: Any) -> None:
        nobody = discord.AllowedMentions.none()
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            if number < len(self.messages):
                edited = self.messages[number].edit(content=text, allowed_mentions=nobody, view=view or None)
                self.messages[number] = await edited
                return
            reference: dict[str, Any] = {}
            if number == 0 and self._may_reply():
                reference = {"reference": self.caller.message.to_reference(), "mention_author": False}
            sent = self.caller.channel.send(text, allowed_mentions=nobody, view=view, **reference)
            self.messages.append(await sent)

    def _may_reply(self) -> bool:
        """Return whether Discord takes a reply: to one who may not read the history there it refuses it."""
        return self.caller.guild is None or self.caller.app_permissions.read_message_history
