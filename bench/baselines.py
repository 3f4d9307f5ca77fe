"""Rank the messages of one chat by plain cosine and by plain BM25, to compare search with."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from db.addresses import keywords_of, parse_address
from db.connections import connect

Scores = NDArray[np.float64]

_K1, _B = 1.2, 0.75  # the usual values
_CONNECT_TIMEOUT = timedelta(seconds=10)
_LEXEMES = """
    SELECT text.number - 1, word.lexeme, array_length(word.positions, 1)
    FROM unnest(%s::text[]) WITH ORDINALITY AS text (content, number)
    CROSS JOIN unnest(to_tsvector('english', text.content)) AS word
"""


def cosine(vectors: NDArray[np.float32], vector: NDArray[np.float32]) -> Scores:
    """Return how like a vector each of some unit vectors is."""
    return (vectors @ vector).astype(np.float64)


class Bm25:
    """BM25 over a few documents, each given as its words with their counts.

    Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009.
    """

    def __init__(self, documents: Sequence[Counter[str]]) -> None:
        lengths = np.array([document.total() for document in documents], dtype=np.float64)
        self._norms = _K1 * (1 - _B + _B * lengths / max(lengths.mean(), 1.0))
        self._holding: dict[str, dict[int, int]] = defaultdict(dict)
        for number, document in enumerate(documents):
            for word, count in document.items():
                self._holding[word][number] = count

    def scores(self, words: Counter[str]) -> Scores:
        """Return the score of every document for a question's words."""
        scores = np.zeros(len(self._norms))
        for word in words.keys() & self._holding.keys():
            numbers = np.array(list(self._holding[word]))
            counts = np.array(list(self._holding[word].values()), dtype=np.float64)
            rarity = math.log(1 + (len(scores) - len(numbers) + 0.5) / (len(numbers) + 0.5))
            scores[numbers] += rarity * counts * (_K1 + 1) / (counts + self._norms[numbers])
        return scores


async def lexemes(dsn: str, texts: Sequence[str]) -> list[Counter[str]]:
    """Return the stems of each text with their counts, stop words left out, as PostgreSQL makes them."""
    found: list[Counter[str]] = [Counter() for _ in texts]
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        for number, word, count in await (await connection.execute(_LEXEMES, (list(texts),))).fetchall():
            found[number][word] = count
    return found
