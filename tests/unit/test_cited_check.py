"""What an answer is about to quote is checked with Discord, where memory may have missed what became of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.history.cited_check import MOST_ASKED, Checked, CitedCheck
from bot.history.freshness import Freshness
from bot.history.source import ReadablePlace
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at
from memory.message import Kind, Message
from tests.fakes_discord import NOW, FakeRecorder
from tests.fakes_missed import CREATED, GUILD_ID, FakeHistory, RecordedMemory, ago, new_verifier, sent

CHANGED, GONE, SAME = (sent(ago(days=days), f"word {days}") for days in (30, 31, 32))


@dataclass
class SlowHistory(FakeHistory):
    """Answers about single messages when it is let."""

    fail: Exception | None = None
    wait: Callable[[int], Awaitable[None]] | None = None
    running: int = 0
    most_running: int = 0
    asked: list[int] = field(default_factory=list)

    async def look_up(self, place: ReadablePlace, message_id: int) -> Message | None:
        self.asked.append(message_id)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(0)
            if self.wait is not None:
                await self.wait(message_id)
            if self.fail is not None:
                raise self.fail
            return self.messages.get(message_id)
        finally:
            self.running -= 1


@pytest.fixture
def history() -> SlowHistory:
    history = SlowHistory()
    history.send(CHANGED, SAME)
    history.edit(CHANGED.message_id, "changed", at=ago(days=1))
    return history


@pytest.fixture
def recorder() -> FakeRecorder:
    recorder = FakeRecorder()
    recorder.messages += [CHANGED, GONE, SAME]
    return recorder


@pytest.fixture
def freshness() -> Freshness:
    freshness = Freshness()
    freshness.began(GUILD_ID, from_id=first_id_at(NOW))
    return freshness


@pytest.fixture
def check(history: SlowHistory, recorder: FakeRecorder, freshness: Freshness) -> CitedCheck:
    return CitedCheck(
        history,
        verifier=new_verifier(history, recorder),
        freshness=freshness,
        clock=history.clock,
        limit=timedelta(seconds=0.5),
    )


async def test_it_says_which_messages_changed_or_went_and_records_it(check: CitedCheck, recorder: FakeRecorder) -> None:
    changed = await check.verify([CHANGED, GONE, SAME])

    assert changed == {CHANGED.message_id, GONE.message_id}
    known = RecordedMemory(recorder).current()
    assert known[CHANGED.message_id].content == "changed"
    assert known[GONE.message_id].deleted_at == NOW
    assert known[SAME.message_id] == SAME


async def test_a_message_is_asked_about_once_until_the_next_break(
    check: CitedCheck, history: SlowHistory, freshness: Freshness
) -> None:
    await check.check([SAME])
    await check.check([SAME])
    assert history.asked == [SAME.message_id]

    freshness.began(GUILD_ID, from_id=first_id_at(NOW))

    assert check.needs_check(SAME)


async def test_what_was_heard_or_read_since_the_bot_listens_is_not_asked_about(
    check: CitedCheck, history: SlowHistory, freshness: Freshness
) -> None:
    freshness.note_read(GUILD_ID, CREATED, Interval(GONE.message_id, GONE.message_id))

    assert await check.check([GONE, sent(NOW + timedelta(minutes=1))]) == Checked()
    assert history.asked == []


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(replace(SAME, kind=Kind.COMMAND), id="a command, which has the id of an interaction"),
        pytest.param(replace(SAME, kind=Kind.ANSWER), id="an answer"),
        pytest.param(replace(SAME, guild_id=None), id="a message of the terminal"),
    ],
)
async def test_what_discord_does_not_know_as_a_message_is_not_asked_about(check: CitedCheck, message: Message) -> None:
    assert not check.needs_check(message)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(DiscordUnavailableError("503"), id="Discord is away"),
        pytest.param(RefusedPlaceError("404 with code 10003"), id="the channel is gone or closed"),
    ],
)
async def test_an_error_leaves_a_message_unchecked_and_deletes_nothing(
    check: CitedCheck, history: SlowHistory, recorder: FakeRecorder, error: Exception
) -> None:
    history.fail = error

    found = await check.check([GONE, SAME])

    assert found == Checked(unchecked=frozenset({GONE.message_id, SAME.message_id}))
    assert len(recorder.messages) == 3
    assert check.needs_check(GONE)


async def test_a_slow_discord_costs_an_answer_no_more_than_the_limit(check: CitedCheck, history: SlowHistory) -> None:
    async def wait(message_id: int) -> None:
        if message_id == SAME.message_id:
            await asyncio.Event().wait()

    history.wait = wait

    found = await check.check([SAME, GONE])

    assert found == Checked(changed=frozenset({GONE.message_id}), unchecked=frozenset({SAME.message_id}))
    assert history.running == 0


async def test_ten_messages_at_most_are_asked_about_five_at_a_time(check: CitedCheck, history: SlowHistory) -> None:
    many = [sent(ago(days=40, minutes=number)) for number in range(25)]
    history.send(*many)

    found = await check.check(many)

    assert (len(history.asked), history.most_running) == (MOST_ASKED, 5)
    assert len(found.unchecked) == 15


async def test_a_journal_that_takes_nothing_still_says_what_went(check: CitedCheck, recorder: FakeRecorder) -> None:
    recorder.refuses = {Kind.MESSAGE}

    assert await check.verify([GONE]) == {GONE.message_id}
    assert check.needs_check(GONE)
