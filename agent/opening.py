"""Search memory for a question once, before anybody speaks: model and quotations answer from the same results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import zip_longest

from agent.about import points_only, said_in
from agent.context import Context, memory_for
from agent.lookup import Recalled, list_time, read_around, search, search_all_time, select_in_order
from agent.refusal.judgement import Judgement, judge
from agent.selection import NumberedLine, Quote, best_lines, having_words, spread_lines, undecided
from agent.time_scope import TimeScope
from agent.transcript import neutralise
from agent.types import Searched
from memory.discussions import DISCUSSION_GAP
from memory.message import Kind, Message
from memory.question.parse import ParsedQuestion
from memory.search.replies import is_question
from memory.search.results import RankedMessage
from memory.search.terms import Weighed, keywords_of, stems_in
from tracing import span

AROUND = 3
"""Messages before, and after, one that a question points at which are quoted with it."""

MOST_OF_PARTS = 6
"""Quotations for a question that asks for several things: three for each of two, two for each of three."""

_RELATIVE = frozenset(
    ["yesterday", "today", "tonight", "now", "last", "this", "past", "previous", "recently", "ago", "earlier", "since"]
)
"""Words of time that mean another one in every message."""

NOTHING_TO_SEARCH = "The question names nothing to search for."


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found before anybody speaks.

    `text` is what a model reads of it, and `chosen` are the lines that answer the question by themselves. `searched`
    and `shown_places` tell where it was looked for and what was found where, without what a model searches later. The
    `judgement` tells whether that can answer the question; overviews, selections, questions that point at
    messages and those without a telling word are not judged, and have none.
    """

    text: str
    found: Recalled
    chosen: tuple[Quote, ...]
    searched: Searched | None = None
    shown_places: frozenset[int] = frozenset()
    judgement: Judgement | None = None
    unanswered: tuple[str, ...] = ()
    """Those parts of a question for which nothing was chosen, where something was for others."""

    @property
    def is_refused(self) -> bool:
        """Whether nothing can be answered from it, with a model or without.

        Where only the time that the question names holds nothing, a model may look beyond it.
        """
        if self.chosen or self.judgement is None or self.judgement.is_answerable:
            return False
        return bool(self.judgement.unknown) or not self.found.spoken


async def open_search(context: Context) -> Opening:
    """Search for what a question is about, or list what it asks for; raise DatabaseUnavailableError without memory."""
    with span("opening", topic=context.parsed.topic) as opened:
        opening = await _opened(context)
        opened.note(found=len(opening.found.lines), chosen=len(opening.chosen))
    return replace(opening, searched=context.searched, shown_places=context.evidence.shown_places)


def is_overview(parsed: ParsedQuestion) -> bool:
    """Return whether a question asks for all that was said in some time, and for nothing in particular."""
    return bool(parsed.times) and not parsed.topic and not parsed.selection


async def _opened(context: Context) -> Opening:
    parsed = context.parsed
    if parsed.parts:
        return await _of_parts(context)
    windows = context.searches.narrow(None)
    if parsed.selection:
        text, listed = await select_in_order(context, parsed.selection, windows=windows, authors=parsed.authors)
        return Opening(text, listed, tuple(Quote(*line) for line in listed.lines))
    if is_overview(parsed):
        text, listed = await list_time(context, windows=windows, authors=parsed.authors)
        return Opening(text, listed, tuple(spread_lines(listed.lines)))
    topic = (parsed.condensed or parsed.topic or parsed.text).replace("\x00", " ").strip()
    if not topic:
        return Opening(NOTHING_TO_SEARCH, Recalled((), context.question.time_zone), ())
    opening = await _searched(context, topic)
    if context.about and (not opening.chosen or points_only(parsed)):
        return await _with_what_is_around(context, opening)
    if opening.chosen or not windows or parsed.as_of:
        return opening
    return await _of_another_time(context, opening)


async def _of_parts(context: Context) -> Opening:
    """Return what is found for each part of a question, the best of each before the second best of any."""
    openings = []
    for part in context.parsed.parts:
        searches = TimeScope(part.windows, all_time=context.question.all_time)
        memory = memory_for(part, context.memory)
        openings.append(await _opened(replace(context, parsed=part, searches=searches, memory=memory)))
        context.searches.add(searches)
    texts = [
        f"{neutralise(part.text)}\n{opening.text}" for part, opening in zip(context.parsed.parts, openings, strict=True)
    ]
    found = [opening.found for opening in openings]
    together = replace(
        found[0],
        lines=tuple({number: (number, line) for one in reversed(found) for number, line in one.lines}.values()),
        spoken=found[0].spoken if len({one.spoken for one in found}) == 1 else "",
        selected_from="",
        words=tuple(word for one in found for word in one.words),
        read_as=tuple(dict.fromkeys(pair for one in found for pair in one.read_as)),
        of_another_time=any(one.of_another_time for one in found),
    )
    return Opening(
        "\n\n".join(texts),
        together,
        _interleaved([opening.chosen for opening in openings]),
        judgement=openings[0].judgement if all(opening.is_refused for opening in openings) else None,
        unanswered=_unanswered(context.parsed.parts, openings),
    )


def _unanswered(parts: Sequence[ParsedQuestion], openings: Sequence[Opening]) -> tuple[str, ...]:
    """Return the parts for which nothing was chosen, unless that is so of all."""
    unanswered = tuple(part.text for part, opening in zip(parts, openings, strict=True) if not opening.chosen)
    return unanswered if len(unanswered) < len(parts) else ()


def _interleaved(chosen: Sequence[Sequence[Quote]]) -> tuple[Quote, ...]:
    """Return the first quotations of each part in turn, each message once."""
    taken: dict[int, Quote] = {}
    most = MOST_OF_PARTS // len(chosen)
    for quotes in zip_longest(*(part[:most] for part in chosen)):
        for quote in filter(None, quotes):
            taken.setdefault(quote.number, quote)
    return tuple(taken.values())


async def _searched(context: Context, topic: str) -> Opening:
    """Return what a search for the topic finds, and the best of it compared by its own words."""
    question, parsed = context.question, context.parsed
    windows = context.searches.narrow(None)
    others = [parsed.topic, parsed.own_topic or ""] if parsed.condensed else [parsed.own_topic or ""]
    text, found = await search(
        context,
        topic,
        windows=windows,
        authors=parsed.authors,
        also=[other.replace("\x00", " ") for other in others if other],
    )
    numbers = [number for number, _ in found.lines]
    # A question that goes on from others is answered by some of its words or by all, and each choice has its own.
    only = undecided(found.lines, topic=topic, words=found.words) if parsed.own_topic is None else None
    with span("compare own words"):
        lines = await context.memory.compare_own_words(topic, [line for _, line in found.lines], only=only)
    numbered = [
        (number, line)
        for number, line in zip(numbers, lines, strict=True)
        if line.message.message_id not in question.about
    ]
    found = replace(found, lines=tuple(zip(numbers, lines, strict=True)))
    chosen = tuple(_best(context, numbered, found, topic))
    has_words = having_words(question.text)
    is_pasted = any(has_words(quote.line.message) for quote in chosen)
    if context.about or is_pasted or not keywords_of(topic):
        return Opening(text, found, chosen)
    with span("judge") as judged:
        judgement = await judge(context, topic, found, numbered, is_chosen=bool(chosen))
        judged.note(answerable=judgement.is_answerable, score=judgement.score, words=judgement.unknown)
    return Opening(text, found, chosen if judgement.is_answerable else (), judgement=judgement)


def _best(context: Context, lines: Sequence[NumberedLine], found: Recalled, topic: str) -> list[Quote]:
    """Return the lines that answer a question by themselves.

    Where it goes on from earlier questions they answer its own words, and are about what those asked if any are; what
    was given for those comes last.
    """
    parsed = context.parsed
    best = partial(best_lines, question=context.question.text)
    if parsed.own_topic is None:
        return best(lines, words=found.words, topic=topic)
    fresh = [line for line in lines if line[1].message.message_id not in parsed.given]
    if parsed.others_only:
        return best(fresh, words=found.words, topic=topic)
    own_words = keywords_of(parsed.own_topic)
    if not own_words:
        return best(lines, words=found.words, topic=topic) or _beside_given(lines, parsed)
    words = found.words or tuple(map(Weighed, keywords_of(topic)))
    earlier = frozenset[str]().union(*(word.keyword.stems for word in words if word.keyword not in own_words))
    by_own_words = best(lines, words=[word for word in words if word.keyword in own_words], topic=parsed.own_topic)
    about_earlier = [quote for quote in by_own_words if stems_in(quote.line.message) & earlier]
    new = [quote for quote in about_earlier if quote.line.message.message_id not in parsed.given]
    return new or about_earlier or best(fresh, words=words, topic=topic) or by_own_words


def _beside_given(lines: Sequence[NumberedLine], parsed: ParsedQuestion) -> list[Quote]:
    """Return what those whose words are asked for said nearest to what was given before, in the same discussion.

    "Who drinks tea?" and "and Ben?" are answered by Ben's "coffee", which has no word of either.
    """
    given = [line.message for _, line in lines if line.message.message_id in parsed.given]
    if parsed.authors is None or not given:
        return []
    hits = [(number, line) for number, line in lines if line.hit and line.message.message_id not in parsed.given]
    nearest = min(hits, key=lambda numbered: _silence(numbered[1].message, given), default=None)
    return [Quote(*nearest)] if nearest and _silence(nearest[1].message, given) <= DISCUSSION_GAP else []


def _silence(message: Message, others: Sequence[Message]) -> timedelta:
    """Return the time from a message to the nearest of others of its place."""
    here = (abs(message.sent_at - other.sent_at) for other in others if other.place_id == message.place_id)
    return min(here, default=timedelta.max)


async def _with_what_is_around(context: Context, opening: Opening) -> Opening:
    """Return what was said around the message that a question points at, and then what else was chosen."""
    nearest = next((message.message_id for message in said_in(context.about)), None)
    if nearest is None:
        return opening
    text, around = await read_around(context, nearest, before=AROUND, after=AROUND)
    quotes = [Quote(*line) for line in around.lines if line[1].message.kind is Kind.MESSAGE]
    known = {quote.line.message.message_id for quote in quotes}
    more = [quote for quote in opening.chosen if quote.line.message.message_id not in known]
    found = replace(opening.found, lines=(*opening.found.lines, *around.lines), around_it=True)
    return Opening(f"{opening.text}\n\n{text}", found, (*quotes, *more))


async def _of_another_time(context: Context, opening: Opening) -> Opening:
    """Add what speaks of the time that a question names, or has its very words, but was said at another time.

    "How much is the rent from January?" is a question about January, and not for what was said then.
    """
    text = context.question.text
    times = keywords_of(" ".join(time.phrase for time in context.parsed.times))
    names_a_time = any(time.text.isalpha() for time in times) and _RELATIVE.isdisjoint(time.text for time in times)
    if is_question(text) and not names_a_time:
        return opening

    has_words = having_words(text)

    def speaks_of_it(line: RankedMessage) -> bool:
        stems = stems_in(line.message)
        return has_words(line.message) or (names_a_time and all(word.stems & stems for word in times))

    searched = await search_all_time(context, text.replace("\x00", " "), speaks_of_it=speaks_of_it)
    if searched is None:
        return opening
    shown, found = searched
    lines: Sequence[tuple[int, RankedMessage]] = [
        (number, replace(line, hit=line.hit and speaks_of_it(line))) for number, line in found.lines
    ]
    chosen = best_lines(lines, words=found.words, topic=text, question=text)
    if not chosen:
        return opening
    return Opening(f"{opening.text}\n\n{shown}", replace(found, of_another_time=True), tuple(chosen))
