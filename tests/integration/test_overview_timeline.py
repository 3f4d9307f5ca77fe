"""/timeline says what happened in some time, channel by channel, and only where one may read."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from db.databases import LONG_TERM
from db.engines import transaction
from memory.coverage.intervals import first_id_at
from memory.decisions import Decision, Decisions
from memory.embedding.embedder import Embedder
from memory.message import Kind, Reaction
from memory.places import store as places
from memory.places.state import PlaceKind, PlaceState
from memory.search.memory import Memory
from overviews.decisions import DecisionList
from overviews.overview import Overview, Viewer
from overviews.timeline import NAME_A_TIME, NOTHING, Timeline
from tests.builders import START, deletion, edit, message, minute
from tests.conformance.databases import create_databases, open_memory
from tests.conftest import open_existing_database
from tests.servers import Server
from tests.viewers import ids_of, viewer, words_of

pytestmark = pytest.mark.server

GENERAL, OPS, STAFF, ABROAD = 1, 2, 9, 6
GUILD, OTHER_GUILD = 77, 78
BEN, CLEO = 22, 33
PUBLIC, PRIVATE, EMPTY, OLD = (first_id_at(START + timedelta(minutes=number)) for number in (20, 25, 26, -9000))
DAY = "3 November 2026"
OWNER = viewer(GENERAL, OPS, STAFF, PRIVATE)


def thumbs(count: int) -> tuple[Reaction, ...]:
    return (Reaction(emoji="👍", count=count), Reaction(emoji="🎉", count=1))


SAVED = [
    message(1, "good morning"),
    message(2, "who has the key?", author_name="ben", author_id=BEN, reactions=thumbs(2), reactions_at=minute(3)),
    message(3, "I have", reply_to=2, author_name="cleo", author_id=CLEO),
    message(4, "no, me", reply_to=2),
    message(5, "see https://kiln.example/keys", reply_to=1, reactions=thumbs(4), reactions_at=minute(6)),
    message(6, "gone", reactions=thumbs(90), reactions_at=minute(7)),
    message(7, "the deploy is out", channel_id=OPS, channel_name="ops", author_name="cleo", author_id=CLEO),
    message(8, "staff talk", channel_id=STAFF, channel_name="staff"),
    message(9, "/chat where is the key?", kind=Kind.COMMAND),
    message(
        21,
        "which glaze?",
        thread_id=PUBLIC,
        channel_name="general › Glazes",
        in_public_thread=True,
        author_name="ben",
        author_id=BEN,
    ),
    message(27, "hush", thread_id=PRIVATE, channel_name="general › Party"),
    message(28, "an old thread goes on", thread_id=OLD, channel_name="general › Old", in_public_thread=True),
    message(3000, "the next days", sent_at=minute(3000)),
    message(40, "another server", channel_id=ABROAD, channel_name="abroad", guild_id=OTHER_GUILD),
]
CURRENT = [
    deletion(6, at=8),
    message(7, "the deploy is out", channel_id=OPS, channel_name="ops", author_name="cleo", author_id=CLEO),
    edit(1, "good morning everybody", at=30),
    message(31, "me too", reply_to=5, author_name="ben", author_id=BEN),
    message(32, "the last word: http://kiln.example/end"),
]


def thread(place_id: int, title: str, kind: PlaceKind = PlaceKind.PUBLIC_THREAD, parent: int = GENERAL) -> PlaceState:
    return PlaceState(place_id=place_id, guild_id=GUILD, kind=kind, parent_id=parent, name=title, seen_at=minute(60))


PLACES = [
    thread(PUBLIC, "Glazes"),
    thread(PRIVATE, "Party", PlaceKind.PRIVATE_THREAD),
    thread(EMPTY, "Nobody wrote here"),
    thread(OLD, "Old"),
]


def decision(message_id: int) -> Decision:
    [said] = [one for one in SAVED if one.message_id == message_id]
    return Decision(
        guild_id=GUILD,
        message_id=message_id,
        channel_id=said.channel_id,
        thread_id=None,
        author_id=said.author_id,
        sent_at=said.sent_at,
        marked_by=BEN,
        marked_at=minute(40),
        title="Keys",
    )


@pytest.fixture(scope="module")
def databases(server: Server, embedder: Embedder) -> tuple[str, str]:
    names = create_databases(server, embedder, short=CURRENT, long=SAVED)

    async def write_places() -> None:
        async with (
            open_existing_database(server, names[1], name=LONG_TERM) as database,
            transaction(database.sessions) as session,
        ):
            await places.upsert(session, PLACES)
            for message_id in (5, 7, 8):
                await Decisions(database.sessions).mark(decision(message_id))
            await Decisions(database.sessions).withdraw(GUILD, 7, at=minute(50))

    with asyncio.Runner() as runner:
        runner.run(write_places())
    return names


@pytest.fixture
async def timeline(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncIterator[Timeline]:
    async with open_memory(server, embedder, databases) as memory:
        yield Timeline(memory, (memory.short_term, memory.long_term))


def headings(overview: Overview) -> list[str]:
    return [section.heading for section in overview.sections]


async def test_each_channel_tells_how_much_was_said_by_how_many_and_what_stood_out(timeline: Timeline) -> None:
    happened = await timeline.of(OWNER, when=DAY)

    assert happened.title == "Tue 3 Nov 00:00 - 24:00 UTC: 12 messages by 3 people in 3 channels"
    assert headings(happened) == [
        "#general: 10 messages by 3 people",
        "#ops: 1 message by 1 person",
        "#staff: 1 message by 1 person",
    ]
    assert words_of(happened) == [
        "first 1",
        "last 32",
        "2 replies 2",
        "5 reactions 5",
        "new thread “Party” 27",
        "new thread “Glazes” 21",
        "link 32",
        "link 5",
        "7",
        "8",
    ]


async def test_messages_are_shown_as_they_are_now_and_deleted_ones_never(timeline: Timeline) -> None:
    happened = await timeline.of(OWNER, when=DAY)

    assert happened.messages[0].content == "good morning everybody"
    assert 6 not in ids_of(happened)


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        pytest.param(viewer(OPS), ["#ops: 1 message by 1 person"], id="one channel"),
        pytest.param(viewer(GENERAL), ["#general: 9 messages by 3 people"], id="not a private thread"),
        pytest.param(viewer(), [], id="no places"),
        pytest.param(viewer(OPS, ABROAD, guild=GUILD), ["#ops: 1 message by 1 person"], id="not another server's"),
    ],
)
async def test_only_what_one_may_read_is_counted(timeline: Timeline, asking: Viewer, expected: list[str]) -> None:
    happened = await timeline.of(asking, when=DAY)

    assert headings(happened) == expected
    if not expected:
        assert happened.empty == NOTHING


async def test_a_private_thread_that_one_may_not_read_is_not_named(timeline: Timeline) -> None:
    happened = await timeline.of(viewer(GENERAL), when=DAY)

    assert [words for words in words_of(happened) if words.startswith("new thread")] == ["new thread “Glazes” 21"]


@pytest.mark.parametrize(
    ("conversations", "expected"),
    [
        pytest.param({OPS}, ["#ops: 1 message by 1 person"], id="a channel"),
        pytest.param({PUBLIC}, ["#general: 1 message by 1 person"], id="a thread"),
        pytest.param({12345}, [], id="one that is not known"),
    ],
)
async def test_a_timeline_can_be_that_of_one_channel(
    timeline: Timeline, conversations: set[int], expected: list[str]
) -> None:
    assert headings(await timeline.of(OWNER, when=DAY, conversations=frozenset(conversations))) == expected


async def test_decisions_that_count_come_first_as_far_as_they_may_be_read(
    timeline: Timeline, server: Server, databases: tuple[str, str]
) -> None:
    assert isinstance(timeline.memory, Memory)
    async with open_existing_database(server, databases[1], name=LONG_TERM) as long_term:
        deciding = replace(timeline, decisions=DecisionList(Decisions(long_term.sessions), timeline.memory))

        happened = await deciding.of(viewer(GENERAL, OPS), when=DAY)
        elsewhere = await deciding.of(viewer(OPS), when=DAY)
        earlier = await deciding.of(viewer(GENERAL), when="2 November 2026")

    [decided, *_] = happened.sections
    assert decided.heading == "Decisions"
    assert [(line.words, line.message) for line in decided.lines] == [("Keys", SAVED[4])]
    assert headings(elsewhere) == ["#ops: 1 message by 1 person"]
    assert headings(earlier) == []


async def test_channels_beyond_those_that_are_shown_are_counted(
    timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overviews.timeline.MOST_CHANNELS", 1)

    happened = await timeline.of(OWNER, when=DAY)

    assert happened.sections[1].is_more == "and 2 messages in 2 more channels"
    assert happened.title.endswith("12 messages by 3 people in 3 channels")


@pytest.mark.parametrize("text", ["", "blue"])
async def test_without_a_time_it_asks_for_one(timeline: Timeline, text: str) -> None:
    with pytest.raises(ValueError, match=NAME_A_TIME if not text else "I do not read a time"):
        await timeline.of_typed(OWNER, text)
