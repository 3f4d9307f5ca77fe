"""/who knows finds the people who know about a topic, and only where one may read."""

from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest

from memory.embedding.embedder import Embedder
from memory.message import Kind
from overviews.overview import Overview, Viewer
from overviews.who import LONGEST_TOPIC, NAME_A_TOPIC, NOBODY, WhoKnows
from tests.builders import deletion, message
from tests.conformance.databases import create_databases, open_memory
from tests.servers import Server
from tests.unit.test_who_knows import SOLID
from tests.viewers import ids_of, viewer

pytestmark = pytest.mark.server

GENERAL, STAFF, ABROAD = 1, 9, 6
GUILD, OTHER_GUILD = 77, 78
EXPERT, CHORUS, ASKER, SECRET, HOOK, FORGOTTEN = 11, 22, 33, 44, -55, 66
TOPIC = "copper glaze"
OWNER = viewer(GENERAL, STAFF)
MEMBER = viewer(GENERAL, guild=GUILD)

SAVED = [
    *(message(number, text, author_id=EXPERT, author_name="eve") for number, text in enumerate(SOLID, 1)),
    *(
        message(100 + number, "me too, I like that copper glaze!", author_id=CHORUS, author_name="chris")
        for number in range(50)
    ),
    message(
        200, "what makes a copper glaze turn red when I fire it on a cold day?", author_id=ASKER, author_name="ann"
    ),
    message(201, SOLID[2], author_id=SECRET, author_name="sam", channel_id=STAFF, channel_name="staff"),
    message(202, SOLID[3], author_id=HOOK, author_name="a webhook"),
    message(203, SOLID[4], author_name="imported"),
    message(204, SOLID[0], author_id=FORGOTTEN, author_name="fay"),
    message(205, SOLID[1], author_id=99, author_name="Backscroll", kind=Kind.ANSWER),
    message(206, SOLID[1], author_id=88, author_name="omar", channel_id=ABROAD, guild_id=OTHER_GUILD),
    message(207, "the rent is due on the first of the month", author_id=ASKER, author_name="ann"),
]
CURRENT = [
    message(1, SOLID[0], author_id=EXPERT, author_name="eve"),
    deletion(204, at=300, author_id=FORGOTTEN, author_name="fay"),
    message(
        301,
        "Wax the foot before a copper glaze goes on, it saves an hour of sanding",
        author_id=EXPERT,
        author_name="Eve Potter",
    ),
]


@pytest.fixture(scope="module")
def databases(server: Server, embedder: Embedder) -> tuple[str, str]:
    return create_databases(server, embedder, short=CURRENT, long=SAVED)


@pytest.fixture
async def who(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncIterator[WhoKnows]:
    async with open_memory(server, embedder, databases) as memory:
        yield WhoKnows(memory, (memory.short_term, memory.long_term))


def people(overview: Overview) -> list[str]:
    return [section.heading for section in overview.sections]


async def test_the_expert_comes_before_the_chorus_with_counts_and_the_best_messages(who: WhoKnows) -> None:
    found = await who.about(MEMBER, TOPIC)

    assert people(found)[0] == "Eve Potter: 6 messages, last on 3 Nov 2026"
    assert set(ids_of(found)[:3]) < {1, 2, 3, 4, 5, 301}
    chorus = [name for name in people(found) if name.startswith("chris")]
    assert not chorus or chorus == ["chris: 50 messages, last on 3 Nov 2026"]


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        pytest.param(MEMBER, {"Eve Potter", "ann"}, id="a member: nobody without an id, no webhook, nothing deleted"),
        pytest.param(OWNER, {"Eve Potter", "ann", "sam", "imported"}, id="whoever owns the memory"),
        pytest.param(viewer(STAFF, guild=GUILD), {"sam"}, id="another channel"),
        pytest.param(viewer(ABROAD, guild=GUILD), set(), id="another server's channel"),
        pytest.param(viewer(guild=GUILD), set(), id="no places"),
    ],
)
async def test_only_those_are_listed_whose_words_one_may_read(
    who: WhoKnows, asking: Viewer, expected: set[str]
) -> None:
    found = await who.about(asking, TOPIC)

    assert {name.partition(":")[0] for name in people(found)} - {"chris"} == expected
    if not expected:
        assert found.empty == NOBODY


async def test_who_chose_not_to_be_listed_is_not(who: WhoKnows) -> None:
    found = await replace(who, not_listed=lambda: frozenset({EXPERT})).about(MEMBER, TOPIC)

    assert not any(name.startswith("Eve") for name in people(found))
    assert not {1, 2, 3, 4, 5, 301}.intersection(ids_of(found))


async def test_those_who_have_left_and_bots_are_not_listed(who: WhoKnows) -> None:
    asked: list[int] = []

    async def present(ids: Collection[int]) -> frozenset[int]:
        asked.extend(ids)
        return frozenset(ids) - {EXPERT}

    found = await who.about(MEMBER, TOPIC, may_be_listed=present)

    assert EXPERT in asked
    assert not any(name.startswith("Eve") for name in people(found))


async def test_a_topic_may_be_typed_behind_knows(who: WhoKnows) -> None:
    assert people(await who.of_typed(OWNER, f"knows {TOPIC}")) == people(await who.of_typed(OWNER, TOPIC))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        pytest.param("knows ", NAME_A_TOPIC, id="no topic"),
        pytest.param(
            "x" * (LONGEST_TOPIC + 1), "Your topic has 201 characters: name it in 200 or fewer.", id="too long"
        ),
    ],
)
async def test_what_is_no_topic_is_refused(who: WhoKnows, typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        await who.of_typed(OWNER, typed)


async def test_of_what_nobody_wrote_about_nobody_is_listed(who: WhoKnows) -> None:
    assert people(await who.about(MEMBER, "quantum chromodynamics")) == []
