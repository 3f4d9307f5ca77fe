"""Public threads are read with their channel, private ones and unknown ones by their own id, and guilds never meet."""

from collections.abc import AsyncIterator
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from memory.counting.results import Matter
from memory.embedding.embedder import Embedder
from memory.message import Message
from memory.question.parse import ParsedQuestion, parse_question
from memory.search.interface import MemoryReader
from memory.search.memory import Memory
from memory.search.results import SearchResult
from tests.builders import message, minute
from tests.conformance.databases import create_databases, open_memory
from tests.fakes import FakeMemory
from tests.servers import Server

HERE, ELSEWHERE = 10, 20
HELP, DEV, THEIRS = 1, 2, 3
POST, PRIVATE, UNKNOWN, TALK = 11, 12, 13, 14


def said(number: int, place: int, *, thread: int | None = None, title: str = "", **fields: object) -> Message:
    name = "help" if place == HELP else "dev"
    return message(
        number,
        f"the heron nests on roof {number}",
        channel_id=place,
        channel_name=f"{name} › {title}" if title else name,
        thread_id=thread,
        guild_id=fields.pop("guild_id", HERE),
        **fields,
    )


SAVED = [
    said(1, HELP),
    said(2, HELP, thread=POST, title="Wet boots", in_public_thread=True),
    said(3, HELP, thread=PRIVATE, title="Payroll"),
    said(4, HELP, thread=UNKNOWN, title="Old talk"),
]
CURRENT = [
    said(5, DEV),
    said(6, DEV, thread=TALK, title="Paddles", in_public_thread=True, author_name="dora", author_id=44),
    said(7, THEIRS, guild_id=ELSEWHERE, author_name="eve", author_id=55),
    said(8, DEV, guild_id=None),
]


@pytest.fixture(scope="module")
def databases(server: Server, embedder: Embedder) -> tuple[str, str]:
    """A short-term and a long-term database with these messages, which no test changes."""

    return create_databases(server, embedder, short=CURRENT, long=SAVED)


@pytest.fixture
async def real_memory(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncIterator[Memory]:
    """The real memory over both databases."""
    async with open_memory(server, embedder, databases) as memory:
        yield memory


@pytest.fixture(params=["real", "fake"])
def memory(request: pytest.FixtureRequest, real_memory: Memory) -> MemoryReader:
    """Each of the two memories."""
    return real_memory if request.param == "real" else FakeMemory(list(CURRENT), saved=list(SAVED))


def numbers(found: SearchResult) -> set[int]:
    return {line.message.message_id for excerpt in found.excerpts for line in excerpt.lines}


async def found_by_all(memory: MemoryReader, places: set[int]) -> set[int]:
    """Return the numbers of the messages of some places, after every way to look agreed on them."""
    readable = frozenset(places)
    found = numbers(await memory.search("heron", places=readable, limit=50))
    assert numbers(await memory.list_messages(places=readable)) == found
    assert numbers(await memory.list_messages(places=readable, newest=True)) == found
    assert set(await memory.lookup(range(1, 9), places=readable)) == found
    assert (await memory.tally(Matter(terms="heron"), places=readable)).messages == len(found)
    assert (await memory.activity(Matter(terms="heron"), places=readable)).amount == len(found)
    for number in range(1, 9):
        around = await memory.read_around(number, places=readable, before=0, after=0)
        assert bool(around.excerpts) is (number in found), number
    return found


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param({HELP}, {1, 2}, id="a channel opens its public posts"),
        pytest.param({HELP, PRIVATE}, {1, 2, 3}, id="a private thread is opened by its own id"),
        pytest.param({UNKNOWN}, {4}, id="so is one of which nothing is known"),
        pytest.param({POST}, set(), id="the id of a public post opens nothing by itself"),
        pytest.param({DEV}, {5, 6, 8}, id="the other memory"),
        pytest.param({HELP, DEV}, {1, 2, 5, 6, 8}, id="both"),
    ],
)
async def test_a_place_opens_what_its_readers_may_read(
    memory: MemoryReader, places: set[int], expected: set[int]
) -> None:
    assert await found_by_all(memory, places) == expected


async def test_the_guild_bounds_what_any_list_of_places_may_show(memory: MemoryReader) -> None:
    everything = {HELP, DEV, THEIRS, PRIVATE, UNKNOWN}

    assert await found_by_all(memory, everything) == {1, 2, 3, 4, 5, 6, 7, 8}
    assert await found_by_all(memory.in_guild(HERE), everything) == {1, 2, 3, 4, 5, 6, 8}
    assert await found_by_all(memory.in_guild(ELSEWHERE), everything) == {7, 8}, "8 came without a guild"
    assert await found_by_all(memory.in_guild(None), everything) == {8}


async def test_conversations_confine_and_never_open(memory: MemoryReader) -> None:
    assert await found_by_all(memory.in_conversations(frozenset({POST})), {HELP}) == {2}
    assert await found_by_all(memory.in_conversations(frozenset({POST})), {DEV}) == set()
    assert await found_by_all(memory.in_conversations(frozenset({PRIVATE})), {HELP}) == set()
    assert await found_by_all(memory.in_conversations(frozenset({DEV, POST})), {HELP, DEV}) == {2, 5, 6, 8}


async def test_discussions_are_those_of_the_readable_conversations(memory: MemoryReader) -> None:
    assert len(await memory.discussions(places=frozenset({HELP}))) == 2
    assert len(await memory.in_conversations(frozenset({POST})).discussions(places=frozenset({HELP}))) == 1
    assert await memory.in_guild(ELSEWHERE).discussions(places=frozenset({HELP})) == []


async def test_names_of_people_and_titles_are_known_to_whoever_reads_the_channel(memory: MemoryReader) -> None:
    known = await memory.known_names(places=frozenset({HELP, DEV}))

    assert known.people("dora") == {44}
    assert known.people("eve") == frozenset()
    assert known.channel_places("wet boots") == {POST}
    assert known.channel_places("payroll") == frozenset()
    assert known.access_ids(frozenset({POST, TALK})) == {HELP, DEV}


async def parsed(memory: MemoryReader, text: str, *, here: int) -> ParsedQuestion:
    return await parse_question(
        text,
        places=frozenset({HELP, DEV}),
        here=here,
        now=minute(60).astimezone(UTC),
        time_zone=ZoneInfo("UTC"),
        memory=memory,
    )


@pytest.mark.parametrize(
    ("text", "here", "places", "conversations"),
    [
        pytest.param("where is the heron in #help?", DEV, {HELP}, None, id="a channel is named"),
        pytest.param('where is the heron in "wet boots"?', DEV, {HELP, DEV}, None, id="nothing is named"),
        pytest.param("where is the heron in #wet-boots?", DEV, {HELP}, {POST}, id="a post is named"),
        pytest.param("where is the heron in this thread?", TALK, {DEV}, {TALK}, id="in the thread itself"),
        pytest.param("where is the heron in #wet-boots and #dev?", DEV, {HELP, DEV}, {POST, DEV, TALK}, id="both"),
        pytest.param("where is the heron in #payroll?", DEV, set(), None, id="a private thread"),
    ],
)
async def test_a_question_that_names_a_thread_is_confined_to_it(
    memory: MemoryReader, text: str, here: int, places: set[int], conversations: set[int] | None
) -> None:
    question = await parsed(memory, text, here=here)

    assert question.places == places
    assert question.conversations == conversations
