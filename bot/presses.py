"""Do what the buttons under answers are for, for whoever presses and with what they may read by now."""

import asyncio
import logging
from datetime import timedelta
from typing import Protocol

import discord

from bot.answer_buttons import Action
from bot.asked import AskedQuestion, AskedQuestions
from bot.buttons import NOT_YOURS
from bot.running_handlers import RunningHandlers
from bot.services import Services
from memory.answers.kept import Rating

logger = logging.getLogger(__name__)

LOOK_UP_LIMIT = timedelta(seconds=1.5)  # Discord wants a press acknowledged within three seconds
SAY_LIMIT = timedelta(seconds=10)

UNDER_WAY = "I am already at it: please wait a moment."
NOT_KNOWN = "I do not know this question any more, so this button does nothing now. Please ask again with `/chat`."
CANNOT_LOOK_UP = "I cannot look up this question just now. Please press again in a few minutes."
THANKS = {
    Rating.UP: "Thank you: noted that this answer was good.",
    Rating.DOWN: "Thank you: noted that this answer was not good.",
}

_ASKERS = {Action.ALL_TIME, Action.AGAIN, Action.REST}
_RATINGS = {Action.UP: Rating.UP, Action.DOWN: Rating.DOWN}


class AnswersPresses(Protocol):
    """Answers, by an interaction, what is asked about an earlier question."""

    async def ask_again(self, interaction: discord.Interaction, question: AskedQuestion, *, all_time: bool) -> None:
        """Answer a question once more."""

    async def show_rest(self, interaction: discord.Interaction, question: AskedQuestion) -> None:
        """Show the asker what they alone may read."""

    async def show_sources(self, interaction: discord.Interaction, question: AskedQuestion) -> None:
        """Show whoever presses what the answer cites, as far as they may read it."""


class Presses:
    """Takes the presses of the buttons under answers; those of one person on one button come one after the other."""

    def __init__(
        self,
        services: Services,
        in_flight: RunningHandlers,
        *,
        questions: AskedQuestions,
        answers: AnswersPresses,
    ) -> None:
        self._services = services
        self._in_flight = in_flight
        self._questions = questions
        self._answers = answers
        self._under_way: set[tuple[int, Action, int]] = set()

    async def take(self, interaction: discord.Interaction, action: Action, question_id: int) -> None:
        """Do what a button is for, or say in a sentence why that cannot be; nothing is raised."""
        press = (question_id, action, interaction.user.id)
        with self._in_flight.entered():
            try:
                if press in self._under_way:
                    await _whisper(interaction, UNDER_WAY)
                    return
                self._under_way.add(press)
                try:
                    await self._do(interaction, action, question_id)
                finally:
                    self._under_way.discard(press)
            except Exception:
                logger.exception("press %d of %s does nothing", interaction.id, action)

    async def _do(self, interaction: discord.Interaction, action: Action, question_id: int) -> None:
        try:
            async with asyncio.timeout(LOOK_UP_LIMIT.total_seconds()):
                question = await self._questions.get(question_id)
                is_rated = question is not None and await self._rate(interaction, action, question_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever presses waits for words
            logger.warning("question %d is not looked up: %r", question_id, error)
            await _whisper(interaction, CANNOT_LOOK_UP)
            return
        if question is None:
            await _whisper(interaction, NOT_KNOWN)
        elif action in _ASKERS and interaction.user.id != question.asker_id:
            await _whisper(interaction, NOT_YOURS)
        elif action in _RATINGS:
            await _whisper(interaction, THANKS[_RATINGS[action]] if is_rated else NOT_KNOWN)
        else:
            await self._answer(interaction, action, question)

    async def _rate(self, interaction: discord.Interaction, action: Action, question_id: int) -> bool:
        """Keep the thumb of whoever pressed, if that is what the button is for; return whether it is kept."""
        if action not in _RATINGS:
            return False
        now = self._services.clock()
        return await self._questions.rate(question_id, interaction.user.id, _RATINGS[action], at=now)

    async def _answer(self, interaction: discord.Interaction, action: Action, question: AskedQuestion) -> None:
        match action:
            case Action.SOURCES:
                await self._answers.show_sources(interaction, question)
            case Action.REST:
                await self._answers.show_rest(interaction, question)
            case _:
                is_wider = action is Action.ALL_TIME
                await self._answers.ask_again(interaction, question, all_time=question.all_time or is_wider)


async def _whisper(interaction: discord.Interaction, words: str) -> None:
    """Tell words to whoever pressed, and to nobody else."""
    async with asyncio.timeout(SAY_LIMIT.total_seconds()):
        await interaction.response.send_message(words, ephemeral=True)
