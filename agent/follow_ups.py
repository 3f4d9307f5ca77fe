"""Read a question that goes on from the ones before it: "and on Friday?", "who else?", "what about Ben?", "why?".

What it names itself, a time, a channel or a person, takes the place of what the earlier question named; all else is
taken over. It is searched for with its own words and with the most telling ones of the earlier question, known in
conversational search as historical query expansion, and by its own words alone as well.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from agent.conversations import Earlier
from agent.types import Question
from memory.counting.question import read_request
from memory.mentions import people_named as with_names
from memory.message import Message
from memory.names.known import KnownNames, Person
from memory.question.channels import READS
from memory.question.follow_up import FollowUp, follow_up_in
from memory.question.parse import LONGEST_QUESTION, ParsedQuestion
from memory.question.speakers import people_named
from memory.search.interface import MemoryReader
from memory.search.terms import keywords_of
from time_expressions.folding import FoldedText, words_of
from tracing import span

MOST_TURNS = 3
"""Earlier turns that are read at most: a follow-up of a follow-up of a question."""

LONGEST_PAUSE = timedelta(days=1)
"""After so long a question is a new one."""

MOST_TELLING = 6
"""Words of the earlier question that are searched for, the rarest ones."""

MOST_ANSWERS = 3
"""Messages that answered the earlier question which are read."""

MOST_CITED = 3
"""Words of these messages that are searched for, where the follow-up points at what they say."""

_ASKS_ANEW = frozenset(
    ["who", "whom", "whose", "when", "where", "why", "what", "which", "wer", "wann", "wo", "warum", "qui", "quand"]
)
"""Words that ask of what was counted something else than how much of it there is."""

_PEOPLE = frozenset(
    [
        "who",
        "everyone",
        "everybody",
        "anyone",
        "anybody",
        "somebody",
        "someone",
        "people",
        "wer",
        "jeder",
        "qui",
        "quien",
    ]
)
"""Words by which a question asks for people, of whom a follow-up may name one: "who drinks tea?", "and Ben?"."""

Parse = Callable[[Question], Awaitable[ParsedQuestion]]


@dataclass(frozen=True, slots=True)
class _Turn:
    """An earlier question as it is meant, and what its answer cited."""

    parsed: ParsedQuestion
    messages: tuple[Message, ...] = ()


async def read_with_turns(
    question: Question, parsed: ParsedQuestion, history: Sequence[Earlier], *, parse: Parse, memory: MemoryReader
) -> ParsedQuestion:
    """Return what a question asks for with the turns before it, oldest first; as it is where it needs none.

    A question that points at messages has its matter there. Raises DatabaseUnavailableError without memory.
    """
    if question.about or not history:
        return parsed
    names = await memory.known_names(places=question.places)
    found = follow_up_of(parsed, names)
    if found is None or (before := await _turn_before(question, history, names, parse)) is None:
        return parsed
    with span("follow-up") as followed:
        weights = await _weights(found, before, question, memory)
        completed = _completed(parsed, found, before, names, weights=weights, places=question.places)
        followed.note(
            topic=completed.topic, bare=found.is_bare, inherits_time=not parsed.times and bool(completed.times)
        )
    return completed


def follow_up_of(parsed: ParsedQuestion, names: KnownNames) -> FollowUp | None:
    """Return how a question goes on from others, None when it can be understood by itself."""
    rest = parsed.rest or (parsed.text if parsed.topic == parsed.text else "")
    asks_for_all = not READS.isdisjoint(words_of(parsed.text[:LONGEST_QUESTION]))  # "summarise #releases"
    if not parsed.text.strip() or (asks_for_all and not rest):
        return None
    return follow_up_in(
        rest[:LONGEST_QUESTION], names, confined=bool(parsed.times or parsed.channels or parsed.unknown)
    )


def with_turn_before(
    parsed: ParsedQuestion, found: FollowUp, earlier: ParsedQuestion, names: KnownNames, *, places: frozenset[int]
) -> ParsedQuestion:
    """Return a question with what it leaves out, which an earlier one that has no answer yet names."""
    return _completed(parsed, found, _Turn(earlier), names, weights={}, places=places)


async def _turn_before(question: Question, history: Sequence[Earlier], names: KnownNames, parse: Parse) -> _Turn | None:
    """Return the last turn as it was meant: with those before it, if it went on from them."""
    turns: list[tuple[ParsedQuestion, FollowUp | None, Earlier]] = []
    for turn in reversed(history[-MOST_TURNS:]):
        if turn.asked_at is None or question.now - turn.asked_at > LONGEST_PAUSE:
            break
        parsed = await parse(replace(question, text=turn.question, now=turn.asked_at))
        found = follow_up_of(parsed, names)
        turns.append((parsed, found, turn))
        if found is None:
            break
    before: _Turn | None = None
    for parsed, found, turn in reversed(turns):
        if before is not None and found is not None:
            parsed = _completed(parsed, found, before, names, weights={}, places=question.places)
        before = _Turn(parsed, turn.messages)
    return before


async def _weights(found: FollowUp, before: _Turn, question: Question, memory: MemoryReader) -> Mapping[str, float]:
    """Return how telling the words of a turn are, by their inverse document frequency; nothing when all are taken."""
    answers = _answers(found, before)
    words = [*_telling(before.parsed.topic), *_shared(answers, without=())]
    if len(words) <= MOST_TELLING and not answers:
        return {}
    result = await memory.search(" ".join(words), places=question.places, limit=1, with_context=False)
    return {word.keyword.text: word.weight for word in result.words}


def _completed(
    parsed: ParsedQuestion,
    found: FollowUp,
    before: _Turn,
    names: KnownNames,
    *,
    weights: Mapping[str, float],
    places: frozenset[int],
) -> ParsedQuestion:
    """Return a follow-up with what it leaves out."""
    earlier = before.parsed
    own = "" if found.is_bare else found.own
    counted = _counted(found, earlier)
    lists_talk = not earlier.topic and found.is_bare
    with_scope = _in_earlier_places(parsed, earlier, places)
    with_people = _by_earlier_people(with_scope, found, before, names)
    topic = _topic(found, own, before, names, weights, by_people=with_people.authors is not None)
    return replace(
        with_people,
        topic="" if lists_talk else topic[:LONGEST_QUESTION],
        own_topic=own if own and not lists_talk else "",
        times=parsed.times or earlier.times,
        as_of=parsed.as_of if parsed.times else earlier.as_of,
        selection=earlier.selection if lists_talk else None,
        rest=counted or found.own,
        called=with_people.called | frozenset(words_of(" ".join(_called(found)))),
        given=frozenset(message.message_id for message in before.messages),
        others_only=found.for_others,
    )


def _topic(
    found: FollowUp, own: str, before: _Turn, names: KnownNames, weights: Mapping[str, float], *, by_people: bool
) -> str:
    """Return the text to search for: the follow-up's own words, and what tells of the earlier question.

    People are named in it unless it is searched for in their messages alone.
    """
    text, people = _apart(before.parsed.topic or before.parsed.rest, names)
    if found.people:
        people = list(_called(found)) if found.is_bare and not by_people else []
    elif not people and found.points_at_person and before.messages:
        people = [before.messages[0].author_name]
    telling = _rarest(_telling(text), weights, MOST_TELLING)
    cited = _shared(_answers(found, before), without=telling)
    return " ".join([own, *people, *telling, *_rarest(cited, weights, MOST_CITED)]).strip()


def _answers(found: FollowUp, before: _Turn) -> list[str]:
    """Return what answered the earlier question where a follow-up may point at it: "how much does it cost?", "why?"."""
    asks_on = found.is_bare and not found.for_others and not found.is_confined
    points = found.points_at_thing or found.points_at_person or asks_on
    if not points or found.people:
        return []
    return [with_names(message.content)[:LONGEST_QUESTION] for message in before.messages[:MOST_ANSWERS]]


def _shared(texts: Sequence[str], *, without: Sequence[str]) -> list[str]:
    """Return the words that most of some texts have, or all of a single one: what one of several has may be chance."""
    counts = Counter(word for text in texts for word in _telling(text) if word not in without)
    most = max(counts.values(), default=0)
    return [word for word, count in counts.items() if count == most]


def _apart(text: str, names: KnownNames) -> tuple[str, list[str]]:
    """Return a text without the people whom it names, and what it calls them."""
    called = [text[start:end].removeprefix("@") for (start, end), _ in people_named(FoldedText(text), names)]
    for start, end in reversed([place for place, _ in people_named(FoldedText(text), names)]):
        text = f"{text[:start]} {text[end:]}"
    return text, list(dict.fromkeys(called))


def _telling(text: str) -> list[str]:
    return [keyword.text for keyword in keywords_of(text)]


def _rarest(words: Sequence[str], weights: Mapping[str, float], most: int) -> list[str]:
    """Return the most telling words in the order of the text; the first ones where nothing is known of their weight."""
    kept = sorted(range(len(words)), key=lambda at: (-weights.get(words[at], 0.0), at))[:most]
    return [words[at] for at in sorted(kept)]


def _in_earlier_places(parsed: ParsedQuestion, earlier: ParsedQuestion, places: frozenset[int]) -> ParsedQuestion:
    """Return a question that is confined to the channels of the earlier one when it names none itself."""
    if parsed.channels or parsed.unknown or parsed.conversations is not None or not earlier.channels:
        return parsed
    return replace(
        parsed,
        places=earlier.places & places,
        conversations=earlier.conversations,
        channels=earlier.channels,
    )


def _by_earlier_people(parsed: ParsedQuestion, found: FollowUp, before: _Turn, names: KnownNames) -> ParsedQuestion:
    """Return a question for the words of the same people as the earlier one, or of those whom it names instead."""
    earlier = before.parsed
    if parsed.authors is not None or found.for_others:
        return parsed
    if not found.people:
        return replace(parsed, authors=earlier.authors, author_names=earlier.author_names, called=earlier.called)
    if earlier.authors is None and not (found.is_bare and _told_of_themselves(before, names)):
        return parsed
    people = frozenset[Person]().union(*(people for _, people in found.people))
    return replace(parsed, authors=names.authors(people), author_names=_called(found))


def _told_of_themselves(before: _Turn, names: KnownNames) -> bool:
    """Return whether people have told what was asked of them: "who drinks tea?", "what does Ben cook?", Ben said."""
    earlier = before.parsed
    if not _PEOPLE.isdisjoint(words_of(earlier.text)):
        return True
    asked_of = (people for _, people in people_named(FoldedText(earlier.topic), names))
    return bool(before.messages) and before.messages[0].author_id in frozenset[Person]().union(*asked_of)


def _called(found: FollowUp) -> tuple[str, ...]:
    """Return the people whom a follow-up names as it calls them."""
    return tuple(found.own[start:end].removeprefix("@") for (start, end), _ in found.people)


def _counted(found: FollowUp, earlier: ParsedQuestion) -> str:
    """Return the question that counts what an earlier one did, by whom a follow-up names; empty for another matter."""
    request = read_request(earlier.rest, called=earlier.called)
    asked = set(words_of(found.own))
    if request is None or not _ASKS_ANEW.isdisjoint(asked):
        return ""
    if found.is_bare:
        counted = _by(earlier.rest.rstrip(" ?!."), request.by, " and ".join(_called(found)))
    else:
        counted = f"{found.own.rstrip(' ?!.')} about {request.terms}" if request.terms else found.own
    known = earlier.called | frozenset(words_of(" ".join(_called(found))))
    return counted if read_request(counted, called=known) else ""


def _by(counted: str, before: str, called: str) -> str:
    """Return a question that counts by somebody in place of whom it named before."""
    if not called:
        return counted
    return counted.replace(before, called, 1) if before and before in counted else f"{counted} by {called}"
