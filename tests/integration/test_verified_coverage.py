"""What was read again is known to be as Discord has it, whichever session read it first."""

from datetime import datetime

from sqlalchemy import text

from db.databases import Database
from db.engines import transaction
from memory.coverage.intervals import Interval
from memory.coverage.ledger import Ledger, Stretch
from tests.builders import START, minute

GUILD, DEV, OPS = 900, 1, 2
LATER = minute(600)


def stretch(oldest_id: int, newest_id: int, *, place_id: int = DEV, reaches_start: bool = False) -> Stretch:
    return Stretch(
        place_id=place_id,
        guild_id=GUILD,
        interval=Interval(oldest_id, newest_id),
        read_at=START,
        widened_at=START,
        journal_end=100,
        reaches_start=reaches_start,
    )


async def read_times(ledger: Ledger, place_id: int = DEV) -> list[tuple[int, int, datetime]]:
    found = (await ledger.of_places([place_id])).get(place_id, [])
    return sorted((*one.interval, one.read_at) for one in found)


async def promoted(database: Database, session: str) -> None:
    """Note that the CSV of a session is in long-term memory whole."""
    statement = text(
        "INSERT INTO promotions (promotion_id, source, digest, started_at, finished_at, sessions)"
        " VALUES (1, :session, 'x', :at, :at, ARRAY[:session])"
    )
    async with transaction(database.sessions) as session_:
        await session_.execute(statement, {"session": session, "at": minute(30)})


async def test_what_was_verified_is_as_fresh_as_that_and_the_rest_as_before(long_term: Database) -> None:
    ledger = Ledger(long_term.sessions, session="demo")
    await ledger.add([stretch(1, 100, reaches_start=True), stretch(1, 100, place_id=OPS)])

    await ledger.note_verified(DEV, Interval(40, 60), read_at=LATER)

    assert await read_times(ledger) == [(1, 39, START), (40, 60, LATER), (61, 100, START)]
    assert await read_times(ledger, OPS) == [(1, 100, START)]
    first = (await ledger.of_places([DEV]))[DEV][0]
    assert (first.reaches_start, first.widened_at, first.journal_end) == (True, START, 100)


async def test_pages_that_were_verified_one_after_another_become_one_stretch(long_term: Database) -> None:
    ledger = Ledger(long_term.sessions, session="demo")
    await ledger.add([stretch(1, 100)])

    for number in (80, 60, 40, 20, 0):
        await ledger.note_verified(DEV, Interval(number, number + 19), read_at=minute(700 - number / 10))

    assert len(await read_times(ledger)) == 2  # the last message alone lies beyond the pages


async def test_verifying_covers_nothing_new(long_term: Database) -> None:
    ledger = Ledger(long_term.sessions, session="demo")
    await ledger.add([stretch(10, 20), stretch(40, 50)])

    await ledger.note_verified(DEV, Interval(0, 45), read_at=LATER)
    await ledger.note_verified(OPS, Interval(0, 45), read_at=LATER)

    assert await read_times(ledger) == [(10, 20, LATER), (40, 45, LATER), (46, 50, START)]
    assert await read_times(ledger, OPS) == []


async def test_an_older_reading_makes_nothing_less_fresh(long_term: Database) -> None:
    ledger = Ledger(long_term.sessions, session="demo")
    await ledger.add([stretch(1, 9)])
    await ledger.note_verified(DEV, Interval(1, 9), read_at=LATER)

    await ledger.note_verified(DEV, Interval(1, 9), read_at=minute(300))

    assert await read_times(ledger) == [(1, 9, LATER)]


async def test_what_a_promoted_session_read_is_verified_and_stays_that_sessions(long_term: Database) -> None:
    await Ledger(long_term.sessions, session="earlier").add([stretch(1, 50)])
    await Ledger(long_term.sessions, session="lost").add([stretch(1, 50)])
    await promoted(long_term, "earlier")
    ledger = Ledger(long_term.sessions, session="demo")

    await ledger.note_verified(DEV, Interval(1, 50), read_at=LATER)

    (found,) = (await ledger.of_places([DEV]))[DEV]
    assert (found.session, found.read_at) == ("earlier", LATER)
    assert await read_times(Ledger(long_term.sessions, session="lost")) == [(1, 50, START), (1, 50, LATER)]
