"""Both memories tell of the discussions in the places that may be read."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message
from memory.question.speakers import authors_called
from memory.search.memory import Memory
from tests.builders import deletion, message, minute, remember
from time_expressions.window import Window

HERE = frozenset({1})
JUST = timedelta(microseconds=1)


def at(*minutes: float, first: int = 1, **changes: Any) -> list[Message]:
    """Return messages that are sent in these minutes."""
    return [message(first + i, sent_at=minute(when), **changes) for i, when in enumerate(minutes)]


def talk(first: float, last: float) -> Window:
    """Return the window of a discussion whose first and last message were sent in these minutes."""
    return Window(minute(first), minute(last) + JUST)


RUNS: list[tuple[list[float], list[Window]]] = [
    ([5], [talk(5, 5)]),
    ([0, 30, 60], [talk(0, 60)]),
    ([0, 30.001, 60], [talk(0, 0), talk(30.001, 60)]),
    ([0, 0, 100, 100], [talk(0, 0), talk(100, 100)]),
    ([200, 0, 210, 10], [talk(0, 10), talk(200, 210)]),
]
"""Minutes in which something was said in a channel, and the discussions that these are."""


async def test_a_discussion_is_a_run_of_messages_without_a_silence_longer_than_half_an_hour(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    for channel, (minutes, _) in enumerate(RUNS):
        await remember(long_term, embedder, at(*minutes, first=100 * channel, channel_id=channel))

    held = [await memory.discussions(places=frozenset({channel})) for channel in range(len(RUNS))]

    assert held == [expected for _, expected in RUNS]
    assert await memory.discussions(places=frozenset({len(RUNS)})) == []


async def test_discussions_go_on_from_one_memory_into_the_other(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, at(0, 10, 300))
    await remember(short_term, embedder, [*at(10, first=2), *at(35, 320, first=5)])

    assert await memory.discussions(places=HERE) == [talk(0, 35), talk(300, 320)]


async def test_only_what_people_said_and_left_standing_is_part_of_a_discussion(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    asked, answered = (
        message(2, sent_at=minute(20), kind=Kind.COMMAND),
        message(3, sent_at=minute(21), kind=Kind.ANSWER),
    )
    gone = deletion(4, at=50, sent_at=minute(40))
    await remember(long_term, embedder, [*at(0), asked, answered, gone, *at(60, first=5)])

    assert await memory.discussions(places=HERE) == [talk(0, 0), talk(60, 60)]


async def test_each_channel_and_thread_has_discussions_of_its_own(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(
        long_term,
        embedder,
        [*at(0, 20), *at(10, first=5, thread_id=7), *at(25, first=8, channel_id=2), *at(40, first=9)],
    )

    assert await memory.discussions(places=HERE) == [talk(0, 40)]
    assert await memory.discussions(places=frozenset({1, 7})) == [talk(0, 40), talk(10, 10)]
    assert await memory.discussions(places=frozenset()) == []


async def test_the_window_of_a_discussion_finds_its_last_message(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    last = datetime.fromisoformat("2026-11-03T12:00:00.999999+00:00")
    await remember(long_term, embedder, [message(1, sent_at=minute(170)), message(2, "bye", sent_at=last)])

    discussions = await memory.discussions(places=HERE)
    found = await memory.list_messages(places=HERE, windows=discussions)

    assert [line.message.message_id for excerpt in found.excerpts for line in excerpt.lines] == [1, 2]


@pytest.mark.parametrize("spelling", ["CLE\u0130 Smith", "cle\u0131 smith", "Clei"])
async def test_messages_are_listed_by_their_authors_however_these_are_typed(
    memory: Memory, short_term: Database, embedder: Embedder, spelling: str
) -> None:
    await remember(short_term, embedder, [message(5), message(6, author_name="Cleï Smith")])

    known = await memory.known_names(places=HERE)
    found = await memory.list_messages(places=HERE, authors=authors_called([spelling], known))
    assert [line.message.message_id for excerpt in found.excerpts for line in excerpt.lines] == [6]
