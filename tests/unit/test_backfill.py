"""The past is read newest first, in turns, whole, and never twice."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.history.backfill import Backfill, BackfillRequest
from bot.history.pages import PageReader
from bot.history.progress import Outcome, Progress, bar, describe, failures
from bot.history.source import PAGE, Archive, ArchivePage, Listing, PassedOver, Payload, ReadablePlace
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at, is_covered, time_of_id
from memory.coverage.writer import CoverageWriter
from memory.message import Message, Place
from tests.fakes_history import InMemoryJournal, InMemoryLedger

GUILD = 900
NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


class Past:
    """A server's past in memory: the messages of each place, and what is refused."""

    guild_id = GUILD

    def __init__(self) -> None:
        self.messages: dict[int, list[int]] = {}
        self.archive: list[ReadablePlace] = []
        self.refuses: dict[int, Exception] = {}
        self.fails: Counter[int] = Counter()
        self.requests: list[tuple[int, int]] = []
        self.total: int | None = None
        self.on_request: Callable[[], None] = lambda: None
        self.busy = 0
        self.most_busy = 0

    def say(self, place_id: int, count: int, *, age: timedelta, apart: timedelta = timedelta(minutes=1)) -> None:
        """Let so many messages be there, the newest of an age."""
        newest = NOW - age
        ids = [first_id_at(newest - number * apart) + place_id for number in range(count)]
        self.messages[place_id] = sorted({*self.messages.get(place_id, ()), *ids})

    def place(self, place_id: int, archived_at: datetime | None = None) -> ReadablePlace:
        ids = self.messages.get(place_id)
        place = Place(guild_id=GUILD, channel_id=place_id, channel_name=f"place-{place_id}")
        return ReadablePlace(place=place, last_message_id=ids[-1] if ids else None, archived_at=archived_at)

    async def listing(self, channel_id: int | None) -> Listing:
        archived = {place.place_id for place in self.archive}
        places = [self.place(one) for one in self.messages if one not in archived and channel_id in {None, one}]
        archives = [Archive(1, "#place-1", is_private=False)] if self.archive else []
        return Listing(places, archives, [PassedOver(77, "#staff", "no history")])

    async def archived(self, archive: Archive, before: str | None) -> ArchivePage:
        await self._answer(archive.channel_id, 0)
        start = int(before or 0)
        end = start + 2
        return ArchivePage(self.archive[start:end], str(end) if end < len(self.archive) else None)

    async def page(self, place: ReadablePlace, *, before: int) -> Sequence[Payload]:
        await self._answer(place.place_id, before)
        ids = [one for one in self.messages[place.place_id] if one < before]
        return [{"id": str(one)} for one in reversed(ids[-PAGE:])]

    async def _answer(self, place_id: int, before: int) -> None:
        self.requests.append((place_id, before))
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        await asyncio.sleep(0)
        self.busy -= 1
        self.on_request()
        if place_id in self.refuses:
            raise self.refuses[place_id]
        if self.fails[place_id] > 0:
            self.fails[place_id] -= 1
            raise DiscordUnavailableError("Discord answers with status 503")

    def message(self, payload: Payload, place: ReadablePlace, *, session: str) -> Message:
        number = int(payload["id"])
        return place.place.message(number, sent_at=time_of_id(number), session=session)

    async def about_how_many(self, channel_id: int | None, span: Interval) -> int | None:
        return self.total

    def read(self) -> set[int]:
        """Return the places that were asked for."""
        return {place_id for place_id, _ in self.requests}


class World:
    """A past, what reads it, and where that is kept."""

    def __init__(self) -> None:
        self.past = Past()
        self.ledger = InMemoryLedger()
        self.journal = InMemoryJournal()
        self.writer = CoverageWriter(self.ledger, self.journal, clock=lambda: NOW)

    def backfill(self, *, concurrency: int = 1, **request: object) -> Backfill:
        pages = PageReader(self.past, writer=self.writer, recorder=self.journal, session="demo")
        wanted = BackfillRequest(**request)  # type: ignore[arg-type]
        return Backfill(
            self.past, pages, ledger=self.ledger, clock=lambda: NOW, request=wanted, concurrency=concurrency
        )

    async def read(self, *, concurrency: int = 1, **request: object) -> Progress:
        progress = await self.backfill(concurrency=concurrency, **request).run()
        await self.writer.flush()
        return progress

    def covered(self, place_id: int) -> list[Interval]:
        return [one.covered for one in self.ledger.stretches.get(place_id, ())]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.history.backfill._FIRST_RETRY", 0.0)
    monkeypatch.setattr("bot.history.backfill._SLOWEST_RETRY", 0.0)
    monkeypatch.setattr("bot.history.pages._GLANCE", 0.0)


async def test_every_message_is_recorded_once_and_the_ledger_says_so(world: World) -> None:
    world.past.say(1, 250, age=DAY)
    world.past.say(2, 100, age=40 * DAY)
    world.past.say(3, 1, age=400 * DAY)

    progress = await world.read(concurrency=8)

    assert sorted(world.journal.ids) == sorted(one for ids in world.past.messages.values() for one in ids)
    assert all(is_covered(Interval(0, ids[-1]), world.covered(place)) for place, ids in world.past.messages.items())
    assert (progress.outcome, progress.messages, progress.places_done) == (Outcome.FINISHED, 351, 3)
    assert progress.passed_over == (PassedOver(77, "#staff", "no history"),)


async def test_a_page_is_recorded_oldest_first_and_pages_come_newest_first(world: World) -> None:
    world.past.say(1, 150, age=DAY)

    await world.read()

    ids = world.past.messages[1]
    assert world.journal.ids == [*ids[50:], *ids[:50]]


async def test_the_last_month_of_all_places_comes_before_anything_older(world: World) -> None:
    world.past.say(1, 1000, age=DAY, apart=timedelta(hours=8))
    world.past.say(2, 300, age=60 * DAY)
    world.past.say(3, 300, age=DAY)

    await world.read()

    month_ago = NOW - 30 * DAY
    is_recent = [time_of_id(before) >= month_ago for _, before in world.past.requests]
    assert is_recent == sorted(is_recent, reverse=True)
    assert is_recent.count(True) == 5  # one page of place 1, four requests for 300 messages of place 3


async def test_places_are_read_in_turns(world: World) -> None:
    for place_id in (1, 2, 3):
        world.past.say(place_id, 300, age=DAY)

    await world.read()

    assert [place_id for place_id, _ in world.past.requests[:9]] == [1, 2, 3] * 3


async def test_so_many_requests_are_under_way_at_once_and_no_more(world: World) -> None:
    for place_id in range(1, 20):
        world.past.say(place_id, 100, age=DAY)

    await world.read(concurrency=4)

    assert world.past.most_busy == 4


@pytest.mark.parametrize("stopped_after", [1, 3, 7])
async def test_what_was_stopped_goes_on_where_it_was(world: World, stopped_after: int) -> None:
    world.past.say(1, 520, age=DAY)
    world.past.say(2, 480, age=DAY)
    backfill = world.backfill()
    running = asyncio.create_task(backfill.run())

    def stop() -> None:
        if len(world.past.requests) == stopped_after:
            running.cancel()

    world.past.on_request = stop
    with pytest.raises(asyncio.CancelledError):
        await running
    await world.writer.flush()
    world.past.on_request = lambda: None
    assert backfill.progress.outcome is Outcome.STOPPED

    await world.read()

    assert sorted({*world.journal.ids}) == sorted([*world.past.messages[1], *world.past.messages[2]])
    assert len(world.past.requests) <= 12 + 1, "at most the page that was under way is read twice"


async def test_what_was_read_is_not_read_again_but_what_came_since_is(world: World) -> None:
    world.past.say(1, 250, age=10 * DAY)
    await world.read()
    world.past.requests.clear()

    progress = await world.read()
    assert (world.past.requests, progress.places_done) == ([], 1)

    world.past.say(1, 20, age=DAY)
    await world.read()
    assert len(world.past.requests) == 1


async def test_all_is_read_again_when_that_is_asked_for(world: World) -> None:
    world.past.say(1, 250, age=10 * DAY)
    await world.read()

    progress = await world.read(again=True)

    assert progress.messages == 250


async def test_only_the_wanted_time_of_the_wanted_channel_is_read(world: World) -> None:
    world.past.say(1, 1000, age=timedelta(0), apart=timedelta(hours=1))
    world.past.say(2, 100, age=DAY)
    since, until = NOW - 20 * DAY, NOW - 10 * DAY

    await world.read(channel_id=1, since=since, until=until)

    wanted = Interval(first_id_at(since), first_id_at(until) - 1)
    recorded = {one for one in world.journal.ids if wanted.oldest_id <= one <= wanted.newest_id}
    assert recorded == {one for one in world.past.messages[1] if wanted.oldest_id <= one <= wanted.newest_id}
    assert len(recorded) == 240
    assert world.past.read() == {1}
    assert is_covered(wanted, world.covered(1))
    assert not is_covered(Interval(wanted.oldest_id, wanted.newest_id + 1), world.covered(1))


async def test_archived_threads_are_listed_and_read_and_older_ones_than_wanted_are_not(world: World) -> None:
    world.past.say(1, 10, age=DAY)
    for number, days in enumerate((2, 20, 40, 60, 80, 100), 10):
        world.past.say(number, 10, age=days * DAY)
        world.past.archive.append(world.past.place(number, archived_at=NOW - days * DAY))

    await world.read(since=NOW - 50 * DAY)

    assert world.past.read() == {1, 10, 11, 12}
    assert sum(before == 0 for _, before in world.past.requests) == 2, "pages of the list"

    await world.read()
    assert world.past.read() == {1, *range(10, 16)}


async def test_an_empty_place_is_covered_up_to_a_moment_ago(world: World) -> None:
    world.past.messages[1] = []

    await world.read()

    assert is_covered(Interval(0, first_id_at(NOW - timedelta(minutes=2))), world.covered(1))
    assert not is_covered(Interval(0, first_id_at(NOW)), world.covered(1))


# ---- what goes wrong


async def test_a_place_that_is_refused_is_passed_over_with_its_reason(world: World) -> None:
    world.past.say(1, 300, age=DAY)
    world.past.say(2, 300, age=DAY)
    world.past.refuses[1] = RefusedPlaceError("Discord refuses it (403, Missing Access)")

    progress = await world.read()

    assert PassedOver(1, "#place-1", "Discord refuses it (403, Missing Access)") in progress.passed_over
    assert set(world.journal.ids) == set(world.past.messages[2])
    assert world.covered(1) == []


async def test_trouble_that_passes_is_waited_for(world: World) -> None:
    world.past.say(1, 300, age=DAY)
    world.past.fails[1] = 2

    progress = await world.read()

    assert progress.messages == 300
    assert len(progress.passed_over) == 1


async def test_a_place_with_trouble_that_stays_is_left_for_later_and_costs_the_others_nothing(world: World) -> None:
    world.past.say(1, 300, age=DAY)
    world.past.say(2, 300, age=DAY)
    world.past.fails[1] = 3

    progress = await world.read()

    assert PassedOver(1, "#place-1", "Discord answers with status 503", for_later=True) in progress.passed_over
    assert set(world.journal.ids) == set(world.past.messages[2])
    assert (await world.read()).messages == 300, "later"


async def test_a_message_that_cannot_be_understood_costs_its_own_place_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.past.say(1, 5, age=DAY)
    world.past.say(2, 5, age=DAY)
    world.past.refuses[1] = KeyError("id")

    progress = await world.read()

    assert set(world.journal.ids) == set(world.past.messages[2])
    assert "the log says why" in "\n".join(failures(progress.passed_over))
    assert "#place-1 cannot be read" in caplog.text


async def test_nothing_is_asked_for_while_memory_is_far_behind_the_journal(world: World) -> None:
    world.past.say(1, 300, age=DAY)
    world.journal.progress = (0, 1 << 30)
    backfill = world.backfill()
    running = asyncio.create_task(backfill.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert world.past.requests == []
    assert backfill.progress.waits_for_memory

    world.journal.progress = (1 << 30, 1 << 30)
    await running

    assert len(world.journal.ids) == 300


# ---- what is shown of it


@pytest.mark.parametrize(
    ("progress", "words", "drawn"),
    [
        pytest.param(
            Progress(places_done=3, places_total=12, messages=2000, messages_total=8000, per_second=100, recent_left=4),
            "2,000 of about 8,000 messages, 3 of 12 places, 100 messages/s, 60 s left, "
            "the last month of 4 places to come",
            "█████░░░░░░░░░░░░░░░ 25%",
            id="under way",
        ),
        pytest.param(
            Progress(places_done=6, places_total=12, messages=20, per_second=0.5, waits_for_memory=True),
            "20 messages, 6 of 12 places, waiting until it is stored",
            "██████████░░░░░░░░░░ 50%",
            id="without a total",
        ),
        pytest.param(Progress(), "0 messages, 0 of 0 places", "", id="just begun"),
        pytest.param(
            Progress(outcome=Outcome.FINISHED, places_done=12, places_total=12, messages=7990, messages_total=8000),
            "7,990 of about 8,000 messages, 12 of 12 places",
            "████████████████████ 100%",
            id="done",
        ),
    ],
)
def test_progress_in_words_is(progress: Progress, words: str, drawn: str) -> None:
    assert (describe(progress), bar(progress)) == (words, drawn)


def test_of_many_failures_the_first_are_named_and_the_rest_counted() -> None:
    lines = list(failures([PassedOver(number, f"#c{number}", "it is not there any more") for number in range(13)]))

    assert (len(lines), lines[0], lines[-1]) == (
        11,
        "#c0 is passed over: it is not there any more",
        "and 3 more places",
    )
