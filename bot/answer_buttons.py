"""The buttons under an answer: each names its question, so that it can be pressed after a restart too."""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, Self

import discord

from agent.types import Answer, Outcome
from bot.buttons import Control

SOURCES = "Sources"
SEARCH_ALL_TIME = "Search all time"
SHOW_REST = "Show them to me"
ASK_AGAIN = "Ask again"
UP, DOWN = "\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}"


class Action(StrEnum):
    """What a button does."""

    SOURCES = "sources"
    ALL_TIME = "all"
    REST = "rest"  # what the asker alone may read
    AGAIN = "again"
    UP = "up"
    DOWN = "down"


LABELS = {
    Action.SOURCES: SOURCES,
    Action.ALL_TIME: SEARCH_ALL_TIME,
    Action.REST: SHOW_REST,
    Action.AGAIN: ASK_AGAIN,
    Action.UP: UP,
    Action.DOWN: DOWN,
}
_THUMBS = {Action.UP, Action.DOWN}
_WITHOUT_ANSWER = {Outcome.FAILED, Outcome.MEMORY_UNREACHABLE, Outcome.TURNED_AWAY}

CUSTOM_ID = re.compile(r"bs:(?P<action>sources|all|rest|again|up|down):(?P<question>[0-9]{1,19})")

Press = Callable[[discord.Interaction, Action, int], Awaitable[None]]
"""Does what a button is for; it gets the press, and the id of the question."""


class AnswerButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=CUSTOM_ID):
    """A button under the answer to a question."""

    def __init__(self, action: Action, question_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                style=discord.ButtonStyle.secondary,
                label=None if action in _THUMBS else LABELS[action],
                emoji=LABELS[action] if action in _THUMBS else None,
                custom_id=f"bs:{action}:{question_id}",
            )
        )
        self.action = action
        self.question_id = question_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        return cls(Action(match["action"]), int(match["question"]))


class AnswerButtons:
    """Makes the buttons under answers; each press is handed to `press`."""

    def __init__(self, press: Press) -> None:
        class Pressed(AnswerButton, template=CUSTOM_ID):
            async def callback(self, interaction: discord.Interaction) -> None:
                await press(interaction, self.action, self.question_id)

        self.kind: type[AnswerButton] = Pressed
        """What a client has to listen for: `client.add_dynamic_items(buttons.kind)`."""

    def under(self, answer: Answer, question_id: int) -> tuple[Control, ...]:
        """Return the buttons that make sense under an answer; never more than fit side by side."""
        return tuple(self.kind(action, question_id) for action in _actions(answer))

    def rest(self, question_id: int) -> Control:
        """Return the button that shows what the asker alone may read; only they may see that there is one."""
        return self.kind(Action.REST, question_id)


def actions_under(messages: Iterable[discord.Message]) -> tuple[Action, ...]:
    """Return what the buttons under messages of one answer do."""
    rows = (row for message in messages for row in message.components if isinstance(row, discord.ActionRow))
    ids = (CUSTOM_ID.fullmatch(getattr(button, "custom_id", None) or "") for row in rows for button in row.children)
    return tuple(Action(found["action"]) for found in ids if found)


def _actions(answer: Answer) -> Iterator[Action]:
    if answer.sources:
        yield Action.SOURCES
    if answer.is_limited:
        yield Action.ALL_TIME
    yield Action.AGAIN
    if answer.outcome not in _WITHOUT_ANSWER:
        yield from (Action.UP, Action.DOWN)
