"""Answer questions from memory, and fall back to quotations when the language model does not answer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta

from agent.about import messages_about, with_their_words
from agent.config import AgentConfig
from agent.context import Context, new_context
from agent.conversations import ConversationKey, Conversations, Earlier, earlier_questions, finished_turn
from agent.counts import count
from agent.failures import log_failure, unanswered
from agent.fairness import FairQueue, Person, asker_of
from agent.gap_notes import Coverage, gap_notes_of
from agent.model_answers import Found, ModelAnswers
from agent.models.chain import ModelState, NamedModel
from agent.opening import open_search
from agent.progress import UNWATCHED, Watched, Watcher
from agent.question_reader import QuestionReader
from agent.quotation import quote
from agent.remarks import HALF_READ, NOT_COUNTED, sentence, version_notes, with_names_explained, with_notes
from agent.types import Answer, Outcome, Question, Versions
from agent.web.look_up import WebLookUp, look_up_instead
from agent.web.pages import WebSearch
from errors import BusyError
from memory.question.namesakes import no_such_channels
from memory.question.parse import ParsedQuestion
from memory.search.interface import MemoryReader
from memory.search.terms import keywords_of
from overviews.who import KnowerFinder
from tracing import Trace, note, span, spanned, traced

logger = logging.getLogger(__name__)

REPLACED = "What was shown while this answer was being written has been replaced: it did not hold to the end."
BUSY = "Too many questions are waiting for an answer just now. Please ask again in a few minutes."
TOO_MANY = "You have asked {count} questions that are not answered yet. Please wait for them before you ask more."
FORGETFUL = "Earlier questions could not be looked up, so this answer does not build on them."
UNSAVED = "This turn could not be saved, so a later question cannot build on it."
UNCOUNTED = "This could not be counted in time, so it was searched for instead."

GAPS_TIMEOUT = timedelta(seconds=2)
"""How long an answer that is ready waits to be told what memory has not seen."""

ABOUT_TIMEOUT = timedelta(seconds=5)
"""How long it may take to read the messages that a question points at."""

_FEWEST_WORDS = 2  # telling ones of a question that asks by itself within a conversation


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
        self._models = ModelAnswers(models, config=self._config)
        self._reader = QuestionReader(memory, timeout=self._config.quotes_timeout)
        self._conversations = conversations
        self._open: Counter[Person] = Counter()
        self._reading = FairQueue(self._config.reading_at_once, longest=self._config.most_waiting)

    async def ready(self) -> None:
        """Wait until the language models are loaded; raise ChatModelError, with a sentence for each that cannot be.

        Questions may come before: until then, and when one fails, they are answered as far as they can be.
        """
        await self._models.ready()

    @property
    def model_states(self) -> tuple[ModelState, ...]:
        """How each language model is, in the order in which they are asked."""
        return self._models.states

    def close(self) -> None:
        """Let the language models begin nothing more."""
        self._models.close()

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        """Answer a question; one person's questions in one guild are answered one after the other.

        What others have asked before may have to be answered first: the watcher is told the place in the queue, what is
        done, and how the answer begins.

        A model that fails, a database that does not answer, an error that nobody foresaw: the answer says so in its
        outcome and its notes or text. Nothing is raised but what cancels or ends the program; then no turn is kept.
        """
        person = asker_of(question)
        if self._open[person] >= self._config.per_person:
            return self._stamped(_turned_away(TOO_MANY.format(count=self._config.per_person)))
        watched = Watched(watcher)
        until = _now() + self._config.longest_wait
        with self._opened(person), self._traced(question) as trace:
            answer = await self._converse(question, watched, until)
            note(outcome=answer.outcome.value, sources=len(answer.sources))
        if not answer.text.startswith(watched.shown):
            answer = with_notes(answer, REPLACED)
        return self._with_trace(self._stamped(answer), trace, question)

    async def quote(self, question: Question) -> Answer:
        """Answer a question with quotations, without a model and outside of every conversation; nothing is raised."""
        try:
            with self._traced(question) as trace:
                async with self._reading_turn(question, Watched(), patience=self._config.longest_wait):
                    parsed = await self._reader.in_parts(question, await self._reader.parse(question))
                    answer = await self._quote(question, parsed, Watched())
        except BusyError:
            return self._stamped(_turned_away(BUSY))
        return self._with_trace(self._stamped(answer), trace, question)

    async def parse(self, question: Question) -> ParsedQuestion:
        """Return what a question asks for by itself, without those before it and in one part; nothing is raised."""
        return await self._reader.parse(question)

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
        return with_notes(answer, f"trace {trace.trace_id}") if is_shown else answer

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
        return self._reading.turn(asker_of(question), patience=patience, tell=watched.place)

    def _stamped(self, answer: Answer) -> Answer:
        """Return an answer that tells with what it was made, which a model has written in where it wrote it."""
        versions = self._versions
        prompt = self._models.prompt_version or versions.prompt
        if self._models.are_several and answer.outcome is Outcome.ANSWERED:
            versions = replace(versions, model=answer.versions.model)
        return replace(answer, versions=replace(versions, prompt=prompt))

    async def _converse(self, question: Question, watched: Watched, until: timedelta) -> Answer:
        """Return the answer, which is kept as a turn: without the model where none is needed, or else with it.

        It waits for its turns `until` a time of the event loop's clock.
        """
        try:
            async with self._reading_turn(question, watched, patience=until - _now()):
                parsed, history = await asyncio.gather(self._reader.parse(question), self._earlier(question))
                parsed = await self._reader.read_on(question, parsed, history or ())
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
        answer = found if isinstance(found, Answer) else await self._models.answer(found, history or (), until)
        answer = await spanned("notes", self._finished(question, parsed, answer, *notes))
        if history is None:
            answer = with_notes(answer, FORGETFUL)
        else:
            answer = await self._kept(question, answer)
        return await self._with_pages(answer, question)

    async def _look_up(
        self, question: Question, parsed: ParsedQuestion, watched: Watched, history: Sequence[Earlier]
    ) -> tuple[ParsedQuestion, Found | Answer, tuple[str, ...]]:
        """Return what a question asks for in each of its parts, what memory has of it or the answer, and notes."""
        parsed = await self._reader.in_parts(question, parsed)
        answer, notes = await spanned("count", self._count(question, parsed, watched))
        return parsed, answer or await self._find(question, parsed, watched, history=history), notes

    async def _with_pages(self, answer: Answer, question: Question) -> Answer:
        """Return an answer; where memory has nothing, with what the web has, if it may be asked."""
        if not self._web or answer.outcome is not Outcome.NOTHING_FOUND:
            return answer
        pages, note = await look_up_instead(question.text, self._web)
        return with_notes(replace(answer, pages=pages), *filter(None, [note]))

    def _may_be_written_out(self, parsed: ParsedQuestion) -> bool:
        """Return whether a model is to say what a question asks for that goes on from earlier ones."""
        goes_on = parsed.own_topic is not None and bool(parsed.topic)
        return goes_on and bool(self._models) and bool(self._config.follow_up_timeout)

    async def _written_out(
        self, question: Question, parsed: ParsedQuestion, history: Sequence[Earlier]
    ) -> ParsedQuestion:
        """Return a question that goes on from earlier ones with what a model makes of them, if it does so in time."""
        text = await self._models.written_out(question, history)
        if text is None:
            return parsed
        return replace(parsed, condensed=(await self._reader.parse(replace(question, text=text))).topic)

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
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"{key} not read", error)
            return None

    async def _kept(self, question: Question, answer: Answer) -> Answer:
        """Keep an answer as a turn of its conversation, if a later question can build on it, and return it."""
        if (
            self._conversations is None
            or self._config.history_tokens == 0
            or not answer.outcome.is_final
            or not question.kept
        ):
            return answer
        key = _conversation_of(question)
        try:
            with span("keep turn"):
                await self._conversations.append(key, finished_turn(question, answer))
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"{key} not saved", error)
            return with_notes(answer, UNSAVED)
        return answer

    async def _finished(self, question: Question, parsed: ParsedQuestion, answer: Answer, *notes: str) -> Answer:
        """Return an answer with all that has to be said beside it."""
        if not answer.outcome.is_final:
            return answer
        versions = version_notes(question, parsed)
        if versions and answer.outcome is Outcome.COUNTED:
            versions = (*versions, NOT_COUNTED)
        answer = with_names_explained(with_notes(answer, *notes, *versions), parsed)
        gaps = await self._gap_notes(question, parsed, answer)
        return with_notes(answer, *([] if parsed.complete else [HALF_READ]), *gaps)

    async def _gap_notes(self, question: Question, parsed: ParsedQuestion, answer: Answer) -> tuple[str, ...]:
        """Return what memory has not seen of where an answer was looked for; nothing when that is not known in time."""
        if self._coverage is None:
            return ()
        try:
            async with asyncio.timeout(GAPS_TIMEOUT.total_seconds()):
                memory = self._memory_of(question)
                with span("gaps"):
                    return await gap_notes_of(answer, question, parsed, coverage=self._coverage, memory=memory)
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"an answer in channel {question.channel_id} does not tell of gaps", error)
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
            return Answer(text=sentence(no_such_channels(parsed.unknown)), outcome=Outcome.NOTHING_FOUND), ()
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                context = new_context(question, parsed, self._memory_of(question), watched=watched)
                return await count(replace(context, knowers=self._knowers)), ()
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"a count for channel {question.channel_id} is answered by a search", error)
            return None, (UNCOUNTED,)

    async def _find(
        self, question: Question, parsed: ParsedQuestion, watched: Watched, *, history: Sequence[Earlier]
    ) -> Found | Answer:
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
                return Found(context, opening)
        except Exception as error:  # noqa: BLE001  # unanswered logs it
            return unanswered(question, error)

    async def _quote(self, question: Question, parsed: ParsedQuestion, watched: Watched) -> Answer:
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                context = await self._context(question, parsed, watched)
                return await quote(context, await open_search(context))
        except Exception as error:  # noqa: BLE001  # unanswered logs it
            return unanswered(question, error)

    async def _context(self, question: Question, parsed: ParsedQuestion, watched: Watched) -> Context:
        """Return the context of a run, which searches with the words of what the question points at as well."""
        memory = self._memory_of(question)
        try:
            async with asyncio.timeout(ABOUT_TIMEOUT.total_seconds()):
                about = await messages_about(question, memory)
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"a question in channel {question.channel_id} is answered without what it points at", error)
            about = ()
        context = new_context(question, with_their_words(parsed, about), memory, about=about, watched=watched)
        context = replace(context, knowers=self._knowers)
        if self._web:
            context = replace(context, web=WebLookUp(self._web, question.text))
        if question.about and not about:
            context.evidence.record_unknown_subject()
        return context


def _now() -> timedelta:
    """Return the time on the event loop's clock."""
    return timedelta(seconds=asyncio.get_running_loop().time())


def _conversation_of(question: Question) -> ConversationKey:
    return ConversationKey(question.channel_id, question.asker_id, question.private)


def _turned_away(text: str) -> Answer:
    return Answer(text=text, outcome=Outcome.TURNED_AWAY)
