"""Let a chain of language models answer from what was found, and quote it where none gives an answer that it proves."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial

from agent.condensing import condensed, condensing_prompt
from agent.config import AgentConfig
from agent.context import Context
from agent.conversations import Earlier
from agent.failures import log_failure, unanswered
from agent.fairness import asker_of
from agent.models.chain import TURN_PATIENCE, ModelState, NamedModel
from agent.models.failures import retry_after
from agent.models.language_model import LanguageModel
from agent.models.run import ModelRun
from agent.narrowed import PART_OF_EARLIER_TURNS, narrowed, newest, tokens_of, with_half
from agent.opening import Opening
from agent.proof.prove import proven
from agent.quotation import quote
from agent.remarks import with_names_explained, with_notes
from agent.types import Answer, Outcome, Question
from agent.web.pages import without_web_sentences
from errors import BusyError, ChatModelError, ModelUnavailableError, PromptTooLongError, UnusableAnswerError
from tracing import note, span

logger = logging.getLogger(__name__)

MODEL_FAILED = "The language model did not answer, so these are quotes from memory."
MODEL_SILENT = "The language model did not answer."
MODEL_BUSY = "Too many questions wait for the language model, so these are quotes from memory."
UNPROVEN = "The language model's answer cited no message, so these are quotes from memory."


@dataclass(frozen=True, slots=True)
class Found:
    """The context of a run, and what was found before a model speaks."""

    context: Context
    opening: Opening
    run: ModelRun = field(default_factory=ModelRun)


class ModelAnswers:
    """Language models in the order in which they are asked: the next one where one fails, is down or has no turn."""

    def __init__(self, models: Sequence[NamedModel], *, config: AgentConfig) -> None:
        self._config = config
        self._models = tuple(LanguageModel(model, config=config) for model in models)

    def __bool__(self) -> bool:
        return bool(self._models)

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
    def states(self) -> tuple[ModelState, ...]:
        """How each language model is, in the order in which they are asked."""
        return tuple(model.state for model in self._models)

    @property
    def prompt_version(self) -> str:
        """The fingerprint of what the first model that is loaded is told; empty while none is."""
        return next(filter(None, (model.prompt_version for model in self._models)), "")

    @property
    def are_several(self) -> bool:
        """Whether more than one model may have written an answer."""
        return len(self._models) > 1

    def close(self) -> None:
        """Let the models begin nothing more."""
        for model in self._models:
            model.close()

    async def answer(self, found: Found, history: Sequence[Earlier], until: timedelta) -> Answer:
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
        self, model: LanguageModel, found: Found, history: Sequence[Earlier], *, within: timedelta
    ) -> Answer | None:
        """Return what `_write` does, and None where the model fails; how it went is noted."""
        began = _now()
        answer = None
        with span("model", model=model.name) as asked:
            try:
                answer = await self._write(model, found, history, within=within)
                model.breaker.succeeded()
            except Exception as error:  # noqa: BLE001  # log_failure keeps it
                log_failure(f"{model.name} did not answer channel {found.context.question.channel_id}", error)
                asked.note(failed=type(error).__name__)
                if isinstance(error, PromptTooLongError | UnusableAnswerError):  # messages can bring that about
                    model.breaker.succeeded()
                else:
                    model.breaker.failed(retry_after=retry_after(error))
            took = (_now() - began).total_seconds()
            used = model.note(found.run, seconds=took, answered=answer is not None)
            asked.note(attempts=found.run.attempts, turns=found.run.turns, cost=used.cost)
            asked.note(tokens_read=used.tokens_read, tokens_written=used.tokens_written)
        return answer

    def _turn(self, model: LanguageModel, found: Found, *, patience: timedelta) -> AbstractAsyncContextManager[None]:
        """Wait for a turn with a model; raise BusyError when none comes."""
        return model.turn(asker_of(found.context.question), patience=patience, tell=found.context.watched.place)

    async def written_out(self, question: Question, history: Sequence[Earlier]) -> str | None:
        """Return the whole of a question that goes on from earlier ones, as a model writes it; None without one."""
        limit = self._config.follow_up_timeout
        with span("condense") as condensing:
            try:
                written = await self._model_at_hand().condense(condensing_prompt(question.text, history), within=limit)
                text = condensed(written, question.text, history)
            except ModelUnavailableError as error:
                condensing.note(failed=type(error).__name__)
                return None
            except Exception as error:  # noqa: BLE001  # log_failure keeps it
                log_failure(f"a question in channel {question.channel_id} is not written out", error)
                return None
            condensing.note(taken=text is not None, models_text=written)
        return text

    def _model_at_hand(self) -> LanguageModel:
        """Return the first model that is not left alone; the first one where all are, which then says so."""
        return next((model for model in self._models if model.breaker.is_open), self._models[0])

    async def _write(
        self, model: LanguageModel, found: Found, history: Sequence[Earlier], *, within: timedelta
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

    async def _ask_model(
        self, model: LanguageModel, found: Found, history: Sequence[Earlier], *, within: timedelta
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
        self, model: LanguageModel, found: Found, history: Sequence[Earlier], *, max_tokens: int
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

    async def _quote_instead(self, found: Found, *, because: str, or_else: str = "") -> Answer:
        """Return quotations in place of a model's answer with a note; another note when nothing can be quoted."""
        try:
            async with asyncio.timeout(self._config.quotes_timeout.total_seconds()):
                answer = await quote(found.context, found.opening)
        except Exception as error:  # noqa: BLE001  # unanswered logs it
            return unanswered(found.context.question, error)
        note = because if answer.outcome is Outcome.QUOTED else or_else
        return with_notes(answer, note) if note and answer.outcome.is_final else answer


def _show(context: Context, draft: Answer) -> None:
    """Show the beginning of an answer as the whole of it will begin."""
    context.watched.draft(with_names_explained(draft, context.parsed))


def _now() -> timedelta:
    """Return the time on the event loop's clock."""
    return timedelta(seconds=asyncio.get_running_loop().time())
