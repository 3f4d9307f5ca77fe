"""Answer when most was said, or how much when, by counts of the units of the asker's clock and calendar."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent.citations import check_again
from agent.context import Context
from agent.count_words import NOT_EXACT, NOUNS, described, listed, number_of, scope_of
from agent.lookup import Recalled
from agent.markdown import inline
from agent.progress import StepKind
from agent.transcript import format_messages, neutralise
from agent.types import Answer, Outcome, Source
from agent.whose import Whose
from memory.authors import Authors
from memory.counting.activity import Bucket, by_unit
from memory.counting.request import CountRequest
from memory.counting.results import Activity, Matter, Unit
from memory.message import Message
from memory.search.results import RankedMessage, SearchResult, by_place
from time_expressions.window import Windows, intersection

MOST_BUSIEST, MOST_UNITS = 5, 24
"""Units that are listed where the busiest are asked for, and where all are: the newest of these."""

MOST_EXAMPLES = 3
"""Units of which the newest message is shown, those with most."""

NOTHING = "No {noun}{described} {scope}."

_MOST_TIED = 3
_DAYS_APART, _WEEKS_APART = timedelta(days=16), timedelta(days=120)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was counted by units, in their order, and the newest message of some of them by the start of the unit."""

    unit: Unit
    activity: Activity
    buckets: Sequence[Bucket]
    examples: dict[Bucket, Message]

    @property
    def busiest(self) -> list[Bucket]:
        """The units, those with most first."""
        return busiest_of(self.buckets)


def busiest_of(buckets: Iterable[Bucket]) -> list[Bucket]:
    """Return units, those with most first, and of as many the earlier one first."""
    return sorted(buckets, key=lambda bucket: (-bucket.amount, bucket.start))


async def answer_activity(request: CountRequest, whose: Whose, context: Context) -> Answer | None:
    """Return when there was how much; None when there was nothing and the question may mean something else.

    Raises DatabaseUnavailableError when no memory answers.
    """
    matter = Matter(sought=request.sought, terms=request.terms, attribute=request.attribute)
    windows = context.searches.narrow(None)
    counted = await _count(matter, request.unit, windows, whose.authors, context)
    if not counted.activity.amount and not request.certain:
        return None
    numbered = {context.evidence.number(message): bucket for bucket, message in counted.examples.items()}
    current, notes = await check_again(
        {number: counted.examples[bucket] for number, bucket in numbered.items()}, context
    )
    sources = tuple(Source(number, message) for number, message in enumerate(current.values(), 1))
    marks = {numbered[number]: place for place, number in enumerate(current, 1)}
    return Answer(
        text="\n".join(_lines(request, counted, marks, context)),
        outcome=Outcome.COUNTED if counted.activity.amount else Outcome.NOTHING_FOUND,
        sources=sources,
        notes=(*context.evidence.notes, *notes, *whose.notes, *(() if counted.activity.exact else (NOT_EXACT,))),
        searched=context.searched,
        shown_places=context.evidence.shown_places,
    )


async def activity_shown(
    context: Context, matter: Matter, *, unit: Unit | None, windows: Windows, whose: Whose
) -> tuple[str, Recalled]:
    """Return when there was how much of a matter, with the newest message of the busiest units, for a model.

    Raises DatabaseUnavailableError when no memory answers.
    """
    counted = await _count(matter, unit, windows, whose.authors, context)
    time_zone = context.question.time_zone
    findings = SearchResult(
        tuple(by_place(RankedMessage(message, hit=True) for message in counted.examples.values())),
        counted.activity.unreachable,
    )
    context.evidence.record(findings)
    shown = format_messages(findings, evidence=context.evidence, time_zone=time_zone)
    amount = number_of(counted.activity.amount, *NOUNS[matter.sought])
    busiest = "; ".join(f"{name_of(bucket, counted.unit)}: {bucket.amount}" for bucket in counted.busiest[:MOST_UNITS])
    text = f"Counted exactly: {amount} by {counted.unit} ({time_zone}), most first: {busiest or 'nothing'}."
    context.evidence.state(text)
    noted = " ".join((*whose.notes, text))
    return f"{neutralise(noted)}\nThe newest of the first ones:\n{shown.text}", Recalled(shown.lines, time_zone)


async def _count(
    matter: Matter, unit: Unit | None, windows: Windows, authors: Authors | None, context: Context
) -> _Counted:
    memory, places = context.memory, context.parsed.places
    context.tell(StepKind.COUNTING, windows=windows)
    activity = await memory.activity(matter, places=places, windows=windows, authors=authors)
    context.evidence.record(SearchResult(unreachable=activity.unreachable))
    context.searches.record(windows, is_empty=not activity.amount and not activity.unreachable)
    unit = unit or _fitting_unit(activity)
    buckets = await asyncio.to_thread(by_unit, activity.quarters, unit, context.question.time_zone)
    examples: dict[Bucket, Message] = {}
    for bucket in busiest_of(buckets)[:MOST_EXAMPLES]:
        within = intersection((bucket.newest_window,), windows) if windows else (bucket.newest_window,)
        newest = await memory.tally(matter, places=places, windows=within, authors=authors, limit=1)
        if newest.examples:
            examples[bucket] = newest.examples[0].message
    return _Counted(unit, activity, buckets, examples)


def _fitting_unit(activity: Activity) -> Unit:
    """Return the unit by which what was counted is a list of readable length."""
    moments = activity.quarters.keys()
    apart = max(moments) - min(moments) if moments else timedelta()
    if apart <= timedelta(days=1):
        return Unit.HOUR
    return Unit.DAY if apart <= _DAYS_APART else Unit.WEEK if apart <= _WEEKS_APART else Unit.MONTH


def _lines(request: CountRequest, counted: _Counted, marks: dict[Bucket, int], context: Context) -> Iterator[str]:
    noun, nouns = NOUNS[request.sought]
    by = " by you" if request.by_asker else f" by {inline(request.by)}" if request.by else ""
    amount, scope = counted.activity.amount, scope_of(context)
    words = described(request, by, is_one=amount <= 1)
    if not amount:
        yield NOTHING.format(noun=noun, described=words, scope=scope)
        return
    heading = f"**{number_of(amount, noun, nouns)}**{words} {scope}"
    clock = f"by {counted.unit} on the clock of {context.question.time_zone}"
    yield f"{heading}, {clock}. {_most(counted)}"
    listed_ones = counted.busiest[:MOST_BUSIEST] if request.busiest else counted.buckets[-MOST_UNITS:]
    for bucket in listed_ones:
        mark = f" [{marks[bucket]}]" if bucket in marks else ""
        yield f"- **{name_of(bucket, counted.unit)}**: {number_of(bucket.amount, noun, nouns)}{mark}"
    if len(counted.buckets) > len(listed_ones):
        which = "with fewer" if request.busiest else "before them"
        yield f"- and {len(counted.buckets) - len(listed_ones)} more {which}"


def _most(counted: _Counted) -> str:
    most = counted.busiest[0].amount
    tied = [bucket for bucket in counted.busiest if bucket.amount == most]
    names = [f"**{name_of(bucket, counted.unit)}**" for bucket in tied[:_MOST_TIED]]
    each = " each" if len(tied) > 1 else ""
    return f"Most: {listed(names, more=len(tied) - _MOST_TIED)} with {most}{each}."


def name_of(bucket: Bucket, unit: Unit) -> str:
    """Return what a unit is called: "Tue 10 Mar 2026", "14:00 - 15:00", "Tuesday", "March 2026"."""
    start = bucket.start
    match unit:
        case Unit.HOUR:
            return f"{start:%H}:00 - {start.hour + 1:02}:00"
        case Unit.WEEKDAY:
            return f"{start:%A}"
        case Unit.MONTH:
            return f"{start:%B %Y}"
        case Unit.WEEK:
            return f"week of {start:%a} {start.day} {start:%b %Y}"
    return f"{start:%a} {start.day} {start:%b %Y}"
