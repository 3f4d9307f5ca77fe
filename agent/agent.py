"""Answer questions from memory, and fall back to quotations when the language model does not answer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from agent.citations import cited_numbers, with_sources
from agent.cited_messages import still_there
from agent.context import Recall
from agent.conversations import ConversationKey, Conversations, Earlier, earlier_questions, finished_turn
from agent.counts import count
from agent.draft import Draft
from agent.language_model import LanguageModel
from agent.markdown import inline, with_names_escaped
from agent.question import Reading, read_question, read_without_memory
from agent.quotation import MEMORY_OUT, quote
from agent.spoilers import hidden_again
from agent.types import Answer, Outcome, Question
from errors import TemporaryError
from memory.question.namesakes import no_such_channels
from memory.question.parse import ParsedQuestion

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)

MODEL_FAILED = "The language model did not answer, so these are quotes from memory."
MODEL_SILENT = "The language model did not answer."
MODEL_BUSY = "Too many questions wait for the language model, so these are quotes from memory."
UNPROVEN = "The language model's answer cited no message, so these are quotes from memory."
FAILED = "Something went wrong while I looked for an answer, and it has been logged. Please ask again in other words."
TOO_MANY = "You have asked {count} questions that are not answered yet. Please wait for them before you ask more."
FORGETFUL = "Earlier questions could not be looked up, so this answer does not build on them."
UNSAVED = "This turn could not be saved, so a later question cannot build on it."
UNCOUNTED = "This could not be counted in time, so it was searched for instead."
HALF_READ = (
    "Memory did not answer in time when the question was read, so a channel, a person or a discussion that it names "
    "may not have been found."
)

_LONGEST_SENTENCE = 1000  # characters; it may list names

_KEPT = frozenset({Outcome.ANSWERED, Outcome.QUOTED, Outcome.NOTHING_FOUND})
"""What becomes a turn of the conversation; nothing can be built on the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a question may take, how often the model may speak, how much of the past it sees, and how many may wait.

    `timeout` bounds the model's whole run and the wait for it, `quotes_timeout` the reading of the question and the
    search for quotations without a model. `per_person` questions of one person may be open at once, answered and
    waiting, and `at_once` of all people may be with the model.
    """

    max_steps: int = 6
    timeout: timedelta = timedelta(seconds=60)
    quotes_timeout: timedelta = timedelta(seconds=30)
    history_tokens: int = 2000
    per_person: int = 4
    at_once: int = 16


class Agent:
    """Answers questions with one model over one memory; conversations are kept per channel and person.

    Without a model, `create_model` None, it quotes what it finds. `close` it in the end.
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
        self._open: Counter[int] = Counter()
        self._with_model = 0

    async def ready(self) -> None:
        """Wait until the language model is loaded, if there is one; raise ChatModelError when it cannot be.

        Questions may come before: until then, and when it fails, they are answered as far as they can be.
        """
        if self._model is not None:
            await self._model.ready()

    def close(self) -> None:
        """Let the language model begin nothing more."""
        if self._model is not None:
            self._model.close()

    async def ask(self, question: Question) -> Answer:
        """Answer a question; one person's questions in one channel are answered one after the other.

        A model that fails, a database that does not answer, an error that nobody foresaw: the answer says so in its
        outcome and its notes or text. Nothing is raised but what cancels or ends the program.
        """
        if self._open[question.asker_id] >= self._limits.per_person:
            return Answer(text=TOO_MANY.format(count=self._limits.per_person), outcome=Outcome.TURNED_AWAY)
        key = ConversationKey(question.channel_id, question.asker_id, question.private)
        with self._opened(question.asker_id):
            taking_turns = self._turns.setdefault(key, asyncio.Lock())
            async with taking_turns:
                return await self._converse(key, question)

    @contextmanager
    def _opened(self, asker_id: int) -> Generator[None]:
        self._open[asker_id] += 1
        try:
            yield
        finally:
            self._open[asker_id] -= 1
            if not self._open[asker_id]:
                del self._open[asker_id]

    async def _converse(self, key: ConversationKey, question: Question) -> Answer:
        if self._conversations is None or self._limits.history_tokens == 0:
            return await self._answer(question, ())
        try:
            history = await self._earlier(self._conversations, key, question)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"{key} not read", error)
            return _with_notes(await self._answer(question, ()), FORGETFUL)
        answer = await self._answer(question, history)
        if answer.outcome not in _KEPT:
            return answer
        try:
            await self._conversations.append(key, finished_turn(question, answer))
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"{key} not saved", error)
            return _with_notes(answer, UNSAVED)
        return answer

    async def _earlier(
        self, conversations: Conversations, key: ConversationKey, question: Question
    ) -> Sequence[Earlier]:
        if self._model is None:
            return ()  # quotations build on no earlier question
        turns = await conversations.recall(key)
        return await earlier_questions(
            turns, question=question, memory=self._memory, max_tokens=self._limits.history_tokens
        )

    async def _answer(self, question: Question, history: Sequence[Earlier]) -> Answer:
        reading = await self._read(question)
        answer = _with_names_explained(await self._told_or_written(question, reading, history), reading.asked)
        return answer if reading.complete or answer.outcome not in _KEPT else _with_notes(answer, HALF_READ)

    async def _told_or_written(self, question: Question, reading: Reading, history: Sequence[Earlier]) -> Answer:
        """Return an answer; that a question names no channel which may be read is all that can be said of it."""
        asked = reading.asked
        if asked.unknown and not asked.places:
            return Answer(text=_sentence(no_such_channels(asked.unknown)), outcome=Outcome.NOTHING_FOUND)
        try:
            async with asyncio.timeout(self._limits.quotes_timeout.total_seconds()):
                counted = await count(question, reading=reading, memory=self._memory)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a count for channel {question.channel_id} is answered by a search", error)
            answer = await self._written(question, reading, history)
            return _with_notes(answer, UNCOUNTED) if answer.outcome in _KEPT else answer
        return counted or await self._written(question, reading, history)

    async def _read(self, question: Question) -> Reading:
        try:
            async with asyncio.timeout(self._limits.quotes_timeout.total_seconds()):
                return await read_question(question, memory=self._memory)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a question in channel {question.channel_id} was read without memory", error)
            return read_without_memory(question)

    async def _written(self, question: Question, reading: Reading, history: Sequence[Earlier]) -> Answer:
        """Return the model's answer when it proves what it says, and else quotations with a note that says why."""
        if self._model is None:
            return await self._quotations(question, reading)
        if self._with_model >= self._limits.at_once:
            return await self._instead(question, reading, because=MODEL_BUSY)
        self._with_model += 1
        try:
            answer = await self._by_model(self._model, question, reading, history)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"channel {question.channel_id} is answered with quotations", error)
            return await self._instead(question, reading, because=MODEL_FAILED, or_else=MODEL_SILENT)
        finally:
            self._with_model -= 1
        return answer or await self._instead(question, reading, because=UNPROVEN)

    async def _by_model(
        self, model: LanguageModel, question: Question, reading: Reading, history: Sequence[Earlier]
    ) -> Answer | None:
        """Return the model's answer, or the news that memory is out; None for an answer that proves nothing."""
        async with asyncio.timeout(self._limits.timeout.total_seconds()):
            written = await model.draft(question, reading=reading, memory=self._memory, history=history)
        if written.evidence.memory_is_out:
            return Answer(text=MEMORY_OUT, outcome=Outcome.MEMORY_UNREACHABLE)
        return await self._proven(written, question)

    async def _proven(self, written: Draft, question: Question) -> Answer | None:
        """Return an answer with those of its marks that hold, None when none does."""
        evidence = written.evidence
        text = with_names_escaped(hidden_again(written.text, evidence.contents), evidence.names)
        cited, notes = await still_there(
            evidence.messages(cited_numbers(text)), evidence=evidence, question=question, memory=self._memory
        )
        text, sources = with_sources(text, cited)
        if not sources:
            return None
        return Answer(
            text=text,
            sources=sources,
            notes=(*evidence.notes, *notes),
            searched=written.searched,
            shown_places=evidence.shown_places,
        )

    async def _instead(self, question: Question, reading: Reading, *, because: str, or_else: str = "") -> Answer:
        """Return quotations in place of a model's answer with a note; another one when nothing can be quoted."""
        answer = await self._quotations(question, reading)
        note = because if answer.outcome is Outcome.QUOTED else or_else
        return _with_notes(answer, note) if note and answer.outcome in _KEPT else answer

    async def _quotations(self, question: Question, reading: Reading) -> Answer:
        try:
            async with asyncio.timeout(self._limits.quotes_timeout.total_seconds()):
                return await quote(question, reading=reading, memory=self._memory)
        except TimeoutError:
            logger.warning("memory was too slow to answer channel %d", question.channel_id)
            return Answer(text=MEMORY_OUT, outcome=Outcome.MEMORY_UNREACHABLE)
        except Exception:
            logger.exception("channel %d is not answered", question.channel_id)
            return Answer(text=FAILED, outcome=Outcome.FAILED)


def _log_failure(what: str, error: Exception) -> None:
    """Log a failure that is answered some other way: in one line, or with its traceback when nobody foresaw it."""
    if isinstance(error, TemporaryError | TimeoutError):
        logger.warning("%s: %r, from %r", what, error, error.__cause__)
    else:
        logger.error("%s", what, exc_info=error)


def _with_names_explained(answer: Answer, asked: ParsedQuestion) -> Answer:
    """Return an answer that says first which of several channels is unknown, and then who of one name is meant."""
    if answer.outcome not in _KEPT:
        return answer
    if asked.unknown and asked.places:
        answer = replace(answer, text=f"{_sentence(no_such_channels(asked.unknown))}\n\n{answer.text}")
    return replace(answer, notes=(*map(_sentence, asked.namesakes), *answer.notes))


def _sentence(words: str) -> str:
    """Return a sentence in which names are, as Markdown."""
    return inline(words, longest=_LONGEST_SENTENCE)


def _with_notes(answer: Answer, note: str) -> Answer:
    return replace(answer, notes=(*answer.notes, note))
