"""Older history is verified by night, what was verified longest ago first, over as many nights as it takes."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.history.freshness import Freshness
from bot.history.source import ReadablePlace
from bot.history.sweep import Sweep, next_start
from bot.history.verification import Verified
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at
from memory.message import Message
from tests.fakes_discord import NOW, FakeRecorder
from tests.fakes_missed import CREATED, GUILD_ID, FakeHistory, FakeLedger, RecordedMemory, ago, new_verifier, sent

OTHER = CREATED + 1000
AT_NO_COST = timedelta(0)


class Night:
    """A bot that has known messages for long, and whose clock goes on by a second with each request."""

    def __init__(self) -> None:
        self.now = NOW
        self.history = FakeHistory(clock=lambda: self.now, before_answer=self._tick)
        self.recorder = FakeRecorder()
        self.ledger = FakeLedger()
        self.freshness = Freshness()
        self.freshness.began(GUILD_ID, from_id=first_id_at(NOW))
        self.busy: list[bool] = []
        self.looked_up: list[int] = []
        self.gone: set[int] = set()

    def _tick(self) -> None:
        self.now += timedelta(seconds=1)

    async def knows(self, *messages: Message, read_at: datetime = NOW - timedelta(days=3)) -> None:
        self.history.send(*messages)
        for message in messages:
            await self.recorder.record(message)
        place_id = messages[0].place_id
        ids = [message.message_id for message in messages]
        self.ledger.seen[place_id] = [Interval(min(ids), max(ids))]
        self.ledger.read_times[place_id] = read_at

    async def sweep(self, *places: int, length: timedelta = timedelta(hours=3)) -> Verified:
        async def open_places(_: int) -> list[ReadablePlace]:
            return [self.history.place(place_id) for place_id in places or (CREATED,)]

        async def find_place(_: int, place_id: int) -> ReadablePlace:
            self.looked_up.append(place_id)
            if place_id in self.gone:
                raise RefusedPlaceError("it is not there any more")
            return self.history.place(place_id)

        sweep = Sweep(
            reader=self.history,
            verifier=new_verifier(self.history, self.recorder),
            stretches=self.ledger,
            freshness=self.freshness,
            open_places=open_places,
            find_place=find_place,
            is_busy=lambda: bool(self.busy) and self.busy.pop(),
            clock=lambda: self.now,
            pause=AT_NO_COST,
            glance=AT_NO_COST,
        )
        return await sweep.run([GUILD_ID], until=self.now + length)


@pytest.fixture
def night() -> Night:
    return Night()


def days(*numbers: int, place_id: int = CREATED) -> Sequence[Message]:
    return [
        sent(ago(days=number, minutes=place_id - CREATED), f"day {number}", place_id=place_id) for number in numbers
    ]


async def test_edits_and_deletions_of_any_age_are_found(night: Night) -> None:
    messages = days(*range(40, 60))
    await night.knows(*messages)
    night.history.edit(messages[3].message_id, "changed", at=ago(days=1))
    night.history.delete(messages[17].message_id)

    counted = await night.sweep()

    known = RecordedMemory(night.recorder).current()
    assert counted == Verified(edited=1, deleted=1)
    assert known[messages[3].message_id].content == "changed"
    assert known[messages[17].message_id].deleted_at is not None


async def test_the_part_that_was_verified_longest_ago_comes_first(night: Night) -> None:
    await night.knows(*days(40, 41), read_at=ago(days=2))
    await night.knows(*days(40, 41, place_id=OTHER), read_at=ago(days=9))

    await night.sweep(CREATED, OTHER)

    assert [place_id for _, place_id, _ in night.history.requests] == [OTHER, CREATED]


async def test_another_night_goes_on_where_one_ended(night: Night) -> None:
    await night.knows(*days(*range(40, 60)))

    await night.sweep(length=timedelta(seconds=2))
    assert len(night.history.requests) == 2
    await night.sweep()

    bounds = [message_id for _, _, message_id in night.history.requests]
    assert bounds == sorted(bounds, reverse=True)
    assert len(bounds) == len(set(bounds))


async def test_what_was_verified_lately_or_is_heard_costs_no_request(night: Night) -> None:
    await night.knows(*days(40, 41), read_at=ago(hours=2))
    await night.knows(*days(40, 41, place_id=OTHER))
    night.freshness.note_read(GUILD_ID, OTHER, Interval(0, first_id_at(NOW)))

    await night.sweep(CREATED, OTHER)

    assert night.history.requests == []


async def test_it_waits_while_the_bot_is_busy(night: Night) -> None:
    await night.knows(*days(40, 41))
    night.busy = [False, True, True, True]

    await night.sweep()

    assert night.busy == []
    assert len(night.history.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(DiscordUnavailableError("502"), id="Discord is away"),
        pytest.param(RefusedPlaceError("403"), id="the channel is closed"),
    ],
)
async def test_a_place_that_cannot_be_read_costs_no_other(
    night: Night, error: DiscordUnavailableError | RefusedPlaceError
) -> None:
    await night.knows(*days(40, 41), read_at=ago(days=2))
    await night.knows(*days(40, 41, place_id=OTHER), read_at=ago(days=9))
    night.history.fails[OTHER] = [error]

    await night.sweep(CREATED, OTHER)

    assert [place_id for place_id, _ in night.ledger.verified] == [CREATED]
    assert len(night.recorder.messages) == 4


async def test_archived_threads_are_found_by_their_ids_and_those_that_are_gone_are_left(night: Night) -> None:
    await night.knows(*days(40, 41, place_id=OTHER))
    await night.knows(*days(40, 41, place_id=OTHER + 1000))
    night.history.edit(days(40, place_id=OTHER)[0].message_id, "changed", at=ago(days=1))
    night.gone = {OTHER + 1000}

    counted = await night.sweep()

    assert counted == Verified(edited=1)
    assert sorted(night.looked_up) == [OTHER, OTHER + 1000]


PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("now", "start"),
    [
        pytest.param(datetime(2026, 11, 3, 1, tzinfo=UTC), datetime(2026, 11, 3, 3, tzinfo=UTC), id="this night"),
        pytest.param(datetime(2026, 11, 3, 3, tzinfo=UTC), datetime(2026, 11, 4, 3, tzinfo=UTC), id="it begins now"),
        pytest.param(
            datetime(2026, 11, 3, 23, 30, tzinfo=UTC), datetime(2026, 11, 4, 3, tzinfo=UTC), id="after midnight"
        ),
        pytest.param(
            datetime(2027, 3, 27, 4, tzinfo=UTC), datetime(2027, 3, 28, 2, tzinfo=UTC), id="summer time begins"
        ),
    ],
)
def test_a_night_begins_on_the_clock_of_the_server(now: datetime, start: datetime) -> None:
    assert next_start(now, at=time(4), time_zone=PARIS) == start
