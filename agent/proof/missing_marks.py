"""Give a sentence of an answer the marks of the messages that say what it says, where the model's own are missing.

Nothing but the words of the two is looked at, so more is asked for than of a sentence with a mark: all of it in one
passage, and in the same order.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from agent.citations import cited_numbers, without_marks
from agent.markdown import unescaped
from agent.proof.claims import Frame, failing, language, telling_words
from agent.proof.facts import MessageFacts
from agent.proof.languages import ANTONYMS, DENYING
from agent.proof.names import SAYING_VERBS, attributions_in
from agent.proof.number_words import LANGUAGES
from agent.proof.numbers import Number
from agent.proof.readings import Item, Reading, reading_of
from agent.proof.sentences import is_connecting
from agent.proof.times import Clock, DatePhrase
from agent.proof.units import Unit, units_of
from agent.proof.word_lists import listed
from memory.search.terms import stems_of
from memory.stop_words import FUNCTION_WORDS
from tracing import note

SHARE = 0.8
"""Of the telling words of a sentence without a mark, how many stand in the passage that it gets the mark of."""

MOST_SENTENCES, MOST_MESSAGES = 20, 100
"""Of an answer, and of those that were shown; what comes behind them is not looked at."""

MOST_MARKS = 3
"""Of a sentence that several messages say as well."""

_FEWEST = 2  # words, names and values of a sentence that is about something
_MOST_ITEMS = 60  # of a sentence
_MOST_PIECES = 80  # of a message
_MOST_ATTRIBUTION = 14  # tokens
_AUTHOR = "\0author"
_PIECE_END = re.compile(r"(?<=[.!?\u2026])\s+|\n+")
_END = re.compile(r"(?P<stop>[.!?\u2026]{0,3})(?P<bar>[ \t]{0,4}\|)?\s{0,20}\Z")
_HEDGES = frozenset(
    listed(
        "if unless maybe perhaps whether might could would should wish hope hopefully suppose probably possibly "
        "wenn falls vielleicht ob si sinon peut quizas ojala"
    )
)
"""Words that make less of what is said than a fact."""

_TURNING = DENYING | frozenset(ANTONYMS)
_WEAKENING = _HEDGES | SAYING_VERBS


def with_missing_marks(text: str, messages: Mapping[int, MessageFacts], frame: Frame) -> str:
    """Return an answer, whose marks are plain, with marks at each sentence that messages say.

    Only a sentence gets one that has none, or none that holds. `messages` are those that were shown, by their numbers.
    What is written of a beginning is the beginning of what is written of the whole.
    """
    sources = {number: _Source(facts, frame) for number, facts in list(messages.items())[:MOST_MESSAGES]}
    written: list[str] = []
    count = 0
    for at, unit in enumerate(units_of(text)):
        marked = _marked(unit, sources, frame) if at < MOST_SENTENCES else None
        written += [unit.lead, marked or unit.text]
        count += marked is not None
    note(marks_found=count)
    return "".join(written)


def _marked(unit: Unit, sources: Mapping[int, "_Source"], frame: Frame) -> str | None:
    """Return a unit with the marks of the messages that say it; None where it needs none or none does."""
    own = replace(frame, language=language(unit.text))
    numbers = cited_numbers(unit.text)
    cited = [sources[number].facts for number in numbers if number in sources]
    if unit.is_code or unit.is_introduction or (cited and failing(unit.text, cited, own) is None):
        return None
    bare = without_marks(unit.text) if numbers else unit.text
    unasked = replace(own, question_words=frozenset())  # what repeats the question may be what a message says
    if is_connecting(replace(unit, text=bare), {}, unasked):
        return None
    found = _numbers_of(bare, sources, own)
    end = _END.search(bare)
    if not found or end is None:
        return None
    marks = " ".join(f"[{number}]" for number in found)
    marked = f"{bare[: end.start()].rstrip()} {marks}{bare[end.start() :]}"
    return marked if cited_numbers(marked) == found else None


def _numbers_of(sentence: str, sources: Mapping[int, "_Source"], frame: Frame) -> list[int]:
    """Return the numbers of the messages that say what a sentence says, those that say most of it; a few of many."""
    telling = list(telling_words(sentence, frame))
    shares = {number: source.share(sentence, frame) for number, source in sources.items() if source.may_say(telling)}
    most = max(shares.values(), default=0.0)
    return [number for number, share in shares.items() if most and share == most][:MOST_MARKS]


class _Source:
    """A message, read passage by passage."""

    def __init__(self, facts: MessageFacts, frame: Frame) -> None:
        self.facts = facts
        self._frame = frame
        self._today = frame.now.astimezone(frame.time_zone).date()

    def may_say(self, telling: Collection[frozenset[str]]) -> bool:
        """Return whether it has half of the telling words of a sentence: the others may be its day, or numbers."""
        return 2 * sum(not stems.isdisjoint(self._stems) for stems in telling) >= len(telling)

    @cached_property
    def _stems(self) -> frozenset[str]:
        return frozenset().union(*map(stems_of, self.facts.words))

    def share(self, sentence: str, frame: Frame) -> float:
        """Return the share of the telling words of a sentence that a passage of it has which says the same, or 0."""
        if failing(sentence, [self.facts], frame, with_counts=False) is not None:
            return 0.0
        said = reading_of(
            unescaped(sentence).replace("||", " "),
            language=frame.language,
            number_languages=(frame.language,) if frame.language in LANGUAGES else () if frame.language else LANGUAGES,
            person_of=self._person_of,
        )
        items = self._without_attribution(sentence, said)
        if not _FEWEST <= len(items) <= _MOST_ITEMS or not any(item.stems for item in items):
            return 0.0
        if not self.facts.orders <= said.words:
            return 0.0
        return max((self._share_in(passage, items, said) for passage in self._passages), default=0.0)

    @cached_property
    def _passages(self) -> list[Reading]:
        """Each of its sentences, and each two that follow one another; questions say nothing."""
        pieces = [piece for piece in _PIECE_END.split(self.facts.text) if piece.strip()][:_MOST_PIECES]
        texts = [*pieces, *(f"{first}\n{second}" for first, second in pairwise(pieces))]
        return [
            reading_of(
                text,
                language=self.facts.polarity.language,
                number_languages=LANGUAGES,
                person_of=self._person_of,
                author=_AUTHOR,
            )
            for text in texts
            if "?" not in text
        ]

    def _person_of(self, word: str) -> str:
        if len(word) <= 1 or word in FUNCTION_WORDS:
            return ""
        if word in self.facts.authors_words:
            return _AUTHOR
        return word if word in self._frame.people or self._frame.is_person(word) else ""

    def _without_attribution(self, sentence: str, said: Reading) -> tuple[Item, ...]:
        """Return the items of a sentence behind "On Friday Ana wrote that"; none where somebody else did."""
        named = attributions_in(sentence, is_person=self._frame.is_person)
        if any(name.word not in self.facts.authors_words for name in named):
            return ()
        end = _attribution_end(said)
        before = [item for item in said.items if item.at < end]
        if not any(item.person == _AUTHOR for item in before):
            return said.items
        return tuple(item for item in said.items if item.at >= end) if all(map(self._is_own, before)) else ()

    def _is_own(self, item: Item) -> bool:
        """Return whether an item names its author, or when it was sent."""
        if isinstance(item.value, Clock):
            return self.facts.is_own_time(item.value)
        if isinstance(item.value, DatePhrase):
            return any(self.facts.is_own_day(day, today=self._today) for day in item.value.readings)
        return item.person == _AUTHOR

    def _share_in(self, passage: Reading, items: Sequence[Item], said: Reading) -> float:
        """Return the share of the telling words that stand in a passage which says the same; 0 for another one."""
        present = [item for item in items if any(self._is_same(item, other) for other in passage.items)]
        words = sum(bool(item.stems) for item in items)
        share = sum(bool(item.stems) for item in present) / words
        if share < SHARE or len(present) < _FEWEST or any(item.is_hard and item not in present for item in items):
            return 0.0
        if not (said.words & _TURNING) <= passage.words or not (passage.words & _WEAKENING) <= said.words:
            return 0.0
        is_negative = said.is_negative(range(len(said.clauses)))
        for order in _orders_of(present):
            for places in self._alignments(order, passage):
                clauses = range(passage.items[min(places)].clause, passage.items[max(places)].clause + 1)
                is_alone = order[0] is present[0] or _is_alone_moved(order, present, places, passage)
                if (
                    is_alone
                    and passage.is_negative(clauses) == is_negative
                    and _names_nobody_else(places, passage)
                    and _are_bound(order, items, places, passage)
                ):
                    return share
        return 0.0

    def _alignments(self, order: Sequence[Item], passage: Reading) -> Iterator[list[int]]:
        """Yield where items stand in a passage in this order, from each place of the first on."""
        for start, other in enumerate(passage.items):
            if not self._is_same(order[0], other):
                continue
            places = [start]
            for item in order[1:]:
                rest = range(places[-1] + 1, len(passage.items))
                place = next((at for at in rest if self._is_same(item, passage.items[at])), None)
                if place is None:
                    break
                places.append(place)
            if len(places) == len(order):
                yield places

    def _is_same(self, item: Item, other: Item) -> bool:
        """Return whether an item of a sentence is one of a passage."""
        mine, theirs = item.value, other.value
        if isinstance(mine, Number) and isinstance(theirs, Number):
            return mine.is_same(theirs) and (mine.unit is None or theirs.unit is not None)  # "71" are no 71 kilos
        if isinstance(mine, Clock) and isinstance(theirs, Clock):
            return mine.is_same(theirs)
        if isinstance(mine, DatePhrase) and isinstance(theirs, DatePhrase):
            return any(self.facts.names_day(day, theirs, today=self._today) for day in mine.readings)
        return (bool(item.person) and item.person == other.person) or not item.stems.isdisjoint(other.stems)


def _attribution_end(said: Reading) -> int:
    """Return the token behind what may say whose words follow: a verb of saying, the sign behind a label; or 0."""
    if not said.items:
        return 0
    first = said.items[0].at
    for at, token in enumerate(said.tokens[:_MOST_ATTRIBUTION]):
        is_label = (
            token.text == "|"
            or (token.text == ":" and not any(after.glued for after in said.tokens[at + 1 : at + 2]))
            or (token.text == "," and said.tokens[0].text == "according")
        )
        if token.text in SAYING_VERBS or (is_label and at > first):
            return at + 1
    return 0


def _orders_of(present: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the items of a sentence in the orders in which a passage may have them: their own, or one end moved."""
    yield list(present)
    if len(present) > _FEWEST:
        yield [*present[1:], present[0]]
        yield [present[-1], *present[:-1]]


def _is_alone_moved(order: Sequence[Item], present: Sequence[Item], places: Sequence[int], passage: Reading) -> bool:
    """Return whether the item that is moved to the other end is a clause by itself there: "on call: Dagmar"."""
    place = places[-1] if order[-1] is present[0] else places[0]
    return sum(item.clause == passage.items[place].clause for item in passage.items) == 1


def _names_nobody_else(places: Sequence[int], passage: Reading) -> bool:
    """Return whether nobody is named between the items but those of the sentence, and its author if it names nobody."""
    allowed = {"", _AUTHOR}
    if any(passage.items[place].person not in allowed for place in places):
        allowed = {""}
    between = (at for at in range(min(places), max(places) + 1) if at not in places)
    return all(passage.items[at].person in allowed for at in between)


def _are_bound(order: Sequence[Item], items: Sequence[Item], places: Sequence[int], passage: Reading) -> bool:
    """Return whether each value stands beside the same words in the passage: "5 mugs" are not "3 mugs and 5 bowls"."""
    place_of = dict(zip(order, places, strict=True))
    for position, item in enumerate(items):
        if item.value is None:
            continue
        clause = passage.items[place_of[item]].clause
        counted = items[position + 1] if position + 1 < len(items) else None
        if isinstance(item.value, Number) and counted and counted.stems and counted.clause == item.clause:
            around = [counted]
        elif _is_bare(item.clause, items) and _is_bare(clause, passage.items):
            continue
        else:
            around = [items[at] for at in (position - 1, position + 1) if 0 <= at < len(items)]
        near = {passage.items[place_of[other]].clause for other in around if other in place_of}
        if clause not in near and _owner_of(clause, passage) not in {_owner_of(other, passage) for other in near}:
            return False
    return True


def _is_bare(clause: int, items: Sequence[Item]) -> bool:
    """Return whether a clause has nothing but values."""
    return all(item.value is not None for item in items if item.clause == clause)


def _owner_of(clause: int, passage: Reading) -> int:
    """Return the clause that one of nothing but values goes on from; the clause itself where it has words."""
    if not _is_bare(clause, passage.items):
        return clause
    return max((item.clause for item in passage.items if item.clause < clause and item.value is None), default=clause)
