"""Find the messages whose keywords score best: by BM25, or by PostgreSQL's full text where BM25 is missing.

Of a hypertable each chunk is asked by its own index, with a query of its own (`global_idf_queries`).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from heapq import nsmallest
from operator import itemgetter

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder
from sqlalchemy.ext.asyncio import AsyncSession

from db.chunks import Chunk
from db.statements import Values, fetch
from db.word_index import BM25_INDEX
from memory.filters import (
    ALL_ROWS,
    BY_INDEX,
    KEY,
    MESSAGES,
    Filters,
    Shape,
    chunk_bounds,
    first,
    in_chunk,
    shape_of,
    tune,
    values_of,
)
from memory.message import MessageKey
from memory.search.planner import AccessPath, Costs, Size, Trace, path_to_keywords

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

_SCORES = SQL("""
    SELECT word_index, word, bm25_text_bm25query_score(word, to_bm25query(word, word_index)) AS distance
    FROM unnest(%(indexes)s::text[]) AS indexes (word_index) CROSS JOIN unnest(%(words)s::text[]) AS words (word)
""")


async def global_idf_queries(
    session: AsyncSession, text: str, *, chunks: Sequence[Chunk], largest_chunks: Sequence[Chunk]
) -> list[str]:
    """Return, for each of the chunks, the text to search it with; the `largest_chunks` tell how rare each word is."""
    words = Counter(text.split()[:_WORDS])
    indexes = sorted({part.word_index for part in (*chunks, *largest_chunks) if part.word_index})
    if len(indexes) < 2 or not words:
        return [" ".join([*[text] * WEIGHT, _UNSAID])] * len(chunks)
    rows = await fetch(session, _SCORES, {"words": list(words), "indexes": indexes})
    scores = {(row["word_index"], row["word"]): -row["distance"] for row in rows}
    everywhere = {word: _idf_of_all(word, largest_chunks, scores) for word in words}
    return [_question_for(words, everywhere, chunk, scores) for chunk in chunks]


def _question_for(words: Mapping[str, int], everywhere: Mapping[str, float], chunk: Chunk, scores: Scores) -> str:
    """Return the words that a chunk knows, each as often as brings it to its weight in all chunks."""
    repeated = []
    for word, count in words.items():
        here = scores.get((chunk.word_index or "", word), 0.0) / _ONE_WORD
        if here > 0:
            times = round(WEIGHT * count * everywhere[word] / here)
            repeated += [word] * min(max(times, 1), _MOST)
    return " ".join([*repeated, _UNSAID])


def _idf_of_all(word: str, largest_chunks: Sequence[Chunk], scores: Scores) -> float:
    total = sum(part.rows for part in largest_chunks)
    having = sum(
        _having(scores.get((part.word_index or "", word), 0.0) / _ONE_WORD, part.rows) for part in largest_chunks
    )
    return math.log1p((total - having + 0.5) / (having + 0.5))


def _having(idf: float, rows: int) -> float:
    """Return how many of a chunk's rows have a word with this idf; an index gives none to one that it does not know."""
    if idf <= 0:
        return 0.0
    odds = math.expm1(idf)
    return min(max((rows + 0.5 - 0.5 * odds) / (odds + 1), 0.0), float(rows))


_LEAST_RANKED, _MOST_RANKED = 1000, 100_000  # the word index's own setting, and the most that it takes


async def keyword_candidates(
    session: AsyncSession,
    *,
    text: str,
    filters: Filters,
    wanted: int,
    bm25: bool,
    size: Size,
    costs: Costs,
    trace: Trace,
) -> Mapping[MessageKey, float]:
    """Return the scores of the `wanted` best messages that have any of the words, the more the better, by key."""
    shape = shape_of(filters)
    values = {"text": text, "wanted": wanted, **values_of(filters), **chunk_bounds(size.chunks)}
    if not bm25:
        return await trace.step("full text", _scores(session, _best_in_full_text(shape), values))
    chunks = _chunks_with_index(size.chunks)
    if chunks:
        queries = await global_idf_queries(session, text, chunks=size.chunks, largest_chunks=size.largest_chunks)
        values |= {f"text_{number}": query for number, query in enumerate(queries)}
    if path_to_keywords(size, wanted=wanted, costs=costs) is AccessPath.EXACT:
        statement = _best_of_chunks(shape, chunks) if chunks else _best_of_all(shape)
        return await trace.step("words of every matching row", _scores(session, statement, values))
    # So many the index ranks at once; each time they are not enough it begins anew with twice as many.
    ranked = min(max(_LEAST_RANKED, 2 * size.share_of(wanted)), _MOST_RANKED)
    await tune(session, {**BY_INDEX, "pg_textsearch.default_limit": str(ranked)})
    statement = _best_by_chunk_indexes(shape, len(chunks)) if chunks else _best_by_index(shape)
    return await trace.step("word index", _scores(session, statement, values))


async def _scores(session: AsyncSession, statement: Composed, values: Values) -> dict[MessageKey, float]:
    """Return the best `wanted` of what a statement gives, with their scores."""
    rows = await fetch(session, statement, values)
    best = nsmallest(values["wanted"], rows, key=itemgetter("distance"))
    # The operator gives scores with a minus, so that the best come first; 0 is the score of none of the words.
    return {(row["message_id"], row["sent_at"]): -row["distance"] for row in best if row["distance"] < 0}


_DOCUMENT = SQL("to_tsvector('english', search_text)")  # the expression of the index `messages_full_text`
_ANY_WORD = SQL("replace(plainto_tsquery('english', %(text)s)::text, ' & ', ' | ')::tsquery")
"""A query that any of the words satisfies: PostgreSQL joins them with AND by itself."""

HAS_WORDS = SQL("{} @@ {}").format(_DOCUMENT, _ANY_WORD)
"""The condition that full text has of a row; its index answers it."""


@lru_cache(maxsize=256)
def _best_in_full_text(shape: Shape) -> Composed:
    return _best(shape, distance=SQL("-ts_rank_cd({}, {})").format(_DOCUMENT, _ANY_WORD), among=HAS_WORDS)


def _bm25(index: str = BM25_INDEX, text: str = "text") -> Composed:
    """Return the score of a row by BM25, with a minus; `text` is the name under which the query is bound."""
    return SQL("(search_text <@> to_bm25query({}::text, {}))").format(Placeholder(text), Literal(index))


@lru_cache(maxsize=256)
def _best_of_all(shape: Shape) -> Composed:
    return _best(shape, distance=_bm25(), order=SQL("{} + 0.0").format(_bm25()))


@lru_cache(maxsize=256)
def _best_by_index(shape: Shape) -> Composed:
    # Asked for as it is ordered by, the distance comes out of the index: anything made of it is computed again.
    return _best(shape, distance=_bm25())


IndexedChunks = tuple[tuple[str, str, str], ...]
"""Of each chunk its schema, its name and the name of its word index."""


def _chunks_with_index(chunks: Sequence[Chunk]) -> IndexedChunks:
    """Return the chunks, or nothing for a plain table; each has a word index, as a hypertable gives it to all."""
    indexed = tuple((chunk.schema, chunk.name, chunk.word_index) for chunk in chunks if chunk.word_index)
    return indexed if len(indexed) == len(chunks) else ()


@lru_cache(maxsize=256)
def _best_of_chunks(shape: Shape, chunks: IndexedChunks) -> Composed:
    """Return the best rows of each chunk after scoring all that match.

    Asked of the whole hypertable, pg_textsearch scores by what the first chunk knows, and a word that never fell there
    counts nothing. So each chunk is asked by its own name.
    """
    best = []
    for number, (schema, name, index) in enumerate(chunks):
        distance = SQL("{} / {}").format(_bm25(index, f"text_{number}"), Literal(WEIGHT))
        best.append(_best(shape, distance=distance, table=Identifier(schema, name)))
    return SQL(" UNION ALL ").join(SQL("({})").format(chunk) for chunk in best)


@lru_cache(maxsize=256)
def _best_by_chunk_indexes(shape: Shape, count: int) -> Composed:
    """Return what the index of each chunk proposes."""
    best = []
    for number in range(count):
        by_index = _best(shape, distance=_bm25(text=f"text_{number}"), among=in_chunk(number))
        best.append(
            SQL("SELECT message_id, sent_at, distance / {} AS distance FROM ({}) AS best").format(
                Literal(WEIGHT), by_index
            )
        )
    return SQL(" UNION ALL ").join(best)


def _best(
    shape: Shape,
    *,
    distance: Composed,
    order: Composed | None = None,
    table: Composable = MESSAGES,
    among: SQL | Composed = ALL_ROWS,
) -> Composed:
    """Return the statement that gives the keys of the first rows, each with its distance."""
    columns = SQL("{}, {} AS distance").format(KEY, distance)
    return first(shape, columns=columns, table=table, among=among, order=order or distance)
