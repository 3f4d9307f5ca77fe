"""Count for a model: a number with whose it is, and some of the messages, numbered for its marks."""

from collections.abc import Iterable

from agent.context import Context
from agent.count_words import NOT_EXACT, NOUNS, number_of
from agent.lookup import Recalled
from agent.progress import StepKind
from agent.transcript import format_messages, neutralise
from agent.whose import Whose
from memory.counting.results import Example, Matter, Share, Tally
from memory.counting.words import Sought
from memory.plain_text import one_line
from memory.search.results import RankedMessage, SearchResult, by_place
from time_expressions.window import Windows

MOST_PEOPLE = 10
"""People whose numbers a model is told."""

MOST_SHOWN = 3
"""Messages at either end, or people, of which messages are shown."""

MOST_LISTED = 12
"""Messages of a list of links or files, the newest."""


async def count_shown(
    context: Context, matter: Matter, *, windows: Windows, whose: Whose, each_end: int = MOST_SHOWN
) -> tuple[str, Recalled]:
    """Return how much there is of a matter and by whom, with so many of the oldest and of the newest of it.

    Raises DatabaseUnavailableError when no memory answers.
    """
    tally = await _tally(context, matter, windows, whose, newest_first=False, limit=each_end, last=each_end)
    ends = "The oldest and the newest of them" if each_end > 1 else "The first and the last of them"
    return _shown(context, matter, tally, whose, heading=ends, examples=(*tally.examples, *tally.last))


async def authors_shown(context: Context, matter: Matter, *, windows: Windows, whose: Whose) -> tuple[str, Recalled]:
    """Return who has most of a matter, with the newest of those who have; raise DatabaseUnavailableError."""
    tally = await _tally(context, matter, windows, whose, newest_first=True, limit=0, last=0)
    newest = [share.newest for share in tally.shares[:MOST_SHOWN] if share.newest]
    return _shown(context, matter, tally, whose, heading="The newest of the first ones", examples=newest)


async def list_shown(context: Context, matter: Matter, *, windows: Windows, whose: Whose) -> tuple[str, Recalled]:
    """Return the newest messages that have some of a matter, and how much there is; raise DatabaseUnavailableError."""
    tally = await _tally(context, matter, windows, whose, newest_first=True, limit=MOST_LISTED, last=0)
    return _shown(context, matter, tally, whose, heading="The newest of them", examples=tally.examples)


async def _tally(
    context: Context, matter: Matter, windows: Windows, whose: Whose, *, newest_first: bool, limit: int, last: int
) -> Tally:
    context.tell(StepKind.COUNTING, windows=windows)
    tally = await context.memory.tally(
        matter,
        places=context.parsed.places,
        windows=windows,
        authors=whose.authors,
        newest_first=newest_first,
        limit=limit,
        last=last,
    )
    context.searches.record(windows, is_empty=not tally.messages and not tally.unreachable)
    return tally


def _shown(
    context: Context, matter: Matter, tally: Tally, whose: Whose, *, heading: str, examples: Iterable[Example]
) -> tuple[str, Recalled]:
    messages = dict.fromkeys(example.message for example in examples)
    findings = SearchResult(
        tuple(by_place(RankedMessage(message, hit=True) for message in messages)), tally.unreachable
    )
    context.evidence.record(findings)
    shown = format_messages(findings, evidence=context.evidence, time_zone=context.question.time_zone)
    is_of_messages = matter.sought is Sought.MESSAGES
    amount = number_of(tally.messages if is_of_messages else tally.items, *NOUNS[matter.sought])
    people = ", ".join(
        f"{one_line(share.newest.message.author_name)}: {_number(share, is_of_messages)}"
        for share in tally.shares[:MOST_PEOPLE]
        if share.newest
    )
    by = f" by {number_of(len(tally.shares), 'person', 'people')} ({people})" if people else ""
    text = f"Counted exactly: {amount}{by}."
    context.evidence.state(text)
    noted = " ".join((*whose.notes, text, *(() if tally.exact else (NOT_EXACT,))))
    return f"{neutralise(noted)}\n{heading}:\n{shown.text}", Recalled(shown.lines, context.question.time_zone)


def _number(share: Share, is_of_messages: bool) -> int:
    return share.messages if is_of_messages else share.items
