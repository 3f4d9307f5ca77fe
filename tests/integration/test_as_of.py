"""Memory as of a moment: nothing that was said later, and edited messages as they were, on a real PostgreSQL."""

import pytest

from db.databases import Database
from db.engines import transaction
from memory.counting.results import Matter
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.message import Revision
from memory.search.memory import Memory
from memory.search.results import SearchResult
from memory.search_session import searchable_database
from tests.builders import message, minute, remember

HERE = frozenset({1})
NOON = minute(60)
MESSAGES = [
    message(1, "the kettle is in the kitchen"),
    message(2, "we meet at the boathouse", edited_at=minute(70)),
    message(3, "the kettle was bought by Ben", edited_at=minute(20)),
    message(4, "ring me at home", edited_at=minute(80)),
    message(5, "the parrot sings", deleted_at=minute(75)),
    message(6, "nobody knows what this said", edited_at=minute(90)),
    message(61, "the kettle broke"),
]
REVISIONS = [
    Revision(2, minute(30), "we meet at the stable"),
    Revision(2, minute(70), "we meet at the barn"),
    Revision(3, minute(20), "the kettle was sold by Ben"),
    Revision(4, minute(80), "ring me at 0612 345 678"),
    Revision(5, minute(70), "the parrot is loud"),
]


@pytest.fixture
async def memory(short_term: Database, long_term: Database, embedder: Embedder) -> Memory:
    """The real memory, whose newer edits short-term memory alone has heard of."""
    await remember(long_term, embedder, MESSAGES)
    async with transaction(long_term.sessions) as session:
        await store.write(session, batch=(), revisions=REVISIONS[:1], journal="older", position=0)
    await remember(short_term, embedder, [said for said in MESSAGES if said.message_id in {2, 4, 5}])
    async with transaction(short_term.sessions) as session:
        await store.write(session, batch=(), revisions=REVISIONS[1:], journal="newer", position=0)
    return Memory(searchable_database(short_term), searchable_database(long_term), embedder)


def contents(found: SearchResult) -> list[str]:
    return [line.message.content for excerpt in found.excerpts for line in excerpt.lines]


async def test_what_was_said_later_is_not_there(memory: Memory) -> None:
    then = memory.as_of(NOON)

    assert "the kettle broke" not in contents(await then.search("kettle", places=HERE))
    assert "the kettle broke" not in contents(await then.list_messages(places=HERE))
    assert "the kettle broke" not in contents(await then.read_around(6, places=HERE))
    assert await then.lookup([61], places=HERE) == {}
    assert (await then.tally(Matter(terms="kettle"), places=HERE)).messages == 2


async def test_an_edited_message_is_as_it_was_then(memory: Memory) -> None:
    assert "we meet at the barn" in contents(await memory.as_of(NOON).list_messages(places=HERE))
    assert "we meet at the stable" in contents(await memory.as_of(minute(25)).list_messages(places=HERE))
    assert "we meet at the boathouse" in contents(await memory.as_of(minute(100)).list_messages(places=HERE))
    assert "we meet at the boathouse" in contents(await memory.list_messages(places=HERE))


async def test_an_edited_message_is_found_by_what_it_said_then(memory: Memory) -> None:
    then, now = memory.as_of(NOON), memory

    assert contents(await then.search("barn", places=HERE, limit=1, with_context=False)) == ["we meet at the barn"]
    assert contents(await now.search("barn", places=HERE, limit=1, with_context=False)) != ["we meet at the barn"]


async def test_a_message_edited_before_is_as_it_is(memory: Memory) -> None:
    (found,) = (await memory.as_of(NOON).lookup([3], places=HERE)).values()

    assert (found.content, found.edited_at) == ("the kettle was bought by Ben", minute(20))


async def test_a_message_knows_when_it_had_been_edited_before(memory: Memory) -> None:
    (found,) = (await memory.as_of(NOON).lookup([2], places=HERE)).values()

    assert (found.content, found.edited_at) == ("we meet at the barn", minute(30))


@pytest.mark.parametrize(
    "message_id",
    [
        pytest.param(4, id="its author took something out"),
        pytest.param(5, id="it was deleted"),
        pytest.param(6, id="nobody knows what it said"),
    ],
)
async def test_a_former_text_that_may_not_be_shown_is_left_out(memory: Memory, message_id: int) -> None:
    then = memory.as_of(NOON)

    assert await then.lookup([message_id], places=HERE) == {}
    shown = contents(await then.list_messages(places=HERE)) + contents(await then.search("ring parrot", places=HERE))
    assert not {"ring me at 0612 345 678", "ring me at home", "the parrot is loud"} & set(shown)


async def test_before_the_edits_messages_are_as_they_were_sent(memory: Memory) -> None:
    found = contents(await memory.before_edits().list_messages(places=HERE))

    assert "we meet at the stable" in found
    assert "the kettle was sold by Ben" in found
    assert "the kettle broke" in found


async def test_words_of_a_later_edit_are_not_counted_and_counted_messages_are_as_they_were(memory: Memory) -> None:
    then = memory.as_of(NOON)

    of_edit = await then.tally(Matter(terms="boathouse"), places=HERE)
    of_all = await then.tally(Matter(), places=HERE, limit=9, last=9)

    assert (of_edit.messages, (await memory.tally(Matter(terms="boathouse"), places=HERE)).messages) == (0, 1)
    assert (await then.activity(Matter(terms="boathouse"), places=HERE)).amount == 0
    assert of_all.messages == 5
    shown = {example.message.content for example in of_all.shown}
    assert shown == {"the kettle is in the kitchen", "we meet at the barn", "the kettle was bought by Ben"}


async def test_no_places_find_no_former_text(memory: Memory) -> None:
    assert contents(await memory.as_of(NOON).search("barn", places=frozenset())) == []
    assert contents(await memory.as_of(NOON).search("barn", places=frozenset({9}))) == []
