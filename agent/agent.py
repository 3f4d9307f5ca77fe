"""Answer questions from memory, and fall back to quotations when the language model does not answer."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from agent.answers import Answer, Question
from agent.citations import cited_numbers, with_sources
from agent.context import Recall
from agent.conversations import ConversationKey, Conversations, Turn
from agent.drafts import Draft
from agent.evidence import Evidence
from agent.history import finished_turn, fitting
from agent.language_model import LanguageModel
from agent.quotation import quote
from agent.reading import Reading, read_question, read_without_memory
from errors import DatabaseUnavailableError, ModelUnavailableError
from memory.messages import Message

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

MODEL_FAILED = "The language model did not answer, so these are quotes from memory."
MEMORY_OUT = "The memory of this chat cannot be reached just now, so I cannot look anything up. Please try again later."
FORGETFUL = "Earlier questions could not be looked up, so this answer does not build on them."
UNSAVED = "This turn could not be saved, so a later question cannot build on it."
UNCHECKED = "The citations could not be checked a second time; a message may have been deleted just now."
UNCITED = "This answer cites no message."
HALF_READ = "Memory did not answer when the question was read, so a channel or discussion that it names was not found."


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a question may take, how often the model may speak, and how much of the past it sees.

    `timeout` bounds the model's whole run, `quotes_timeout` the reading of the question and the search for quotations
    without a model.
    """

    max_steps: int = 6
    timeout: timedelta = timedelta(seconds=60)
    quotes_timeout: timedelta = timedelta(seconds=30)
    history_tokens: int = 2000


class Agent:
    """Answers questions with one model over one memory; conversations are kept per channel and person.

    Without a model, `create_model` None, it quotes what it finds.
    """

    def __init__(
        self,
        create_model: "Callable[[], BaseChatModel] | None",
        *,
        memory: Recall,
        conversations: Conversations | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._memory = memory
        self._model = None if create_model is None else LanguageModel(create_model, max_steps=self._limits.max_steps)
        self._conversations = conversations
        self._turns: WeakValueDictionary[ConversationKey, asyncio.Lock] = WeakValueDictionary()

    async def ready(self) -> None:
        """Wait until the language model is loaded, if there is one; raise ChatModelError when it cannot be.

        Questions may come before: until then, and when it fails, they are answered as far as they can be.
        """
        if self._model is not None:
            await self._model.ready()

    async def ask(self, question: Question) -> Answer:
        """Answer a question; one person's questions in one channel are answered one after the other.

        A model that fails, a database that does not answer: the answer says so in its notes or its text. Nothing is
        raised for them.
        """
        key = ConversationKey(question.channel_id, question.asker_id, question.private)
        taking_turns = self._turns.setdefault(key, asyncio.Lock())
        async with taking_turns:
            return await self._converse(key, question)

    async def _converse(self, key: ConversationKey, question: Question) -> Answer:
        if self._conversations is None or self._limits.history_tokens == 0:
            return await self._answer(question, ())
        try:
            history = fitting(await self._conversations.recall(key), max_tokens=self._limits.history_tokens)
        except DatabaseUnavailableError as error:
            logger.warning("%s not read: %r", key, error.__cause__)
            return _with_notes(await self._answer(question, ()), FORGETFUL)
        answer = await self._answer(question, history)
        if answer.text == MEMORY_OUT:
            return answer
        try:
            await self._conversations.append(key, finished_turn(question, answer, history))
        except DatabaseUnavailableError as error:
            logger.warning("%s not saved: %r", key, error.__cause__)
            return _with_notes(answer, UNSAVED)
        return answer

    async def _answer(self, question: Question, history: Sequence[Turn]) -> Answer:
        reading = await self._read(question)
        answer = await self._written(question, reading, history)
        return answer if reading.complete or answer.text == MEMORY_OUT else _with_notes(answer, HALF_READ)

    async def _read(self, question: Question) -> Reading:
        try:
            async with asyncio.timeout(self._limits.quotes_timeout.total_seconds()):
                return await read_question(question, memory=self._memory)
        except (DatabaseUnavailableError, TimeoutError) as error:
            logger.warning("a question in channel %d was read without memory: %r", question.channel_id, error)
            return read_without_memory(question)

    async def _written(self, question: Question, reading: Reading, history: Sequence[Turn]) -> Answer:
        if self._model is None:
            return await self._quotations(question, reading)
        try:
            async with asyncio.timeout(self._limits.timeout.total_seconds()):
                written = await self._model.draft(question, reading=reading, memory=self._memory, history=history)
        except (ModelUnavailableError, TimeoutError) as error:
            logger.warning(
                "channel %d is answered with quotations: %r, from %r",
                question.channel_id,
                error,
                error.__cause__,
            )
            quotations = await self._quotations(question, reading)
            return quotations if quotations.text == MEMORY_OUT else _with_notes(quotations, MODEL_FAILED)
        answer = await self._checked(written, question)
        if answer.text == MEMORY_OUT or answer.sources or written.evidence.is_empty:
            return answer
        return _with_notes(answer, UNCITED)

    async def _quotations(self, question: Question, reading: Reading) -> Answer:
        try:
            async with asyncio.timeout(self._limits.quotes_timeout.total_seconds()):
                written = await quote(question, reading=reading, memory=self._memory)
        except TimeoutError:
            logger.warning("memory was too slow to answer channel %d", question.channel_id)
            return Answer(text=MEMORY_OUT)
        return await self._checked(written, question)

    async def _checked(self, written: Draft, question: Question) -> Answer:
        """Return the answer with the citations that still hold, or the news that memory is out."""
        evidence = written.evidence
        if evidence.memory_is_out:
            return Answer(text=MEMORY_OUT)
        cited, notes = evidence.messages(cited_numbers(written.text)), evidence.notes
        try:
            cited = await self._still_there(cited, evidence, question)
        except DatabaseUnavailableError:
            notes = (*notes, UNCHECKED)
        text, sources = with_sources(written.text, cited)
        return Answer(
            text=text,
            sources=sources,
            notes=notes,
            searched=written.searched,
            shown_places=evidence.shown_places,
        )

    async def _still_there(
        self, cited: dict[int, Message], evidence: Evidence, question: Question
    ) -> dict[int, Message]:
        if not cited:
            return {}
        present = await self._memory.lookup([message.message_id for message in cited.values()], places=question.places)
        return {
            number: present[message.message_id]
            for number, message in cited.items()
            if message.message_id in present and evidence.admits(present[message.message_id])
        }


def _with_notes(answer: Answer, note: str) -> Answer:
    return replace(answer, notes=(*answer.notes, note))
