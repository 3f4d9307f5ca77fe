"""Short-term memory holds nothing that the disk does not have in the session's CSV."""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from db.databases import Database
from db.engines import transaction
from db.schema import MessageRow
from memory.about import about
from memory.capture import recorder as recorder_module
from memory.capture.journal import Journal
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD
from tests.builders import hears, message

LONG = timedelta(seconds=60)


async def stored(database: Database) -> int:
    async with transaction(database.sessions) as session:
        return await session.scalar(select(func.count()).select_from(MessageRow)) or 0


async def test_what_the_disk_refuses_is_not_stored_until_it_takes_it(
    tmp_path: Path, short_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(recorder_module, "_SYNC_RETRY", 0.05)
    async with open_recorder(
        session="demo",
        journal_path=tmp_path / "demo.csv",
        not_added_path=tmp_path / "demo_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=8,
    ) as recorder:
        await recorder.record(message(1))
        assert await recorder.settle(timeout=LONG)

        with monkeypatch.context() as broken, hears("THE JOURNAL DOES NOT REACH THE DISK") as said:
            broken.setattr(os, "fsync", refuse)
            await recorder.record(message(2))
            await said.wait()
            settled = await recorder.settle(timeout=timedelta(milliseconds=200))
            while_broken = settled, await stored(short_term), recorder.journal_is_failing
            told = await about(
                (short_term,),
                guild=EVERY_GUILD,
                session="s",
                models="none",
                journal_progress=recorder.progress,
                journal_is_failing=recorder.journal_is_failing,
            )
        afterwards = await recorder.settle(timeout=LONG), await stored(short_term), recorder.journal_is_failing

    assert while_broken == (False, 1, True)
    assert "cannot be written to the disk just now" in told
    assert afterwards == (True, 2, False)


async def test_a_recorder_stores_while_the_default_executor_is_kept_busy(
    tmp_path: Path, short_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the default executor is for others")

    with monkeypatch.context() as watched:
        watched.setattr(asyncio, "to_thread", never)
        async with open_recorder(
            session="demo",
            journal_path=tmp_path / "demo.csv",
            not_added_path=tmp_path / "demo_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=8,
        ) as recorder:
            await asyncio.gather(*(recorder.record(message(number, "a\0b")) for number in range(1, 4)))
            assert await recorder.settle(timeout=LONG)

    assert len(list(Journal(tmp_path / "demo.csv").read_all())) == 1
    assert (tmp_path / "demo_not_added.csv").read_bytes().count(b"\n") == 4
