"""The buttons under a reply: several in a row, and pages that turn in the place of the message."""

from collections.abc import Awaitable, Callable

import discord
import pytest
import simcord

from agent.types import Answer
from bot.buttons import BUTTON_LIMIT, Buttons, Reply
from bot.client import Bot
from bot.command_runner import UNEXPECTED, CommandRunner
from bot.running_handlers import RunningHandlers
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import buttons, seen

Press = Callable[[discord.Interaction], Awaitable[None]]


class Turning(discord.ui.Button[discord.ui.LayoutView]):
    """Calls a function when it is pressed."""

    def __init__(self, label: str, press: Press) -> None:
        super().__init__(label=label)
        self._press = press

    async def callback(self, interaction: discord.Interaction) -> None:
        """Do what the button is for."""
        await self._press(interaction)


class Book:
    """A command whose reply has pages."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner

    def page(self, number: int) -> Reply:
        """Return a page, with buttons to the one before and the one behind it."""

        async def turn(interaction: discord.Interaction, *, by: int) -> None:
            async def compose() -> Reply:
                return self.page(number + by)

            await self._runner.replace(interaction, compose=compose)

        async def back(interaction: discord.Interaction) -> None:
            await turn(interaction, by=-1)

        async def forward(interaction: discord.Interaction) -> None:
            await turn(interaction, by=1)

        if number < 0:
            raise IndexError(number)
        return Reply([f"page {number}"], (Turning("back", back), Turning("forward", forward)))

    async def open(self, interaction: discord.Interaction) -> None:
        """Answer the command."""

        async def compose() -> Reply:
            return self.page(0)

        await self._runner.run(interaction, said="/book", private=False, compose=compose)


@pytest.fixture
def simcord_bot() -> Bot:
    """A bot with one more command."""
    given = services(FakeRecorder(), FakeAsker(Answer(text="")))
    bot = Bot(given)
    book = Book(CommandRunner(given, Buttons(RunningHandlers())))
    bot.tree.add_command(discord.app_commands.Command(name="book", description="Pages.", callback=book.open))
    return bot


@pytest.fixture
async def opened(simcord_env: simcord.Env) -> tuple[simcord.MemberActor, simcord.results.ResponseMessage]:
    """Somebody who has opened the book, and the message that shows it."""
    guild = simcord_env.create_guild("Guild")
    ana = guild.add_member(simcord_env.create_user("ana"))
    response = (await ana.slash(guild.create_text_channel("general"), "book")).response
    assert response is not None
    return ana, response


async def test_a_reply_may_have_several_buttons_in_a_row(
    opened: tuple[simcord.MemberActor, simcord.results.ResponseMessage],
) -> None:
    _, message = opened

    assert buttons(message) == {"back": True, "forward": True}


async def test_a_press_shows_another_reply_in_the_place_of_the_message(
    opened: tuple[simcord.MemberActor, simcord.results.ResponseMessage],
) -> None:
    ana, message = opened

    await ana.click(message, label="forward")
    await ana.click(message, label="forward")
    await ana.click(message, label="back")

    assert seen(message) == "page 1"
    assert len(buttons(message)) == 2


async def test_a_press_that_fails_is_told_to_whoever_pressed(
    opened: tuple[simcord.MemberActor, simcord.results.ResponseMessage],
) -> None:
    ana, message = opened

    pressed = await ana.click(message, label="back")

    assert [(seen(words), words.ephemeral) for words in pressed.followups] == [(UNEXPECTED, True)]
    assert seen(message) == "page 0"


async def test_a_page_that_was_turned_keeps_its_buttons_until_nobody_has_pressed_them_for_some_minutes(
    simcord_env: simcord.Env, opened: tuple[simcord.MemberActor, simcord.results.ResponseMessage]
) -> None:
    ana, message = opened

    await simcord_env.advance_time(BUTTON_LIMIT.total_seconds() - 10)
    await ana.click(message, label="forward")
    await simcord_env.advance_time(20)
    after_the_first_page_would_have_ended = buttons(message)
    await simcord_env.advance_time(BUTTON_LIMIT.total_seconds())

    assert after_the_first_page_would_have_ended == {"back": True, "forward": True}
    assert buttons(message) == {"back": False, "forward": False}
    assert seen(message) == "page 1"
