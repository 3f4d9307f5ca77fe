"""However many reactions come, each message is counted once in a pause, and what waits is bounded."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from bot.reactions import ReactedTo, ReactionCounts

SHORT = timedelta(milliseconds=10)


@asynccontextmanager
async def closing(counts: ReactionCounts) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await counts.close()


def reacted(number: int) -> ReactedTo:
    return ReactedTo(message_id=number, channel_id=1, guild_id=2)


class Counter:
    """Notes what it is asked to count."""

    def __init__(self, *, expected: int, asks_discord: bool = False) -> None:
        self.counted: list[int] = []
        self.counted_one = asyncio.Event()
        self.done = asyncio.Event()
        self._expected = expected
        self._asks_discord = asks_discord

    async def count(self, reacted_to: ReactedTo) -> bool:
        self.counted.append(reacted_to.message_id)
        self.counted_one.set()
        if len(self.counted) == self._expected:
            self.done.set()
        if reacted_to.message_id == 13:
            raise OSError("gone")
        return self._asks_discord


async def test_many_reactions_are_counted_once_for_each_message() -> None:
    counter = Counter(expected=2)
    counts = ReactionCounts(counter.count, pause=SHORT)
    async with asyncio.timeout(10), closing(counts):
        for _ in range(500):
            counts.note(reacted(1))
            counts.note(reacted(2))
        await counter.done.wait()
        await asyncio.sleep(5 * SHORT.total_seconds())

    assert counter.counted == [1, 2]


async def test_a_reaction_after_the_count_is_counted_again() -> None:
    counter = Counter(expected=2)
    counts = ReactionCounts(counter.count, pause=SHORT)
    async with asyncio.timeout(10), closing(counts):
        counts.note(reacted(1))
        await counter.counted_one.wait()
        counts.note(reacted(1))
        await counter.done.wait()

    assert counter.counted == [1, 1]


async def test_a_message_that_cannot_be_counted_costs_no_other() -> None:
    counter = Counter(expected=2)
    counts = ReactionCounts(counter.count, pause=SHORT)
    async with asyncio.timeout(10), closing(counts):
        counts.note(reacted(13))
        counts.note(reacted(1))
        await counter.done.wait()

    assert counter.counted == [13, 1]


async def test_discord_is_asked_for_a_few_messages_a_second_at_most() -> None:
    counter = Counter(expected=4, asks_discord=True)
    counts = ReactionCounts(counter.count, pause=SHORT)
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(10), closing(counts):
        for number in range(4):
            counts.note(reacted(number))
        await counter.done.wait()

    assert asyncio.get_running_loop().time() - started >= 0.9


async def test_beyond_what_may_wait_nothing_is_taken() -> None:
    counter = Counter(expected=2)
    counts = ReactionCounts(counter.count, pause=SHORT, capacity=2)
    async with asyncio.timeout(10), closing(counts):
        for number in range(5):
            counts.note(reacted(number))
        await counter.done.wait()
        await asyncio.sleep(5 * SHORT.total_seconds())

    assert counter.counted == [0, 1]


async def test_what_waits_when_the_bot_ends_is_left_uncounted() -> None:
    counter = Counter(expected=1)
    counts = ReactionCounts(counter.count, pause=timedelta(hours=1))

    counts.note(reacted(1))
    await asyncio.wait_for(counts.close(), 10)
    counts.note(reacted(2))
    await asyncio.sleep(SHORT.total_seconds())

    assert counter.counted == []
