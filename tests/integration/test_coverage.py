"""The ledger says of each place what a journal holds, and no more than that."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from memory.capture.journal import Journal
from memory.coverage.intervals import EVERYTHING, Interval, first_id_at
from memory.coverage.ledger import Ledger, Stretch
from memory.coverage.writer import CoverageWriter
from memory.embedding.embedder import Embedder
from memory.message import Message
from ops.promotion.promote import PromotionResources, promote
from ops.promotion.sources.detect import open_source
from ops.promotion.undo import undo
from tests.builders import START, message, minute
from tests.promotions import PATIENCE, UTC_ZONE, means_of
from util_async import no_progress

GUILD, DEV, OPS, OTHER = 900, 1, 2, 3


def stretch(oldest_id: int, newest_id: int, *, at: datetime = START, place_id: int = DEV, **changes: object) -> Stretch:
    values: dict[str, object] = {"guild_id": GUILD, "widened_at": at, "journal_end": 100, **changes}
    return Stretch(place_id=place_id, interval=Interval(oldest_id, newest_id), read_at=at, **values)  # type: ignore[arg-type]


def spans(found: Mapping[int, list[Stretch]], place_id: int = DEV) -> list[tuple[int, int]]:
    return [(one.interval.oldest_id, one.interval.newest_id) for one in found.get(place_id, ())]


@pytest.fixture
def ledger(long_term: Database) -> Ledger:
    return Ledger(long_term.sessions, session="demo")


# ---- pages


async def test_pages_that_touch_become_one_stretch_and_others_leave_a_gap(ledger: Ledger) -> None:
    await ledger.add([stretch(61, 100)])
    await ledger.add([stretch(31, 60, at=minute(1)), stretch(1, 20, at=minute(1))])

    assert spans(await ledger.of_places([DEV])) == [(1, 20), (31, 100)]
    assert await ledger.gaps(DEV, Interval(0, 120)) == [Interval(0, 0), Interval(21, 30), Interval(101, 120)]
    assert await ledger.covered(DEV, Interval(40, 90))
    assert not await ledger.covered(DEV, Interval(15, 40))


async def test_where_the_beginning_of_a_place_was_reached_nothing_is_missing_before_it(ledger: Ledger) -> None:
    await ledger.add([stretch(50, 100, reaches_start=True)])
    await ledger.add([stretch(40, 120, at=minute(200))])

    (found,) = (await ledger.of_places([DEV]))[DEV]

    assert (found.interval, found.reaches_start) == (Interval(40, 120), True)
    assert await ledger.gaps(DEV, Interval(0, 130)) == [Interval(121, 130)]


async def test_reading_again_replaces_when_a_stretch_was_read_and_leaves_the_rest(ledger: Ledger) -> None:
    later = minute(500)
    await ledger.add([stretch(1, 100)])
    await ledger.add([stretch(40, 60, at=later, journal_end=300)])

    found = (await ledger.of_places([DEV]))[DEV]

    assert [(tuple(one.interval), one.read_at, one.journal_end) for one in found] == [
        ((1, 39), START, 100),
        ((40, 60), later, 300),
        ((61, 100), START, 100),
    ]


async def test_a_joined_stretch_is_as_fresh_as_its_oldest_page_and_was_widened_with_its_newest(ledger: Ledger) -> None:
    await ledger.add([stretch(51, 100)])
    await ledger.add([stretch(1, 50, at=minute(30), journal_end=250)])

    (found,) = (await ledger.of_places([DEV]))[DEV]

    assert (found.read_at, found.widened_at, found.journal_end) == (START, minute(30), 250)


async def test_a_guild_has_the_stretches_of_its_places_alone(ledger: Ledger) -> None:
    await ledger.add(
        [stretch(1, 9), stretch(5, 7, place_id=OPS), stretch(1, 9, place_id=OTHER, guild_id=901), stretch(8, 3)]
    )

    found = await ledger.of_guild(GUILD)

    assert {place_id: spans(found, place_id) for place_id in found} == {DEV: [(1, 9)], OPS: [(5, 7)]}


async def test_twenty_thousand_threads_are_written_and_read_in_bulk(ledger: Ledger) -> None:
    await ledger.add(stretch(1, 9, place_id=number) for number in range(1, 20_001))
    await ledger.add(stretch(10, 19, place_id=number) for number in range(1, 20_001, 2))

    found = await ledger.of_guild(GUILD)

    assert len(found) == 20_000
    assert (spans(found, 1), spans(found, 2)) == ([(1, 19)], [(1, 9)])


# ---- what counts


async def test_stretches_of_a_session_that_is_neither_current_nor_promoted_do_not_count(
    ledger: Ledger, long_term: Database
) -> None:
    await ledger.add([stretch(1, 100)])

    other = Ledger(long_term.sessions, session="other")

    assert await other.of_guild(GUILD) == {}
    assert await other.gaps(DEV) == [EVERYTHING]
    await other.add([stretch(1, 5)])
    assert spans(await ledger.of_places([DEV])) == [(1, 100)], "of another session nothing is replaced"


class Promotions:
    """Promotes the sessions that a test has, one minute after another, and undoes batches."""

    def __init__(self, means: PromotionResources, folder: Path) -> None:
        self._means = means
        self._folder = folder
        self.now = minute(1000)

    def journal(self, session: str, *messages: Message) -> Path:
        """Return the folder of a session whose CSV has these messages, behind those it had."""
        folder = self._folder / session
        folder.mkdir(exist_ok=True)
        journal = Journal(folder / f"{session}.csv")
        journal.open()
        journal.record(messages)
        journal.close()
        return folder

    async def promote(self, path: Path) -> int:
        """Promote a folder or file; return the number of the batch."""
        self.now += timedelta(minutes=1)
        source = open_source(path, mapping={}, time_zone=UTC_ZONE, me=None)
        promoted = await promote(source, self._means, time_zone=UTC_ZONE, clock=lambda: self.now, report=no_progress)
        assert promoted.promotion_id is not None
        return promoted.promotion_id

    async def undo(self, batch: int) -> None:
        self.now += timedelta(minutes=1)
        await undo(self._means.long_term, batch, embedder=self._means.embedder, now=self.now, timeout=PATIENCE)


@pytest.fixture
def promotions(long_term: Database, short_term: Database, embedder: Embedder, tmp_path: Path) -> Promotions:
    return Promotions(means_of(long_term, short_term, embedder, tmp_path), tmp_path)


@pytest.fixture
def later(long_term: Database) -> Ledger:
    """The ledger as a session that came afterwards reads it."""
    return Ledger(long_term.sessions, session="later")


async def test_a_promoted_session_counts_until_its_batch_is_undone_and_again_once_it_is_promoted_anew(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    await ledger.add([stretch(1, 100)])
    folder = promotions.journal("demo", message(5))

    batch = await promotions.promote(folder)
    assert spans(await later.of_guild(GUILD)) == [(1, 100)]

    await promotions.undo(batch)
    assert await later.of_guild(GUILD) == {}

    await promotions.promote(folder)
    assert spans(await later.of_guild(GUILD)) == [(1, 100)]


async def test_the_csv_alone_may_be_promoted(ledger: Ledger, later: Ledger, promotions: Promotions) -> None:
    await ledger.add([stretch(1, 100)])

    await promotions.promote(promotions.journal("demo", message(5)) / "demo.csv")

    assert spans(await later.of_places([DEV])) == [(1, 100)]


async def test_another_session_that_was_promoted_says_nothing_of_this_one(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    await ledger.add([stretch(1, 100)])

    await promotions.promote(promotions.journal("demo_2", message(5)))

    assert await later.of_guild(GUILD) == {}


async def test_what_was_read_after_the_promotion_waits_for_the_next_one(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    folder = promotions.journal("demo", message(5))
    await promotions.promote(folder)
    await ledger.add([stretch(1, 100, at=promotions.now + timedelta(seconds=1))])
    assert await later.of_guild(GUILD) == {}

    promotions.journal("demo", message(6))
    await promotions.promote(folder)

    assert spans(await later.of_guild(GUILD)) == [(1, 100)]


async def test_undoing_the_first_of_two_batches_of_a_session_leaves_nothing_that_counts(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    await ledger.add([stretch(1, 100)])
    first = await promotions.promote(promotions.journal("demo", message(5)))
    second = await promotions.promote(promotions.journal("demo", message(6)))

    await promotions.undo(first)

    assert await later.of_guild(GUILD) == {}, "the second batch has brought message 6 alone"
    await promotions.undo(second)
    assert await later.of_guild(GUILD) == {}


async def test_undoing_the_last_of_two_batches_leaves_what_the_first_has_brought(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    await ledger.add([stretch(1, 100)])
    await promotions.promote(promotions.journal("demo", message(5)))
    second = await promotions.promote(promotions.journal("demo", message(6)))

    await promotions.undo(second)

    assert spans(await later.of_guild(GUILD)) == [(1, 100)]


async def test_a_batch_that_found_the_messages_of_another_source_does_not_count_once_that_is_undone(
    ledger: Ledger, later: Ledger, promotions: Promotions
) -> None:
    await ledger.add([stretch(1, 100)])
    copy = await promotions.promote(promotions.journal("copy", message(5)))
    await promotions.promote(promotions.journal("demo", message(5), message(6)))

    await promotions.undo(copy)

    assert await later.of_guild(GUILD) == {}, "message 5 is gone with the copy"


async def test_a_batch_that_was_stopped_half_way_does_not_count(
    ledger: Ledger, later: Ledger, promotions: Promotions, long_term: Database
) -> None:
    await ledger.add([stretch(1, 100)])
    async with transaction(long_term.sessions) as session:
        await session.execute(
            text(
                "INSERT INTO promotions (promotion_id, source, digest, started_at)"
                " VALUES (1, 'session demo', 'x', :started_at)"
            ),
            {"started_at": promotions.now},
        )

    await promotions.promote(promotions.journal("other", message(7)))  # which ends the one before it

    assert await later.of_guild(GUILD) == {}


# ---- no more than the journal holds


async def test_stretches_that_the_csv_is_too_short_for_are_forgotten_at_the_start(ledger: Ledger) -> None:
    await ledger.add([stretch(1, 9, journal_end=100), stretch(1, 9, journal_end=101, place_id=OPS)])

    assert await ledger.begin(journal_end=100) == 1

    assert set(await ledger.of_guild(GUILD)) == {DEV}


class Disk:
    """A journal whose disk takes what it is given, or does not."""

    def __init__(self) -> None:
        self.progress = (0, 500)
        self.takes = True
        self.pushes = 0

    async def push(self) -> bool:
        self.pushes += 1
        return self.takes


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def writer(ledger: Ledger, disk: Disk) -> CoverageWriter:
    return CoverageWriter(ledger, disk, clock=lambda: START)


async def test_nothing_is_claimed_that_the_disk_has_not_taken(
    writer: CoverageWriter, ledger: Ledger, disk: Disk
) -> None:
    disk.takes = False
    writer.add(DEV, GUILD, Interval(10, 20))
    writer.listen({OPS: GUILD}, from_id=5)
    writer.heard(OPS, 8)

    assert not await writer.flush()
    assert await ledger.of_guild(GUILD) == {}

    disk.takes = True
    writer.add(DEV, GUILD, Interval(1, 9), reaches_start=True)
    assert await writer.flush()

    found = await ledger.of_guild(GUILD)
    assert (spans(found), spans(found, OPS)) == ([(1, 20)], [(5, 8)])
    assert {one.journal_end for place in found.values() for one in place} == {500}


async def test_many_messages_cost_one_flush_and_silence_none(
    writer: CoverageWriter, ledger: Ledger, disk: Disk
) -> None:
    writer.listen({DEV: GUILD, OPS: GUILD}, from_id=10)
    for number in range(10, 60):
        writer.heard(DEV, number)
    writer.heard(OTHER, 99)

    assert await writer.flush(silent_too=False)
    assert await writer.flush(silent_too=False)

    assert disk.pushes == 1
    assert {place: spans(found) for place, found in [(DEV, await ledger.of_guild(GUILD))]} == {DEV: [(10, 59)]}


async def test_silence_is_heard_too_until_nobody_listens_any_more(writer: CoverageWriter, ledger: Ledger) -> None:
    begun, moment = first_id_at(START), START + timedelta(minutes=5)
    writer.listen({DEV: GUILD}, from_id=begun)
    writer.heard_up_to(moment)
    writer.stop_listening([DEV])
    writer.heard_up_to(moment + timedelta(minutes=5))
    writer.listen({DEV: GUILD}, from_id=first_id_at(moment + timedelta(minutes=9)))
    writer.heard(DEV, first_id_at(moment + timedelta(minutes=10)))

    assert await writer.flush()

    assert spans(await ledger.of_places([DEV])) == [
        (begun, first_id_at(moment) - 1),
        (first_id_at(moment + timedelta(minutes=9)), first_id_at(moment + timedelta(minutes=10))),
    ]


async def test_what_cannot_be_written_while_the_database_is_away_is_written_later(
    writer: CoverageWriter, ledger: Ledger, long_term: Database
) -> None:
    writer.add(DEV, GUILD, Interval(1, 9))
    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE coverage RENAME TO away"))
    assert not await writer.flush()

    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE away RENAME TO coverage"))
    assert await writer.flush()

    assert spans(await ledger.of_places([DEV])) == [(1, 9)]
