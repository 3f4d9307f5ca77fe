"""Tell whether a question needs the questions before it to be understood: "and on Friday?", "who else?", "why?"."""

from collections.abc import Sequence
from dataclasses import dataclass

from memory.names.known import KnownNames, Person
from memory.question.speakers import people_named
from memory.search.terms import keywords_of
from memory.stop_words import FUNCTION_WORDS, SAYING_WORDS
from time_expressions.folding import FoldedText, Span


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LEADS = (
    "what about", "how about", "what of", "what else about", "was ist mit", "wie ist es mit", "et pour", "et que dit",
    "y que hay de", "y que tal", "e per", "and", "or", "but", "also", "und", "oder", "et", "y", "e", "ed",
)  # fmt: skip
"""What a question begins with that goes on from another one, folded; of two that fit the longer stands first."""

ASKING_WORDS = _words("""
    who whom whose what which when where why how wer wem wen wann wo warum wieso weshalb wie welche welcher welches
    qui quoi quand ou pourquoi comment combien lequel laquelle quien quienes que cuando donde cual cuanto como
    chi cosa quando dove perche quanto
""")
_OTHERS = _words(
    "else other others another more sonst noch weitere andere anderer autre autres encore otro otros mas altri"
)
_LEADS_TO_SOMEBODY = _words("by from for with about of only just von vom mit fur uber de par pour avec por con da di")
_PERSONS = _words("""
    he him his she her hers they them their theirs er ihm ihn sie ihr ihnen elle eux lui leur ella ellos ellas lei loro
""")
_THINGS = _words("it its dazu dafur davon daran daruber dabei damit cela ca eso ello cio")
_POINTING = _words("that this those these there one ones das dort ici la alli")
_SOMEBODY = _words(
    "who anyone anybody someone somebody people everyone everybody nobody we wer jemand man quelqu alguien"
)
_BEFORE_A_CLAUSE = SAYING_WORDS | _words("know knew think thought believe sure so such")
_PREPOSITIONS = _words("for about in on at to with by from of")
_AMOUNTS = _words("many much often long far big soon old")
_VERBS = _words("is are was were be did does do has have had will would can could")
_YOU = _words("you your du dein ihr tu vous usted")

_MOST_BARE = 6
"""Words of a question that says nothing by itself; one of more has lost its telling words to a typo, say."""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a question says that goes on from others.

    `own` is what it says itself, without "and" or "what about"; `people` are those whom it names, each where it does,
    in `own`. It asks `for_others` than were given ("who else?"), or points at a person ("he", "they") or a thing.
    `is_bare` when it has no telling word of its own, and `is_confined` to a time or a channel that it names.
    """

    own: str
    people: tuple[tuple[Span, frozenset[Person]], ...] = ()
    for_others: bool = False
    points_at_person: bool = False
    points_at_thing: bool = False
    is_bare: bool = False
    is_confined: bool = False


def follow_up_in(rest: str, names: KnownNames, *, confined: bool) -> FollowUp | None:
    """Return how a question goes on from those before it, None when it can be understood by itself.

    `rest` is the question without its phrases of time and place; it is `confined` when it had some.
    """
    own = _without_lead(rest)
    text = FoldedText(own)
    people = tuple(people_named(text, names))
    words = [token.folded for token in text.tokens if token.is_word]
    named = [
        at for at, token in enumerate(text.tokens) if any(start <= token.start < end for (start, end), _ in people)
    ]
    others = [token.folded for at, token in enumerate(text.tokens) if token.is_word and at not in named]
    found = FollowUp(
        own,
        people,
        for_others=not _OTHERS.isdisjoint(words),
        points_at_person=_points_at_person(text, named),
        points_at_thing=_points_at_thing(text, named) or _counts_nothing_named(text),
        is_bare=not keywords_of(" ".join(others)),
        is_confined=confined,
    )
    goes_on = len(own) < len(rest.strip()) or found.points_at_person or found.points_at_thing
    return found if goes_on or _says_nothing(others, confined=confined, by_somebody=bool(people)) else None


def _without_lead(rest: str) -> str:
    """Return a question without the words by which it goes on from another one."""
    text = FoldedText(rest)
    first = 0
    while True:
        words = [text.word(at) for at in range(first, min(first + 4, len(text)))]
        lead = next((lead for lead in _LEADS if words[: len(lead.split())] == lead.split()), None)
        if lead is None:
            break
        first += len(lead.split())
    if first and first < len(text) and text.word(first) == ",":
        first += 1
    return rest.strip() if not first else rest[text.tokens[first].start :].strip() if first < len(text) else ""


def _says_nothing(words: Sequence[str], *, confined: bool, by_somebody: bool) -> bool:
    """Return whether words, without names, are none that could be searched for, and still ask something."""
    if len(words) > _MOST_BARE or not _YOU.isdisjoint(words):
        return False
    if by_somebody:
        return all(word in _LEADS_TO_SOMEBODY for word in words)
    if any(word not in FUNCTION_WORDS | ASKING_WORDS | _OTHERS for word in words):
        return False
    return confined or not (ASKING_WORDS | _OTHERS).isdisjoint(words)


def _points_at_person(text: FoldedText, named: Sequence[int]) -> bool:
    """Return whether "she" or the like stands where nobody is named before it."""
    return any(text.word(at) in _PERSONS and not _names_somebody(text, at, named) for at in range(len(text)))


def _names_somebody(text: FoldedText, before: int, named: Sequence[int]) -> bool:
    if any(at < before for at in named) or any(text.word(at) in _SOMEBODY for at in range(before)):
        return True
    return any(text.text[text.tokens[at].start].isupper() for at in range(1, before) if text.tokens[at].is_word)


def _points_at_thing(text: FoldedText, named: Sequence[int]) -> bool:
    """Return whether "it" or the like stands where nothing is named before it."""
    return any(
        (text.word(at) in _THINGS or _is_pointing(text, at)) and not _names_something(text, at, named)
        for at in range(len(text))
    )


def _is_pointing(text: FoldedText, at: int) -> bool:
    """Return whether "that" points, and neither leads to a noun nor to a clause."""
    if text.word(at) not in _POINTING:
        return False
    following = next((text.word(later) for later in range(at + 1, len(text)) if text.tokens[later].is_word), "")
    if not following:
        exists = text.word(at) == "there" and text.word(at - 2) not in ASKING_WORDS
        return not (exists and text.word(at - 1) in _VERBS)
    leads_to_clause = text.word(at - 1) in _BEFORE_A_CLAUSE and following not in _PREPOSITIONS
    return text.word(at) in {"that", "this"} and following in FUNCTION_WORDS and not leads_to_clause


def _names_something(text: FoldedText, before: int, named: Sequence[int]) -> bool:
    """Return whether a thing is named before a token: of one telling word alone, the verb is more likely."""
    words = (
        text.word(at)
        for at in range(before)
        if text.tokens[at].is_word and at not in named and not _is_amount(text, at)
    )
    return len(keywords_of(" ".join(words))) > 1


def _counts_nothing_named(text: FoldedText) -> bool:
    """Return whether a question asks how many of what it does not name: "how many are affected?"."""
    return text.word(0) == "how" and text.word(1) == "many" and text.word(2) in _VERBS


def _is_amount(text: FoldedText, at: int) -> bool:
    return text.word(at - 1) == "how" and text.word(at) in _AMOUNTS
