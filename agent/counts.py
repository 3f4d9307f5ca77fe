"""Answer a question for a number or a list: count by SQL, and show some of what was counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from agent.activity import answer_activity
from agent.citations import check_again
from agent.context import Context
from agent.count_words import NOT_EXACT, NOUNS, described, listed, number_of, scope_of
from agent.knowers import answer_knowers
from agent.markdown import address, file_name, inline
from agent.progress import StepKind
from agent.quotation import quotation
from agent.spoilers import PLACEHOLDER, without_spoilers
from agent.types import Answer, Outcome, Question, Source
from agent.whose import whose_of
from memory.authors import Authors
from memory.counting.question import read_request
from memory.counting.request import CountRequest, Wanted
from memory.counting.results import Example, Matter, Share, Tally
from memory.counting.words import Sought
from memory.message import Message
from memory.search.results import RankedMessage, SearchResult
from tracing import note

MOST_LISTED = 20
"""Messages of a list."""

MOST_ITEMS = 5
"""Links or files of one message in a list."""

MOST_PEOPLE = 10
"""People of a list; `memory.counting.tally.SHOWN_PEOPLE` of them have a message to show."""

UNKNOWN_PERSON = 'I know nobody called "{name}" in the channels that I may read here.'

_QUOTED = 3
_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class _Count:
    """What was asked and what was counted, with whose it is and where it was counted, in words."""

    request: CountRequest
    tally: Tally
    by: str = ""
    scope: str = ""
    notes: tuple[str, ...] = ()

    @property
    def amount(self) -> int:
        """The number that was asked for."""
        return self.tally.messages if self.request.sought is Sought.MESSAGES else self.tally.items

    def share(self, share: Share) -> int:
        """Return the number of one person."""
        return share.messages if self.request.sought is Sought.MESSAGES else share.items


async def count(context: Context) -> Answer | None:
    """Return the number or the list that a question asks for; None when it asks for something else.

    None too when nothing was found by a question that may not mean a list: a search is the answer to it. Raises
    DatabaseUnavailableError when no memory answers.
    """
    parsed = context.parsed
    request = read_request(parsed.rest, called=parsed.called)
    if request is None or not parsed.places:
        return None
    note(wanted=request.wanted.name.lower(), counted=request.sought.value, words=request.terms, unit=request.unit)
    answer = await _counted(request, context)
    note(answered=answer is not None, cited=len(answer.sources) if answer else 0)
    return answer


async def _counted(request: CountRequest, context: Context) -> Answer | None:
    if request.wanted is Wanted.KNOWERS:
        return await answer_knowers(request, context)
    whose = await whose_of(request, context)
    if whose.is_nobody:
        return _nobody(request) if request.certain else None
    if request.wanted is Wanted.ACTIVITY:
        return await answer_activity(request, whose, context)
    tally = await _tally(request, whose.authors, context)
    if not tally.messages and not request.certain:
        return None
    return await _answer(_Count(request, tally, _by(request, tally), scope_of(context), whose.notes), context)


def _nobody(request: CountRequest) -> Answer:
    return Answer(text=UNKNOWN_PERSON.format(name=inline(request.by)), outcome=Outcome.NOTHING_FOUND)


async def _tally(request: CountRequest, authors: Authors | None, context: Context) -> Tally:
    windows = context.searches.narrow(None)
    context.tell(StepKind.COUNTING, windows=windows)
    tally = await context.memory.tally(
        Matter(sought=request.sought, terms=request.terms, attribute=request.attribute),
        places=context.parsed.places,
        windows=windows,
        authors=authors,
        newest_first=request.wanted not in {Wanted.FIRST, Wanted.ENDS},
        limit=MOST_LISTED if request.wanted is Wanted.LIST else _QUOTED,
        last=1 if request.wanted is Wanted.ENDS else 0,
    )
    context.evidence.record(SearchResult(unreachable=tally.unreachable))
    context.searches.record(windows, is_empty=not tally.messages and not tally.unreachable)
    return tally


async def _answer(counted: _Count, context: Context) -> Answer:
    shown = _shown(counted)
    numbered = {context.evidence.number(example.message): example for example in shown}
    current, notes = await check_again({number: example.message for number, example in numbered.items()}, context)
    examples = [replace(numbered[number], message=message) for number, message in current.items()]
    text, sources = _written(counted, examples, context.question)
    return Answer(
        text=text,
        outcome=Outcome.COUNTED if counted.amount else Outcome.NOTHING_FOUND,
        sources=sources,
        notes=(*context.evidence.notes, *notes, *counted.notes, *(() if counted.tally.exact else (NOT_EXACT,))),
        searched=context.searched,
        shown_places=context.evidence.shown_places,
    )


def _shown(counted: _Count) -> list[Example]:
    """Return the examples that an answer shows, each once."""
    tally, kind = counted.tally, counted.request.wanted
    if kind in {Wanted.PEOPLE, Wanted.MOST}:
        return [share.newest for share in tally.shares[:MOST_PEOPLE] if share.newest]
    if kind is Wanted.ENDS:
        return list({example.message.message_id: example for example in (*tally.examples[:1], *tally.last)}.values())
    return list(tally.examples[:1] if kind in {Wanted.FIRST, Wanted.LAST} else tally.examples)


def _written(counted: _Count, examples: Sequence[Example], question: Question) -> tuple[str, tuple[Source, ...]]:
    """Return the answer with its marks, and what they stand for."""
    sources = tuple(Source(number, example.message) for number, example in enumerate(examples, 1))
    marks = {source.message.message_id: source.number for source in sources}
    if not counted.amount:
        return _none(counted), ()
    if counted.request.wanted in {Wanted.PEOPLE, Wanted.MOST}:
        lines = list(_people(counted, marks))
    else:
        lines = [_line(counted, example, marks[example.message.message_id], question) for example in examples]
    return "\n".join([_heading(counted, shown=len(lines)), *lines]), sources


# ---- the sentence in front


def _heading(counted: _Count, *, shown: int) -> str:
    match counted.request.wanted:
        case Wanted.PEOPLE:
            return _heading_of_people(counted)
        case Wanted.MOST:
            return _heading_of_most(counted)
        case Wanted.FIRST | Wanted.LAST:
            return _heading_of_order(counted)
        case Wanted.ENDS:
            return _heading_of_ends(counted)
        case Wanted.LIST:
            return _heading_of_list(counted, shown)
    return f"**{_amount(counted)}**{_words_of(counted)} {counted.scope}{_lead(counted, shown)}"


def _none(counted: _Count) -> str:
    return (
        f"No {NOUNS[counted.request.sought][0]}{described(counted.request, counted.by, is_one=True)} {counted.scope}."
    )


def _lead(counted: _Count, shown: int) -> str:
    if not shown:
        return "."
    if counted.tally.messages > shown:
        return f". The newest{'' if shown == 1 else f' {shown}'} of {_its_messages(counted)}:"
    return ":"


def _its_messages(counted: _Count) -> str:
    return "them" if counted.request.sought is Sought.MESSAGES else "the messages"


def _heading_of_people(counted: _Count) -> str:
    people = len(counted.tally.shares)
    verb = "has" if people == 1 else "have"
    nouns = NOUNS[counted.request.sought]
    return f"**{number_of(people, 'person', 'people')}** {verb} posted {nouns[1]}{_words_of(counted)} {counted.scope}:"


def _heading_of_most(counted: _Count) -> str:
    shares = counted.tally.shares
    most = counted.share(shares[0])
    first = [share for share in shares if counted.share(share) == most]
    names = listed([f"**{_name(share)}**" for share in first[:_MOST_NAMES]], more=len(first) - _MOST_NAMES)
    one_each = " each" if len(first) > 1 else ""
    has = "have" if len(first) > 1 else "has"
    noun = NOUNS[counted.request.sought][counted.amount != 1]
    return f"{names} {has} most: {most}{one_each} of {counted.amount} {noun}{_words_of(counted)} {counted.scope}."


def _heading_of_order(counted: _Count) -> str:
    which = "first" if counted.request.wanted is Wanted.FIRST else "last"
    noun = NOUNS[counted.request.sought][0]
    that = " that" if counted.request.terms and counted.request.sought is Sought.MESSAGES else ""
    return f"The {which} {noun}{described(counted.request, counted.by, is_one=True, that=that)} {counted.scope}:"


def _heading_of_ends(counted: _Count) -> str:
    amount = f"**{_amount(counted)}**{_words_of(counted)}"
    return f"{amount} {counted.scope}{': the first and the last' if counted.tally.messages > 1 else ''}:"


def _heading_of_list(counted: _Count, shown: int) -> str:
    heading = f"**{_amount(counted)}**{_words_of(counted)} {counted.scope}"
    if counted.tally.messages > shown:
        return f"{heading}, in the newest {shown} of {counted.tally.messages} messages:"
    return f"{heading}, newest first:" if shown > 1 else f"{heading}:"


def _words_of(counted: _Count) -> str:
    """Return whose they are and which words they have."""
    return described(counted.request, counted.by, is_one=counted.amount == 1)


def _amount(counted: _Count) -> str:
    return number_of(counted.amount, *NOUNS[counted.request.sought])


def _by(request: CountRequest, tally: Tally) -> str:
    """Return whose messages were counted, by the names that they bear."""
    if request.by_asker:
        return " by you"
    if not request.by:
        return ""
    names = list(dict.fromkeys(_name(share) for share in tally.shares if share.newest))
    if not 0 < len(tally.shares) <= _MOST_NAMES:
        names = [inline(request.by)]
    return f" by {listed(names)}"


def _name(share: Share) -> str:
    return inline(share.newest.message.author_name) if share.newest else "somebody"


# ---- the lines behind


def _people(counted: _Count, marks: dict[int, int]) -> Iterator[str]:
    """Yield a line for each person with most, with the mark of the newest message."""
    shares = [share for share in counted.tally.shares[:MOST_PEOPLE] if share.newest]
    for share in shares:
        number = marks.get(share.newest.message.message_id) if share.newest else None
        mark = f" [{number}]" if number else ""
        yield f"- **{_name(share)}**: {number_of(counted.share(share), *NOUNS[counted.request.sought])}{mark}"
    if len(counted.tally.shares) > len(shares):
        yield f"- and {len(counted.tally.shares) - len(shares)} more"


def _line(counted: _Count, example: Example, number: int, question: Question) -> str:
    """Return a message as a quotation, or the links or files in it."""
    message = example.message
    if counted.request.sought is Sought.MESSAGES:
        return quotation(number, RankedMessage(message, hit=True), question=question.text, time_zone=question.time_zone)
    sent_at = message.sent_at.astimezone(question.time_zone)
    when = f"{sent_at:%a} {sent_at.day} {sent_at:%b %Y %H:%M}"
    items = ", ".join(_items(message, example.items))
    return f"- **{inline(message.author_name)}** in #{inline(message.channel_name)}, {when}: {items} [{number}]"


def _items(message: Message, items: Iterable[str]) -> Iterator[str]:
    """Yield links and names of files as they are shown; what the message hides stays hidden."""
    files = {file.name for file in message.attachments}
    open_words = without_spoilers(message.content)
    listed = list(items)
    for item in listed[:MOST_ITEMS]:
        if item in files:
            yield file_name(item)
        else:
            yield address(item) if item in open_words else PLACEHOLDER
    if len(listed) > MOST_ITEMS:
        yield f"and {len(listed) - MOST_ITEMS} more"
