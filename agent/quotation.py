"""Answer a question without a language model: search once, and quote the best of what was found."""

import logging
from dataclasses import replace

from agent.answers import Answer, Outcome, Question, Source
from agent.checking import still_there
from agent.choosing import Quote, best_lines, spread_lines
from agent.context import Context, Recall
from agent.drafts import context_of, draft_of
from agent.lookup import Recalled, list_time, search, select_in_order
from agent.quotes import quotation
from agent.reading import Reading
from errors import DatabaseUnavailableError
from memory.topics import Selection, asks_for_talk_alone

MEMORY_OUT = "The memory of this chat cannot be reached just now, so I cannot look anything up. Please try again later."
NOTHING_FOUND = "I found nothing about that in the channels that you may read."
NO_MESSAGES = "I found no messages of that kind in the channels that you may read."
NOTHING_FOUND_THEN = (
    "I found nothing {matter}at the time that you named ({time}), in the channels that you may read. "
    "All time can be searched instead."
)
NOTHING_ASKED = (
    "Ask me about something that was said in the channels that you may read, "
    'such as "what did we decide about the database?".'
)
SELECTED = "These are {shown} of {amount} messages. To read more, ask about one of these matters or a shorter time."

logger = logging.getLogger(__name__)


async def quote(question: Question, *, reading: Reading, memory: Recall) -> Answer:
    """Return the quotations that answer a question; the same question gets the same answer.

    When no memory answers, the answer says so; nothing is raised for it.
    """
    context = context_of(question, reading, memory)
    try:
        recalled, chosen = await _chosen(context)
    except DatabaseUnavailableError as error:
        logger.warning("channel %d is told that memory is out: %r", question.channel_id, error)
        return Answer(text=MEMORY_OUT, outcome=Outcome.MEMORY_UNREACHABLE)
    cited, notes = await still_there(
        {quote.number: quote.line.message for quote in chosen},
        evidence=context.evidence,
        question=question,
        memory=memory,
    )
    present = [
        quote._replace(line=replace(quote.line, message=cited[quote.number]))
        for quote in chosen
        if quote.number in cited
    ]
    text, sources = _quoted(present, recalled, question)
    if not sources:
        text = _nothing(context, recalled)
    elif context.asked.selection:
        text = f"{_called(context.asked.selection, len(sources))}\n{text}"
    elif _is_overview(context) and (recalled.selected_from or len(recalled.lines) > len(chosen)):
        amount = recalled.selected_from or len(recalled.lines)
        text = f"{text}\n\n{SELECTED.format(shown=len(sources), amount=amount)}"
    return Answer(
        text=text,
        outcome=Outcome.QUOTED if sources else Outcome.NOTHING_FOUND,
        sources=sources,
        notes=(*context.evidence.notes, *notes),
        searched=draft_of(text, context, reading).searched,
        shown_places=context.evidence.shown_places,
    )


def _is_overview(context: Context) -> bool:
    """Tell whether a question asks for what was said in some time, and for nothing in particular."""
    return bool(context.asked.times) and not context.asked.topic and not context.asked.selection


async def _chosen(context: Context) -> tuple[Recalled, list[Quote]]:
    """Return what was found and the lines of it to quote: the best, or some from all over a stretch of time."""
    asked, question = context.asked, context.question
    windows = context.searches.allowed(None)
    if asked.selection:
        _, listed = await select_in_order(context, asked.selection, windows=windows, authors=asked.authors)
        return listed, [Quote(*line) for line in listed.lines]
    if _is_overview(context):
        _, listed = await list_time(context, windows=windows, authors=asked.authors)
        return listed, spread_lines(listed.lines)
    topic = (asked.topic or asked.text).replace("\x00", " ").strip()
    if not topic:
        return Recalled((), question.time_zone), []
    _, found = await search(context, topic, windows=windows, authors=asked.authors)
    return found, best_lines(found.lines, words=found.words, topic=topic, question=question.text)


def _nothing(context: Context, recalled: Recalled) -> str:
    """Return the sentence that nothing was found, or that there was nothing to look for."""
    has_topic = bool(context.asked.topic)
    if recalled.spoken:
        return NOTHING_FOUND_THEN.format(matter="about that " if has_topic else "", time=recalled.spoken)
    if not has_topic and context.asked.selection:
        return NO_MESSAGES
    return NOTHING_ASKED if asks_for_talk_alone(context.asked.topic or context.asked.text) else NOTHING_FOUND


def _called(selection: Selection, amount: int) -> str:
    """Return what messages are that were selected by their order."""
    order = "newest" if selection.newest else "first"
    return f"The {order} message:" if amount == 1 else f"The {order} {amount} messages, in the order of time:"


def _quoted(quotes: list[Quote], recalled: Recalled, question: Question) -> tuple[str, tuple[Source, ...]]:
    """Return the quotations, numbered from 1, and what the numbers stand for.

    A message that cannot be quoted, for whatever reason, costs only itself.
    """
    quotations: list[str] = []
    sources: list[Source] = []
    for _, line, answers in quotes:
        number = len(sources) + 1
        try:
            quotations.append(
                quotation(number, line, question=question.text, time_zone=recalled.time_zone, answers=answers)
            )
        except Exception:
            logger.exception("message %d cannot be quoted", line.message.message_id)
        else:
            sources.append(Source(number, line.message))
    return "\n".join(quotations), tuple(sources)
