"""The buttons under an answer: search all time instead, and see what only the asker may read."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Self

import discord

from bot.running_handlers import RunningHandlers

logger = logging.getLogger(__name__)

BUTTON_LIMIT = timedelta(minutes=4)  # the answer may have taken 10 minutes of the 15 that its token lives
EDIT_LIMIT = timedelta(seconds=10)

SEARCH_ALL_TIME = "Search all time"
SHOW_REST = "Show them to me"
NOT_YOURS = "Only the person who asked can use this button. You can ask me yourself with `/chat`."
PRESSED_ALREADY = "You have pressed this button already."


class AskersButton(discord.ui.View):
    """A button that does something with a question once more; it is the asker's, and works once.

    `repeat` gets the press and the button; it acknowledges the press, and retires the button.
    """

    label: ClassVar[str]

    def __init__(
        self, *, asker_id: int, repeat: Callable[[discord.Interaction, Self], Awaitable[None]], buttons: "Buttons"
    ) -> None:
        super().__init__(timeout=BUTTON_LIMIT.total_seconds())
        self.press.label = self.label
        self._asker_id = asker_id
        self._repeat = repeat
        self._buttons = buttons
        self._message: discord.Message | None = None
        self._pressed = False

    def shown_on(self, message: discord.Message) -> None:
        """Take charge of the message that the button has been sent with."""
        self._message = message
        self._buttons.add(self)

    async def retire(self) -> None:
        """Listen no longer, and let the button look so."""
        self.stop()
        self._buttons.discard(self)
        self.press.disabled = True
        if self._message is None:
            return
        try:
            async with asyncio.timeout(EDIT_LIMIT.total_seconds()):
                await self._message.edit(view=self)
        except Exception as error:  # noqa: BLE001 - nothing is lost, whatever it is: the button does nothing now
            logger.info("the button of message %d still looks alive: %r", self._message.id, error)

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

    @discord.ui.button(style=discord.ButtonStyle.secondary)
    async def press(self, interaction: discord.Interaction, _: discord.ui.Button[Self]) -> None:
        """Do it again; whoever repeats the question acknowledges the press, and retires the button."""
        await self._repeat(interaction, self)

    async def on_timeout(self) -> None:
        """Retire a button that nobody has pressed."""
        with self._buttons.in_flight.entered():
            await self.retire()


class AllTimeButton(AskersButton):
    """Asks a question again over all time."""

    label = SEARCH_ALL_TIME


class RestButton(AskersButton):
    """Shows what the asker alone may read."""

    label = SHOW_REST


class Buttons:
    """The buttons that wait to be pressed; they end with the bot."""

    def __init__(self, in_flight: RunningHandlers) -> None:
        self.in_flight = in_flight
        self._waiting: set[AskersButton] = set()

    def add(self, button: AskersButton) -> None:
        """Own a button from now on."""
        self._waiting.add(button)

    def discard(self, button: AskersButton) -> None:
        """Own a button no longer."""
        self._waiting.discard(button)

    async def close(self) -> None:
        """Retire all that wait."""
        await asyncio.gather(*(button.retire() for button in tuple(self._waiting)))


@dataclass(frozen=True, slots=True)
class Reply:
    """The messages that answer a command, and the button under the last of them.

    `renew` is called before each message is sent or edited: it returns None while the reply may be shown as it is,
    and otherwise what to show in its place. `offer` is called once all of it is shown, and returns what to tell the
    person alone who gave the command, if anything.
    """

    parts: list[str]
    button: AskersButton | None = None
    renew: "Renew | None" = None
    offer: "Renew | None" = None


Renew = Callable[[], Awaitable[Reply | None]]
"""What a reply calls for another one; None where nothing is to be said."""
