"""Nothing is written of what may not be kept: not in the CSV, not in a table, not among what was refused."""

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from db.schema import MessageRow
from errors import DatabaseUnavailableError
from memory.capture.import_csv import import_csv
from memory.capture.recorder import Recorder, open_recorder
from memory.consent.consent import Consent, kept_fresh
from memory.consent.opt_outs import OptOuts, Wish
from memory.consent.pauses import Pause
from memory.consent.stored import StoredAuthors
from memory.embedding.embedder import Embedder
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, GuildSettings
from memory.message import Kind, Message
from tests.builders import deletion, edit, message, minute
from tests.integration.test_importing import csv_of
from util_async import no_progress

LONG = timedelta(seconds=60)
GUILD, OTHER = 2, 30
ANA, BEN, BOT = 41, 42, 99


@pytest.fixture
def consent(short_term: Database, long_term: Database) -> Consent:
    return new_consent(short_term, long_term)


def new_consent(short_term: Database, long_term: Database) -> Consent:
    """Return what a process knows of what may not be kept, before it has read it."""
    stored = StoredAuthors([short_term.sessions, long_term.sessions])
    return Consent(OptOuts(long_term.sessions), GuildSettings(long_term.sessions), stored, clock=lambda: minute(60))


class World:
    """A recorder whose consent is asked, with all that it writes."""

    def __init__(self, folder: Path, recorder: Recorder, consent: Consent, short_term: Database) -> None:
        self.folder = folder
        self.recorder = recorder
        self.consent = consent
        self._short_term = short_term

    async def record(self, *states: Message) -> None:
        for state in states:
            await self.recorder.record(state)

    async def texts(self) -> list[str]:
        """Return the texts in the table that are not deleted, in the order of their messages."""
        assert await self.recorder.settle(timeout=LONG)
        shown = select(MessageRow.content).where(MessageRow.deleted_at.is_(None)).order_by(MessageRow.message_id)
        async with transaction(self._short_term.sessions) as session:
            return list(await session.scalars(shown))

    async def ids(self) -> list[int]:
        assert await self.recorder.settle(timeout=LONG)
        async with transaction(self._short_term.sessions) as session:
            return list(await session.scalars(select(MessageRow.message_id).order_by(MessageRow.message_id)))

    def written(self) -> str:
        """Return all that stands in the files of the session."""
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("*.csv")))


@pytest.fixture
async def world(tmp_path: Path, short_term: Database, embedder: Embedder, consent: Consent) -> AsyncGenerator[World]:
    async with _opened(tmp_path, short_term, embedder, consent) as world:
        yield world


@asynccontextmanager
async def _opened(folder: Path, short_term: Database, embedder: Embedder, consent: Consent) -> AsyncGenerator[World]:
    await consent.load()
    async with open_recorder(
        session="demo",
        journal_path=folder / "demo.csv",
        not_added_path=folder / "demo_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=8,
        consent=consent,
    ) as recorder:
        yield World(folder, recorder, consent, short_term)


def said(number: int, content: str, **changes: Any) -> Message:
    return message(number, content, **{"guild_id": GUILD, "author_id": BEN, "author_name": "ben", **changes})


def by_ana(number: int, content: str, **changes: Any) -> Message:
    return said(number, content, **{"author_id": ANA, "author_name": "Anahita", **changes})


async def test_nothing_of_somebody_who_opted_out_is_written_anywhere(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))

    await world.record(
        said(4, "the kiln is hot"),
        by_ana(5, "sealed words"),
        by_ana(2, "sealed words of before"),
        by_ana(6, "sealed words, edited", edited_at=minute(7)),
        by_ana(8, "/chat sealed words?", kind=Kind.COMMAND),
    )

    assert await world.texts() == ["the kiln is hot"]
    assert await world.ids() == [4]
    for trace in ("sealed", str(ANA), "Anahita"):
        assert trace not in world.written()
    assert "sealed" not in caplog.text
    assert "Anahita" not in caplog.text


async def test_who_takes_it_back_is_kept_again(world: World) -> None:
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    await world.record(by_ana(4, "sealed"))
    await world.consent.opt_out(ANA, Wish.NOTHING, at=minute(5))

    await world.record(by_ana(6, "open"))

    assert await world.texts() == ["open"]


async def test_who_opted_out_of_being_found_alone_is_kept(world: World) -> None:
    await world.consent.opt_out(ANA, Wish.WHO_KNOWS, at=minute(3))

    await world.record(by_ana(4, "the glaze needs cobalt"))

    assert await world.texts() == ["the glaze needs cobalt"]
    assert not world.consent.rules.names_as_knowing(ANA)


async def test_an_edit_after_an_opt_out_takes_the_earlier_text_out_of_use(world: World) -> None:
    await world.record(by_ana(1, "the key is under the mat"), said(2, "thanks"))
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))

    await world.record(by_ana(1, "sealed words", edited_at=minute(5)))

    assert await world.texts() == ["thanks"]
    assert "sealed" not in world.written()


async def test_what_is_deleted_counts_as_deleted_whoever_wrote_it(world: World) -> None:
    await world.record(by_ana(1, "the key is under the mat"))
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    await world.record(by_ana(4, "sealed"))

    await world.record(deletion(1, at=5, guild_id=GUILD), deletion(4, at=5, guild_id=GUILD))

    assert await world.texts() == []
    assert await world.ids() == [1]  # of what was not kept there is not even a trace


async def test_an_answer_to_somebody_who_opted_out_is_not_kept(world: World) -> None:
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    ask = by_ana(4, "/chat where is the sealed key?", kind=Kind.COMMAND)

    await world.record(ask, said(5, "the sealed key: nobody says", author_id=BOT, kind=Kind.ANSWER, reply_to=4))

    assert await world.ids() == []
    assert "sealed" not in world.written()


async def test_a_forward_of_what_is_not_kept_is_not_kept(world: World) -> None:
    await world.record(by_ana(1, "the key is under the mat"), said(2, "the kiln is hot"))
    assert await world.recorder.settle(timeout=LONG)
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    await world.record(by_ana(4, "sealed"))

    await world.record(
        said(5, "sealed copy of what is stored", forwarded_from=1),
        said(6, "sealed copy of what is not", forwarded_from=4),
        said(7, "sealed copy of a copy", forwarded_from=6),
        said(8, "the kiln is hot, said Ben", forwarded_from=2),
        said(9, "from elsewhere", forwarded_from=12345),
    )

    assert await world.texts() == [
        "the key is under the mat",
        "the kiln is hot",
        "the kiln is hot, said Ben",
        "from elsewhere",
    ]
    assert "sealed" not in world.written()


async def test_a_persona_of_a_webhook_can_be_left_out_too(world: World) -> None:
    await world.consent.opt_out(-ANA, Wish.EVERYTHING, at=minute(3))

    await world.record(by_ana(4, "sealed", author_id=-ANA), by_ana(5, "open"))

    assert await world.texts() == ["open"]


async def test_an_ignored_channel_is_not_written_down_nor_are_its_threads(world: World) -> None:
    settings = world.consent._guild_settings
    await settings.set(GUILD, IGNORED_CHANNELS, {OTHER: minute(3)}, at=minute(3))

    await world.record(
        said(4, "sealed", channel_id=OTHER),
        said(5, "sealed in a thread", channel_id=OTHER, thread_id=31),
        said(2, "sealed before", channel_id=OTHER),
        said(6, "open"),
    )

    assert await world.ids() == [6]
    assert "sealed" not in world.written()
    await settings.set(GUILD, IGNORED_CHANNELS, {}, at=minute(7))
    await world.record(said(8, "open again", channel_id=OTHER))
    assert await world.texts() == ["open", "open again"]


async def test_what_was_said_in_a_pause_is_never_read_later(world: World) -> None:
    settings = world.consent._guild_settings
    await settings.set(GUILD, PAUSES, (Pause(start=minute(3), end=minute(6)),), at=minute(3))

    await world.record(said(4, "sealed"), said(7, "open"), said(4, "sealed, read again", edited_at=minute(8)))

    assert await world.texts() == ["open"]
    assert "sealed" not in world.written()


async def test_what_another_process_is_told_counts_within_a_minute(
    world: World, short_term: Database, long_term: Database
) -> None:
    other = new_consent(short_term, long_term)
    await other.load()
    await other.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    await other._guild_settings.set(GUILD, IGNORED_CHANNELS, {OTHER: minute(3)}, at=minute(3))
    await other._guild_settings.set(GUILD, PAUSES, (Pause(start=minute(20)),), at=minute(3))

    async with kept_fresh(world.consent, every=timedelta(seconds=0.01)):
        await world.record(by_ana(4, "sealed"), said(5, "sealed", channel_id=OTHER), said(21, "sealed"))

    assert await world.ids() == []


async def test_a_start_without_knowing_who_has_opted_out_is_none(unused_tcp_port: int) -> None:
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        sessions = sessions_of(engine)
        stored = StoredAuthors([sessions])
        consent = Consent(OptOuts(sessions), GuildSettings(sessions), stored, clock=lambda: minute(60))
        with pytest.raises(DatabaseUnavailableError):
            async with kept_fresh(consent):
                pytest.fail("somebody is listened to")


async def test_a_refresh_that_fails_keeps_what_is_known(world: World, long_term: Database) -> None:
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE opt_outs RENAME TO elsewhere"))

    with pytest.raises(DatabaseUnavailableError):
        await world.consent.load()
    await world.record(by_ana(4, "sealed"))

    assert await world.ids() == []


async def test_an_import_leaves_out_what_may_not_be_kept(world: World, tmp_path: Path) -> None:
    await world.consent.opt_out(ANA, Wish.EVERYTHING, at=minute(3))
    folder = tmp_path / "other"
    folder.mkdir()
    old = csv_of(folder / "old.csv", said(1, "the kiln is hot"), by_ana(2, "sealed"), edit(1, "hotter", at=3))

    imported = await import_csv(old, world.recorder, report=no_progress)

    assert (imported.added, imported.not_kept) == (2, 1)
    assert await world.texts() == ["hotter"]
    assert "sealed" not in world.written()


async def test_the_latest_wish_counts(long_term: Database) -> None:
    opt_outs = OptOuts(long_term.sessions)
    wishes: Sequence[tuple[Wish, float]] = [(Wish.EVERYTHING, 5), (Wish.NOTHING, 3), (Wish.WHO_KNOWS, 7)]
    for wish, at in wishes[:2]:
        await opt_outs.set(ANA, wish, at=minute(at))
    assert (await opt_outs.all())[ANA] == (Wish.EVERYTHING, minute(5))

    await opt_outs.set(ANA, Wish.WHO_KNOWS, at=minute(7))

    assert (await opt_outs.all())[ANA] == (Wish.WHO_KNOWS, minute(7))
