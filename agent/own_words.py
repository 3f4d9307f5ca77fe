"""Notice where a model repeats the instructions that it was given: no reader asked for them."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

RUN = 8
"""Words in a row that nobody says by chance; a shorter rule than that is no secret."""

_LONGEST = 40_000  # characters that are looked at
_WORD = re.compile(r"[^\W_]+")


def repeats(text: str, instructions: Sequence[str]) -> bool:
    """Return whether RUN words in a row of a text stand so in one of the instructions, whatever their markup."""
    return not _runs_of(tuple(instructions)).isdisjoint(_runs(text[:_LONGEST]))


@cache
def _runs_of(instructions: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(run for text in instructions for run in _runs(text))


def _runs(text: str) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return (tuple(words[start : start + RUN]) for start in range(len(words) - RUN + 1))
