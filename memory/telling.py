"""Let a word tell as much in every chunk of a hypertable: what the index of one knows of words, the others do not.

BM25 gives a word that few messages have more weight, idf = ln(1 + (N - n + 0.5) / (n + 0.5)) where n of N messages have
it (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009). An index reckons with the N and n of its own
chunk; chunks that hold a few dozen messages each have quite another idea. So each is asked what it makes of every word
of the question, the n are added up, and the question is put to each chunk with its words repeated as often as brings
them to the weight that they have in all chunks together: an index counts a word of the question as often as it stands
there.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import ARRAY, Float, Text, bindparam, column, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.parts import Part

WEIGHT = 8
"""How often a word that tells as much in a chunk as in all stands in the question: more is finer, and longer."""

_MOST = 250  # times that a word is repeated: PostgreSQL notes 255 places of one
_UNSAID = "zqxjkvwzqxjkv"  # asked for a single word, an index does not look how often it stands there
_WORDS = 32  # of a question, the first ones
_ONE_WORD = (
    1.67  # what BM25 (k1 1.2, b 0.75) makes of a text of one word beside texts of some forty, in units of its idf
)

Scores = Mapping[tuple[str, str], float]
"""What the index of a chunk gives a text that is nothing but the word, by index and word."""

_words = (
    func.unnest(bindparam("words", type_=ARRAY(Text))).table_valued(column("word", Text), name="words").render_derived()
)
_indexes = (
    func.unnest(bindparam("indexes", type_=ARRAY(Text)))
    .table_valued(column("word_index", Text), name="indexes")
    .render_derived()
)
_DISTANCE = func.bm25_text_bm25query_score(
    _words.c.word, func.to_bm25query(_words.c.word, _indexes.c.word_index), type_=Float()
)
_SCORES = select(_indexes.c.word_index, _words.c.word, _DISTANCE.label("distance")).select_from(
    _indexes.join(_words, true())
)


async def questions(session: AsyncSession, text: str, *, chunks: Sequence[Part], lexica: Sequence[Part]) -> list[str]:
    """Return, for each of the chunks, the text as it has to be asked there; `lexica` are the chunks that know words."""
    words = Counter(text.split()[:_WORDS])
    indexes = sorted({part.word_index for part in (*chunks, *lexica) if part.word_index})
    if len(indexes) < 2 or not words:
        return [" ".join([*[text] * WEIGHT, _UNSAID])] * len(chunks)
    rows = await session.execute(_SCORES, {"words": list(words), "indexes": indexes})
    scores = {(row.word_index, row.word): -row.distance for row in rows}
    everywhere = {word: _idf_of_all(word, lexica, scores) for word in words}
    return [_asked(words, everywhere, chunk, scores) for chunk in chunks]


def _asked(words: Mapping[str, int], everywhere: Mapping[str, float], chunk: Part, scores: Scores) -> str:
    """Return the words that a chunk knows, each as often as brings it to its weight in all chunks."""
    repeated = []
    for word, count in words.items():
        here = scores.get((chunk.word_index or "", word), 0.0) / _ONE_WORD
        if here > 0:
            times = round(WEIGHT * count * everywhere[word] / here)
            repeated += [word] * min(max(times, 1), _MOST)
    return " ".join([*repeated, _UNSAID])


def _idf_of_all(word: str, lexica: Sequence[Part], scores: Scores) -> float:
    total = sum(part.rows for part in lexica)
    having = sum(_having(scores.get((part.word_index or "", word), 0.0) / _ONE_WORD, part.rows) for part in lexica)
    return math.log1p((total - having + 0.5) / (having + 0.5))


def _having(idf: float, rows: int) -> float:
    """Return how many of a chunk's rows have a word with this idf; an index gives none to one that it does not know."""
    if idf <= 0:
        return 0.0
    odds = math.expm1(idf)
    return min(max((rows + 0.5 - 0.5 * odds) / (odds + 1), 0.0), float(rows))
