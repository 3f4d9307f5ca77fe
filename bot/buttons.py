"""What answers a command, and the buttons under it: how long they listen, and for whom."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Protocol, cast

import discord
from discord.ui.view import BaseView

from bot.running_handlers import RunningHandlers

logger = logging.getLogger(__name__)

BUTTON_LIMIT = timedelta(minutes=4)  # the answer may have taken 10 minutes of the 15 that its token lives
EDIT_LIMIT = timedelta(seconds=10)

NOT_YOURS = "Only the person who asked can use this button. You can ask me yourself with `/chat`."
PRESSED_ALREADY = "You have pressed this button already."

Control = discord.ui.Item[Any]
"""A button under a reply. One that is a discord.ui.DynamicItem outlives the process, others end after some minutes."""


class Buttons:
    """The views whose buttons wait to be pressed; they end with the bot."""

    def __init__(self, in_flight: RunningHandlers) -> None:
        self.in_flight = in_flight
        self._waiting: dict[int, _Retiring] = {}  # by the id of the message that each is under

    def add(self, view: "_Retiring", message_id: int) -> None:
        """Own a view from now on; the one that was under the same message listens no longer."""
        if (former := self._waiting.get(message_id)) is not None:
            former.stop()
        self._waiting[message_id] = view

    def discard(self, message_id: int) -> None:
        """Own the view under a message no longer."""
        self._waiting.pop(message_id, None)

    async def close(self) -> None:
        """Retire all that wait."""
        await asyncio.gather(*(view.retire() for view in tuple(self._waiting.values())))


class _Retiring(BaseView):
    """A view that ends after some minutes, or with the bot, unless all of its buttons outlive this process."""

    def __init__(self, controls: tuple[Control, ...], buttons: Buttons) -> None:
        lasting = [isinstance(control, discord.ui.DynamicItem) for control in controls]
        if any(lasting) and not all(lasting):  # the end of the others would end those, in all messages
            raise ValueError("the buttons under a message have to be all lasting, or none of them")
        super().__init__(timeout=None if all(lasting) else BUTTON_LIMIT.total_seconds())
        self._is_lasting = all(lasting)
        self._buttons = buttons
        self._message: discord.Message | None = None

    def shown_on(self, message: discord.Message) -> None:
        """Take charge of the message that the buttons have been sent with, unless they outlive this process."""
        self._message = message
        if not self._is_lasting:
            self._buttons.add(self, message.id)

    async def retire(self) -> None:
        """Listen no longer, and let the buttons look so."""
        self.stop()
        for item in self.walk_children():
            if isinstance(item, discord.ui.Button):
                item.disabled = True
        if self._message is None:
            return
        self._buttons.discard(self._message.id)
        try:
            async with asyncio.timeout(EDIT_LIMIT.total_seconds()):
                await self._message.edit(view=cast("Any", self))
        except Exception as error:  # noqa: BLE001 - nothing is lost, whatever it is: the buttons do nothing now
            logger.info("the buttons of message %d still look alive: %r", self._message.id, error)

    async def on_timeout(self) -> None:
        """Retire buttons that nobody has pressed."""
        with self._buttons.in_flight.entered():
            await self.retire()


class ReplyView(_Retiring, discord.ui.View):
    """The buttons under a message of text."""

    def __init__(self, controls: tuple[Control, ...], buttons: Buttons) -> None:
        super().__init__(controls, buttons)
        for control in controls:
            self.add_item(control)


class ReplyCard(_Retiring, discord.ui.LayoutView):
    """A message made of components: `items` are its texts and rows, with the controls among them."""

    def __init__(self, items: Iterable[Control], controls: tuple[Control, ...], buttons: Buttons) -> None:
        super().__init__(controls, buttons)
        for item in items:
            self.add_item(item)


class AskersButton(discord.ui.Button[ReplyView | ReplyCard]):
    """A button that does something with a question once more; it is the asker's, and works once.

    `repeat` gets the press and the button; it acknowledges the press, and retires the button.
    """

    words: ClassVar[str]

    def __init__(self, *, asker_id: int, repeat: "Repeat", buttons: Buttons) -> None:
        super().__init__(style=discord.ButtonStyle.secondary, label=self.words)
        self._asker_id = asker_id
        self._repeat = repeat
        self._buttons = buttons
        self._pressed = False

    async def retire(self) -> None:
        """Retire the view that the button is in."""
        if self.view is not None:
            await self.view.retire()

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let the asker alone press the button, and tell the others."""
        if interaction.user.id == self._asker_id and not self._pressed:
            self._pressed = True  # at once: a second press may be on its way
            return True
        with self._buttons.in_flight.entered():
            words = PRESSED_ALREADY if interaction.user.id == self._asker_id else NOT_YOURS
            async with asyncio.timeout(EDIT_LIMIT.total_seconds()):
                await interaction.response.send_message(words, ephemeral=True)
        return False

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do it again; whoever repeats the question acknowledges the press, and retires the button."""
        await self._repeat(interaction, self)


Repeat = Callable[[discord.Interaction, AskersButton], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What answers a command: texts, sources and notes under them, and buttons at the end, from left to right.

    Each of the `parts` begins a message, and is split where it is longer than one may be. `sources` and `notes` are
    lines; a list that is no prose may have an `accent`, a colour. `renew` is called before each message is sent or
    edited: it returns None while the reply may be shown as it is, and otherwise what to show in its place. `offer` is
    called once all of it is shown, and returns what to tell the person alone who gave the command, if anything. A
    `promise` is told how the delivery goes.
    """

    parts: list[str]
    buttons: tuple[Control, ...] = ()
    renew: "Renew | None" = None
    offer: "Renew | None" = None
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accent: discord.Colour | None = None
    promise: "Promise | None" = None


class Promise(Protocol):
    """What is owed to somebody who asked; whoever sends a reply tells it how that goes."""

    async def sending(self) -> None:
        """Note that the reply is about to be sent."""

    async def delivered(self, message_ids: Sequence[int]) -> None:
        """Note that Discord has taken all of the reply, and in which message it begins."""

    def failed(self) -> None:
        """Note that Discord has not taken the reply: it is sent again later."""


Renew = Callable[[], Awaitable[Reply | None]]
"""What a reply calls for another one; None where nothing is to be said."""
