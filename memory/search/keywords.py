"""Find the messages with the most telling words: by BM25, or by PostgreSQL's full text where that is missing.

Of a hypertable each chunk is asked by its own index, with a question of its own (`memory.telling`).
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from heapq import nsmallest
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Float,
    MetaData,
    Table,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from db.chunks import Chunk
from db.word_index import BM25_INDEX
from memory.filters import (
    BY_INDEX,
    COLUMNS,
    NOTHING,
    TABLE,
    Columns,
    Filters,
    Keys,
    Shape,
    first,
    in_part,
    shape_of,
    times_of,
    tune,
    values_of,
)
from memory.message import MessageKey
from memory.search.planner import AccessPath, Costs, Size, Trace, way_to_the_worded

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


async def global_idf_queries(
    session: AsyncSession, text: str, *, chunks: Sequence[Chunk], largest_chunks: Sequence[Chunk]
) -> list[str]:
    """Return, for each of the chunks, the text to search it with; the `largest_chunks` tell how rare each word is."""
    words = Counter(text.split()[:_WORDS])
    indexes = sorted({part.word_index for part in (*chunks, *largest_chunks) if part.word_index})
    if len(indexes) < 2 or not words:
        return [" ".join([*[text] * WEIGHT, _UNSAID])] * len(chunks)
    rows = await session.execute(_SCORES, {"words": list(words), "indexes": indexes})
    scores = {(row.word_index, row.word): -row.distance for row in rows}
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
_TEXT = bindparam("text", type_=Text)


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
) -> dict[MessageKey, float]:
    """Return the keys of the rows with the most telling words, each with its score; none that has none of them."""
    shape, values = shape_of(filters), {"text": text, "wanted": wanted, **values_of(filters), **times_of(size.chunks)}
    if not bm25:
        return await trace.step("full text", _scores(session, _best_in_full_text(shape), values))
    chunks = _chunks(size.chunks)
    if chunks:
        asked = await global_idf_queries(session, text, chunks=size.chunks, largest_chunks=size.largest_chunks)
        values |= {f"text_{number}": one for number, one in enumerate(asked)}
    if way_to_the_worded(size, wanted=wanted, costs=costs) is AccessPath.EXACT:
        every = _best_of_chunks(shape, chunks) if chunks else _best_of_all(shape)
        return await trace.step("words of every matching row", _scores(session, every, values))
    # So many the index ranks at once; each time they are not enough it begins anew with twice as many.
    ranked = min(max(_LEAST_RANKED, 2 * size.share_of(wanted)), _MOST_RANKED)
    await tune(session, {**BY_INDEX, "pg_textsearch.default_limit": str(ranked)})
    proposed = _proposed_by_chunks(shape, len(chunks)) if chunks else _best_by_index(shape)
    return await trace.step("word index", _scores(session, proposed, values))


async def _scores(
    session: AsyncSession, statement: Keys | CompoundSelect[Any], values: Mapping[str, Any]
) -> dict[MessageKey, float]:
    """Return the best `wanted` of what a statement gives, with their scores."""
    rows = await session.execute(statement, values)
    best = nsmallest(values["wanted"], rows, key=attrgetter("distance"))
    return {(row.message_id, row.sent_at): -row.distance for row in best if row.distance < 0}  # the operator's sign


@cache
def _best_in_full_text(shape: Shape) -> Keys:
    score = _full_text()
    return first(shape, score.desc()).add_columns((-score).label("distance")).where(_has_words())


@cache
def _best_of_all(shape: Shape) -> Keys:
    return first(shape, _distance() + NOTHING).add_columns(_distance().label("distance"))


@cache
def _best_by_index(shape: Shape) -> Keys:
    # Asked for as it is ordered by, the distance comes out of the index: anything made of it is computed again.
    return first(shape, _distance()).add_columns(_distance().label("distance"))


Chunks = tuple[tuple[str, str, str], ...]
"""Of each chunk its schema, its name and the name of its word index."""


def _chunks(parts: Sequence[Chunk]) -> Chunks:
    """Return the chunks, or nothing for a plain table; each has a word index, as a hypertable gives it to all."""
    known = tuple((part.schema, part.name, part.word_index) for part in parts if part.word_index)
    return known if len(known) == len(parts) else ()


@lru_cache(maxsize=256)
def _best_of_chunks(shape: Shape, chunks: Chunks) -> CompoundSelect[Any]:
    """Return the best rows of each chunk after scoring all that match.

    Asked of the whole hypertable, pg_textsearch scores by what the first chunk knows, and a word that never fell there
    counts nothing. So each chunk is asked by its own name.
    """
    best = []
    for number, (schema, name, index) in enumerate(chunks):
        of = _table(schema, name).c
        distance = _distance(of, index, text=_asked(number)) / WEIGHT
        best.append(first(shape, distance, of=of).add_columns(distance.label("distance")))
    return union_all(*(select(one.subquery()) for one in best))


@lru_cache(maxsize=256)
def _proposed_by_chunks(shape: Shape, count: int) -> CompoundSelect[Any]:
    """Return what the index of each chunk proposes."""
    proposed = []
    for number in range(count):
        distance = _distance(text=_asked(number))
        one = first(shape, distance).add_columns(distance.label("distance")).where(*in_part(number)).subquery().c
        proposed.append(select(one.message_id, one.sent_at, (one.distance / WEIGHT).label("distance")))
    return union_all(*proposed)


def _asked(number: int) -> BindParameter[str]:
    return bindparam(f"text_{number}", type_=Text)


def _table(schema: str, name: str) -> Table:
    if not isinstance(TABLE, Table):
        raise TypeError("messages are not in a table")
    return TABLE.to_metadata(MetaData(), name=name, schema=schema)


def _distance(
    of: Columns = COLUMNS, index: str = BM25_INDEX, *, text: BindParameter[str] = _TEXT
) -> ColumnElement[float]:
    return of.search_text.op("<@>", return_type=Float())(func.to_bm25query(text, index))


def _any_word() -> ColumnElement[Any]:
    """Return a query that any of the words satisfies: PostgreSQL joins them with AND by itself."""
    every_word = func.plainto_tsquery("english", _TEXT)
    return func.replace(every_word.cast(Text), " & ", " | ").op("::")(column("tsquery"))


def _document() -> ColumnElement[Any]:
    # Written out: with a bound parameter this is not the expression of the index `messages_full_text`.
    return func.to_tsvector(literal_column("'english'"), COLUMNS.search_text)


def _full_text() -> ColumnElement[float]:
    return func.ts_rank_cd(_document(), _any_word())


def _has_words() -> ColumnElement[bool]:
    return _document().op("@@")(_any_word())
