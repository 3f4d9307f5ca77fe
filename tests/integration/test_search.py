"""Search finds what it should in both memories, and nothing that it should not."""

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from psycopg.sql import SQL, Composed
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.explaining import explained, plan_of
from db.capabilities import Capabilities
from db.databases import LONG_TERM, SHORT_TERM, Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from errors import DatabaseUnavailableError
from memory.authors import Authors
from memory.embedding.embedder import Embedder
from memory.filters import Bounds, Filters
from memory.index import store
from memory.index.reembed import prepare
from memory.message import Kind, Message
from memory.search import keywords, rows
from memory.search.candidates import CANDIDATES, find_candidates
from memory.search.memory import Memory
from memory.search.planner import estimate
from memory.search.results import RankedMessage, Scope, SearchResult
from memory.search_session import SearchableDatabase, searchable_database
from tests.builders import already, closed_port, deletion, edit, message, minute, remember
from tests.conftest import open_existing_database, open_new_database
from tests.servers import Server
from time_expressions.window import Window

pytestmark = pytest.mark.server

HERE = frozenset({1})
HOUR = 60  # in minutes, which is what `minute` counts


@pytest.fixture(scope="module")
def names(server: Server, embedder: Embedder) -> tuple[str, str]:
    """Two memories for all tests of this module: making new ones takes longer than most of these tests."""

    async def create() -> tuple[str, str]:
        new = partial(server.create_database, width=await embedder.dimensions())
        short, long = new(SHORT_TERM), new(LONG_TERM)
        for name, created in ((SHORT_TERM, short), (LONG_TERM, long)):
            async with open_existing_database(server, created, name=name) as database:
                await prepare(database, embedder)
        return short, long

    with asyncio.Runner() as runner:
        return runner.run(create())


@pytest.fixture(scope="module", autouse=True)
def _each_text_is_embedded_once() -> Iterator[None]:
    """Keep the real vectors of texts that come again and again."""
    vectors: dict[str, NDArray[np.float32]] = {}
    embed = Embedder.embed

    async def remembering(self: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
        if new := [one for one in dict.fromkeys(texts) if one not in vectors]:
            vectors.update(zip(new, await embed(self, new), strict=True))
        return np.array([vectors[one] for one in texts], dtype=np.float32)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Embedder, "embed", remembering)
        yield


@asynccontextmanager
async def emptied(server: Server, name: str, *, database: str) -> AsyncGenerator[Database]:
    """Yield a database without the rows of the test before."""
    async with open_existing_database(server, database, name=name) as existing:
        async with transaction(sessions_of(existing.engine)) as session:
            await store.empty(session)
        yield existing


@pytest.fixture
async def short_term(server: Server, names: tuple[str, str]) -> AsyncIterator[Database]:
    """An empty short-term memory."""
    async with emptied(server, SHORT_TERM, database=names[0]) as database:
        yield database


@pytest.fixture
async def long_term(server: Server, names: tuple[str, str]) -> AsyncIterator[Database]:
    """An empty long-term memory."""
    async with emptied(server, LONG_TERM, database=names[1]) as database:
        yield database


def hits(findings: SearchResult) -> list[int]:
    """Return the ids of the hits, in the order in which they are shown."""
    return [line.message.message_id for excerpt in findings.excerpts for line in excerpt.lines if line.hit]


def shown(findings: SearchResult) -> list[int]:
    """Return the ids of hits and neighbours, in the order in which they are shown."""
    return [line.message.message_id for excerpt in findings.excerpts for line in excerpt.lines]


def apart(number: int, content: str, **changes: Any) -> Message:
    """Return a message that has a minute, and the neighbourhood, of its own."""
    return message(number, content, sent_at=minute(number * HOUR), **changes)


# Places


async def test_a_place_without_messages_is_searched_before_the_text_is_embedded(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> NDArray[np.float32]:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    monkeypatch.setattr(Embedder, "embed", hang)

    assert (await memory.search("tea", places=frozenset({99}))).excerpts == ()


async def test_no_places_find_nothing(memory: Memory, long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [message(1, "the launch code")])
    nowhere: frozenset[int] = frozenset()

    assert await memory.search("launch code", places=nowhere) == SearchResult()
    assert (await memory.list_messages(places=nowhere)).excerpts == ()
    assert (await memory.read_around(1, places=nowhere)).excerpts == ()
    assert await memory.lookup([1], places=nowhere) == {}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param({1}, {1}, id="the channel, without its threads"),
        pytest.param({7}, {2}, id="one thread of it"),
        pytest.param({7, 8}, {2, 3}, id="two threads"),
        pytest.param({1, 2, 7, 8}, {1, 2, 3, 4}, id="everything"),
        pytest.param({99}, set(), id="a place where nothing was said"),
    ],
)
async def test_only_the_given_places_are_searched(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, places: set[int], expected: set[int]
) -> None:
    await remember(long_term, embedder, [message(1, "launch"), message(2, "launch", thread_id=7)])
    await remember(short_term, embedder, [message(3, "launch", thread_id=8), message(4, "launch", channel_id=2)])
    readable = frozenset(places)

    found = await memory.search("launch", places=readable)

    assert set(shown(found)) == expected
    assert set(shown(await memory.list_messages(places=readable))) == expected
    assert set(await memory.lookup([1, 2, 3, 4], places=readable)) == expected


async def test_neighbours_come_from_the_place_of_the_hit_alone(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, "before"), message(2, "a secret", channel_id=2)])
    await remember(short_term, embedder, [message(3, "zanzibar"), message(4, "in a thread", thread_id=7), message(5)])

    found = await memory.search("zanzibar", places=frozenset({1, 2, 7}), limit=1)

    assert shown(found) == [1, 3, 5]


async def test_a_message_that_may_not_be_read_is_not_read_around(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1), message(2, "a secret", channel_id=2), message(3)])

    assert await memory.read_around(2, places=HERE) == SearchResult()


async def test_all_places_are_those_of_both_memories(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1), message(2, thread_id=7)])
    await remember(short_term, embedder, [message(3, channel_id=2)])

    assert await memory.all_places() == {1, 2, 7}


# What never counts


async def test_the_bots_own_answers_are_never_found(memory: Memory, long_term: Database, embedder: Embedder) -> None:
    answer = message(2, "the launch is on Friday", kind=Kind.ANSWER)
    await remember(long_term, embedder, [message(1, "launch"), answer, message(3, "thanks")])

    for kinds in ({Kind.MESSAGE}, {Kind.ANSWER}, set(Kind)):
        found = await memory.search("when is the launch?", places=HERE, kinds=frozenset(kinds))
        assert 2 not in shown(found)
    assert 2 not in shown(await memory.list_messages(places=HERE))
    assert 2 not in shown(await memory.read_around(1, places=HERE))
    assert await memory.lookup([2], places=HERE) == {}


@pytest.mark.parametrize(
    ("kept_in", "known_to"),
    [
        pytest.param("long", "long", id="in the same memory"),
        pytest.param("long", "short", id="since the promotion"),
        pytest.param("short", "long", id="in a later session"),
    ],
)
async def test_a_deleted_message_is_never_found(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, kept_in: str, known_to: str
) -> None:
    databases = {"short": short_term, "long": long_term}
    await remember(databases[kept_in], embedder, [message(1), message(2, "zanzibar"), message(3)])
    await remember(databases[known_to], embedder, [deletion(2, at=9)])

    for found in (
        await memory.search("zanzibar", places=HERE),
        await memory.list_messages(places=HERE),
        await memory.read_around(1, places=HERE),
        await memory.read_around(2, places=HERE),
    ):
        assert 2 not in shown(found)
    assert await memory.lookup([2], places=HERE) == {}


async def test_a_deleted_row_is_not_even_proposed(long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [message(1, "tea"), message(2, "tea")])
    await remember(long_term, embedder, [deletion(1, at=9)])
    vector, filters = (await embedder.embed(["tea"]))[0], Filters(places=HERE)

    async with transaction(long_term.sessions) as session:
        proposed, _ = await find_candidates(
            session,
            text="tea",
            vector=already(vector),
            filters=filters,
            wanted=5,
            bm25=True,
            hypertable=long_term.capabilities.hypertables,
        )
        listed = await rows.in_order(session, filters=filters, limit=5)

    assert [candidate.message.message_id for candidate in proposed] == [2]
    assert [one.message_id for one in listed] == [2]


async def test_an_edit_known_to_short_term_memory_alone_corrects_the_long_term_copy(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, "the gate code is 4711"), message(2, "fine")])
    await remember(short_term, embedder, [edit(1, "the gate code is secret", at=30)])

    for findings in (
        await memory.search("gate code", places=HERE, scope=Scope.LONG, limit=1),
        await memory.search("gate code", places=HERE, limit=1),
        await memory.list_messages(places=HERE),
        await memory.read_around(2, places=HERE),
    ):
        (first, *_) = findings.excerpts[0].lines
        assert first.message.content == "the gate code is secret"
    assert (await memory.lookup([1], places=HERE))[1].edited_at == minute(30)


# Filters


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        pytest.param(Window(minute(2), minute(4)), [2, 3], id="both ends"),
        pytest.param(Window(minute(2), None), [2, 3, 4], id="from then on"),
        pytest.param(Window(None, minute(4)), [1, 2, 3], id="until then"),
        pytest.param(Window(minute(2) + timedelta(microseconds=1), minute(4)), [3], id="a microsecond later"),
        pytest.param(Window(minute(2), minute(4) + timedelta(microseconds=1)), [2, 3, 4], id="a microsecond longer"),
        pytest.param(Window(minute(3), minute(3)), [], id="empty"),
        pytest.param(Window(), [1, 2, 3, 4], id="open"),
    ],
)
async def test_a_window_includes_its_start_and_not_its_end(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, window: Window, expected: list[int]
) -> None:
    await remember(long_term, embedder, [message(1, "tea"), message(2, "tea")])
    await remember(short_term, embedder, [message(3, "tea"), message(4, "tea")])

    assert sorted(hits(await memory.search("tea", places=HERE, windows=(window,)))) == expected
    assert hits(await memory.list_messages(places=HERE, windows=(window,))) == expected


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        pytest.param(Authors(ids=frozenset({7})), {1, 2}, id="an id, whatever the name"),
        pytest.param(Authors(names=frozenset({"Ana"})), {3}, id="a name without an id"),
        pytest.param(Authors(frozenset({8}), frozenset({"ÖZGE"})), {4, 5}, id="an id and a name"),
        pytest.param(Authors(names=frozenset({"An"})), set(), id="half a name"),
        pytest.param(Authors(names=frozenset({"Ana\ud800", "\0"})), set(), id="names that no database takes"),
        pytest.param(Authors(), set(), id="nobody"),
        pytest.param(None, {1, 2, 3, 4, 5}, id="everybody"),
        pytest.param(Authors(frozenset({7}), frozenset({"Ana"}), excluded=True), {4, 5}, id="all but somebody"),
        pytest.param(Authors(excluded=True), {1, 2, 3, 4, 5}, id="all but nobody"),
    ],
)
async def test_authors_are_found_by_id_and_by_name_where_they_have_none(
    memory: Memory, long_term: Database, embedder: Embedder, authors: Authors | None, expected: set[int]
) -> None:
    people = [(7, "Ana"), (7, "Ana | away"), (None, "Ana"), (8, "Ana"), (None, "ÖZGE")]
    said = [apart(at, "tea", author_id=author, author_name=name) for at, (author, name) in enumerate(people, 1)]
    await remember(long_term, embedder, said)

    found = await memory.search("tea", places=HERE, authors=authors)
    listed = await memory.list_messages(places=HERE, authors=authors)

    assert (set(hits(found)), set(hits(listed))) == (expected, expected)


async def test_commands_are_found_when_asked_for(memory: Memory, long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [apart(1, "tea"), apart(2, "tea", kind=Kind.COMMAND)])

    assert hits(await memory.search("tea", places=HERE)) == [1]
    assert hits(await memory.search("tea", places=HERE, kinds=frozenset({Kind.COMMAND}))) == [2]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param(Scope.SHORT, {2, 3}, id="short"),
        pytest.param(Scope.LONG, {1, 2}, id="long"),
        pytest.param(Scope.BOTH, {1, 2, 3}, id="both"),
    ],
)
async def test_a_scope_is_kept_to_and_a_message_in_both_memories_is_found_once(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, scope: Scope, expected: set[int]
) -> None:
    await remember(long_term, embedder, [apart(1, "tea"), apart(2, "tea")])
    await remember(short_term, embedder, [apart(2, "tea"), apart(3, "tea")])

    found = hits(await memory.search("tea", places=HERE, scope=scope))
    listed = hits(await memory.list_messages(places=HERE, scope=scope))

    assert (set(found), len(found)) == (expected, len(expected))
    assert (set(listed), len(listed)) == (expected, len(expected))


# How many, and in what order


@pytest.mark.parametrize("limit", [1, 3, 5, 8, 100])
async def test_as_many_are_found_as_asked_for_or_as_match(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder, limit: int
) -> None:
    await remember(long_term, embedder, [apart(1, "tea"), apart(2, ""), apart(3, "nothing of the kind")])
    await remember(short_term, embedder, [apart(4, "coffee"), apart(5, "", kind=Kind.MESSAGE)])

    assert len(hits(await memory.search("tea", places=HERE, limit=limit))) == min(limit, 5)
    assert len(hits(await memory.list_messages(places=HERE, limit=limit))) == min(limit, 5)


async def test_messages_deleted_since_do_not_take_the_places_of_others(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    many = range(1, 2 * CANDIDATES + 1)
    await remember(long_term, embedder, [apart(number, "tea") for number in many])
    await remember(long_term, embedder, [apart(number, "coffee") for number in (900, 901, 902)])
    await remember(short_term, embedder, [deletion(number, at=9, sent_at=minute(number * HOUR)) for number in many])

    assert sorted(hits(await memory.search("tea", places=HERE, limit=8))) == [900, 901, 902]
    assert hits(await memory.list_messages(places=HERE, limit=2)) == [900, 901]


async def test_the_best_comes_first_by_words_and_by_meaning(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [apart(1, "The kiln reaches 1280 degrees"), apart(2, "Lunch was good")])
    await remember(short_term, embedder, [apart(3, "We should buy a new oven for pottery"), apart(4, "See you later")])

    assert hits(await memory.search("kiln", places=HERE, limit=2))[0] == 1
    assert set(hits(await memory.search("furnace for ceramics", places=HERE, limit=2))) == {1, 3}


async def test_who_was_mentioned_is_found_and_shown_by_name(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    asked = apart(1, "<@Ben:7> please bring the studio key to <#tea:9>", author_name="ana")
    others = [apart(2, "the studio is locked"), apart(3, "please be on time"), apart(4, "lol", author_name="Ben")]
    await remember(long_term, embedder, [asked, *others])
    await remember(short_term, embedder, [apart(5, "<@&Potters:3> well done")])

    best, *_ = (await memory.search("what was Ben asked to bring?", places=HERE)).excerpts
    listed = (await memory.list_messages(places=HERE)).excerpts

    assert best.lines[0].message.content == "@Ben please bring the studio key to <#tea:9>"
    assert "@Potters well done" in {line.message.content for excerpt in listed for line in excerpt.lines}
    assert (await memory.lookup([1], places=HERE))[1].content.startswith("@Ben")


async def test_a_mention_without_a_name_is_named_to_those_who_may_read_where_the_name_is_known(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    asked = message(1, "<@7> bring the key to <#3>, <#4> or <#9>")
    ben = message(2, "yes", author_id=7, author_name="Ben", channel_id=2, channel_name="tea")
    others = [
        message(3, "hm", channel_id=3, channel_name="help"),
        message(4, "hm", thread_id=9, channel_name="tea › Key"),
    ]
    await remember(long_term, embedder, [asked, ben, *others])
    await remember(short_term, embedder, [message(5, "hm", channel_id=4, channel_name="secret")])

    async def shown_to(*places: int) -> str:
        return (await memory.lookup([1], places=frozenset({1, *places})))[1].content

    assert await shown_to() == "<@7> bring the key to <#3>, <#4> or <#9>"
    assert await shown_to(2, 3, 9) == "@Ben bring the key to <#help:3>, <#4> or <#Key:9>"
    best = (await memory.search("bring the key", places=frozenset({1, 2}), limit=1)).excerpts[0]
    assert best.lines[0].message.content.startswith("@Ben bring")


async def test_a_thread_is_found_by_any_title_that_it_had_and_names_its_place(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    post = {"thread_id": 7, "author_name": "ana"}
    before = apart(1, "It blinks twice and then nothing happens", channel_name="help › Thermostat firmware", **post)
    after = apart(2, "Hold the button for ten seconds", channel_name="help › Heating, solved", **post)
    await remember(long_term, embedder, [before, after, *(apart(n, f"remark {n}") for n in range(3, 30))])
    places = frozenset({1, 7})

    for question, expected in (("the thermostat firmware", before), ("heating solved?", after)):
        found = await memory.search(question, places=places, limit=1)
        assert [line.message for excerpt in found.excerpts for line in excerpt.lines if line.hit] == [expected]
    names = await memory.known_names(places=places)
    assert names.channel_places("help") == frozenset({7})


async def test_the_newest_messages_of_both_memories_come_in_time_order(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(number, f"earlier {number}") for number in range(1, 6)])
    here = [message(6, "in a thread", thread_id=7), message(7, "last"), message(8, "a question", kind=Kind.COMMAND)]
    await remember(short_term, embedder, [*here, message(9, "elsewhere", channel_id=2)])
    await remember(short_term, embedder, [deletion(5, at=99)])

    newest = partial(memory.list_messages, places=frozenset({1, 7}), newest=True)

    assert hits(await newest(limit=3)) == [4, 6, 7]
    assert hits(await newest(limit=2, windows=(Window(None, minute(4)),))) == [2, 3]
    assert hits(await newest(limit=2, authors=Authors(names=frozenset({"nobody"})))) == []


def _chat(number: int) -> Message:
    return message(number, f"chatter {number}", author_name="cleo")


async def test_replies_to_a_hit_are_shown_with_it_from_either_memory(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    asked = message(1, "why is my celadon brown?")
    await remember(long_term, embedder, [asked, *map(_chat, range(2, 10))])
    replies = [
        message(20, "too much oxygen", reply_to=1),
        message(21, "in a thread of others", reply_to=1, thread_id=7),
        message(22, "as the bot said", reply_to=1, kind=Kind.ANSWER),
        message(23, "deleted", reply_to=1),
    ]
    await remember(short_term, embedder, replies)
    await remember(short_term, embedder, [deletion(23, at=99, sent_at=minute(23))])

    found = await memory.search("celadon brown", places=frozenset({1, 7}), limit=1)

    assert hits(found) == [1]
    assert set(shown(found)) == {1, 2, 3, 4, 5, 20}


async def test_a_misspelt_word_is_searched_for_as_what_was_meant(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    others = [apart(number, f"the kiln opens at {number}") for number in range(2, 9)]
    await remember(long_term, embedder, [apart(1, "the exhibition opens on 12 December"), *others])

    found = await memory.search("when does the exibition open?", places=HERE, limit=1)
    elsewhere = await memory.search("when does the exibition open?", places=frozenset({2}), limit=1)

    assert (hits(found), found.read_as) == ([1], (("exibition", "exhibition"),))
    assert elsewhere.read_as == ()


async def test_a_hit_is_shown_with_what_it_replies_to(memory: Memory, long_term: Database, embedder: Embedder) -> None:
    chatter = map(_chat, range(2, 10))
    await remember(long_term, embedder, [message(1, "why so?"), *chatter, message(20, "oxygen", reply_to=1)])

    found = await memory.search("oxygen", places=HERE, limit=1)

    assert (hits(found), shown(found)) == ([20], [1, 9, 20])


async def test_words_of_somebody_whom_a_question_names_are_compared_by_themselves(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [apart(1, "lol", author_name="ben"), apart(2, "the key is with him")])

    async def best_of(question: str) -> RankedMessage:
        found = await memory.search(question, places=HERE, limit=1)
        lines = await memory.compare_own_words(question, found.excerpts[0].lines)
        return next(line for line in lines if line.hit)

    of_ben, of_nobody = await best_of("what should ben bring?"), await best_of("who has the key?")
    assert of_ben.alike is not None
    assert of_ben.similarity is not None
    assert of_ben.alike < of_ben.similarity - 0.2
    assert of_nobody.likeness is None


async def test_neighbours_are_merged_with_hits_that_touch_and_stand_in_time_order(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, "one"), message(2, "zanzibar"), message(3, "three")])
    await remember(short_term, embedder, [message(4, "zanzibar"), message(5, "five"), message(6, "six")])

    (excerpt,) = (await memory.search("zanzibar", places=HERE, limit=2)).excerpts

    assert [(line.message.message_id, line.hit) for line in excerpt.lines] == [
        (1, False),
        (2, True),
        (3, False),
        (4, True),
        (5, False),
    ]


async def test_reading_around_reaches_into_both_memories(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(number) for number in range(1, 6)])
    await remember(short_term, embedder, [message(number) for number in range(5, 10)])

    assert shown(await memory.read_around(5, places=HERE, before=2, after=3)) == [3, 4, 5, 6, 7, 8]


async def test_listing_makes_an_excerpt_of_each_run_in_a_place(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    places = {1: 1, 2: 2, 3: 1, 4: 1}
    await remember(long_term, embedder, [message(number, channel_id=place) for number, place in places.items()])

    listed = await memory.list_messages(places=frozenset({1, 2}))

    assert [len(excerpt.lines) for excerpt in listed.excerpts] == [1, 1, 2]


# Queries that are no prose

ODD = [
    pytest.param("the and of", id="only stop words"),
    pytest.param("", id="nothing"),
    pytest.param("it's \"quoted\" 'twice", id="quotes"),
    pytest.param("a & | ! :* <-> (", id="operators"),
    pytest.param("tea'); DROP TABLE messages; --", id="SQL"),
    pytest.param("100% _tea_ \\", id="wildcards"),
    pytest.param("http://example.org/a b&c=1|d", id="an address"),
    pytest.param("tea\0\ud83d", id="NUL and a lone surrogate"),
    pytest.param("tea " * 2000, id="a very long one"),
]


@pytest.mark.parametrize("query", ODD)
async def test_an_odd_query_is_only_a_query(
    memory: Memory, long_term: Database, embedder: Embedder, query: str
) -> None:
    await remember(long_term, embedder, [apart(1, "tea"), apart(2, "coffee")])

    assert sorted(hits(await memory.search(query, places=HERE))) == [1, 2]


@pytest.fixture
async def plain(server: Server, embedder: Embedder) -> AsyncIterator[Database]:
    """A memory on a server without pg_textsearch, as far as we are told."""
    async with open_new_database(server, "plain") as database:
        without = dataclasses.replace(database, capabilities=Capabilities(bm25=False, hypertables=False))
        await prepare(without, embedder)
        yield without


@pytest.fixture
def plain_memory(plain: Database, embedder: Embedder) -> Memory:
    """Both memories in one database: what is in one is in the other."""
    one, other = (dataclasses.replace(searchable_database(plain), name=name) for name in ("one", "other"))
    return Memory(one, other, embedder)


@pytest.mark.parametrize("query", ODD)
async def test_an_odd_query_is_only_a_query_for_full_text_too(
    plain_memory: Memory, plain: Database, embedder: Embedder, query: str
) -> None:
    await remember(plain, embedder, [apart(1, "tea"), apart(2, "coffee")])

    assert sorted(hits(await plain_memory.search(query, places=HERE))) == [1, 2]


async def test_full_text_finds_any_of_the_words_in_any_form(
    plain_memory: Memory, plain: Database, embedder: Embedder
) -> None:
    await remember(plain, embedder, [apart(1, "we shipped crates"), apart(2, "lunch"), apart(3, "the crate is here")])

    found = await plain_memory.search("ship the zanzibar crates", places=HERE, limit=2)

    assert hits(found) == [1, 3]
    scores = [line.lexical for excerpt in found.excerpts for line in excerpt.lines if line.hit]
    assert scores[0] > scores[1] > 0


# Plans


async def plan(session: AsyncSession, statement: Composed, *, without: Iterable[str], **values: str) -> str:
    """Return the plan of a statement when the planner may not do certain things."""
    for way in without:
        await session.execute(text(f"SET LOCAL enable_{way} = off"))
    return await plan_of(session, statement, values)


async def test_full_text_reads_its_index(plain: Database) -> None:
    async with transaction(plain.sessions) as session:
        statement = SQL("SELECT message_id FROM messages WHERE {}").format(keywords.HAS_WORDS)

        assert "messages_full_text" in await plan(session, statement, without=["seqscan"], text="tea")


_MANY = text("""
    INSERT INTO messages (
        message_id, sent_at, session, guild_id, channel_id, author_name, channel_name, kind, content, search_text
    )
    SELECT number, CAST(:start AS timestamptz) + number * interval '1 minute', 'many', 5, number % 40, 'ana', 'general',
           'message', 'said', ''
    FROM generate_series(1, 20000) AS number
""")


async def test_the_newest_messages_of_a_guild_are_read_from_the_end_of_each_place(plain: Database) -> None:
    filters = Filters(places=frozenset(range(40)), bounds=Bounds(guild=5))
    async with transaction(plain.sessions) as session:
        await session.execute(_MANY, {"start": minute(0)})
        await session.execute(text("ANALYZE messages"))
        async with explained(session, analysed=True) as plans:
            found = await rows.in_order(session, filters=filters, limit=100, newest=True)
        await session.rollback()

    assert [one.message_id for one in found[:3]] == [20000, 19999, 19998]
    assert "Index Scan Backward using messages_access_sent_at" in plans[0]
    assert "Bitmap" not in plans[0]


_BY_MANY = text("""
    INSERT INTO messages (
        message_id, sent_at, session, channel_id, author_id, author_name, channel_name, kind, content, search_text
    )
    SELECT number, CAST(:start AS timestamptz) + number * interval '1 minute', 'many', 1,
           CASE WHEN number % 2 = 0 THEN number % 500 END, 'author ' || number % 500, 'general', 'message', 'said', ''
    FROM generate_series(1, 20000) AS number
""")


@pytest.mark.parametrize(
    "authors",
    [
        pytest.param(Authors(ids=frozenset({100})), id="by id"),
        pytest.param(Authors(names=frozenset({"author 101"})), id="by name, where there is no id"),
        pytest.param(Authors(ids=frozenset({100, 102}), names=frozenset({"author 101", "ana"})), id="of both kinds"),
    ],
)
async def test_the_messages_of_an_author_are_read_by_their_index(plain: Database, authors: Authors) -> None:
    async with transaction(plain.sessions) as session:
        await session.execute(_BY_MANY, {"start": minute(0)})
        await session.execute(text("ANALYZE messages"))
        async with explained(session) as plans:
            size = await estimate(session, Filters(places=HERE, authors=authors), hypertable=False)
        await session.rollback()

    assert size.matching == 40 * (len(authors.ids) + len(authors.names - {"ana"}))
    assert "messages_author" in plans[0]
    assert "Seq Scan on messages " not in plans[0].partition("InitPlan 2")[0]


# Outages


@pytest.fixture
async def nobody() -> AsyncIterator[SearchableDatabase]:
    """A memory whose server does not answer."""
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        yield SearchableDatabase("short-term", sessions_of(engine), bm25=True, hypertable=False)


async def test_a_memory_that_does_not_answer_is_named_and_the_other_is_searched(
    memory: Memory, nobody: SearchableDatabase, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, "tea"), message(2, "coffee")])
    halved = dataclasses.replace(memory, short_term=nobody)

    found = await halved.search("tea", places=HERE, limit=1)

    assert found.unreachable == ("short-term",)
    assert shown(found) == [1, 2]
    assert (await halved.list_messages(places=HERE)).unreachable == ("short-term",)
    assert shown(await halved.read_around(1, places=HERE)) == [1, 2]
    assert set(await halved.lookup([1], places=HERE)) == {1}


async def test_two_memories_that_do_not_answer_are_an_outage(nobody: SearchableDatabase, embedder: Embedder) -> None:
    away = Memory(nobody, dataclasses.replace(nobody, name="long-term"), embedder)

    with pytest.raises(DatabaseUnavailableError, match="short-term and long-term memory did not answer"):
        await away.search("tea", places=HERE)


async def test_the_only_memory_asked_for_that_does_not_answer_is_an_outage(
    memory: Memory, nobody: SearchableDatabase
) -> None:
    halved = dataclasses.replace(memory, short_term=nobody)

    with pytest.raises(DatabaseUnavailableError, match="short-term"):
        await halved.search("tea", places=HERE, scope=Scope.SHORT)
