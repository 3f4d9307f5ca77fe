"""Several processes with shards of their own share one short-term memory, and none touches what another has stored."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import word_index
from db.databases import Database
from db.engines import transaction
from db.locks import takes_turn
from db.metadata import WORD_INDEX_FACT, set_metadata
from db.schema import MessageRow, NameRow, RevisionRow
from db.shards import ShardRange
from errors import SessionError, SessionInUseError
from memory.capture.erased import Erased
from memory.capture.journal import Journal
from memory.capture.members import claimed_shards, read_members, refuse_while_running
from memory.capture.recorder import open_recorder
from memory.capture.session import begin_session, complete_held_csvs
from memory.embedding.embedder import Embedder
from memory.index import reembed, store
from memory.message import Message
from tests.builders import message, whole
from util_async import FailureLog

pytestmark = pytest.mark.server

PATIENCE = timedelta(seconds=60)
TIMEOUT = timedelta(seconds=10)
LEFT, RIGHT = ShardRange.parse("0-3/8"), ShardRange.parse("4-7/8")


class Process:
    """What a process of some shards does, without Discord."""

    def __init__(self, database: Database, embedder: Embedder, folder: Path, shards: ShardRange | None) -> None:
        self.database = database
        self.embedder = embedder
        self.folder = folder
        self.shards = shards
        folder.mkdir(exist_ok=True)

    def csv(self, session: str) -> Path:
        return self.folder / f"{session}.csv"

    async def begin(self, session: str) -> None:
        await begin_session(self.database, session_name=session, journal_path=self.csv(session), shards=self.shards)

    async def run(self, session: str, *messages: Message) -> None:
        """Begin a session, store messages, and end."""
        await self.begin(session)
        async with open_recorder(
            session=session,
            journal_path=self.csv(session),
            not_added_path=self.folder / f"{session}_not_added.csv",
            sessions=self.database.sessions,
            embedder=self.embedder,
            batch=8,
        ) as recorder:
            for one in messages:
                await recorder.record(one)
            assert await recorder.settle(timeout=PATIENCE)

    def kept(self, session: str) -> list[int]:
        """Return the ids of the messages in a session's CSV."""
        return [one.message_id for one in whole(Journal(self.csv(session))).messages]


@pytest.fixture
def left(short_term: Database, embedder: Embedder, tmp_path: Path) -> Process:
    return Process(short_term, embedder, tmp_path / "left", LEFT)


@pytest.fixture
def right(short_term: Database, embedder: Embedder, tmp_path: Path) -> Process:
    return Process(short_term, embedder, tmp_path / "right", RIGHT)


def of_left(number: int, words: str = "left") -> Message:
    return message(number, words, session="left-1", guild_id=1, channel_id=10, channel_name="harbour")


def of_right(number: int, words: str = "right") -> Message:
    return message(number, words, session="right-1", guild_id=2, channel_id=20, channel_name="orchard")


def edited(original: Message) -> Message:
    return replace(original, content="something else", edited_at=original.sent_at + timedelta(minutes=1))


async def ids(database: Database) -> list[int]:
    async with transaction(database.sessions) as session:
        return list(await session.scalars(select(MessageRow.message_id).order_by(MessageRow.message_id)))


async def test_a_process_that_begins_leaves_the_rows_of_the_other_one(left: Process, right: Process) -> None:
    await left.run("left-1", of_left(1), of_left(2))

    await right.run("right-1", of_right(3))

    assert await ids(left.database) == [1, 2, 3]
    assert not right.csv("left-1").exists()
    assert right.kept("right-1") == [3]


async def test_a_new_session_of_one_process_replaces_its_own_rows_alone(left: Process, right: Process) -> None:
    await left.run("left-1", of_left(1), edited(of_left(1)))
    await right.run("right-1", of_right(3), edited(of_right(3)))
    left.csv("left-1").unlink()

    await left.begin("left-2")

    assert await ids(left.database) == [3]
    assert set(left.kept("left-1")) == {1}, "what the CSV lacked is written back before it goes"
    async with transaction(left.database.sessions) as session:
        assert list(await session.scalars(select(RevisionRow.message_id))) == [3]
        assert set(await session.scalars(select(NameRow.channel_name))) == {"orchard"}
        assert await store.position(session, journal="left-1") == 0
        assert await store.position(session, journal="right-1") == right.csv("right-1").stat().st_size
        assert [(member.shards, member.session) for member in await read_members(session)] == [
            (LEFT, "left-2"),
            (RIGHT, "right-1"),
        ]


async def test_a_process_that_goes_on_mends_its_own_csv_and_nothing_of_the_other_one(
    left: Process, right: Process
) -> None:
    await left.run("left-1", of_left(1), of_left(2))
    await right.run("right-1", of_right(3))
    left.csv("left-1").unlink()
    right.csv("right-1").unlink()

    await left.run("left-1", of_left(4))

    assert left.kept("left-1") == [1, 2, 4]
    assert not right.csv("right-1").exists()
    assert await ids(left.database) == [1, 2, 3, 4]


async def test_rows_whose_csv_cannot_be_written_keep_the_new_session_from_beginning(
    left: Process, right: Process
) -> None:
    await left.run("left-1", of_left(1))
    await right.run("right-1", of_right(3))
    left.csv("left-1").unlink()
    (left.folder / "left-1_not_added.csv").unlink()
    left.folder.rmdir()

    with pytest.raises(SessionError, match="session 'left-1' that its CSV"):
        await left.begin("left-2")

    assert await ids(left.database) == [1, 3]


async def test_two_processes_cannot_have_sessions_of_one_name(left: Process, right: Process) -> None:
    await left.run("left-1", of_left(1))

    with pytest.raises(SessionError, match=r"shards 0-3/8 has a session 'left-1'.*choose another name with --session"):
        await right.begin("left-1")

    assert await ids(left.database) == [1]


async def test_a_process_of_all_shards_takes_over_once_the_others_have_ended(
    left: Process, right: Process, short_term: Database, embedder: Embedder, tmp_path: Path
) -> None:
    await left.run("left-1", of_left(1))
    await right.run("right-1", of_right(3))
    left.csv("left-1").unlink()
    everything = Process(short_term, embedder, tmp_path / "all", None)

    async with claimed_shards(short_term, RIGHT, timeout=TIMEOUT):
        with pytest.raises(SessionInUseError, match="runs shards 4-7/8 with this short-term memory"):
            await everything.begin("all-1")
    assert await ids(short_term) == [1, 3]

    await everything.begin("all-1")

    assert await ids(short_term) == []
    assert left.kept("left-1") == [1]
    assert right.kept("right-1") == [3]
    async with transaction(short_term.sessions) as session:
        assert [(member.shards, member.session) for member in await read_members(session)] == [(None, "all-1")]


async def test_one_share_is_run_by_one_process_at_a_time(short_term: Database) -> None:
    async with (
        claimed_shards(short_term, LEFT, timeout=TIMEOUT),
        claimed_shards(short_term, RIGHT, timeout=TIMEOUT),
    ):
        with pytest.raises(SessionInUseError, match="Another Backscroll runs shards 0-3/8"):
            async with claimed_shards(short_term, LEFT, timeout=TIMEOUT):
                pytest.fail("two processes run the same shards")

    async with claimed_shards(short_term, LEFT, timeout=TIMEOUT):
        pass


async def test_an_operator_is_kept_out_while_any_process_runs(left: Process, right: Process) -> None:
    await left.run("left-1", of_left(1))
    await right.run("right-1", of_right(3))

    async with claimed_shards(right.database, RIGHT, timeout=TIMEOUT):
        with pytest.raises(SessionInUseError, match="runs shards 4-7/8 uses this short-term memory: stop it first"):
            await refuse_while_running(left.database)

    await refuse_while_running(left.database)


async def test_a_share_is_held_again_after_the_connection_was_cut(
    short_term: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("db.locks._LOOK_EVERY", timedelta(milliseconds=50))
    holders = text(
        "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE datname = current_database() AND locktype = 'advisory' AND granted"
    )
    async with claimed_shards(short_term, LEFT, timeout=TIMEOUT), short_term.engine.connect() as connection:
        (first,) = await connection.scalars(holders)
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})
        async with asyncio.timeout(30):
            while list(await connection.scalars(holders)) in ([], [first]):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        with pytest.raises(SessionInUseError):
            async with claimed_shards(short_term, LEFT, timeout=TIMEOUT):
                pytest.fail("the share is free")

    assert [record for record in caplog.records if record.levelname != "INFO"] == [], "an outage is told elsewhere"


async def test_the_csvs_of_all_processes_are_completed_before_a_restore(left: Process, right: Process) -> None:
    await left.run("left-1", of_left(1))
    await right.run("right-1", of_right(3))
    left.csv("left-1").unlink()
    right.csv("right-1").unlink()

    async with transaction(left.database.sessions) as session:
        await complete_held_csvs(session, nameless=left.folder / "recovered.csv", erased=Erased())

    assert (left.kept("left-1"), right.kept("right-1")) == ([1], [3])


async def test_each_process_gives_vectors_to_its_own_rows(short_term: Database, embedder: Embedder) -> None:
    rows = [store.Indexed(one, "something", None, None) for one in (of_left(1), of_right(3))]
    async with transaction(short_term.sessions) as session:
        await store.write(session, batch=rows, revisions=(), journal="left-1", position=0)
        for name in ("left-1", "right-1"):
            await reembed.note_missing(session, 7, of=name)

    assert await reembed.embed_some(short_term.sessions, embedder, 8, of="left-1") == 1
    assert await reembed.embed_some(short_term.sessions, embedder, 8, of="left-1") == 0

    async with transaction(short_term.sessions) as session:
        await reembed.note_complete(session, "7", of="left-1")
        assert await reembed.missing_up_to(session, of="left-1") is None
        assert await reembed.missing_up_to(session, of="right-1") == "7"
        lacking = select(MessageRow.message_id).where(MessageRow.embedding.is_(None))
        assert list(await session.scalars(lacking)) == [3]


async def test_processes_take_turns_at_the_word_index_and_the_later_one_finds_it_done(
    short_term: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[AsyncConnection] = []

    async def find_incomplete(connection: AsyncConnection) -> list[str]:
        looked.append(connection)
        return []

    monkeypatch.setattr(word_index, "find_incomplete", find_incomplete)
    async with short_term.engine.begin() as connection:
        await set_metadata(connection, WORD_INDEX_FACT, "before the restart")
    async with short_term.engine.begin() as first:
        assert await takes_turn(first, "backscroll.word_index")
        second = asyncio.create_task(word_index.rebuild_damaged(short_term.engine, FailureLog(logging.getLogger())))
        done, _ = await asyncio.wait([second], timeout=0.5)
        assert not done
        await word_index.rebuild_if_stale(first)
    await second

    assert looked == [first]
