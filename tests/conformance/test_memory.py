"""The real memory and the fake one answer alike: places, windows, authors, kinds, scope, order, counts and names."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest

from db.engines import open_engine, parse_dsn, sessions_of
from errors import DatabaseUnavailableError
from memory.authors import Authors
from memory.counting.results import Matter, Tally
from memory.embedding.embedder import Embedder
from memory.message import Kind
from memory.search.interface import MemoryReader
from memory.search.memory import Memory
from memory.search.results import Scope, SearchResult
from memory.search_session import SearchableDatabase
from tests.builders import closed_port, message, minute
from tests.conformance.databases import create_databases, open_memory
from tests.fakes import FakeMemory
from tests.servers import Server
from time_expressions.window import Window

GENERAL, DEPLOYS, THREAD, STAFF = 1, 2, 7, 9
READABLE = frozenset({GENERAL, DEPLOYS, THREAD})
NOWHERE: frozenset[int] = frozenset()
BEN = 22

SAVED = [
    message(1, "the kettle is in the blue kitchen"),
    message(2, "who painted the kitchen around the kettle?", author_name="ben", author_id=BEN),
    message(60, "the kettle and the deploy moved to friday", channel_id=DEPLOYS, channel_name="deploys"),
]
"""What long-term memory holds alone."""

CURRENT = [
    message(121, "photos of the kettle", thread_id=THREAD, author_name="cleo"),
    message(122, "the kettle boils over", author_name="ben", author_id=BEN),
    message(123, "no secret kettle for anybody", channel_id=STAFF, channel_name="staff", author_name="dora"),
    message(124, "the kettle broke", deleted_at=minute(125)),
    message(126, "/chat where is the kettle?", kind=Kind.COMMAND),
    message(127, "the kettle is in the kitchen", kind=Kind.ANSWER, author_name="Backscroll"),
]
"""What short-term memory holds alone."""

EVERYTHING = {1, 2, 60, 121, 122}
"""Numbers of the messages that somebody who may read READABLE finds."""


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


def hits(found: SearchResult) -> list[int]:
    """Return the numbers of the messages that were found, in their order."""
    return [line.message.message_id for excerpt in found.excerpts for line in excerpt.lines if line.hit]


def shown(found: SearchResult) -> list[int]:
    """Return the numbers of all messages of the excerpts, in their order."""
    return [line.message.message_id for excerpt in found.excerpts for line in excerpt.lines]


def examples(tally: Tally) -> list[int]:
    """Return the numbers of the messages that a tally gives as examples."""
    return [example.message.message_id for example in tally.examples]


async def found_by_all(memory: MemoryReader, **filters: Any) -> set[int]:
    """Return the numbers of the messages that pass some filters, after every way to look agreed on them."""
    found = set(hits(await memory.search("kettle", places=READABLE, limit=50, **filters)))
    assert set(hits(await memory.list_messages(places=READABLE, **filters))) == found
    if "scope" not in filters:  # a tally is of both
        counted = await memory.tally(Matter(terms="kettle"), places=READABLE, limit=50, **filters)
        assert (set(examples(counted)), counted.messages) == (found, len(found))
        assert (await memory.activity(Matter(terms="kettle"), places=READABLE, **filters)).amount == len(found)
    return found


# ---- places


async def test_no_places_find_nothing(memory: MemoryReader) -> None:
    assert (await memory.search("kettle", places=NOWHERE)).excerpts == ()
    assert (await memory.list_messages(places=NOWHERE)).excerpts == ()
    assert (await memory.tally(Matter(), places=NOWHERE)).messages == 0
    assert (await memory.activity(Matter(), places=NOWHERE)).amount == 0
    assert (await memory.read_around(1, places=NOWHERE)).excerpts == ()
    assert await memory.lookup([1, 121], places=NOWHERE) == {}
    assert await memory.discussions(places=NOWHERE) == []
    assert (await memory.known_names(places=NOWHERE)).people("ben") == frozenset()


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param({GENERAL}, {1, 2, 122}, id="a channel, without its threads"),
        pytest.param({THREAD}, {121}, id="a thread"),
        pytest.param({DEPLOYS, THREAD}, {60, 121}, id="two places"),
        pytest.param({99}, set(), id="a place where nothing was said"),
    ],
)
async def test_only_the_given_places_are_searched(
    memory: MemoryReader, places: Iterable[int], expected: set[int]
) -> None:
    readable = frozenset(places)

    assert set(hits(await memory.search("kettle", places=readable))) == expected
    assert set(hits(await memory.list_messages(places=readable))) == expected
    assert set(examples(await memory.tally(Matter(), places=readable, limit=50))) == expected
    assert (await memory.activity(Matter(), places=readable)).amount == len(expected)
    assert set(await memory.lookup([1, 2, 60, 121, 122, 123], places=readable)) == expected


# ---- words that nobody said


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param(READABLE, {"zephyr", "dora", "secret"}, id="words of unreadable places count as never said"),
        pytest.param(READABLE | {STAFF}, {"zephyr"}, id="their readers know them"),
        pytest.param({DEPLOYS}, {"zephyr", "dora", "secret", "kitchen", "ben"}, id="a single channel"),
        pytest.param(NOWHERE, {"zephyr", "dora", "secret", "kitchen", "ben", "friday"}, id="no places"),
    ],
)
async def test_words_that_no_message_of_the_places_has_are_unsaid(
    memory: MemoryReader, places: Iterable[int], expected: set[str]
) -> None:
    words = ["zephyr", "dora", "secret", "kitchen", "ben", "friday"]

    unsaid = await memory.unsaid_words(words, places=frozenset(places))

    assert unsaid == expected


async def test_words_of_deleted_messages_and_of_the_bots_answers_are_unsaid(memory: MemoryReader) -> None:
    assert await memory.unsaid_words(["broke", "backscroll"], places=READABLE) == {"broke", "backscroll"}


async def test_words_are_unsaid_in_windows_in_which_nobody_said_them(memory: MemoryReader) -> None:
    window = Window(minute(100), minute(130))

    assert await memory.unsaid_words(["boils", "painted"], places=READABLE, windows=[window]) == {"painted"}


async def test_a_word_with_another_ending_is_said(memory: MemoryReader) -> None:
    assert await memory.unsaid_words(["kettles", "deploying"], places=READABLE) == frozenset()


async def test_a_part_of_a_word_is_unsaid(memory: MemoryReader) -> None:
    assert await memory.unsaid_words(["kit"], places=READABLE) == {"kit"}


# ---- windows, authors, kinds, scope


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param((), EVERYTHING, id="no windows are all time"),
        pytest.param((Window(minute(1), minute(2)),), {1}, id="a start is included and an end is not"),
        pytest.param((Window(None, minute(60)),), {1, 2}, id="an open start"),
        pytest.param((Window(minute(60), None),), {60, 121, 122}, id="an open end"),
        pytest.param((Window(minute(0), minute(2)), Window(minute(121), minute(122))), {1, 121}, id="any of two"),
        pytest.param((Window(minute(10), minute(10)),), set(), id="an empty window"),
    ],
)
async def test_a_message_is_found_in_any_of_the_windows(
    memory: MemoryReader, windows: tuple[Window, ...], expected: set[int]
) -> None:
    assert await found_by_all(memory, windows=windows) == expected


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        pytest.param(None, EVERYTHING, id="everybody's"),
        pytest.param(Authors(), set(), id="nobody's"),
        pytest.param(Authors(ids=frozenset({BEN})), {2, 122}, id="by an id"),
        pytest.param(Authors(names=frozenset({"ana"})), {1, 60}, id="by a name, where there is no id"),
        pytest.param(Authors(names=frozenset({"ben"})), set(), id="a name of somebody with an id"),
        pytest.param(Authors(frozenset({BEN}), frozenset({"cleo"})), {2, 121, 122}, id="two people's"),
        pytest.param(Authors(frozenset({BEN}), excluded=True), {1, 60, 121}, id="everybody's but one"),
    ],
)
async def test_only_the_authors_messages_are_found(
    memory: MemoryReader, authors: Authors | None, expected: set[int]
) -> None:
    assert await found_by_all(memory, authors=authors) == expected


async def test_what_is_deleted_and_what_the_bot_was_asked_and_answered_is_not_found(memory: MemoryReader) -> None:
    assert await found_by_all(memory) == EVERYTHING
    assert set(await memory.lookup([124, 126, 127], places=READABLE)) == {126}  # a question to the bot may be cited


@pytest.mark.parametrize(
    ("scope", "expected"),
    [(Scope.SHORT, {121, 122}), (Scope.LONG, {1, 2, 60}), (Scope.BOTH, EVERYTHING)],
    ids=["short", "long", "both"],
)
async def test_a_scope_is_one_of_the_databases_or_both(memory: MemoryReader, scope: Scope, expected: set[int]) -> None:
    assert await found_by_all(memory, scope=scope) == expected


# ---- order and amount


async def test_the_message_with_the_words_comes_first(memory: MemoryReader) -> None:
    found = await memory.search("when does the deploy move to friday", places=READABLE)

    assert hits(found)[0] == 60
    assert found.excerpts[0].score == max(excerpt.score for excerpt in found.excerpts)


@pytest.mark.parametrize(("limit", "expected"), [(2, 2), (50, 5)])
async def test_as_many_are_found_as_are_wanted_and_match(memory: MemoryReader, limit: int, expected: int) -> None:
    assert len(hits(await memory.search("kettle", places=READABLE, limit=limit))) == expected
    assert len(hits(await memory.list_messages(places=READABLE, limit=limit))) == expected


async def test_messages_are_listed_in_time_order_from_either_end(memory: MemoryReader) -> None:
    assert hits(await memory.list_messages(places=READABLE)) == [1, 2, 60, 121, 122]
    assert hits(await memory.list_messages(places=READABLE, limit=2)) == [1, 2]
    assert hits(await memory.list_messages(places=READABLE, limit=2, newest=True)) == [121, 122]


async def test_a_listing_has_an_excerpt_for_each_run_of_messages_in_a_place(memory: MemoryReader) -> None:
    found = await memory.list_messages(places=READABLE)

    assert [[line.message.message_id for line in excerpt.lines] for excerpt in found.excerpts] == [
        [1, 2],
        [60],
        [121],
        [122],
    ]


# ---- counts


async def test_messages_are_counted_by_person_most_first(memory: MemoryReader) -> None:
    counted = await memory.tally(Matter(terms="kitchen"), places=READABLE)
    everybody = await memory.tally(Matter(), places=READABLE)

    assert (counted.messages, {share.messages for share in counted.shares}) == (2, {1})
    assert [share.messages for share in everybody.shares] == [2, 2, 1]
    newest = [share.newest.message for share in everybody.shares if share.newest]
    assert {one.author_name: one.message_id for one in newest} == {"ana": 60, "ben": 122, "cleo": 121}


@pytest.mark.parametrize(("newest_first", "expected"), [(True, [122, 121]), (False, [1, 2])])
async def test_a_count_gives_examples_from_either_end(
    memory: MemoryReader, newest_first: bool, expected: list[int]
) -> None:
    counted = await memory.tally(Matter(), places=READABLE, newest_first=newest_first, limit=2)

    assert examples(counted) == expected


# ---- one message, and what is known of a place


@pytest.mark.parametrize(
    ("number", "before", "after", "expected"),
    [
        pytest.param(2, 5, 5, [1, 2, 122], id="its place alone"),
        pytest.param(2, 1, 0, [1, 2], id="as many as are wanted"),
        pytest.param(121, 5, 5, [121], id="a thread is a place of its own"),
        pytest.param(126, 1, 1, [122, 126], id="a question to the bot"),
        pytest.param(123, 5, 5, [], id="what may not be read"),
        pytest.param(124, 5, 5, [], id="what is deleted"),
        pytest.param(127, 5, 5, [], id="an answer of the bot"),
        pytest.param(4711, 5, 5, [], id="what is not stored"),
    ],
)
async def test_a_message_is_read_with_those_around_it(
    memory: MemoryReader, number: int, before: int, after: int, expected: list[int]
) -> None:
    found = await memory.read_around(number, places=READABLE, before=before, after=after)

    assert shown(found) == expected
    assert hits(found) == [number][: len(expected)]


async def test_a_lookup_gives_the_messages_that_may_be_read(memory: MemoryReader) -> None:
    found = await memory.lookup([2, 123, 4711], places=READABLE)

    assert {number: one.content for number, one in found.items()} == {2: SAVED[1].content}


async def test_a_discussion_ends_where_a_long_silence_begins(memory: MemoryReader) -> None:
    held = await memory.discussions(places=frozenset({GENERAL, THREAD}))

    assert [(window.start, window.end) for window in held] == [
        (minute(1), minute(2) + timedelta(microseconds=1)),
        (minute(121), minute(121) + timedelta(microseconds=1)),
        (minute(122), minute(122) + timedelta(microseconds=1)),
    ]


async def test_names_are_known_where_their_bearers_spoke(memory: MemoryReader) -> None:
    names = await memory.known_names(places=READABLE)

    assert names.complete
    assert names.people("ben") == {BEN}
    assert names.people("dora") == frozenset()
    assert names.within(frozenset({DEPLOYS})).people("ben") == frozenset()
    assert set(names.channel_names(READABLE)) == {"general", "deploys"}


async def test_own_words_are_compared_line_by_line(memory: MemoryReader) -> None:
    found = await memory.list_messages(places=READABLE)
    lines = [line for excerpt in found.excerpts for line in excerpt.lines]

    compared = await memory.compare_own_words("what did ana say of the kettle?", lines)

    assert [line.message for line in compared] == [line.message for line in lines]


# ---- a database that does not answer


@pytest.fixture(params=["real", "fake"])
async def memory_without_database(request: pytest.FixtureRequest, embedder: Embedder) -> AsyncIterator[MemoryReader]:
    """Each of the two memories, when nothing answers."""
    if request.param == "fake":
        yield FakeMemory(list(CURRENT), failures=-1)
        return
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        nobody = SearchableDatabase("short-term", sessions_of(engine), bm25=True, hypertable=False)
        yield Memory(nobody, dataclasses.replace(nobody, name="long-term"), embedder)


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda memory: memory.search("kettle", places=READABLE), id="search"),
        pytest.param(lambda memory: memory.list_messages(places=READABLE), id="list_messages"),
        pytest.param(lambda memory: memory.tally(Matter(), places=READABLE), id="tally"),
        pytest.param(lambda memory: memory.activity(Matter(), places=READABLE), id="activity"),
        pytest.param(lambda memory: memory.read_around(1, places=READABLE), id="read_around"),
        pytest.param(lambda memory: memory.lookup([1], places=READABLE), id="lookup"),
        pytest.param(lambda memory: memory.discussions(places=READABLE), id="discussions"),
    ],
)
async def test_when_nothing_answers_that_is_an_error(
    memory_without_database: MemoryReader, ask: Callable[[MemoryReader], Any]
) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await ask(memory_without_database)
