"""Answer questions from memory, and fall back to quotations when the language model does not answer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from agent.about import messages_about, with_their_words
from agent.condensing import condensed, condensing_prompt
from agent.config import AgentConfig
from agent.context import Context, new_context
from agent.conversations import ConversationKey, Conversations, Earlier, earlier_questions, finished_turn
from agent.counts import count
from agent.fairness import FairQueue, Person
from agent.follow_ups import read_with_turns
from agent.gap_notes import Coverage, gap_notes_of
from agent.markdown import inline
from agent.models.chain import TURN_PATIENCE, ModelState, NamedModel
from agent.models.failures import retry_after
from agent.models.language_model import LanguageModel
from agent.models.run import ModelRun
from agent.narrowed import PART_OF_EARLIER_TURNS, narrowed, newest, tokens_of, with_half
from agent.opening import Opening, open_search
from agent.parts import read_parts
from agent.progress import UNWATCHED, Watched, Watcher
from agent.proof.prove import proven
from agent.quotation import MEMORY_OUT, READ_AS, quote
from agent.reading import read_question
from agent.types import Answer, Outcome, Question, Versions
from agent.web.look_up import WebLookUp, look_up_instead
from agent.web.pages import WebSearch, without_web_sentences
from errors import (
    BusyError,
    ChatModelError,
    DatabaseUnavailableError,
    ModelUnavailableError,
    PromptTooLongError,
    TemporaryError,
)
from memory.question.namesakes import no_such_channels
from memory.question.parse import ParsedQuestion, parse_words
from memory.search.interface import MemoryReader
from memory.search.terms import keywords_of
from overviews.who import KnowerFinder
from time_expressions.format import spoken_end
from tracing import Trace, note, span, spanned, traced

logger = logging.getLogger(__name__)

MODEL_FAILED = "The language model did not answer, so these are quotes from memory."
MODEL_SILENT = "The language model did not answer."
MODEL_BUSY = "Too many questions wait for the language model, so these are quotes from memory."
UNPROVEN = "The language model's answer cited no message, so these are quotes from memory."
FAILED = "Something went wrong while I looked for an answer, and it has been logged. Please ask again in other words."
REPLACED = "What was shown while this answer was being written has been replaced: it did not hold to the end."
BUSY = "Too many questions are waiting for an answer just now. Please ask again in a few minutes."
TOO_MANY = "You have asked {count} questions that are not answered yet. Please wait for them before you ask more."
FORGETFUL = "Earlier questions could not be looked up, so this answer does not build on them."
UNSAVED = "This turn could not be saved, so a later question cannot build on it."
UNCOUNTED = "This could not be counted in time, so it was searched for instead."
AS_OF = (
    "This is as of {moment}: what was said later is left out, and what was edited later is shown as it was, or left "
    "out where its author took something out of it or its former words are not known."
)
BEFORE_EDITS = (
    "Edited messages are shown as they were sent, or left out where their author took something out of them or their "
    "former words are not known."
)
NOT_COUNTED = "Messages that were edited later are not counted where words, links or files are."
HALF_READ = (
    "Memory did not answer in time when the question was read, so a channel, a person or a discussion that it names "
    "may not have been found."
)

GAPS_TIMEOUT = timedelta(seconds=2)
"""How long an answer that is ready waits to be told what memory has not seen."""

ABOUT_TIMEOUT = timedelta(seconds=5)
"""How long it may take to read the messages that a question points at."""

_FEWEST_WORDS = 2  # telling ones of a question that asks by itself within a conversation
_LONGEST_SENTENCE = 1000  # characters; it may list names

_FINAL = frozenset({Outcome.ANSWERED, Outcome.COUNTED, Outcome.QUOTED, Outcome.NOTHING_FOUND})
"""What becomes a turn of the conversation; no later question can build on the others."""


class Agent:
    """Answers questions with a chain of models over one memory; conversations are kept per channel and person.

    The next of the `models` is asked where one fails, is known to be down or has no turn to give; without any it quotes
    what it finds. With a `coverage` an answer says what of its time and
    places memory has not seen. With a `web` the model may look words of the question up there, and so does the agent
    where memory has nothing. `versions` name the models; each answer bears them. Each answer's trace is handed to
    `keep_trace`, which must be quick and not raise, unless its question may not be kept. `close` it in the end.
    """

    def __init__(
        self,
        models: Sequence[NamedModel],
        *,
        memory: MemoryReader,
        conversations: Conversations | None = None,
        coverage: Coverage | None = None,
        config: AgentConfig | None = None,
        versions: Versions | None = None,
        web: Sequence[WebSearch] = (),
        knowers: KnowerFinder | None = None,
        keep_trace: Callable[[Trace], None] | None = None,
    ) -> None:
        self._config = config or AgentConfig()
        self._coverage = coverage
        self._versions = versions or Versions()
        self._web = web
        self._knowers = knowers
        self._keep_trace = keep_trace
        self._memory = memory
        self._models = tuple(LanguageModel(model, config=self._config) for model in models)
        self._conversations = conversations
        self._open: Counter[Person] = Counter()
        self._reading = FairQueue(self._config.reading_at_once, longest=self._config.most_waiting)

    async def ready(self) -> None:
        """Wait until the language models are loaded; raise ChatModelError, with a sentence for each that cannot be.

        Questions may come before: until then, and when one fails, they are answered as far as they can be.
        """
        loaded = await asyncio.gather(*(model.ready() for model in self._models), return_exceptions=True)
        errors = [error for error in loaded if isinstance(error, BaseException)]
        unknown = [error for error in errors if isinstance(error, ChatModelError)]
        if len(unknown) > 1 and unknown == errors:
            raise ChatModelError(" ".join(map(str, unknown))) from errors[0]
        if errors:
            raise errors[0]

    @property
    def model_states(self) -> tuple[ModelState, ...]:
        """How each language model is, in the order in which they are asked."""
        return tuple(model.state for model in self._models)

    def close(self) -> None:
        """Let the language models begin nothing more."""
        for model in self._models:
            model.close()

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        """Answer a question; one person's questions in one guild are answered one after the other.

        What others have asked before may have to be answered first: the watcher is told the place in the queue, what is
        done, and how the answer begins.

        A model that fails, a database that does not answer, an error that nobody foresaw: the answer says so in its
        outcome and its notes or text. Nothing is raised but what cancels or ends the program; then no turn is kept.
        """
        person = _person(question)
        if self._open[person] >= self._config.per_person:
            return self._stamped(_turned_away(TOO_MANY.format(count=self._config.per_person)))
        watched = Watched(watcher)
        until = _now() + self._config.longest_wait
        with self._opened(person), self._traced(question) as trace:
            answer = await self._converse(question, watched, until)
            note(outcome=answer.outcome.value, sources=len(answer.sources))
        if not answer.text.startswith(watched.shown):
            answer = _with_notes(answer, REPLACED)
        return self._with_trace(self._stamped(answer), trace, question)

    async def quote(self, question: Question) -> Answer:
        """Answer a question with quotations, without a model and outside of every conversation; nothing is raised."""
        try:
            with self._traced(question) as trace:
                async with self._reading_turn(question, Watched(), patience=self._config.longest_wait):
                    parsed = await self._in_parts(question, await self.parse(question))
                    answer = await self._quote(question, parsed, Watched())
        except BusyError:
            return self._stamped(_turned_away(BUSY))
        return self._with_trace(self._stamped(answer), trace, question)

    async def parse(self, question: Question) -> ParsedQuestion:
        """Return what a question asks for, by its words alone when memory does not answer or not in time.

        Nothing in the words adds a place to those that the question may use. Nobody waits in a queue for it, for the
        names that it compares are at hand.
        """
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                with span("parse"):
                    parsed = await read_question(question, memory=self._memory_of(question))
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a question in channel {question.channel_id} was parsed without memory", error)
            return _parse_words(question)
        return replace(parsed, places=parsed.places & question.places)

    @contextmanager
    def _traced(self, question: Question) -> Generator[Trace]:
        """Record what is done within the block, and hand the trace on."""
        trace = Trace(
            keeps_texts=self._config.trace_texts and question.kept,
            asked_by=question.asker_id,
            asked_in=question.channel_id,
            guild_id=question.guild if isinstance(question.guild, int) else None,
        )
        try:
            with traced(trace) as root:
                root.note(question=question.text, private=question.private, all_time=question.all_time)
                yield trace
        finally:
            if self._keep_trace is not None and question.kept:
                self._keep_trace(trace)

    def _with_trace(self, answer: Answer, trace: Trace, question: Question) -> Answer:
        """Return an answer that names its trace, also to whoever reads it if answers are to be looked into."""
        answer = replace(answer, trace_id=trace.trace_id)
        is_shown = self._config.debug_answers and self._keep_trace is not None and question.kept
        return _with_notes(answer, f"trace {trace.trace_id}") if is_shown else answer

    @contextmanager
    def _opened(self, person: Person) -> Generator[None]:
        self._open[person] += 1
        try:
            yield
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]

    def _reading_turn(
        self, question: Question, watched: Watched, *, patience: timedelta
    ) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to read memory without a model; a model's own searches are bounded by its turns."""
        return self._reading.turn(_person(question), patience=patience, tell=watched.place)

    def _stamped(self, answer: Answer) -> Answer:
        """Return an answer that tells with what it was made, which a model has written in where it wrote it."""
        versions = self._versions
        prompt = next(filter(None, (model.prompt_version for model in self._models)), versions.prompt)
        if len(self._models) > 1 and answer.outcome is Outcome.ANSWERED:
            versions = replace(versions, model=answer.versions.model)
        return replace(answer, versions=replace(versions, prompt=prompt))

    async def _converse(self, question: Question, watched: Watched, until: timedelta) -> Answer:
        """Return the answer, which is kept as a turn: without the model where none is needed, or else with it.

        It waits for its turns `until` a time of the event loop's clock.
        """
        try:
            async with self._reading_turn(question, watched, patience=until - _now()):
                parsed, history = await asyncio.gather(self.parse(question), self._earlier(question))
                parsed = await self._read_on(question, parsed, history or ())
                needs_model = self._may_be_written_out(parsed)
                if not needs_model:
                    parsed, found, notes = await self._look_up(question, parsed, watched, history or ())
            if needs_model:  # which takes seconds, and others may read meanwhile
                parsed = await self._written_out(question, parsed, history or ())
                async with self._reading_turn(question, watched, patience=until - _now()):
                    parsed, found, notes = await self._look_up(question, parsed, watched, history or ())
        except BusyError as error:
            logger.warning("a question in channel %d was turned away: %s", question.channel_id, error)
            return _turned_away(BUSY)
        answer = found if isinstance(found, Answer) else await self._think(found, history or (), until)
        answer = await spanned("notes", self._finished(question, parsed, answer, *notes))
        if history is None:
            answer = _with_notes(answer, FORGETFUL)
        else:
            answer = await self._kept(question, answer)
        return await self._with_pages(answer, question)

    async def _look_up(
        self, question: Question, parsed: ParsedQuestion, watched: Watched, history: Sequence[Earlier]
    ) -> "tuple[ParsedQuestion, _Found | Answer, tuple[str, ...]]":
        """Return what a question asks for in each of its parts, what memory has of it or the answer, and notes."""
        parsed = await self._in_parts(question, parsed)
        answer, notes = await spanned("count", self._count(question, parsed, watched))
        return parsed, answer or await self._find(question, parsed, watched, history=history), notes

    async def _with_pages(self, answer: Answer, question: Question) -> Answer:
        """Return an answer; where memory has nothing, with what the web has, if it may be asked."""
        if not self._web or answer.outcome is not Outcome.NOTHING_FOUND:
            return answer
        pages, note = await look_up_instead(question.text, self._web)
        return _with_notes(replace(answer, pages=pages), *filter(None, [note]))

    async def _think(self, found: "_Found", history: Sequence[Earlier], until: timedelta) -> Answer:
        """Return the answer of the first model that gives one, or quotations of what was found.

        The models share the time that a question has with them, and it waits for its turns `until` then. One that has
        failed several times in a row is not asked for a while.
        """
        left = self._config.timeout
        is_busy = False
        for place, model in enumerate(self._models, 1):
            if left <= timedelta(0) or not model.breaker.lets_through():
                continue
            is_last = place == len(self._models)
            patience = until - _now() if is_last else min(until - _now(), TURN_PATIENCE)
            try:
                async with self._turn(model, found, patience=patience):
                    began = _now()
                    run = model.new_run(within=left, is_last=is_last)
                    answer = await self._attempt(model, replace(found, run=run), history, within=left)
                    left -= _now() - began
                    is_busy = False
            except BusyError as error:
                logger.warning(
                    "%s is not asked by channel %d: %s", model.name, found.context.question.channel_id, error
                )
                is_busy = model.is_loaded
                continue
            finally:
                model.breaker.left()
            if answer is not None:
                return answer
        because, or_else = (MODEL_BUSY, "") if is_busy else (MODEL_FAILED, MODEL_SILENT)
        return await self._quote_instead(found, because=because, or_else=or_else)

    async def _attempt(
        self, model: LanguageModel, found: "_Found", history: Sequence[Earlier], *, within: timedelta
    ) -> Answer | None:
        """Return what `_write` does, and None where the model fails; how it went is noted."""
        began = _now()
        answer = None
        with span("model", model=model.name) as asked:
            try:
                answer = await self._write(model, found, history, within=within)
                model.breaker.succeeded()
            except Exception as error:  # noqa: BLE001  # _log_failure keeps it
                _log_failure(f"{model.name} did not answer channel {found.context.question.channel_id}", error)
                asked.note(failed=type(error).__name__)
                model.breaker.failed(retry_after=retry_after(error))
            took = (_now() - began).total_seconds()
            used = model.note(found.run, seconds=took, answered=answer is not None)
            asked.note(attempts=found.run.attempts, turns=found.run.turns, cost=used.cost)
            asked.note(tokens_read=used.tokens_read, tokens_written=used.tokens_written)
        return answer

    def _turn(self, model: LanguageModel, found: "_Found", *, patience: timedelta) -> AbstractAsyncContextManager[None]:
        """Wait for a turn with a model; raise BusyError when none comes."""
        return model.turn(_person(found.context.question), patience=patience, tell=found.context.watched.place)

    async def _read_on(self, question: Question, parsed: ParsedQuestion, history: Sequence[Earlier]) -> ParsedQuestion:
        """Return what a question asks for with the turns before it; as it is if that is not found out."""
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                memory = self._memory_of(question)
                return await read_with_turns(question, parsed, history, parse=self.parse, memory=memory)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a question in channel {question.channel_id} is read by itself", error)
            return parsed

    async def _in_parts(self, question: Question, parsed: ParsedQuestion) -> ParsedQuestion:
        """Return what a question asks for with each of several things that it asks for; as it is if that fails."""
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                return await read_parts(question, parsed, parse=self.parse, memory=self._memory_of(question))
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a question in channel {question.channel_id} is read as one", error)
            return parsed

    def _may_be_written_out(self, parsed: ParsedQuestion) -> bool:
        """Return whether a model is to say what a question asks for that goes on from earlier ones."""
        goes_on = parsed.own_topic is not None and bool(parsed.topic)
        return goes_on and bool(self._models) and bool(self._config.follow_up_timeout)

    async def _written_out(
        self, question: Question, parsed: ParsedQuestion, history: Sequence[Earlier]
    ) -> ParsedQuestion:
        """Return a question that goes on from earlier ones with what the model makes of them, if it does so in time."""
        limit = self._config.follow_up_timeout
        with span("condense") as condensing:
            try:
                written = await self._model_at_hand().condense(condensing_prompt(question.text, history), within=limit)
                text = condensed(written, question.text, history)
            except ModelUnavailableError as error:
                condensing.note(failed=type(error).__name__)
                return parsed
            except Exception as error:  # noqa: BLE001  # _log_failure keeps it
                _log_failure(f"a question in channel {question.channel_id} is not written out", error)
                return parsed
            condensing.note(taken=text is not None, models_text=written)
        if text is None:
            return parsed
        return replace(parsed, condensed=(await self.parse(replace(question, text=text))).topic)

    def _model_at_hand(self) -> LanguageModel:
        """Return the first model that is not left alone; the first one where all are, which then says so."""
        return next((model for model in self._models if model.breaker.is_open), self._models[0])

    async def _earlier(self, question: Question) -> Sequence[Earlier] | None:
        """Return the earlier turns that a question may build on; None when they cannot be read.

        One that may not be kept builds on none: its answer would tell what was kept before.
        """
        if self._conversations is None or self._config.history_tokens == 0 or not question.kept:
            return ()
        key = _conversation_of(question)
        try:
            with span("earlier turns"):
                return await earlier_questions(
                    await self._conversations.recall(key),
                    question=question,
                    memory=self._memory_of(question),
                    max_tokens=self._config.history_tokens,
                )
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"{key} not read", error)
            return None

    async def _kept(self, question: Question, answer: Answer) -> Answer:
        """Keep an answer as a turn of its conversation, if a later question can build on it, and return it."""
        if (
            self._conversations is None
            or self._config.history_tokens == 0
            or answer.outcome not in _FINAL
            or not question.kept
        ):
            return answer
        key = _conversation_of(question)
        try:
            with span("keep turn"):
                await self._conversations.append(key, finished_turn(question, answer))
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"{key} not saved", error)
            return _with_notes(answer, UNSAVED)
        return answer

    async def _finished(self, question: Question, parsed: ParsedQuestion, answer: Answer, *notes: str) -> Answer:
        """Return an answer with all that has to be said beside it."""
        if answer.outcome not in _FINAL:
            return answer
        versions = _version_notes(question, parsed)
        if versions and answer.outcome is Outcome.COUNTED:
            versions = (*versions, NOT_COUNTED)
        answer = _with_names_explained(_with_notes(answer, *notes, *versions), parsed)
        gaps = await self._gap_notes(question, parsed, answer)
        return _with_notes(answer, *([] if parsed.complete else [HALF_READ]), *gaps)

    async def _gap_notes(self, question: Question, parsed: ParsedQuestion, answer: Answer) -> tuple[str, ...]:
        """Return what memory has not seen of where an answer was looked for; nothing when that is not known in time."""
        if self._coverage is None:
            return ()
        try:
            async with asyncio.timeout(GAPS_TIMEOUT.total_seconds()):
                memory = self._memory_of(question)
                with span("gaps"):
                    return await gap_notes_of(answer, question, parsed, coverage=self._coverage, memory=memory)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"an answer in channel {question.channel_id} does not tell of gaps", error)
            return ()

    def _memory_of(self, question: Question) -> MemoryReader:
        """Return memory as far as the guild may know of it in which a question is asked."""
        return self._memory.in_guild(question.guild)

    async def _count(
        self, question: Question, parsed: ParsedQuestion, watched: Watched
    ) -> tuple[Answer | None, tuple[str, ...]]:
        """Return the answer to a question that is answered by counting, or names no channel that may be read.

        To any other it is None, with what is to be noted under the answer.
        """
        if parsed.unknown and not parsed.places:
            return Answer(text=_sentence(no_such_channels(parsed.unknown)), outcome=Outcome.NOTHING_FOUND), ()
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                context = new_context(question, parsed, self._memory_of(question), watched=watched)
                return await count(replace(context, knowers=self._knowers)), ()
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a count for channel {question.channel_id} is answered by a search", error)
            return None, (UNCOUNTED,)

    async def _find(
        self, question: Question, parsed: ParsedQuestion, watched: Watched, *, history: Sequence[Earlier]
    ) -> "_Found | Answer":
        """Return what the model is to answer from; the answer itself where no model is to be asked.

        A remark of a word or none ("shorter, please") is about what was answered before, which a model may cite again.
        """
        if not self._models:
            return await self._quote(question, parsed, watched)
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                context = await self._context(question, parsed, watched)
                opening = await open_search(context)
                own = parsed.topic if parsed.own_topic is None else parsed.own_topic
                is_remark = bool(history) and len(keywords_of(own)) < _FEWEST_WORDS
                if opening.is_refused and not is_remark:
                    return await quote(context, opening)
                return _Found(context, opening)
        except Exception as error:  # noqa: BLE001  # _unanswered logs it
            return _unanswered(question, error)

    async def _quote(self, question: Question, parsed: ParsedQuestion, watched: Watched) -> Answer:
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                context = await self._context(question, parsed, watched)
                return await quote(context, await open_search(context))
        except Exception as error:  # noqa: BLE001  # _unanswered logs it
            return _unanswered(question, error)

    async def _write(
        self, model: LanguageModel, found: "_Found", history: Sequence[Earlier], *, within: timedelta
    ) -> Answer:
        """Return a model's answer when it proves what it says, and else quotations with a note that says why.

        What a model that fails raises is raised.
        """
        answer = await self._ask_model(model, found, history, within=within)
        if answer is None:
            answer = await self._quote_instead(found, because=UNPROVEN)
        else:
            answer = replace(answer, versions=replace(answer.versions, model=model.name))
        return replace(answer, pages=found.context.web.cited) if found.context.web else answer

    async def _context(self, question: Question, parsed: ParsedQuestion, watched: Watched) -> Context:
        """Return the context of a run, which searches with the words of what the question points at as well."""
        memory = self._memory_of(question)
        try:
            async with asyncio.timeout(ABOUT_TIMEOUT.total_seconds()):
                about = await messages_about(question, memory)
        except Exception as error:  # noqa: BLE001  # _log_failure keeps it
            _log_failure(f"a question in channel {question.channel_id} is answered without what it points at", error)
            about = ()
        context = new_context(question, with_their_words(parsed, about), memory, about=about, watched=watched)
        context = replace(context, knowers=self._knowers)
        if self._web:
            context = replace(context, web=WebLookUp(self._web, question.text))
        if question.about and not about:
            context.evidence.record_unknown_subject()
        return context

    async def _ask_model(
        self, model: LanguageModel, found: "_Found", history: Sequence[Earlier], *, within: timedelta
    ) -> Answer | None:
        """Return a model's answer; None for one that proves nothing.

        A model that reads less at once than it was given is asked once more, with half of what was found.
        """
        history = newest(history, max_tokens=model.prompt_tokens // PART_OF_EARLIER_TURNS)
        spare = model.prompt_tokens - tokens_of(history, found.context.about)
        async with asyncio.timeout(within.total_seconds()):
            try:
                return await self._ask_within(model, found, history, max_tokens=spare)
            except PromptTooLongError:
                note(shortened=True)
                return await self._ask_within(model, found, (), max_tokens=with_half(found.opening, max_tokens=spare))

    async def _ask_within(
        self, model: LanguageModel, found: "_Found", history: Sequence[Earlier], *, max_tokens: int
    ) -> Answer | None:
        """Return a model's answer to a prompt of about so many tokens; None for one that proves nothing.

        Where a model that failed has shown drafts, no more are shown: the whole answer replaces them.
        """
        context, opening = narrowed(replace(found.context, run=found.run), found.opening, max_tokens=max_tokens)
        watched = context.watched
        show = partial(_show, context) if watched.is_watched and not watched.shown else None
        text = await model.write_answer(context, opening, history=history, show=show)
        text, pages = without_web_sentences(text)
        if context.web is not None:
            context.web.cite(pages)
        with span("proof", answer=text):
            return await proven(text, context)

    async def _quote_instead(self, found: "_Found", *, because: str, or_else: str = "") -> Answer:
        """Return quotations in place of a model's answer with a note; another note when nothing can be quoted."""
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                answer = await quote(found.context, found.opening)
        except Exception as error:  # noqa: BLE001  # _unanswered logs it
            return _unanswered(found.context.question, error)
        note = because if answer.outcome is Outcome.QUOTED else or_else
        return _with_notes(answer, note) if note and answer.outcome in _FINAL else answer


@dataclass(frozen=True, slots=True)
class _Found:
    """The context of a run, and what was found before a model speaks."""

    context: Context
    opening: Opening
    run: ModelRun = field(default_factory=ModelRun)


def _unanswered(question: Question, error: Exception) -> Answer:
    """Return the answer where none could be looked up, and log why."""
    if isinstance(error, TimeoutError | DatabaseUnavailableError):
        logger.warning("memory did not answer channel %d: %r", question.channel_id, error)
        return Answer(text=MEMORY_OUT, outcome=Outcome.MEMORY_UNREACHABLE)
    logger.error("channel %d is not answered", question.channel_id, exc_info=error)
    return Answer(text=FAILED, outcome=Outcome.FAILED)


def _show(context: Context, draft: Answer) -> None:
    """Show the beginning of an answer as the whole of it will begin."""
    context.watched.draft(_with_names_explained(draft, context.parsed))


def _now() -> timedelta:
    """Return the time on the event loop's clock."""
    return timedelta(seconds=asyncio.get_running_loop().time())


def _person(question: Question) -> Person:
    return Person(question.guild, question.asker_id)


def _conversation_of(question: Question) -> ConversationKey:
    return ConversationKey(question.channel_id, question.asker_id, question.private)


def _turned_away(text: str) -> Answer:
    return Answer(text=text, outcome=Outcome.TURNED_AWAY)


def _parse_words(question: Question) -> ParsedQuestion:
    """Return what the words of a question alone ask for; nothing is raised, whatever they are."""
    try:
        return parse_words(
            question.text,
            places=question.places,
            now=question.now,
            time_zone=question.time_zone,
            conventions=question.conventions,
            all_time=question.all_time,
        )
    except Exception:
        logger.exception("the time in a question in channel %d was not found", question.channel_id)
        return ParsedQuestion(question.text, topic=question.text, places=question.places, complete=False)


def _log_failure(what: str, error: Exception) -> None:
    """Log a failure that is answered some other way: in one line, or with its traceback when nobody foresaw it."""
    if isinstance(error, TemporaryError | TimeoutError):
        logger.warning("%s: %r, from %r", what, error, error.__cause__)
    else:
        logger.error("%s", what, exc_info=error)


def _with_names_explained(answer: Answer, parsed: ParsedQuestion) -> Answer:
    """Return an answer that says first which of several channels is unknown, and last who was meant by a name."""
    if parsed.unknown and parsed.places:
        answer = replace(answer, text=f"{_sentence(no_such_channels(parsed.unknown))}\n\n{answer.text}")
    read_as = (READ_AS.format(typed=name.typed, meant=name.meant) for name in parsed.read_as)
    return replace(answer, notes=(*map(_sentence, (*read_as, *parsed.namesakes)), *answer.notes))


def _sentence(words: str) -> str:
    """Return a sentence with names in it, as Markdown."""
    return inline(words, longest=_LONGEST_SENTENCE)


def _version_notes(question: Question, parsed: ParsedQuestion) -> tuple[str, ...]:
    """Return what to say of an answer that is made from messages as they were."""
    if parsed.as_of is not None:
        spoken = spoken_end(parsed.as_of, time_zone=question.time_zone, now=question.now)
        return (AS_OF.format(moment=spoken),)
    return (BEFORE_EDITS,) if parsed.before_edits else ()


def _with_notes(answer: Answer, *notes: str) -> Answer:
    return replace(answer, notes=(*answer.notes, *notes))
