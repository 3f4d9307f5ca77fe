"""Answer who knows about a topic: who wrote most and best about it, each with a message."""

from agent.citations import check_again
from agent.context import Context
from agent.count_words import number_of, plain_terms, scope_of
from agent.lookup import Recalled
from agent.markdown import inline
from agent.progress import StepKind
from agent.transcript import format_messages, neutralise
from agent.types import Answer, Outcome, Source
from memory.counting.request import CountRequest
from memory.plain_text import one_line
from memory.search.results import RankedMessage, SearchResult, by_place
from overviews.overview import Viewer
from overviews.who import Knower, Knowers
from time_expressions.window import ALL_TIME

MOST_PEOPLE = 5
"""People of an answer, those first who know most."""


async def answer_knowers(request: CountRequest, context: Context) -> Answer | None:
    """Return who knows about what a question asks; None when nobody is found, or it asks for more than a topic.

    A time, some people, some channels or the state as of a moment are for a search.

    Raises DatabaseUnavailableError when no memory answers.
    """
    parsed = context.parsed
    if context.knowers is None or parsed.times or parsed.authors or _is_confined(context):
        return None
    found = await _find(plain_topic(request.terms), context)
    knowers = [knower for knower in found.knowers[:MOST_PEOPLE] if knower.written]
    if not knowers:
        return None
    numbered = {context.evidence.number(knower.written[0].message): knower for knower in knowers}
    best = {number: knower.written[0].message for number, knower in numbered.items()}
    current, notes = await check_again(best, context)
    sources = tuple(Source(number, message) for number, message in enumerate(current.values(), 1))
    lines = [_line(numbered[number], mark, context) for mark, number in enumerate(current, 1)]
    heading = f'Who wrote most and best about "{plain_terms(request.terms)}" {scope_of(context)}:'
    return Answer(
        text="\n".join([heading, *lines]),
        outcome=Outcome.COUNTED,
        sources=sources,
        notes=(*context.evidence.notes, *notes, *map(inline, found.notes)),
        searched=context.searched,
        shown_places=context.evidence.shown_places,
    )


async def knowers_shown(context: Context, topic: str) -> tuple[str, Recalled]:
    """Return who knows about a topic, each with a message, for a model.

    Raises ValueError, in one sentence, for what is no topic, and DatabaseUnavailableError when no memory answers.
    """
    found = await _find(topic, context)
    time_zone = context.question.time_zone
    knowers = [knower for knower in found.knowers[:MOST_PEOPLE] if knower.written]
    findings = SearchResult(tuple(by_place(RankedMessage(knower.written[0].message, hit=True) for knower in knowers)))
    context.evidence.record(findings)
    shown = format_messages(findings, evidence=context.evidence, time_zone=time_zone)
    people = "; ".join(f"{one_line(name_of(knower))}: {_amount(knower)}" for knower in knowers)
    text = f"Who wrote most and best about it, best first: {people or 'nobody'}."
    context.evidence.state(text)
    return f"{neutralise(text)}\nOne message of each:\n{shown.text}", Recalled(shown.lines, time_zone)


def plain_topic(terms: str) -> str:
    """Return the words of a topic without the marks of a phrase."""
    return terms.replace('"', " ")


def name_of(knower: Knower) -> str:
    """Return the newest name that somebody bore in their messages about a topic."""
    return max(knower.written, key=lambda written: written.message.sent_at).message.author_name


def _is_confined(context: Context) -> bool:
    """Return whether a question is about some channels, or about messages as they were, which no finder knows."""
    parsed = context.parsed
    return parsed.conversations is not None or parsed.as_of is not None or parsed.before_edits


async def _find(topic: str, context: Context) -> Knowers:
    if context.knowers is None or _is_confined(context):
        raise ValueError("Who knows about what is not known here: search for the topic instead.")
    context.tell(StepKind.COUNTING)
    question = context.question
    viewer = Viewer(
        guild=question.guild,
        places=context.parsed.places,
        person_id=question.asker_id,
        channel_id=question.channel_id,
        now=question.now,
        time_zone=question.time_zone,
        private=question.private,
    )
    found = await context.knowers.find(viewer, topic, may_be_listed=question.may_be_listed)
    context.searches.record(ALL_TIME, is_empty=not found.knowers)
    return found


def _amount(knower: Knower) -> str:
    return number_of(knower.messages, "message", "messages")


def _line(knower: Knower, mark: int, context: Context) -> str:
    day = knower.newest_at.astimezone(context.question.time_zone)
    return f"- **{inline(name_of(knower))}**: {_amount(knower)}, last on {day.day} {day:%b %Y} [{mark}]"
