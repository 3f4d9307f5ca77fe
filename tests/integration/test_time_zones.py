"""Whose time zone counts: what is stored, what is at hand, and what happens while the database is away."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, text
from sqlalchemy.exc import IntegrityError

from db.databases import LONG_TERM, Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from db.schema import TimeZoneRow
from errors import DatabaseUnavailableError, RefusedRowError
from memory.preferences import FRESH_FOR, Owner, OwnerKind, TimeZones, Zone
from tests.conftest import open_new_database
from tests.servers import Server

AT = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
ANA, BEN = 700000000000000001, 700000000000000002
GUILD, OTHER_GUILD = 700000000000000003, 700000000000000004
PARIS, TOKYO, NEW_YORK = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")
FALLBACK = ZoneInfo("UTC")
NO_TIME = timedelta(seconds=1)  # long enough for what does not hang, on a busy machine too


def person(person_id: int) -> Owner:
    return Owner(OwnerKind.PERSON, person_id)


def guild(guild_id: int) -> Owner:
    return Owner(OwnerKind.GUILD, guild_id)


class Stopwatch:
    """A monotonic clock that somebody else moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    def move(self, time: timedelta) -> None:
        self.now += time.total_seconds()


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
async def migrated(server: Server) -> AsyncIterator[Database]:
    async with open_new_database(server, LONG_TERM, width=12) as database:
        await database.migrate(dimensions=12)
        yield database


@pytest.fixture
def zones(migrated: Database, stopwatch: Stopwatch) -> TimeZones:
    return TimeZones(migrated.sessions, monotonic=stopwatch)


@pytest.fixture
async def unreachable(unused_tcp_port: int) -> AsyncGenerator[TimeZones]:
    """Time zones in a database that does not answer."""
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        yield TimeZones(sessions_of(engine))


async def rows(database: Database) -> list[tuple[str, int, str, datetime]]:
    columns = (TimeZoneRow.owner_kind, TimeZoneRow.owner_id, TimeZoneRow.zone, TimeZoneRow.set_at)
    async with transaction(database.sessions) as session:
        return [(*row,) for row in await session.execute(select(*columns).order_by(*columns))]


async def put(database: Database, owner: Owner, zone: str) -> None:
    """Store what another process, or another version of the time zones, has chosen."""
    values = {"owner_kind": owner.kind, "owner_id": owner.owner_id, "zone": zone, "set_at": AT}
    async with transaction(database.sessions) as session:
        await session.execute(insert(TimeZoneRow).values(values))


# ---- whose counts


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param({person(ANA): TOKYO, guild(GUILD): NEW_YORK}, Zone(TOKYO, OwnerKind.PERSON), id="one's own first"),
        pytest.param({guild(GUILD): NEW_YORK}, Zone(NEW_YORK, OwnerKind.GUILD), id="then the guild's"),
        pytest.param({}, Zone(FALLBACK, None), id="then the deployment's"),
        pytest.param(
            {person(BEN): TOKYO, guild(OTHER_GUILD): PARIS, guild(ANA): PARIS, person(GUILD): PARIS},
            Zone(FALLBACK, None),
            id="and nobody else's",
        ),
    ],
)
async def test_the_time_zone_that_counts_is(
    zones: TimeZones, migrated: Database, chosen: dict[Owner, ZoneInfo], expected: Zone
) -> None:
    for owner, zone in chosen.items():
        await zones.set(owner, zone, at=AT)

    assert await zones.of(ANA, GUILD, FALLBACK) == expected
    assert await TimeZones(migrated.sessions).of(ANA, GUILD, FALLBACK) == expected, "after a new start too"


async def test_outside_of_a_guild_only_ones_own_counts(zones: TimeZones) -> None:
    await zones.set(person(ANA), TOKYO, at=AT)

    assert await zones.of(ANA, None, FALLBACK) == Zone(TOKYO, OwnerKind.PERSON)
    assert await zones.of(BEN, None, FALLBACK) == Zone(FALLBACK)


async def test_of_a_guild_alone_only_its_own_counts(zones: TimeZones) -> None:
    await zones.set(guild(GUILD), NEW_YORK, at=AT)

    assert await zones.of(None, GUILD, FALLBACK) == Zone(NEW_YORK, OwnerKind.GUILD)


# ---- what is stored


async def test_a_later_choice_takes_the_place_of_the_earlier_one(zones: TimeZones, migrated: Database) -> None:
    later = AT + timedelta(days=1)

    await zones.set(person(ANA), TOKYO, at=AT)
    await zones.set(person(BEN), TOKYO, at=AT)
    await zones.set(person(ANA), PARIS, at=later)

    assert await rows(migrated) == [("person", ANA, "Europe/Paris", later), ("person", BEN, "Asia/Tokyo", AT)]
    assert (await zones.of(ANA, None, FALLBACK)).zone == PARIS


async def test_taking_a_choice_back_leaves_nothing_of_it_and_all_others(zones: TimeZones, migrated: Database) -> None:
    await zones.set(person(ANA), TOKYO, at=AT)
    await zones.set(guild(ANA), PARIS, at=AT)
    await zones.set(person(BEN), PARIS, at=AT)

    await zones.clear(person(ANA))
    await zones.clear(person(ANA))

    assert await rows(migrated) == [("guild", ANA, "Europe/Paris", AT), ("person", BEN, "Europe/Paris", AT)]
    assert await zones.of(ANA, None, FALLBACK) == Zone(FALLBACK)


@pytest.mark.parametrize("word", [pytest.param("none", id="none"), pytest.param(" Clear ", id="clear")])
async def test_a_choice_is_made_and_taken_back_in_words(zones: TimeZones, migrated: Database, word: str) -> None:
    await zones.choose(person(ANA), "new york", at=AT)
    assert await rows(migrated) == [("person", ANA, "America/New_York", AT)]

    await zones.choose(person(ANA), word, at=AT)
    assert await rows(migrated) == []


async def test_a_name_that_is_no_time_zone_changes_nothing(zones: TimeZones) -> None:
    await zones.set(person(ANA), TOKYO, at=AT)

    with pytest.raises(ValueError, match="There is no time zone 'Mars/Olympus'"):
        await zones.choose(person(ANA), "Mars/Olympus", at=AT)

    assert (await zones.of(ANA, None, FALLBACK)).zone == TOKYO


async def test_an_owner_of_another_kind_is_refused(migrated: Database) -> None:
    with pytest.raises(RefusedRowError, match="time_zones_owner_kind") as caught:
        async with transaction(migrated.sessions) as session:
            await session.execute(insert(TimeZoneRow).values(owner_kind="role", owner_id=1, zone="UTC", set_at=AT))

    assert isinstance(caught.value.__cause__, IntegrityError)


async def test_a_stored_name_that_is_no_time_zone_any_more_is_passed_over_and_logged_once(
    zones: TimeZones, migrated: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await put(migrated, person(ANA), "Mars/Olympus")
    await zones.set(guild(GUILD), NEW_YORK, at=AT)

    answers = [await zones.of(ANA, GUILD, FALLBACK) for _ in range(3)]

    assert answers == [Zone(NEW_YORK, OwnerKind.GUILD)] * 3
    (record,) = caplog.records
    assert (
        record.getMessage() == f"person {ANA} has the time zone 'Mars/Olympus', which is not known here: it is ignored"
    )


# ---- what is at hand


async def test_what_was_looked_up_is_looked_up_again_only_after_a_while(
    zones: TimeZones, migrated: Database, stopwatch: Stopwatch
) -> None:
    assert await zones.of(ANA, GUILD, FALLBACK) == Zone(FALLBACK)
    await put(migrated, person(ANA), "Asia/Tokyo")

    stopwatch.move(FRESH_FOR - timedelta(seconds=1))
    assert await zones.of(ANA, GUILD, FALLBACK) == Zone(FALLBACK)

    stopwatch.move(timedelta(seconds=1))
    assert await zones.of(ANA, GUILD, FALLBACK) == Zone(TOKYO, OwnerKind.PERSON)


async def test_what_another_process_erases_is_forgotten_after_a_while(
    zones: TimeZones, migrated: Database, stopwatch: Stopwatch
) -> None:
    await zones.set(person(ANA), TOKYO, at=AT)
    async with transaction(migrated.sessions) as session:
        await session.execute(delete(TimeZoneRow).where(TimeZoneRow.owner_id == ANA))

    stopwatch.move(FRESH_FOR)

    assert await zones.of(ANA, None, FALLBACK) == Zone(FALLBACK)


async def test_no_more_owners_are_kept_at_hand_than_there_is_room_for(
    zones: TimeZones, migrated: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.preferences._MOST_KNOWN", 2)
    for owner_id in (1, 2, 3):
        await zones.of(owner_id, None, FALLBACK)
    for owner_id in (1, 2, 3):
        await put(migrated, person(owner_id), "Asia/Tokyo")

    assert (await zones.of(2, None, FALLBACK)).zone == FALLBACK, "still at hand"
    assert (await zones.of(1, None, FALLBACK)).zone == TOKYO, "looked up again"


async def test_a_choice_made_during_a_look_up_is_not_covered_by_what_that_has_read(
    zones: TimeZones, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_before_the_choice(*_: object) -> dict[Owner, ZoneInfo | None]:
        zones._changed(person(ANA), TOKYO)  # what `set` does once it has stored
        return {person(ANA): None}

    monkeypatch.setattr("memory.preferences._zones", read_before_the_choice)
    await zones.of(ANA, None, FALLBACK)
    monkeypatch.undo()

    assert (await zones.of(ANA, None, FALLBACK)).zone == TOKYO


# ---- while the database is away


async def test_an_answer_goes_without_a_database_that_does_not_answer(
    unreachable: TimeZones, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="memory.preferences")

    assert await unreachable.of(ANA, GUILD, FALLBACK) == Zone(FALLBACK, None, certain=False)
    assert "time zones cannot be looked up: DatabaseUnavailableError" in caplog.text


async def test_a_choice_that_cannot_be_stored_is_told(unreachable: TimeZones) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await unreachable.set(person(ANA), TOKYO, at=AT)
    with pytest.raises(DatabaseUnavailableError):
        await unreachable.clear(person(ANA))


async def test_a_database_that_hangs_is_given_up_and_what_was_known_counts_on(
    migrated: Database, stopwatch: Stopwatch
) -> None:
    zones = TimeZones(migrated.sessions, timeout=NO_TIME, monotonic=stopwatch)
    await zones.set(person(ANA), TOKYO, at=AT)
    stopwatch.move(FRESH_FOR)

    async with migrated.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE time_zones IN ACCESS EXCLUSIVE MODE"))
        known = await zones.of(ANA, GUILD, FALLBACK)
        unknown = await zones.of(BEN, GUILD, FALLBACK)
        with pytest.raises(DatabaseUnavailableError, match="in time"):
            await zones.set(person(ANA), PARIS, at=AT)

    assert known == Zone(TOKYO, OwnerKind.PERSON)
    assert unknown == Zone(FALLBACK, None, certain=False)
    assert await zones.of(BEN, GUILD, FALLBACK) == Zone(FALLBACK), "it answers again"
    assert await rows(migrated) == [("person", ANA, "Asia/Tokyo", AT)]


async def test_a_guilds_time_zone_that_is_known_counts_while_a_persons_cannot_be_looked_up(migrated: Database) -> None:
    zones = TimeZones(migrated.sessions, timeout=NO_TIME)
    await zones.set(guild(GUILD), NEW_YORK, at=AT)

    async with migrated.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE time_zones IN ACCESS EXCLUSIVE MODE"))
        zone = await zones.of(ANA, GUILD, FALLBACK)

    assert zone == Zone(NEW_YORK, OwnerKind.GUILD, certain=False)
