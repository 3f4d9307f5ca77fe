"""Correct the names of people and channels that a question misspells, among those that it may know."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from memory.names.known import Index, KnownNames, Named
from memory.names.words import whole_key
from memory.question.channels import NamedPlaces, channels_in, may_name_channels
from memory.question.speakers import NO_NAMES, SAYING, may_name_speakers, speakers_in
from memory.stop_words import FUNCTION_WORDS
from time_expressions.folding import FoldedText, Span, Token

_MOST = 3  # names that are corrected
_MOST_COMPARED = 24  # words of a question, and runs of two, that may be names
_ANY_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spelling:
    """A name as it is typed, and the name that it is read as."""

    typed: str
    meant: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """A question with names as they are written, and what was changed in it."""

    text: str
    read_as: tuple[Spelling, ...] = ()


def corrected_names(text: str, names: KnownNames, *, here: int) -> Corrected:
    """Return a question in which misspelt names are as they are written; it is asked in the place `here`.

    A word counts as a misspelt name only where a name would count: whose words are asked for, or where to look. It is
    read as no name when two people have names that are as near, or while not all names are known.
    """
    question = Corrected(text)
    if not names.complete:
        return question
    for find in (_channel, _speaker):
        for _ in range(_MOST):
            found = find(question.text, names, here)
            if found is None:
                break
            question = Corrected(found.text, (*question.read_as, *found.read_as))
    return question


def _channel(text: str, names: KnownNames, here: int) -> Corrected | None:
    read = FoldedText(text)
    named = channels_in(read, names, here=here) if may_name_channels(text) else NamedPlaces()
    for unknown in named.unknown[:_MOST]:
        start = text.find(unknown)
        meant = names.near_channel(unknown.lstrip("#"))
        if meant is not None and start >= 0:
            spelling = Spelling(unknown, f"#{meant}")
            return Corrected(f"{text[:start]}#{meant}{text[start + len(unknown) :]}", (spelling,))
    return None


def _speaker(text: str, names: KnownNames, _: int) -> Corrected | None:
    read = FoldedText(text)
    if not may_name_speakers(read):
        return None
    for start, end in _unknown_speakers(read, names):
        typed = text[start:end]
        if (meant := names.near_person(whole_key(typed))) is not None:
            return Corrected(f"{text[:start]}{meant}{text[end:]}", (Spelling(typed, meant),))
    return None


def _unknown_speakers(read: FoldedText, names: KnownNames) -> list[Span]:
    """Return where words stand that would be somebody whose words are asked for, if somebody were called so.

    It is tried with an index of names in which all the words, and each two of them, are names of people whose ids are
    negative, as nobody's is whom a question mentions by id.
    """
    runs = list(_unknown_words(read, names))[:_MOST_COMPARED]
    place = 0
    trial = Index()
    for number, (start, end) in enumerate(runs):
        trial.add(Named(place, place, "", read.text[start:end], _ANY_TIME, -1 - number))
    calls = speakers_in(read, KnownNames(frozenset({place}), (trial,))).calls
    found = {int(person) for _, people in calls for person in people}
    return [run for number, run in enumerate(runs) if -1 - number in found]


def _unknown_words(read: FoldedText, names: KnownNames) -> Iterator[Span]:
    """Yield words, and each two, that are none of their language's own and of which one is no name."""
    before: Token | None = None
    for token in read.tokens:
        is_own = token.folded in FUNCTION_WORDS or token.folded in SAYING or token.folded in NO_NAMES
        if not token.is_word or is_own:
            before = None
            continue
        is_unknown = not names.people(token.folded)
        if is_unknown:
            yield token.start, token.end
        if before is not None and (is_unknown or not names.people(before.folded)):
            yield before.start, token.end
        before = token
