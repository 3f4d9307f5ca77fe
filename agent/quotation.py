"""Answer a question without a language model: search once, and quote the best of what was found."""

import logging
from collections.abc import Sequence
from dataclasses import replace

from agent.answers import Answer, Outcome, Question, Source
from agent.checking import still_there
from agent.choosing import Quote, best_lines, has_words, spread_lines
from agent.context import Context, Recall
from agent.drafts import context_of, draft_of
from agent.escaping import inline
from agent.lookup import Recalled, list_time, search, search_all_time, select_in_order
from agent.quotes import quotation
from agent.reading import Reading
from errors import DatabaseUnavailableError
from memory.findings import Line
from memory.keywords import keywords_of, stems_in
from memory.messages import Message
from memory.replies import is_question
from memory.stems import stems_of
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
_RELATIVE = frozenset(
    ["yesterday", "today", "tonight", "now", "last", "this", "past", "previous", "recently", "ago", "earlier", "since"]
)
"""Words of time that mean another one in every message."""

OF_ANOTHER_TIME = "Nothing about that was said at the time that you named; this speaks of it, and is of another time."
READ_AS = 'I read "{typed}" as "{meant}".'
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
    if recalled.of_another_time:
        notes = (*notes, OF_ANOTHER_TIME)
    notes = (*notes, *_spellings(recalled, [source.message for source in sources]))
    return Answer(
        text=text,
        outcome=Outcome.QUOTED if sources else Outcome.NOTHING_FOUND,
        sources=sources,
        notes=(*context.evidence.notes, *notes),
        searched=draft_of(text, context, reading).searched,
        shown_places=context.evidence.shown_places,
    )


def _spellings(recalled: Recalled, quoted: Sequence[Message]) -> list[str]:
    """Return which words of the question were taken for others that are quoted."""
    stems = frozenset[str]().union(*map(stems_in, quoted))
    read_as = [(inline(typed), inline(meant)) for typed, meant in recalled.read_as if stems & stems_of(meant)]
    return [READ_AS.format(typed=typed, meant=meant) for typed, meant in read_as]


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
    numbers = [number for number, _ in found.lines]
    lines = await context.memory.compare_own_words(topic, [line for _, line in found.lines])
    numbered = zip(numbers, lines, strict=True)
    chosen = best_lines(numbered, words=found.words, topic=topic, question=question.text)
    if chosen or not windows:
        return found, chosen
    return await _of_another_time(context) or (found, [])


async def _of_another_time(context: Context) -> tuple[Recalled, list[Quote]] | None:
    """Return what speaks of the time that a question names, or has its very words, but was said at another time.

    "How much is the rent from January?" is a question about January, and not for what was said then.
    """
    text = context.question.text
    times = keywords_of(" ".join(time.phrase for time in context.asked.times))
    names_a_time = any(time.text.isalpha() for time in times) and _RELATIVE.isdisjoint(time.text for time in times)
    if is_question(text) and not names_a_time:
        return None

    def speaks_of_it(line: Line) -> bool:
        stems = stems_in(line.message)
        return has_words(line.message, text) or (names_a_time and all(word.stems & stems for word in times))

    found = await search_all_time(context, text.replace("\x00", " "), speaks_of_it=speaks_of_it)
    if found is None:
        return None
    lines = [(number, replace(line, hit=line.hit and speaks_of_it(line))) for number, line in found.lines]
    chosen = best_lines(lines, words=found.words, topic=text, question=text)
    return (replace(found, of_another_time=True), chosen) if chosen else None


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
