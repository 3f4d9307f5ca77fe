"""Tell whether a text asks for what was known: then a time in it is the moment up to which things were said."""

from collections.abc import Sequence

from time_expressions.tokens import Token

_KNEW = frozenset(
    ["knew", "wusste", "wussten", "gewusst", "savait", "savions", "savaient", "sabia", "sabiamos", "sabian"]
)
_BE = frozenset(["was", "were", "been", "be"])
_YOU = frozenset(["you", "ya"])
_MOST_BETWEEN = 3  # words of who it is: "did the other people know"


def asks_for_knowledge(tokens: Sequence[Token]) -> bool:
    """Return whether a text asks who knew, or what was known; "did you know" and "is known" ask for no past."""
    words = [token.text for token in tokens]
    return any(_is_knowledge(words, at) for at in range(len(words)))


def _is_knowledge(words: Sequence[str], at: int) -> bool:
    if words[at] in _KNEW:
        return True
    before = words[max(0, at - 1 - _MOST_BETWEEN) : at]
    if words[at] == "known":
        return not _BE.isdisjoint(before[-2:])
    return words[at] == "know" and "did" in before and _YOU.isdisjoint(before)
