"""Check that what a sentence claims by hard tokens stands in the messages that it cites."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from agent.citations import without_marks
from agent.markdown import unescaped
from agent.proof.facts import BEFORE_HOURS, MessageFacts
from agent.proof.languages import language_of
from agent.proof.names import SAYING_VERBS, NamePhrase, attributions_in, names_in, words_of
from agent.proof.number_words import ENGLISH, LANGUAGES
from agent.proof.numbers import Number, numbers_in
from agent.proof.order import numbers_are_turned, people_are_turned
from agent.proof.polarity import contradicts, polarity_of
from agent.proof.quotes import has_quotes
from agent.proof.times import Clock, DatePhrase, clocks_in, dates_in
from agent.proof.word_lists import listed
from agent.spoilers import PLACEHOLDER, split_code
from memory.search.terms import all_stems
from time_expressions.tokens import Token, tokens_of


class Kind(StrEnum):
    """What of a sentence does not stand in its messages."""

    CITATION = "citation"  # none of its marks holds
    CLAIM = "claim"  # it has no mark, and claims something
    ADDRESS = "address"
    CODE = "code"
    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    QUOTE = "quote"  # words in quotation marks that no message has
    TURNED = "turned"  # who did what to whom, or how many of what, the other way round
    NEGATION = "negation"
    WORDS = "words"  # not one of its words
    ORDER = "order"  # it says more than the messages, which tell somebody what to write
    NOTHING = "nothing"  # it says that something was said, and not what


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What an answer may take for granted: the question's own words, who wrote what was shown, and the asker's clock.

    `people` are the words of the names of those whose messages were shown, see `names.person_words`; `is_person` tells
    whether a folded word names anybody else who may be known. `stated` are sentences of our own tools, with what they
    counted.
    """

    question: str
    people: Mapping[str, bool]
    now: datetime
    time_zone: ZoneInfo
    language: str = ""
    stated: tuple[str, ...] = ()
    is_person: Callable[[str], bool] = lambda _: False
    question_words: frozenset[str] = field(default_factory=frozenset)


_ADDRESS = re.compile(r"https?://[^\s<>\[\]\"`|]{1,1500}|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,63}")
_DOTTED = re.compile(r"(?<![\w@/.#-])[^\W_][\w-]{1,62}(?:\.[\w-]{1,63}){0,4}\.[a-z][a-z0-9]{1,9}(?!\w)")
_CHANNEL = re.compile(r"(?<![\w&#])#(?P<name>[^\W\d][\w-]{0,99})")
_LETTERED = re.compile(r"(?<![^\W_])[^\W\d_]{2,20}\d{1,9}[^\W_]{0,20}(?![^\W_])")
_BLANKS = re.compile(r"\s+")
_NOT_ITS_END = ".,:;!?*~|\"'\\)_"
_YEARS = range(1900, 2200)
_ORDINAL_END = re.compile(r"\d(?:st|nd|rd|th|er|e)?\Z")
_MOST_COUNTED = 20
_COUNTED = frozenset(
    listed(
        "people persons members users messages others of them times authors leute personen mitglieder "
        "nachrichten von personnes membres messages d'entre personas miembros mensajes de"
    )
)
"""Words behind a number that counts what is cited."""

_FEWEST_WORDS = 2
"""Telling words of a sentence, and of its messages, by which it can be told that they have nothing in common."""

_FEWEST_WORDS_OF_A_PART = 3

_SHARE_OF_ORDERED = 0.8
"""Of the telling words of a sentence, how many stand in its messages where those tell somebody what to write."""

_PARTS = re.compile(r"\[\d{1,4}(?:,[ ]?\d{1,4}){0,9}\]|[;()\[\]]")
"""What parts a sentence: marks, brackets and semicolons."""

_SAID_WITHIN = 14  # tokens
_ON = frozenset(["on", "at", "am", "um", "le", "el", "a"])
_HALF_DAY = 12
_UNITS_GLUED = re.compile(r"(?:v|q|nr|no)\d", re.IGNORECASE)


def failing(sentence: str, facts: Sequence[MessageFacts], frame: Frame, *, with_counts: bool = True) -> Kind | None:
    """Return what of a sentence does not stand in the messages that it cites; None when all of it does.

    `sentence` is Markdown, with or without plain marks. `with_counts`, it may count its messages and their authors.
    """
    text = unescaped(without_marks(sentence))
    codes = [part.strip("`") for is_code, part in split_code(text) if is_code]
    words = "".join(" " if is_code else part for is_code, part in split_code(text)).replace("||", " ")
    if not all(_has_code(code, facts, frame) for code in codes):
        return Kind.CODE
    words, addresses = _without_addresses(words)
    if not all(_is_searchable(address, facts, frame) for address in addresses):
        return Kind.ADDRESS
    checks: tuple[tuple[Kind, Callable[[], bool]], ...] = (
        (Kind.NUMBER, lambda: _has_times_and_numbers(words, facts, frame, with_counts=with_counts)),
        (Kind.DATE, lambda: _has_dates(words, facts, frame)),
        (Kind.NAME, lambda: _has_names(words, facts, frame)),
        (Kind.QUOTE, lambda: has_quotes(words, facts, others=(frame.question, *frame.stated))),
        (Kind.TURNED, lambda: not _is_turned(words, facts, frame)),
        (Kind.NEGATION, lambda: not _is_contradicted(words, facts, frame)),
        (Kind.ORDER, lambda: not _is_ordered(words, facts, frame)),
        (Kind.WORDS, lambda: bool(codes or addresses) or not _is_foreign(words, facts, frame)),
        (Kind.WORDS, lambda: bool(codes or addresses) or not _has_foreign_part(sentence, facts, frame)),
    )
    return next((kind for kind, holds in checks if not holds()), None)


def has_hard_tokens(sentence: str, frame: Frame) -> bool:
    """Return whether a sentence claims anything that could be looked up: numbers, dates, names, addresses or code."""
    return failing(sentence, (), frame, with_counts=False) is not None


# ---- addresses and code


def _without_addresses(text: str) -> tuple[str, list[str]]:
    addresses: list[str] = []

    def taken(found: re.Match[str]) -> str:
        addresses.append(found[0].rstrip(_NOT_ITS_END))
        return " "

    return _DOTTED.sub(taken, _ADDRESS.sub(taken, text)), addresses


def _is_searchable(written: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    sought = _BLANKS.sub(" ", written).strip().rstrip("/").casefold()
    return not sought or sought in frame.question.casefold() or any(sought in fact.searchable for fact in facts)


def _has_code(code: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    """Return whether each line of some code stands in a message; the first line of a block may name its language."""
    lines = [line for line in code.split("\n") if line.strip()]
    if "\n" in code and lines and not code.startswith("\n"):
        lines = lines[1:]
    return all(_is_searchable(part, facts, frame) for line in lines for part in line.split(PLACEHOLDER))


# ---- numbers, times and dates


def _has_times_and_numbers(text: str, facts: Sequence[MessageFacts], frame: Frame, *, with_counts: bool) -> bool:
    tokens = tokens_of(text)
    taken = {at for phrase in dates_in(tokens) if not phrase.may_be_numbers for at in range(phrase.first, phrase.end)}
    clocks = [clock for clock in clocks_in(tokens) if clock.first not in taken and not _is_duration(clock, facts)]
    taken |= {at for clock in clocks for at in range(clock.first, clock.end)}
    either = {at for phrase in dates_in(tokens) if phrase.may_be_numbers for at in range(phrase.first, phrase.end)}
    said_at = said_at_end(tokens)
    if not all(_has_clock(clock, facts, is_own=clock.end <= said_at) for clock in clocks):
        return False
    claimed = [
        number
        for number in numbers_in(tokens, (frame.language,) if frame.language in LANGUAGES else (), taken=taken | either)
        if number.is_claimed and not _is_part_of_a_word(tokens, number)
    ]
    known = [number for fact in facts for number in fact.numbers]
    known += [number for text in frame.stated for number in numbers_in(tokens_of(text), LANGUAGES)]
    counted = _counts(facts) if with_counts else frozenset()
    return all(
        any(number.is_same(other) for other in known) or _is_known_otherwise(number, tokens, facts, counted)
        for number in claimed
    )


def _is_part_of_a_word(tokens: Sequence[Token], number: Number) -> bool:
    """Return whether letters stand right before a number: "rc1" is a word."""
    return (
        number.first > 0
        and tokens[number.first].glued
        and tokens[number.first - 1].is_word
        and len(tokens[number.first - 1].text) > 1
    )


def _is_known_otherwise(
    number: Number, tokens: Sequence[Token], facts: Sequence[MessageFacts], counted: Collection[int]
) -> bool:
    """Return whether a number is that of a day, a year or an hour of the messages, or counts them."""
    values = {int(value) for value in number.values if value.is_integer()}
    if not values:
        return False
    if number.unit is None and not values.isdisjoint(counted) and _is_count(number, tokens):
        return True
    if any(value in _YEARS for value in values):
        return any(day.year in values for fact in facts for day in fact.days)
    if number.unit is not None:
        return False
    if number.text[-2:] in {"st", "nd", "rd", "th"}:
        return any(day.day in values for fact in facts for day in fact.days)
    if not number.first or tokens[number.first - 1].text not in BEFORE_HOURS:
        return False
    hours = {value % _HALF_DAY for value in values if value <= 2 * _HALF_DAY}
    return any(clock.hour % _HALF_DAY in hours for fact in facts for clock in fact.clocks)


def _is_count(number: Number, tokens: Sequence[Token]) -> bool:
    """Return whether a number begins its sentence, or stands before what a sentence counts of what it cites."""
    return number.first == 0 or any(token.text in _COUNTED for token in tokens[number.end : number.end + 2])


def _counts(facts: Sequence[MessageFacts]) -> frozenset[int]:
    """Return what a sentence may count of what it cites: the messages and their authors, if there are several."""
    counts = {len(facts), len({fact.message.author_name for fact in facts})}
    return frozenset(count for count in counts if 1 < count <= _MOST_COUNTED)


def _has_clock(clock: Clock, facts: Sequence[MessageFacts], *, is_own: bool = False) -> bool:
    """Return whether a time of day stands in a message, or is its own; nothing else, where it `is_own`."""
    if is_own:
        return any(fact.is_own_time(clock) for fact in facts)
    if any(clock.is_same(other) for fact in facts for other in fact.clocks):
        return True
    hours = {
        clock.hour,
        clock.hour % _HALF_DAY,
        clock.hour % _HALF_DAY + _HALF_DAY if not clock.is_sure else clock.hour,
    }
    values = {value for fact in facts for value in fact.hours}
    if clock.minute == 0:
        return not values.isdisjoint(float(hour) for hour in hours)
    return clock.hour + clock.minute / 100 in values  # "at 15.30"


def _is_duration(clock: Clock, facts: Sequence[MessageFacts]) -> bool:
    """Return whether "3 h" is no time of day that a message has, so that it is a number of hours."""
    return clock.is_duration_too and not _has_clock(clock, facts)


def _has_dates(text: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    tokens = tokens_of(text)
    said_at = said_at_end(tokens)
    return all(_has_date(phrase, facts, frame, is_own=phrase.end <= said_at) for phrase in dates_in(tokens))


def _has_date(phrase: DatePhrase, facts: Sequence[MessageFacts], frame: Frame, *, is_own: bool) -> bool:
    """Return whether a day stands in a message, or is its own; nothing else, where it `is_own`."""
    today = frame.now.astimezone(frame.time_zone).date()
    if is_own:
        return any(fact.is_own_day(day, today=today) for day in phrase.readings for fact in facts)
    if any(fact.speaks_of(day, today=today) for day in phrase.readings for fact in facts):
        return True
    counted = {day for text in frame.stated for other in dates_in(tokens_of(text)) for day in other.readings}
    if not counted.isdisjoint(phrase.readings):
        return True
    if not phrase.may_be_numbers:
        return False
    values = [{float(value)} for day in phrase.readings[:1] for value in (day.day, day.month) if value]
    return all(any(value <= number.values for fact in facts for number in fact.numbers) for value in values)


def said_at_end(tokens: Sequence[Token]) -> int:
    """Return the token of a verb of saying before which a sentence says when it was said; 0 where it does not.

    "At 14:00 on Friday Ana wrote that" tells when Ana wrote.
    """
    first = next((at for at, token in enumerate(tokens[:_SAID_WITHIN]) if token.is_word or token.is_number), None)
    if first is None or tokens[first].text not in _ON:
        return 0
    return next((at for at, token in enumerate(tokens[:_SAID_WITHIN]) if token.text in SAYING_VERBS), 0)


# ---- names and negations


def _has_names(text: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    counted = words_of(" ".join(frame.stated))
    cited = counted.union(*(fact.words for fact in facts))
    shown = cited | frame.question_words
    for name in names_in(text, people=dict(frame.people), language=frame.language):
        if name.word not in (cited if name.is_person else shown):
            return False
    if not all(
        name.word in counted or _is_attributed(name, facts) for name in attributions_in(text, is_person=frame.is_person)
    ):
        return False
    for channel in _CHANNEL.finditer(text):
        if not words_of(channel["name"]) <= shown:
            return False
    return all(words_of(word[0]) <= shown for word in _LETTERED.finditer(text) if not _UNITS_GLUED.match(word[0]))


def _is_attributed(name: NamePhrase, facts: Sequence[MessageFacts]) -> bool:
    """Return whether a message is somebody's, or tells what they said; one that only names them does for a label."""
    return any(
        name.word in fact.authors_words
        or (name.word in fact.words and not (name.says and fact.words.isdisjoint(SAYING_VERBS)))
        for fact in facts
    )


def _is_contradicted(text: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    return contradicts(polarity_of(text, _authors(facts)), [fact.polarity for fact in facts])


def _authors(facts: Sequence[MessageFacts]) -> frozenset[str]:
    return words_of(" ".join(sorted(fact.message.author_name for fact in facts)))


def _is_foreign(text: str, facts: Sequence[MessageFacts], frame: Frame, *, fewest: int = _FEWEST_WORDS) -> bool:
    """Return whether a text says several things of which its messages have no word.

    A number, which stands in them, is enough, and so is a word of what they reply to. Nothing is known of messages that
    hardly say a word, "yes" say, or are in another language.
    """
    said = polarity_of(text, _authors(facts).union(frame.people))
    spoken = [fact.polarity for fact in facts]
    language = said.language or frame.language or (ENGLISH if text.isascii() else "")
    is_comparable = language and all(message.language in {language, ""} for message in spoken)
    if not is_comparable or any(token.is_number for token in tokens_of(text)):
        return False
    known = frozenset().union(*(fact.stems for fact in facts))
    telling = [stems for clause in said.clauses for stems in clause.telling]
    words = sum(len(clause.telling) for message in spoken for clause in message.clauses)
    if words < _FEWEST_WORDS or any(not stems.isdisjoint(known) for stems in telling):
        return False
    asked = all_stems(frame.question)
    return sum(stems.isdisjoint(asked) for stems in telling) >= fewest


def _has_foreign_part(sentence: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    """Return whether what stands in brackets, behind a semicolon or behind a mark has no word of its messages."""
    parts = [part for part in _PARTS.split(sentence) if part]
    return len(parts) > 1 and any(
        _is_foreign(unescaped(part), facts, frame, fewest=_FEWEST_WORDS_OF_A_PART) for part in parts
    )


def _is_ordered(text: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    """Return whether each message tells somebody what to write, and a text has more than stands in them."""
    if not facts or not all(fact.orders for fact in facts):
        return False
    known = frozenset().union(*(fact.stems for fact in facts))
    telling = list(telling_words(text, frame))
    return sum(not stems.isdisjoint(known) for stems in telling) < _SHARE_OF_ORDERED * len(telling)


def _is_turned(text: str, facts: Sequence[MessageFacts], frame: Frame) -> bool:
    """Return whether people, or numbers, have changed places."""
    language = frame.language
    return people_are_turned(text, facts, language=language) or numbers_are_turned(text, facts, language=language)


def telling_words(text: str, frame: Frame) -> Iterator[frozenset[str]]:
    """Yield the stems of each word of a sentence that tells something."""
    for clause in polarity_of(unescaped(without_marks(text)), frozenset()).clauses:
        yield from clause.telling


def language(text: str) -> str:
    """Return the language of an answer, empty when its words do not tell."""
    return language_of(word for clause in polarity_of(text).clauses for word in clause.words)
