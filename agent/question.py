"""Read a question before the model does: which time and which channels its searches are about."""

import logging
from dataclasses import dataclass, replace
from functools import partial

from agent.context import Recall
from agent.types import Question
from memory.question.parse import ParsedQuestion, parse_question
from time_expressions.conventions import OURS, Conventions, DateOrder, date_order
from time_expressions.find import TimePhrase, times_in

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a question asks for, and the names of the channels that it is about when it names some.

    A reading is not `complete` when memory did not answer, or not in time: the discussions, channels and people that
    were meant may not be known.
    """

    asked: ParsedQuestion
    channels: tuple[str, ...] = ()
    complete: bool = True


async def read_question(question: Question, *, memory: Recall) -> Reading:
    """Return what a question asks for; raise DatabaseUnavailableError when memory is needed and does not answer.

    Nothing that is read out of the words adds a place to those that the question may use.
    """
    understood = await parse_question(
        question.text,
        places=question.places,
        here=question.channel_id,
        now=question.now,
        time_zone=question.time_zone,
        memory=memory,
        read_times=partial(times_in, conventions=_conventions(question)),
    )
    asked = replace(
        understood,
        places=understood.places & question.places,
        times=() if question.all_time else understood.times,
    )
    return Reading(asked=asked, channels=asked.channels, complete=asked.complete)


def read_without_memory(question: Question) -> Reading:
    """Return what the words of a question alone tell of what it asks for; nothing is raised, whatever they are."""
    times: tuple[TimePhrase, ...] = ()
    try:
        if not question.all_time:
            conventions = _conventions(question)
            found = times_in(question.text, now=question.now, time_zone=question.time_zone, conventions=conventions)
            times = found.windows
    except Exception:
        logger.exception("the time in a question in channel %d was not read", question.channel_id)
    asked = ParsedQuestion(text=question.text, topic=question.text, places=question.places, times=times)
    return Reading(asked=asked, complete=False)


def order_of(question: Question) -> DateOrder:
    """Return the order in which days and months in digits are read in a question."""
    return question.date_order or date_order(locale=None, time_zone=question.time_zone, setting=None)


def _conventions(question: Question) -> Conventions:
    return OURS.in_order(order_of(question))
