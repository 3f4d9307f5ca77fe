"""Undoing a batch leaves every table as it was before, or is refused with the reason."""

from pathlib import Path

import pytest
from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from db.metadata import set_metadata
from errors import DatabaseUnavailableError, OperatorError, RefusedRowError, SessionInUseError
from memory.embedding.embedder import Embedder
from memory.index.index_text import text_to_embed
from memory.index.reembed import MODEL_FACT
from memory.message import Attachment, Message
from ops.promotion.history import list_batches, promotion_lock
from ops.promotion.promote import PromotionResources
from ops.promotion.undo import UndoResult, undo
from tests.builders import FULL, deletion, edit, message, remember
from tests.promotions import NOW, PATIENCE, CountingEmbedder, bring_in, column, contents, counts, means_of, stored
from tests.sentences import is_one_sentence
from tests.sources import source_of

FILES = (Attachment(name="plan.pdf", url="https://example.org/plan.pdf", size=9),)
FIRST = [FULL, *(message(number, f"note {number}") for number in range(10, 20)), edit(12, "note 12!", at=30)]
SECOND = [
    edit(11, "changed", at=40, attachments=FILES),
    edit(12, "changed again", at=41),
    deletion(13, at=42),
    message(30, "new"),
    edit(30, "new!", at=43),
]


@pytest.fixture
def counting(embedder: Embedder) -> CountingEmbedder:
    return CountingEmbedder(embedder)


@pytest.fixture
def means(long_term: Database, short_term: Database, counting: CountingEmbedder, tmp_path: Path) -> PromotionResources:
    return means_of(long_term, short_term, counting, tmp_path)


async def undone(means: PromotionResources, promotion_id: int) -> UndoResult:
    return await undo(means.long_term, promotion_id, embedder=means.embedder, now=NOW, timeout=PATIENCE)


async def refused(means: PromotionResources, promotion_id: int) -> str:
    before = await contents(means.long_term)
    with pytest.raises(OperatorError) as caught:
        await undone(means, promotion_id)
    assert await contents(means.long_term) == before
    assert is_one_sentence(str(caught.value))
    return str(caught.value)


async def test_the_first_batch_leaves_nothing_behind(means: PromotionResources, long_term: Database) -> None:
    before = await contents(long_term)
    await bring_in(source_of(FIRST), means)
    assert await contents(long_term) != before

    done = await undone(means, 1)

    assert await contents(long_term, but=["promotions"]) == {
        name: content for name, content in before.items() if name != "promotions"
    }
    assert (done.removed, done.put_back) == (11, 0)
    (batch,) = await list_batches(long_term, timeout=PATIENCE)
    assert (batch.undone_at, batch.added) == (NOW, 0)


async def test_what_a_batch_changed_is_put_back_vector_and_all(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of(FIRST), means)
    before = await contents(long_term, but=["promotions"])
    await bring_in(source_of(SECOND), means)
    after = await contents(long_term, but=["promotions"])
    assert {name for name in before if before[name] != after[name]} == {
        "messages",
        "message_revisions",
        "replaced_messages",
        "names",
    }

    done = await undone(means, 2)

    assert await contents(long_term, but=["promotions"]) == before
    assert (done.removed, done.put_back, done.without_vector) == (1, 3, 0)


async def test_a_message_that_a_batch_changes_twice_goes_back_to_before_the_first_time(
    means: PromotionResources, long_term: Database
) -> None:
    await bring_in(source_of(FIRST), means)
    before = await contents(long_term, but=["promotions"])
    await bring_in(source_of([edit(10, "a", at=50)], [edit(10, "b", at=51)], [deletion(10, at=52)]), means)

    await undone(means, 2)

    assert await contents(long_term, but=["promotions"]) == before


async def test_an_earlier_text_alone_goes_again_too(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of([edit(10, "last", at=50)]), means)
    before = await contents(long_term, but=["promotions"])
    promoted = await bring_in(source_of([message(10, "first"), edit(10, "last", at=50)]), means)
    assert counts(promoted.tally) == {"changed": 1}
    assert (await contents(long_term))["message_revisions"].rows == 1

    await undone(means, 2)

    assert await contents(long_term, but=["promotions"]) == before


async def test_what_was_there_before_any_promotion_is_put_back(
    means: PromotionResources, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, "first"), deletion(2, at=3)])
    before = await contents(long_term, but=["promotions"])
    await bring_in(source_of([edit(1, "second", at=4), edit(2, "too late", at=5)]), means)

    await undone(means, 1)

    assert await contents(long_term, but=["promotions"]) == before


async def test_a_batch_that_was_stopped_can_be_undone(means: PromotionResources, long_term: Database) -> None:
    before = await contents(long_term, but=["promotions"])

    def stop(number: int) -> None:
        if number == 2:
            raise DatabaseUnavailableError("PostgreSQL did not answer")

    with pytest.raises(DatabaseUnavailableError):
        await bring_in(source_of(FIRST[:4], FIRST[4:], SECOND, between=stop), means)

    await undone(means, 1)

    assert await contents(long_term, but=["promotions"]) == before


async def test_an_undone_source_can_be_promoted_again(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of(FIRST), means)
    whole = await stored(long_term)
    await undone(means, 1)

    promoted = await bring_in(source_of(FIRST), means)

    assert (promoted.promotion_id, promoted.resumed) == (2, False)
    assert await stored(long_term) == whole


async def test_batches_that_have_nothing_to_do_with_each_other_are_undone_in_any_order(
    means: PromotionResources, long_term: Database
) -> None:
    before = await contents(long_term, but=["promotions"])
    await bring_in(source_of(FIRST), means)
    await bring_in(source_of([message(90, "elsewhere", channel_id=9)]), means)

    await undone(means, 1)

    assert set(await stored(long_term)) == {90}
    await undone(means, 2)
    assert await contents(long_term, but=["promotions"]) == before


async def test_an_unknown_batch_is_refused(means: PromotionResources) -> None:
    assert "no batch 7" in await refused(means, 7)


async def test_a_batch_is_not_undone_twice(means: PromotionResources) -> None:
    await bring_in(source_of(FIRST), means)
    await undone(means, 1)

    assert "undone already" in await refused(means, 1)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param([edit(10, "changed since", at=60)], id="a message that it has added"),
        pytest.param([edit(1, "changed since", at=60)], id="a message that it has changed"),
        pytest.param([deletion(11, at=60)], id="a deletion"),
        pytest.param([message(20, "said before"), edit(20, "said last", at=55)], id="an earlier text"),
    ],
)
async def test_a_batch_that_a_later_one_stands_upon_is_refused(
    means: PromotionResources, long_term: Database, embedder: Embedder, later: list[Message]
) -> None:
    await remember(long_term, embedder, [message(1, "first")])
    before = await contents(long_term, but=["promotions"])
    await bring_in(source_of([*FIRST, edit(1, "second", at=50), edit(20, "said last", at=55)]), means)
    await bring_in(source_of(later), means)

    assert "undo batch 2 first" in await refused(means, 1)

    await undone(means, 2)
    await undone(means, 1)
    assert await contents(long_term, but=["promotions"]) == before


async def test_it_waits_for_no_promotion(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of(FIRST), means)
    before = await contents(long_term)

    async with promotion_lock(long_term, timeout=PATIENCE):
        with pytest.raises(SessionInUseError):
            await undone(means, 1)

    assert await contents(long_term) == before


async def test_a_vector_of_an_earlier_model_is_made_anew(
    means: PromotionResources, long_term: Database, counting: CountingEmbedder
) -> None:
    await bring_in(source_of(FIRST), means)
    await bring_in(source_of(SECOND), means)
    async with transaction(long_term.sessions) as session:
        await session.execute(text("UPDATE replaced_messages SET embedding_model = 'older'"))
        await session.execute(text("UPDATE replaced_messages SET embedding = '[1,2]' WHERE message_id = 12"))
        await set_metadata(session, MODEL_FACT, counting.name)
    counting.asked.clear()

    done = await undone(means, 2)

    assert done.without_vector == 3
    back = await stored(long_term)
    assert sorted(counting.asked) == sorted(text_to_embed(back[number]) for number in (11, 12, 13))
    assert set((await column(long_term, "embedding_model")).values()) == {counting.name}
    assert None not in (await column(long_term, "embedding")).values()


async def test_a_failure_in_the_middle_undoes_nothing(means: PromotionResources, long_term: Database) -> None:
    await bring_in(source_of(FIRST), means)
    await bring_in(source_of(SECOND), means)
    async with long_term.engine.begin() as connection:
        await connection.execute(
            text("ALTER TABLE messages ADD CONSTRAINT kept CHECK (content <> 'note 11') NOT VALID")
        )
    before = await contents(long_term)

    with pytest.raises(RefusedRowError, match="kept"):
        await undone(means, 2)

    assert await contents(long_term) == before
