"""Cut a question that asks for several things into clauses: "when did we choose the venue, and who pays for it?"."""

from collections.abc import Sequence
from itertools import islice, pairwise

from memory.names.known import KnownNames
from memory.question.follow_up import ASKING_WORDS
from memory.question.speakers import people_named
from memory.search.terms import keywords_of
from time_expressions.folding import FoldedText

MOST_CLAUSES = 3
"""Clauses that are told apart; what else is asked belongs to the last one."""

_MOST_CUTS = 8  # places where a question may be cut that are looked at

_AND = frozenset(["and", "&", "und", "sowie", "et", "y", "e", "ed", "plus", ";", "?"])
_AUXILIARIES = frozenset(
    ["did", "does", "do", "is", "are", "was", "were", "has", "have", "had", "will", "can", "should", "hat", "haben"]
)
_ABOUT = frozenset(["about", "on", "regarding", "uber", "sur", "sobre", "de"])
_COMPARE = frozenset(["compare", "contrast", "vergleiche", "compara"])
_BETWEEN = (("difference", "between"), ("differences", "between"))
_WITH = frozenset(["and", "with", "to", "against", "vs", "versus", "und", "mit", "et", "con"])
_VERSUS = frozenset(["vs", "versus"])


def clauses_of(text: str, names: KnownNames) -> tuple[str, ...]:
    """Return the clauses of a question, each of which has words to search for; the whole one when it asks one thing.

    `names` are those of the people who may be named: "what did Ana say about the venue and Ben about the price?".
    """
    read = FoldedText(text)
    people = _people_at(read, names)
    compared = _compared(text, read)
    if compared is not None:
        clauses = compared
    else:
        cuts = (at for at in range(1, len(read) - 1) if _parts_clauses(read, at, people))
        clauses = _cut(text, read, list(islice(cuts, _MOST_CUTS)))
    whole = [_with_verb(clauses[0], clause, names) for clause in clauses]
    return tuple(whole) if len(whole) > 1 else (text,)


def _people_at(read: FoldedText, names: KnownNames) -> dict[int, int]:
    """Return the tokens at which names of people begin, each with the token behind the name."""
    starts = {token.start: at for at, token in enumerate(read.tokens)}
    ends = {token.end: at + 1 for at, token in enumerate(read.tokens)}
    return {starts[start]: ends[end] for (start, end), _ in people_named(read, names)}


def _parts_clauses(read: FoldedText, at: int, people: dict[int, int]) -> bool:
    """Return whether another question begins behind a token: "and who", "and Ben about", "? Who"."""
    if read.word(at) not in _AND:
        return False
    after = at + 1 + (read.word(at + 1) in _AND)
    if read.word(after) in ASKING_WORDS | _AUXILIARIES:
        return True
    return after in people and read.word(people[after]) in _ABOUT


def _cut(text: str, read: FoldedText, cuts: Sequence[int]) -> list[str]:
    """Return a text cut at some tokens, as far as each piece asks something that can be searched for."""
    clauses: list[str] = []
    begins = 0
    for at, following in pairwise([*cuts, len(read)]):
        first = text[begins : read.tokens[at].start]
        behind = text[_behind_and(read, at) : read.tokens[following].start if following < len(read) else len(text)]
        if len(clauses) < MOST_CLAUSES - 1 and keywords_of(first) and keywords_of(behind):
            clauses.append(first)
            begins = _behind_and(read, at)
    return [clause.strip(" ,;?") for clause in (*clauses, text[begins:])]


def _behind_and(read: FoldedText, at: int) -> int:
    """Return where in a text a clause begins behind the "and" at a token."""
    return read.tokens[at + 1 + (read.word(at + 1) in _AND)].start


def _compared(text: str, read: FoldedText) -> list[str] | None:
    """Return the two things that a question compares; None when it compares nothing, or it is not clear what."""
    begins = next((at + 1 for at in range(len(read)) if read.word(at) in _COMPARE), None)
    if begins is None:
        between = (at + 2 for at in range(len(read)) if (read.word(at), read.word(at + 1)) in _BETWEEN)
        begins = next(between, None)
    joins = _WITH
    if begins is None:
        begins, joins = 0, _VERSUS
    cuts = [at for at in range(begins + 1, len(read) - 1) if read.word(at) in joins]
    if len(cuts) != 1:
        return None
    first = text[read.tokens[begins].start : read.tokens[cuts[0]].start]
    second = text[read.tokens[cuts[0] + 1].start :]
    pieces = [piece.strip(" ,;:.?") for piece in (first, second)]
    return pieces if all(map(keywords_of, pieces)) else None


def _with_verb(first: str, clause: str, names: KnownNames) -> str:
    """Return "Ben about the price" as "what did Ben say about the price", after "what did Ana say about the venue"."""
    if clause == first:
        return clause
    model, read = FoldedText(first), FoldedText(clause)
    named, naming = list(people_named(model, names)), list(people_named(read, names))
    if not named or not naming or naming[0][0][0] != 0:
        return clause
    (start, end), (_, after) = named[0][0], naming[0][0]
    about = next((token for token in model.tokens if token.start >= end and token.folded in _ABOUT), None)
    follows = next((token for token in read.tokens if token.start >= after), None)
    if about is None or follows is None or follows.folded not in _ABOUT:
        return clause
    return f"{first[:start]}{clause[:after]}{first[end : about.start]}{clause[follows.start :]}"
