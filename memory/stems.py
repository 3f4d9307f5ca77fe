"""Compare words without their endings, in the languages that are written on a server.

The stems are those of Snowball (Porter, "Snowball: a language for stemming algorithms", 2001), which PostgreSQL's full
text and BM25 indexes use as well.
"""

from collections.abc import Callable
from functools import cache, lru_cache

LANGUAGES = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch")
"""Languages whose endings are known; the first one is what the word indexes read."""

_REMEMBERED = 20_000  # words: those of a few hundred messages
_LONGEST = 40  # letters of a word; what is longer is an address or a scream
_SHORTEST_FOREIGN = 5  # letters of a stem: shorter ones make one word of "hope" and "hop", "care" and "car"


@lru_cache(_REMEMBERED)
def stems_of(word: str) -> frozenset[str]:
    """Return what a folded word may be without its ending; two words are forms of one when they share a stem.

    A stem that only another language than English knows counts when it is long: in any language short words are alike.
    """
    cut = word[:_LONGEST]
    english, *others = (stem(cut) for stem in _stemmers())
    return frozenset({english, *(stem for stem in others if len(stem) >= _SHORTEST_FOREIGN)})


@cache
def _stemmers() -> tuple[Callable[[str], str], ...]:
    from Stemmer import Stemmer  # only a question needs it

    return tuple(Stemmer(language).stemWord for language in LANGUAGES)
