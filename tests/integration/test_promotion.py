"""A promotion brings in what long-term memory lacks, once, in its last state and with the vectors that are there."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from db.table_copy import fetch, open_connection, tables_of
from errors import DatabaseUnavailableError, InputFileError, SessionInUseError, TemporaryError
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from memory.index import bulk
from memory.index.index_text import search_text, text_to_embed
from memory.message import Kind, fold
from memory.search.memory import Memory
from ops.erasure.rows import note_erasure
from ops.promotion import promote as promotion
from ops.promotion.history import list_batches, promotion_lock
from ops.promotion.promote import PromotionResources, preview
from ops.promotion.records import Reject
from ops.promotion.report import describe
from tests.builders import deletion, edit, every_order_of_states, message, minute, remember
from tests.promotions import (
    NOW,
    PATIENCE,
    UTC_ZONE,
    CountingEmbedder,
    bring_in,
    column,
    contents,
    counts,
    differ,
    means_of,
    stored,
)
from tests.sentences import is_one_sentence
from tests.sources import source_of
from util_async import no_progress

pytestmark = pytest.mark.server


@pytest.fixture
def counting(embedder: Embedder) -> CountingEmbedder:
    return CountingEmbedder(embedder)


@pytest.fixture
def means(long_term: Database, short_term: Database, counting: CountingEmbedder, tmp_path: Path) -> PromotionResources:
    return means_of(long_term, short_term, counting, tmp_path)


SESSION = [
    message(1, "the kiln reaches 1280 degrees"),
    message(2, "and the glaze is blue"),
    message(3, "sure", channel_id=2),
    edit(2, "and the glaze is green", at=10),
    deletion(1, at=11),
    message(4, "", channel_id=2),
    message(5, "we ship on Friday"),
]


async def test_what_comes_in_is_the_last_state_with_a_vector_and_its_context(
    means: PromotionResources, long_term: Database, counting: CountingEmbedder
) -> None:
    promoted = await bring_in(source_of(SESSION), means)

    folded, revisions = fold(SESSION)
    assert await stored(long_term) == {one.message_id: one for one in folded}
    texts = await column(long_term, "search_text")
    last = {one.message_id: one for one in folded}
    assert texts[5] == search_text(last[5], [last[2]])  # a deleted message stands before no other
    assert texts[4] == ""
    assert counting.asked == [text_to_embed(one) for one in folded if one.content]
    assert {number for number, vector in (await column(long_term, "embedding")).items() if vector is None} == {4}
    assert set((await column(long_term, "promotion_id")).values()) == {promoted.promotion_id} == {1}
    async with open_connection(long_term.dsn, timeout=PATIENCE) as connection:
        kept = await fetch(connection, "SELECT message_id, revised_at, content, promotion_id FROM message_revisions")
    assert kept == [(one.message_id, one.revised_at, one.content, 1) for one in revisions]


async def test_a_second_time_nothing_happens(
    means: PromotionResources, long_term: Database, counting: CountingEmbedder
) -> None:
    first = await bring_in(source_of(SESSION), means)
    before, asked = await contents(long_term), len(counting.asked)

    second = await bring_in(source_of(SESSION), means)

    assert await contents(long_term) == before
    assert len(counting.asked) == asked
    assert (second.promotion_id, counts(second.tally)) == (None, {"there": 5})
    assert counts(first.tally) == {"new": 5}


async def test_a_dry_run_writes_nothing_and_tells_what_a_promotion_then_does(
    means: PromotionResources, long_term: Database
) -> None:
    await bring_in(source_of(SESSION), means)
    grown = source_of([*SESSION, edit(5, "we ship on Monday", at=20)], [deletion(5, at=21), message(6, "at last")])
    before = await contents(long_term)

    told = await differ(grown, means)

    assert await contents(long_term) == before
    assert told.verdicts == (await bring_in(grown, means)).tally.verdicts
    assert counts(told) == {"there": 4, "changed": 1, "further": 1, "new": 1}


async def test_a_dry_run_needs_no_tables_and_makes_none(blank: Database, means: PromotionResources) -> None:
    told = await preview(
        source_of(SESSION), blank, {}, time_zone=UTC_ZONE, now=NOW, timeout=PATIENCE, report=no_progress
    )

    assert counts(told) == {"new": 5}
    async with open_connection(blank.dsn, timeout=PATIENCE) as connection:
        assert await tables_of(connection) == {}


async def test_a_session_that_has_grown_brings_its_edits_and_deletions(
    means: PromotionResources, long_term: Database
) -> None:
    await bring_in(source_of(SESSION), means)
    more = [edit(5, "we ship on Monday", at=20), deletion(3, at=21), message(6, "at last")]

    promoted = await bring_in(source_of([*SESSION, *more]), means)

    folded, _ = fold([*SESSION, *more])
    assert await stored(long_term) == {one.message_id: one for one in folded}
    assert counts(promoted.tally) == {"there": 3, "changed": 2, "new": 1}
    assert await column(long_term, "promotion_id") == {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 2}


async def test_states_are_brought_together_in_every_order_and_across_chunks(
    means: PromotionResources, long_term: Database
) -> None:
    orders = every_order_of_states()

    promoted = await bring_in(source_of(*zip(*orders, strict=True)), means)

    assert await stored(long_term) == {order[0].message_id: fold(order)[0][0] for order in orders}
    assert counts(promoted.tally) == {"new": len(orders), "further": 4 * len(orders)}
    assert (await contents(long_term))["replaced_messages"].rows == 0  # what the batch has added goes with it


async def test_every_record_is_counted_once(means: PromotionResources) -> None:
    await bring_in(source_of(SESSION[:2]), means)
    refused = [Reject(9, "what is this", "not a message")]

    tally = (await bring_in(source_of(SESSION, [SESSION[0], SESSION[4]], refused=refused), means)).tally

    assert tally.records == len(SESSION) + 2 + len(refused)


async def test_vectors_and_texts_of_short_term_memory_are_taken_over(
    means: PromotionResources, short_term: Database, long_term: Database, counting: CountingEmbedder, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [message(1, "one"), message(2, "two"), message(3, "three")])
    async with transaction(short_term.sessions) as session:
        await session.execute(text("UPDATE messages SET search_text = 'as it was' WHERE message_id = 1"))
        await session.execute(text("UPDATE messages SET embedding_model = 'other' WHERE message_id = 3"))

    promoted = await bring_in(source_of([message(1, "one"), edit(2, "two!", at=5), message(3, "three")]), means)

    assert counting.asked == [text_to_embed(one) for one in (message(2, "two!"), message(3, "three"))]
    assert (promoted.tally.reused, promoted.tally.embedded) == (1, 2)
    assert (await column(long_term, "search_text"))[1] == "as it was"
    here, there = await column(long_term, "embedding"), await column(short_term, "embedding")
    assert list(here[1]) == list(there[1])  # type: ignore[call-overload]


async def test_vectors_that_come_along_are_taken_over_when_they_are_of_the_model(
    means: PromotionResources, counting: CountingEmbedder, embedder: Embedder
) -> None:
    width = await embedder.dimensions()
    ours = f"[{','.join(['0.5'] * width)}]"
    vectors = {
        1: (ours, embedder.name),
        2: (ours, "another model"),
        3: ("[1,2]", embedder.name),
        4: (ours.replace("0.5", "nan"), embedder.name),
    }

    promoted = await bring_in(
        source_of([message(number, f"note {number}") for number in range(1, 5)], vectors=vectors), means
    )

    assert counting.asked == [text_to_embed(message(number, f"note {number}")) for number in (2, 3, 4)]
    assert (promoted.tally.reused, promoted.tally.embedded) == (1, 3)


async def test_context_is_found_across_chunks_and_batches(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of([message(1, "one"), message(2, "two"), message(3, "elsewhere", channel_id=9)]), means)

    await bring_in(source_of([message(4, "four")], [message(5, "five"), message(6, "six")]), means)

    texts = await column(long_term, "search_text")
    assert texts[4] == search_text(message(4, "four"), [message(1, "one"), message(2, "two")])
    assert texts[5] == search_text(message(5, "five"), [message(2, "two"), message(4, "four")])
    assert texts[6] == search_text(message(6, "six"), [message(4, "four"), message(5, "five")])


async def test_context_is_found_when_the_newest_come_first(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of([message(6, "six"), message(5, "five")], [message(4, "four"), message(3, "three")]), means)

    texts = await column(long_term, "search_text")
    assert texts[4] == search_text(message(4, "four"), [message(3, "three")])
    assert texts[6] == search_text(message(6, "six"), [message(5, "five")])


async def test_what_the_database_refuses_stands_in_a_csv_once_and_keeps_no_other_out(
    means: PromotionResources, long_term: Database
) -> None:
    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE messages ADD CONSTRAINT calm CHECK (content NOT LIKE '%!%')"))
    messages = [message(number, f"note {number}{'!' if number in (3, 4, 9) else ''}") for number in range(1, 12)]
    refused = [Reject(12, "no,message", "has 2 fields")]
    source = source_of(messages, refused=refused)

    promoted = await bring_in(source, means)
    again = await bring_in(source, means)

    assert set(await stored(long_term)) == {1, 2, 5, 6, 7, 8, 10, 11}
    assert counts(promoted.tally) == {"new": 8}
    assert promoted.tally.refused.total() == again.tally.refused.total() == 4
    assert (again.promotion_id, again.refused_path) == (None, promoted.refused_path)
    assert promoted.refused_path == means.refused_dir / "1_refused.csv"
    lines = promoted.refused_path.read_text().splitlines()
    assert [line.rpartition(",")[2] != "" for line in lines] == [True] * 5
    assert [line.split(",")[0] for line in lines] == ["message_id", "", "3", "4", "9"]
    assert stat.S_IMODE(promoted.refused_path.stat().st_mode) == 0o600


async def test_a_text_too_long_for_full_text_is_refused_as_a_row_where_pg_textsearch_is_missing(
    means: PromotionResources, long_term: Database
) -> None:
    async with long_term.engine.begin() as connection:
        await connection.execute(text("DROP INDEX messages_bm25"))
    without = replace(long_term, capabilities=replace(long_term.capabilities, bm25=False))
    await without.migrate(dimensions=await means.embedder.dimensions())
    too_long = " ".join(f"w{number:040}" for number in range(28_000))
    messages = [message(number, too_long if number == 3 else f"note {number}") for number in range(1, 6)]

    promoted = await bring_in(source_of(messages), replace(means, long_term=without))

    assert set(await stored(long_term)) == {1, 2, 4, 5}
    assert counts(promoted.tally) == {"new": 4}
    assert promoted.refused_path is not None
    (_, row) = promoted.refused_path.read_text().splitlines()
    assert row.startswith("3,")
    assert "string is too long for tsvector" in row
    assert "SQLSTATE 54000" in row


async def test_a_former_text_that_is_refused_costs_neither_its_message_nor_other_former_texts(
    means: PromotionResources, long_term: Database
) -> None:
    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE message_revisions ADD CHECK (content NOT LIKE '%!%')"))
    states = [message(1, "wait!"), message(2, "two"), edit(1, "wait", at=10), edit(2, "both", at=11)]
    states += [edit(1, "waited", at=12), message(3, "three")]

    promoted = await bring_in(source_of(states), means)

    assert set(await stored(long_term)) == {1, 2, 3}
    async with transaction(long_term.sessions) as session:
        former = await session.scalars(text("SELECT content FROM message_revisions ORDER BY message_id"))
    assert list(former) == ["wait", "two"]
    assert promoted.tally.refused.total() == 0


async def test_a_text_that_the_model_cannot_take_comes_in_without_a_vector(
    means: PromotionResources, long_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = CountingEmbedder.embed

    async def embed(embedder: CountingEmbedder, texts: Sequence[str]) -> Vectors:
        if any("poison" in one for one in texts):
            raise RuntimeError("index out of range")
        return await real(embedder, texts)

    monkeypatch.setattr(CountingEmbedder, "embed", embed)
    await bring_in(source_of([message(1, "fine"), message(2, "poison"), message(3, "fine")]), means)

    vectors = await column(long_term, "embedding")
    assert [vectors[number] is None for number in (1, 2, 3)] == [False, True, False]


async def test_what_the_forgotten_have_said_stays_out(
    means: PromotionResources, long_term: Database, short_term: Database, counting: CountingEmbedder, tmp_path: Path
) -> None:
    forgotten = {7: minute(4)}
    messages = [
        message(1, "my secret", author_id=7),
        edit(1, "my other secret", at=9, author_id=7),
        message(2, "not mine", author_id=8),
        message(3, "he said: my secret", kind=Kind.ANSWER),
        message(5, "I am back", author_id=7),
        message(6, "my answer", kind=Kind.ANSWER),
    ]
    means = means_of(long_term, short_term, counting, tmp_path, forgotten)

    promoted = await bring_in(source_of(messages, [deletion(1, at=10)]), means)

    assert set(await stored(long_term)) == {2, 5, 6}
    assert (promoted.tally.erased, promoted.tally.answers) == (2, 1)
    assert "2  left out, of people who are forgotten\n" in describe(promoted.tally, "it")
    assert "1  left out, answers of the bot that may repeat them" in describe(promoted.tally, "it")
    assert not [value for value in (await column(long_term, "search_text")).values() if "secret" in str(value)]
    assert (await contents(long_term))["message_revisions"].rows == 0


async def test_an_answer_is_left_out_wherever_it_stands(
    means: PromotionResources, long_term: Database, short_term: Database, counting: CountingEmbedder, tmp_path: Path
) -> None:
    means = means_of(long_term, short_term, counting, tmp_path, {7: minute(4)})
    answer = message(2, "he said: my secret", kind=Kind.ANSWER)

    promoted = await bring_in(source_of([answer], [message(1, "my secret", author_id=7)]), means)
    elsewhere = await bring_in(source_of([replace(answer, message_id=3)]), means)

    assert await stored(long_term) == {}
    assert (promoted.tally.erased, promoted.tally.answers) == (1, 1)
    assert (elsewhere.tally.erased, elsewhere.tally.answers) == (0, 1)


async def test_somebody_who_was_forgotten_since_the_ledger_was_read_stays_out(
    means: PromotionResources, long_term: Database
) -> None:
    async with open_connection(long_term.dsn, timeout=PATIENCE) as connection:
        await note_erasure(connection, 7, minute(4))

    await bring_in(source_of([message(1, "my secret", author_id=7), message(2, "not mine", author_id=8)]), means)

    assert set(await stored(long_term)) == {2}


async def test_mentions_are_named_by_the_source_or_by_who_has_spoken_there_and_never_by_the_forgotten(
    means: PromotionResources, long_term: Database
) -> None:
    known = [message(1, "hi", author_id=5, author_name="Cleo"), message(2, "ho", author_id=6, channel_id=2)]
    await bring_in(source_of(known), means)
    async with open_connection(long_term.dsn, timeout=PATIENCE) as connection:
        await note_erasure(connection, 7, minute(9))
    forgotten = message(3, "my secret", author_id=7, author_name="Fay")
    said = message(4, "<@5> <@6> <@7> <@8> bring the key", author_id=8, author_name="Dora")

    await bring_in(source_of([forgotten, said]), means)

    assert (await stored(long_term))[4].content == "<@Cleo:5> <@6> <@7> <@Dora:8> bring the key"
    assert "@Cleo" in str((await column(long_term, "search_text"))[4])


class StoppedError(TemporaryError):
    """What may pass ends the promotion here."""


def stopping_before(chunk: int, error: Exception) -> Callable[[int], None]:
    def between(number: int) -> None:
        if number == chunk:
            raise error

    return between


CHUNKS = [[message(10 * chunk + number, f"note {chunk} {number}") for number in range(1, 6)] for chunk in range(6)]


async def test_stopped_half_way_it_goes_on_with_the_same_batch(means: PromotionResources, long_term: Database) -> None:
    with pytest.raises(StoppedError):
        await bring_in(source_of(*CHUNKS, between=stopping_before(4, StoppedError())), means)
    (half,) = await list_batches(long_term, timeout=PATIENCE)

    promoted = await bring_in(source_of(*CHUNKS), means)

    assert 0 < half.added < 30
    assert half.finished_at is None
    assert (promoted.promotion_id, promoted.resumed) == (half.promotion_id, True)
    assert set((await column(long_term, "promotion_id")).values()) == {half.promotion_id}
    assert await stored(long_term) == {one.message_id: one for chunk in CHUNKS for one in chunk}
    (whole,) = await list_batches(long_term, timeout=PATIENCE)
    assert (whole.added, whole.finished_at) == (30, NOW)


async def test_another_source_ends_a_batch_that_was_stopped(means: PromotionResources, long_term: Database) -> None:
    with pytest.raises(StoppedError):
        await bring_in(source_of(*CHUNKS, between=stopping_before(4, StoppedError())), means)
    await bring_in(source_of([message(99, "another")]), means)

    promoted = await bring_in(source_of(*CHUNKS), means)

    assert (promoted.promotion_id, promoted.resumed) == (3, False)
    assert [one.finished_at for one in await list_batches(long_term, timeout=PATIENCE)] == [NOW] * 3
    assert len(await stored(long_term)) == 31


async def test_a_source_that_proves_unreadable_leaves_long_term_memory_as_it_was(
    means: PromotionResources, long_term: Database
) -> None:
    await bring_in(source_of([message(11, "note 0 0")]), means)
    before = await contents(long_term)
    broken = InputFileError("demo.csv ends too early: copy it again.")

    with pytest.raises(InputFileError):
        await bring_in(source_of(*CHUNKS, [edit(11, "changed", at=90)], between=stopping_before(6, broken)), means)

    assert await contents(long_term) == before


@pytest.mark.parametrize("resumed", [False, True], ids=["at the first time", "when it goes on"])
@pytest.mark.parametrize(
    "error", [InputFileError("It ends."), RecursionError("too deep"), ValueError("?")], ids=lambda error: str(error)
)
async def test_no_batch_is_left_half_way_that_could_only_be_undone(
    means: PromotionResources, long_term: Database, resumed: bool, error: Exception
) -> None:
    before = await contents(long_term, but=["promotions"])
    if resumed:
        with pytest.raises(StoppedError):
            await bring_in(source_of(*CHUNKS, between=stopping_before(4, StoppedError())), means)

    with pytest.raises(InputFileError) as caught:
        await bring_in(source_of(*CHUNKS, between=stopping_before(5, error)), means)

    assert is_one_sentence(str(caught.value))
    assert await contents(long_term, but=["promotions"]) == before
    assert await list_batches(long_term, timeout=PATIENCE) == []


async def test_two_at_once_are_refused(means: PromotionResources, long_term: Database) -> None:
    before = await contents(long_term)

    async with promotion_lock(long_term, timeout=PATIENCE):
        with pytest.raises(SessionInUseError) as caught:
            await bring_in(source_of(SESSION), means)

    assert is_one_sentence(str(caught.value))
    assert await contents(long_term) == before
    await bring_in(source_of(SESSION), means)


async def test_a_server_that_goes_away_half_way_is_told_apart(means: PromotionResources, long_term: Database) -> None:
    def cut_off(number: int) -> None:
        if number == 3:
            with psycopg.connect(long_term.dsn, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    with pytest.raises(DatabaseUnavailableError):
        await bring_in(source_of(*CHUNKS, between=cut_off), means)

    promoted = await bring_in(source_of(*CHUNKS), means)
    assert promoted.resumed
    assert len(await stored(long_term)) == 30


async def test_many_texts_to_embed_are_written_in_parts(
    means: PromotionResources, long_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promotion, "_EMBEDDED_AT_ONCE", 2)
    messages = [
        one for number in range(1, 6) for one in (message(number, f"{number}"), edit(number, f"{number}!", at=50))
    ]
    written: list[int] = []
    write = bulk.write

    async def listening(database: Database, batch: bulk.MessageBatch, *, expected: int) -> None:
        written.append(len(batch.rows))
        await write(database, batch, expected=expected)

    monkeypatch.setattr(bulk, "write", listening)

    await bring_in(source_of(messages), means)

    assert written == [2, 2, 1]
    assert (await contents(long_term))["message_revisions"].rows == 5
    assert len(await stored(long_term)) == 5


async def test_the_bots_search_finds_what_was_promoted(means: PromotionResources, memory: Memory) -> None:
    await bring_in(source_of(SESSION), means)

    found = await memory.search("which colour is the glaze", places=frozenset({1}), limit=1)

    assert 2 in {line.message.message_id for excerpt in found.excerpts for line in excerpt.lines}


async def test_a_message_that_somebody_else_has_brought_meanwhile_is_merged(
    means: PromotionResources, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = bulk.write, list[bool]()

    async def meanwhile(database: Database, batch: bulk.MessageBatch, *, expected: int) -> None:
        if not calls:
            await remember(long_term, embedder, [message(2, "the glaze is blue")])
        calls.append(batch.all_new)
        await write(database, batch, expected=expected)

    monkeypatch.setattr(bulk, "write", meanwhile)

    await bring_in(source_of([message(1, "one"), edit(2, "the glaze is green", at=9)]), means)

    assert calls == [True, False]
    assert await stored(long_term) == {1: message(1, "one"), 2: edit(2, "the glaze is green", at=9)}
    assert await column(long_term, "promotion_id") == {1: 1, 2: None}
    assert (await contents(long_term))["replaced_messages"].rows == 1
