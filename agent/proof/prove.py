"""Prove what a model wrote: its marks and the words that they copied, and sentence by sentence what it claims."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.citations import check_again, cited_numbers, with_sources
from agent.context import Context
from agent.markdown import with_names_escaped
from agent.proof.claims import Frame, Kind, language
from agent.proof.copied_answers import with_copied_answers
from agent.proof.facts import MessageFacts
from agent.proof.missing_marks import with_missing_marks
from agent.proof.names import person_words, words_of
from agent.proof.sentences import judged
from agent.proof.spans import copied_form, has_copied, with_held_marks
from agent.proof.units import joined
from agent.spoilers import hidden_again
from agent.transcript import line_of
from agent.types import Answer
from errors import TemporaryError
from memory.message import Message
from tracing import note

logger = logging.getLogger(__name__)

LEFT_OUT = "A part of the language model's answer is left out (not in the messages)."


@dataclass(frozen=True, slots=True)
class Proven:
    """What of an answer is proven, and why sentences of it were left out."""

    text: str
    left_out: tuple[Kind, ...]

    @property
    def has_inventions(self) -> bool:
        """Whether a sentence was left out that told something."""
        return any(kind is not Kind.NOTHING for kind in self.left_out)


async def proven(text: str, context: Context) -> Answer | None:
    """Return a model's answer with those of its sentences that its messages support; None when none is left.

    Its marks are numbered in the order of their appearance, and what they copied is taken out. How many sentences were
    kept, and how many left out for which reason, is noted in the trace.
    """
    text = await marked(presentable(text, context), context)
    cited, notes = await check_again(context.evidence.messages(cited_numbers(text)), context)
    proof = await prove(text, cited, context)
    return with_proof(proof, cited, notes, context)


def presentable(text: str, context: Context) -> str:
    """Return what a model wrote with plain marks that hold, hidden words hidden, and names as they are."""
    evidence = context.evidence

    def is_copied(number: int, words: str) -> bool:
        message = evidence.message(number)
        return message is not None and has_copied(copied_form(line_of(message, context.question.time_zone)), words)

    text = with_copied_answers(text, question=context.question.text, is_copied=is_copied, names=evidence.names)
    plain = with_held_marks(text, evidence.shown, time_zone=context.question.time_zone, names=evidence.names)
    return with_names_escaped(hidden_again(plain, evidence.contents), evidence.names)


async def marked(text: str, context: Context) -> str:
    """Return an answer, as `presentable` returns it, with the marks that can be found for sentences that lack one."""
    shown = context.evidence.shown
    if not text.strip() or not shown:
        return text
    frame = _frame(text, context, is_person=await _known_person(context))
    return with_missing_marks(text, _facts(shown, context), frame)


async def prove(text: str, cited: Mapping[int, Message], context: Context) -> Proven:
    """Return what of an answer, whose marks are plain, is supported by the messages that it cites, by their numbers."""
    units = judged(text, _facts(cited, context), _frame(text, context, is_person=await _known_person(context)))
    left_out = tuple(kind for _, kind in units if kind is not None)
    note(sentences_kept=len(units) - len(left_out), sentences_left_out=len(left_out))
    note(**{f"left_out_for_{kind.value}": count for kind, count in Counter(left_out).items()})
    return Proven(joined((unit, kind is None) for unit, kind in units), left_out)


def _facts(messages: Mapping[int, Message], context: Context) -> dict[int, MessageFacts]:
    """Return what messages support, by the numbers that they are given by."""
    by_id = {message.message_id: message for message in context.evidence.shown.values()}
    zone = context.question.time_zone
    return {
        number: MessageFacts(message, time_zone=zone, replied_to=by_id.get(message.reply_to or 0))
        for number, message in messages.items()
    }


async def _known_person(context: Context) -> Callable[[str], bool]:
    """Return whether a folded word names anybody in the places of the question; nobody where memory does not tell."""
    try:
        known = await context.memory.known_names(places=context.question.places)
    except TemporaryError as error:
        logger.warning("an answer in channel %d is proven without names: %r", context.question.channel_id, error)
        return lambda _: False
    return lambda word: bool(known.people(word))


def _frame(text: str, context: Context, *, is_person: Callable[[str], bool]) -> Frame:
    question, evidence = context.question, context.evidence
    return Frame(
        question=question.text,
        people=person_words({message.author_name for message in evidence.shown.values()}),
        now=question.now,
        time_zone=question.time_zone,
        language=language(text),
        is_person=is_person,
        stated=evidence.stated,
        question_words=words_of(question.text),
    )


def with_proof(proof: Proven, cited: Mapping[int, Message], notes: tuple[str, ...], context: Context) -> Answer | None:
    """Return the answer that is proven, None when it cites none of the messages; `cited` are by the numbers in it."""
    text, sources = with_sources(proof.text, cited)
    if not sources:
        return None
    evidence = context.evidence
    return Answer(
        text=text,
        sources=sources,
        notes=(*evidence.notes, *notes, *([LEFT_OUT] if proof.has_inventions else [])),
        searched=context.searched,
        shown_places=evidence.shown_places,
    )
