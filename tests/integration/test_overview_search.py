"""/search finds messages by words, people, channels, time and what they hold, and only where one may read."""

import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import memory.search.memory
import overviews.search
from db.engines import open_engine, parse_dsn, sessions_of
from memory.authors import Authors
from memory.embedding.embedder import Embedder
from memory.holding import Holding
from memory.message import Attachment, Kind
from memory.search.memory import Memory
from memory.search.terms import corrections, weighed
from overviews.overview import Overview, Viewer
from overviews.search import ASK_FOR_SOMETHING, MOST_FOUND, MessageSearch, Wanted, matches_of
from overviews.wanted import Order
from tests.builders import closed_port, deletion, edit, message, minute
from tests.conformance.databases import create_databases, open_memory
from tests.servers import Server
from tests.viewers import ids_of, viewer, words_of

pytestmark = pytest.mark.server

GENERAL, OPS, STAFF, CROWD, ABROAD = 1, 2, 9, 5, 6
GUILD, OTHER_GUILD = 77, 78
BEN = 22
OWNER = viewer(GENERAL, OPS, STAFF)
DAY = 24 * 60  # minutes

PICTURE = Attachment(name="kiln.jpg", url="https://cdn.example/1")
SAVED = [
    message(1, "the deploy failed because the migration locked a table", author_name="ben", author_id=BEN),
    message(2, "lunch is at noon"),
    message(3, "the deploy of the kiln firmware: https://kiln.example/firmware", channel_id=OPS, channel_name="ops"),
    message(4, "staff only: the deploy key is under the mat", channel_id=STAFF, channel_name="staff"),
    message(5, "deploy again", kind=Kind.ANSWER),
    message(6, "the deploy that somebody took back"),
    message(7, "we deploy on mondays"),
    *(message(1000 + number, f"tick {number}", channel_id=CROWD) for number in range(MOST_FOUND + 5)),
    message(3000, "the deploy of another server", channel_id=ABROAD, guild_id=OTHER_GUILD),
]
CURRENT = [
    message(7, "we deploy on mondays"),
    deletion(6, at=8),
    edit(2, "lunch is at one", at=9),
    message(
        10, "a photo of the deploy", attachments=(PICTURE,), author_name="ben", author_id=BEN, sent_at=minute(3 * DAY)
    ),
]


@pytest.fixture(scope="module")
def databases(server: Server, embedder: Embedder) -> tuple[str, str]:
    return create_databases(server, embedder, short=CURRENT, long=SAVED)


@pytest.fixture
async def search(server: Server, embedder: Embedder, databases: tuple[str, str]) -> AsyncIterator[MessageSearch]:
    async with open_memory(server, embedder, databases) as memory:
        yield MessageSearch(memory)


@pytest.fixture
async def unreachable(search: MessageSearch) -> AsyncIterator[Memory]:
    """Both memories, the current one on a server that does not run."""
    assert isinstance(search.memory, Memory)
    url = parse_dsn(f"postgresql://nobody@127.0.0.1:{closed_port()}/none", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=2)) as engine:
        lost = replace(search.memory.short_term, reading=sessions_of(engine))
        yield replace(search.memory, short_term=lost)


async def test_messages_with_the_words_come_once_and_best_first_with_their_share(search: MessageSearch) -> None:
    found = await search.find(viewer(GENERAL, OPS), Wanted(text="failed deploy"))

    assert found.title.startswith("Search for failed deploy: ")
    assert words_of(found)[0] == "100% 1"
    assert sorted(ids_of(found)) == [1, 3, 7, 10]
    shares = [int(words.partition("%")[0]) for words in words_of(found)]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("asking", "wanted", "expected"),
    [
        pytest.param(viewer(), Wanted(text="deploy"), [], id="no places"),
        pytest.param(viewer(GENERAL), Wanted(text="deploy"), [1, 7, 10], id="one channel"),
        pytest.param(viewer(STAFF), Wanted(text="deploy key"), [4], id="another channel"),
        pytest.param(
            viewer(GENERAL, ABROAD, guild=GUILD), Wanted(text="deploy"), [1, 7, 10], id="not another server's"
        ),
        pytest.param(OWNER, Wanted(text="deploy", authors=Authors(frozenset({BEN}))), [1, 10], id="an author"),
        pytest.param(OWNER, Wanted(text="deploy", conversations=frozenset({OPS})), [3], id="a channel"),
        pytest.param(viewer(GENERAL), Wanted(conversations=frozenset({STAFF})), [], id="a channel one may not read"),
        pytest.param(OWNER, Wanted(text="deploy", holding=frozenset({Holding.LINK})), [3], id="with a link"),
        pytest.param(OWNER, Wanted(holding=frozenset({Holding.PICTURE})), [10], id="with a picture, without words"),
        pytest.param(OWNER, Wanted(text="deploy", when="6 November 2026"), [10], id="a day"),
        pytest.param(OWNER, Wanted(when="3 November 2026"), [7, 4, 3, 2, 1], id="all of a day, the newest first"),
        pytest.param(OWNER, Wanted(text="zebra crossing"), [], id="what nobody said"),
    ],
)
async def test_a_search_finds(search: MessageSearch, asking: Viewer, wanted: Wanted, expected: list[int]) -> None:
    found = ids_of(await search.find(asking, wanted))

    assert (found if not wanted.text else sorted(found)) == expected


async def test_the_newest_can_come_first(search: MessageSearch) -> None:
    found = await search.find(viewer(GENERAL, OPS), Wanted(text="deploy", order=Order.NEWEST))

    assert ids_of(found) == [10, 7, 3, 1]


async def test_what_was_edited_in_the_other_memory_is_shown_as_it_is_now(search: MessageSearch) -> None:
    found = await search.find(viewer(GENERAL), Wanted(text="lunch"))

    [shown] = [one for one in found.messages if one.message_id == 2]
    assert shown.content == "lunch is at one"


async def test_of_more_than_the_list_holds_it_says_so(search: MessageSearch) -> None:
    listed = await search.find(viewer(CROWD), Wanted(when="2026"))
    searched = await search.find(viewer(CROWD), Wanted(text="tick"))

    assert listed.title == "Search: more than 200 messages, the newest 200 of them"
    assert searched.title == "Search for tick: more than 200 messages, the best 200 of them"
    assert ids_of(listed) == [1000 + number for number in range(MOST_FOUND + 4, 4, -1)]


async def test_the_time_that_was_understood_is_said(search: MessageSearch) -> None:
    found = await search.find(OWNER, Wanted(text="deploy", when="last Friday"))

    assert found.notes == ("searched Fri 6 Nov 00:00 - 24:00 UTC",)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param("deploy from:ben", [1, 10], id="a person"),
        pytest.param('deploy in:#ops has:link when:"this month"', [3], id="a channel, a link and a time"),
        pytest.param("has:picture", [10], id="a filter alone"),
    ],
)
async def test_typed_words_are_searched(search: MessageSearch, typed: str, expected: list[int]) -> None:
    assert sorted(ids_of(await search.find_typed(OWNER, typed))) == expected


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        pytest.param("", ASK_FOR_SOMETHING, id="nothing"),
        pytest.param("tea from:nobody", "I know nobody called nobody: check how the name is written.", id="a person"),
        pytest.param(
            "tea in:#nowhere", "I know no channel called #nowhere: check how the name is written.", id="where"
        ),
        pytest.param("tea when:blue", "I do not read a time in “blue”: write for example last week", id="no time"),
        pytest.param("tea when:tomorrow", "“tomorrow” is still to come: name a time that has begun.", id="the future"),
    ],
)
async def test_what_is_not_understood_is_refused(search: MessageSearch, typed: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence.replace("?", r"\?")):
        await search.find_typed(OWNER, typed)


async def test_names_of_channels_that_one_may_not_read_are_unknown(search: MessageSearch) -> None:
    with pytest.raises(ValueError, match="I know no channel called staff"):
        await search.find_typed(viewer(GENERAL), "deploy in:staff")


async def test_an_empty_overview_says_so(search: MessageSearch) -> None:
    found: Overview = await search.find(viewer(), Wanted(text="deploy"))

    assert found.is_empty
    assert found.title == "Search for deploy: 0 messages"


async def test_a_memory_that_does_not_answer_is_named(search: MessageSearch, unreachable: Memory) -> None:
    found = await MessageSearch(unreachable).find(OWNER, Wanted(text="deploy"))

    assert found.notes[0].startswith("short-term memory did not answer")
    assert sorted(ids_of(found)) == [1, 3, 4, 6, 7]


async def test_words_of_long_results_are_compared_beside_the_event_loop(
    search: MessageSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, threading.Thread] = {}

    def noting(name: str, compare: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            threads[name] = threading.current_thread()
            return compare(*arguments)

        return noted

    monkeypatch.setattr(memory.search.memory, "weighed", noting("weighed", weighed))
    monkeypatch.setattr(memory.search.memory, "corrections", noting("corrections", corrections))
    monkeypatch.setattr(overviews.search, "matches_of", noting("matches", matches_of))

    await search.find(OWNER, Wanted(text="deploy"))

    assert threads.keys() == {"weighed", "corrections", "matches"}
    assert threading.main_thread() not in threads.values()
