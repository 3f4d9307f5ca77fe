"""What administrators set for their guild: what is stored, what is at hand, and while the database is away."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from db.databases import LONG_TERM, Database
from db.engines import open_engine, parse_dsn, sessions_of
from errors import DatabaseUnavailableError
from memory.guild_settings import FRESH_FOR, RESTRICTING_ROLES, Chosen, GuildSettings, Setting
from tests.conftest import open_new_database
from tests.servers import Server

AT = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
GUILD, OTHER_GUILD = 700000000000000003, 700000000000000004
JAILED, MUTED = 700000000000000005, 700000000000000006
COLOUR: Setting[str] = Setting("colour", "grey", str, str)


class Stopwatch:
    """A monotonic clock that somebody else moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def stopwatch() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
async def migrated(server: Server) -> AsyncIterator[Database]:
    async with open_new_database(server, LONG_TERM, width=12) as database:
        await database.migrate(dimensions=12)
        yield database


@pytest.fixture
def settings(migrated: Database, stopwatch: Stopwatch) -> GuildSettings:
    return GuildSettings(migrated.sessions, monotonic=stopwatch)


@pytest.fixture
async def unreachable(unused_tcp_port: int) -> AsyncGenerator[GuildSettings]:
    """Settings in a database that does not answer."""
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        yield GuildSettings(sessions_of(engine))


async def put(database: Database, value: str) -> None:
    """Store what another process, or another version, has set."""
    async with database.engine.begin() as connection:
        await connection.execute(text("DELETE FROM guild_settings"))
        values = {"guild": GUILD, "name": RESTRICTING_ROLES.name, "value": value, "at": AT}
        statement = "INSERT INTO guild_settings VALUES (:guild, :name, CAST(:value AS jsonb), :at)"
        await connection.execute(text(statement), values)


async def test_what_is_set_counts_in_that_guild_alone_and_after_a_new_start(
    settings: GuildSettings, migrated: Database
) -> None:
    await settings.set(GUILD, RESTRICTING_ROLES, frozenset({JAILED, MUTED}), at=AT)
    await settings.set(GUILD, COLOUR, "red", at=AT)

    for known in (settings, GuildSettings(migrated.sessions)):
        assert await known.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset({JAILED, MUTED}))
        assert await known.get(GUILD, COLOUR) == Chosen("red")
        assert await known.get(OTHER_GUILD, RESTRICTING_ROLES) == Chosen(frozenset())
        assert await known.get(OTHER_GUILD, COLOUR) == Chosen("grey")


async def test_what_is_set_anew_takes_the_place_of_what_was_set(settings: GuildSettings, migrated: Database) -> None:
    await settings.set(GUILD, RESTRICTING_ROLES, frozenset({JAILED}), at=AT)
    await settings.set(GUILD, RESTRICTING_ROLES, frozenset(), at=AT + timedelta(days=1))

    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset())
    async with migrated.engine.connect() as connection:
        rows = (await connection.execute(text("SELECT guild_id, name, value, set_at FROM guild_settings"))).all()
    assert [tuple(row) for row in rows] == [(GUILD, RESTRICTING_ROLES.name, [], AT + timedelta(days=1))]


async def test_what_another_process_sets_counts_within_a_minute(
    settings: GuildSettings, migrated: Database, stopwatch: Stopwatch
) -> None:
    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset())
    await put(migrated, f"[{JAILED}]")
    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset())

    stopwatch.now += FRESH_FOR.total_seconds()

    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset({JAILED}))


@pytest.mark.parametrize("value", ['"all"', '["all"]', "7", "null", '{"role": 7}', "[1.5]", "[true]"])
async def test_what_cannot_be_a_value_is_ignored_and_said_in_the_log(
    value: str, settings: GuildSettings, migrated: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await put(migrated, value)

    with caplog.at_level(logging.WARNING):
        assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset())

    assert f"guild {GUILD} has a value of restricting_roles" in caplog.text


async def test_while_the_database_is_away_what_was_known_counts(
    settings: GuildSettings, migrated: Database, stopwatch: Stopwatch
) -> None:
    await settings.set(GUILD, RESTRICTING_ROLES, frozenset({JAILED}), at=AT)
    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset({JAILED}))
    async with migrated.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE guild_settings RENAME TO elsewhere"))

    stopwatch.now += FRESH_FOR.total_seconds()

    assert await settings.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset({JAILED}), certain=False)
    assert await settings.get(OTHER_GUILD, RESTRICTING_ROLES) == Chosen(frozenset(), certain=False)


async def test_nothing_is_set_in_a_database_that_does_not_answer(unreachable: GuildSettings) -> None:
    with pytest.raises(DatabaseUnavailableError):
        await unreachable.set(GUILD, RESTRICTING_ROLES, frozenset({JAILED}), at=AT)

    assert await unreachable.get(GUILD, RESTRICTING_ROLES) == Chosen(frozenset(), certain=False)
