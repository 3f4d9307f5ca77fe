"""Find the names that a word may misspell: with a letter wrong, missing or too many, or two in the wrong order."""

from collections.abc import Iterable, Iterator
from itertools import islice

SHORTEST = 4
"""Letters of a name that may be misspelt: shorter ones are too like each other."""

LONG = 8
"""Letters of names from which on two of them may be wrong."""

_LONGEST = 60  # letters
_MOST_NAMES = 200_000  # that are compared; it takes some milliseconds
_MOST_NEAR = 8


class Beginnings:
    """Names by their first letter, so that few have to be compared."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, None]] = {}

    def add(self, name: str) -> None:
        """Take in a folded name that is not empty."""
        self._names.setdefault(name[0], {})[name] = None

    def like(self, word: str) -> Iterator[str]:
        """Yield the names that begin with the first or the second letter of a word, and are about as long."""
        most = _most_wrong(word)
        for letter in dict.fromkeys(word[:2]):
            for name in tuple(self._names.get(letter, ())):
                if abs(len(name) - len(word)) <= most:
                    yield name


def nearest_names(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that a word is most like, and may misspell; both are folded.

    Letters are counted as in the optimal string alignment distance: two neighbours in the wrong order are one mistake.
    Digits are never mistaken, and a name begins as it is typed, or with its first two letters in the wrong order.
    """
    if not SHORTEST <= len(word) <= _LONGEST:
        return []
    from rapidfuzz import process  # loaded when the first unknown name is met
    from rapidfuzz.distance import OSA

    known = list(dict.fromkeys(islice(names, _MOST_NAMES)))
    found = process.extract(word, known, scorer=OSA.distance, score_cutoff=_most_wrong(word), limit=_MOST_NEAR)
    near = [(wrong, name) for name, wrong, _ in found if 0 < wrong <= _most_wrong(name) and _is_like(word, name)]
    return [name for wrong, name in near if wrong == min(near)[0]]


def _most_wrong(name: str) -> int:
    if len(name) < SHORTEST:
        return 0
    return 2 if len(name) >= LONG else 1


def _is_like(word: str, name: str) -> bool:
    begins_alike = word[0] == name[0] or word[1::-1] == name[:2]
    return begins_alike and _digits(word) == _digits(name)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())
