"""The names of people and channels are kept at hand, and current, whatever memory they are in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from db.databases import Database
from db.engines import open_engine, parse_dsn, sessions_of, transaction
from db.name_rows import renew_names
from db.schema import NameRow, PromotionRow
from db.table_copy import open_connection
from errors import DatabaseUnavailableError
from memory.authors import Authors
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.index import bulk
from memory.index.bulk import MessageBatch
from memory.index.store import Indexed
from memory.message import Kind, Message
from memory.names import rows as rows_module
from memory.names.known import Index, KnownNames, Named
from memory.question.parse import parse_question
from memory.search import names as remembered
from memory.search.memory import Memory
from memory.search_session import SearchableDatabase
from ops.promotion.undo import take_back
from tests.builders import closed_port, deletion, message, minute, remember

pytestmark = pytest.mark.server

HERE = frozenset({1})
PATIENCE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few messages be enough for several pieces."""
    monkeypatch.setattr(rows_module, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(remembered, "_SLICE", timedelta(0))
    monkeypatch.setattr(remembered, "_CURRENT", timedelta(0))  # what a test does next is as a rule another question


def authors(known: KnownNames, *keys: str) -> list[set[str]]:
    """Return who is called so."""
    return [set(known.authors(known.people(key)).names) for key in keys]


async def bring_in(database: Database, number: int, *messages: Message, at: datetime) -> None:
    """Bring messages in as a finished batch, as a promotion in another process does."""
    rows = [Indexed(one, one.content, None, None) for one in messages]
    await bulk.write(database, MessageBatch(rows=rows, promotion_id=number), expected=len(rows))
    row = insert(PromotionRow).values(
        promotion_id=number, source="a.csv", digest=str(number), started_at=at, finished_at=at
    )
    async with transaction(database.sessions) as session:
        await session.execute(row)


async def noted(database: Database) -> list[tuple[object, ...]]:
    """Return the table of names, without the batches."""
    columns = [column for column in NameRow.__table__.c if column.name != "promotion_id"]
    async with transaction(database.sessions) as session:
        return [tuple(row) for row in await session.execute(select(*columns).order_by(*columns))]


async def renew(database: Database) -> None:
    """Make the table of names anew from the messages."""
    async with open_connection(database.dsn, timeout=PATIENCE) as connection:
        await renew_names(connection)


async def test_those_who_spoke_are_known_where_they_did(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    bot = message(3, author_name="backscroll", kind=Kind.ANSWER)
    gone = deletion(7, at=8, author_name="eve")
    secret = message(4, author_name="dora", channel_id=2)
    await remember(long_term, embedder, [message(1), message(2, author_name="Ben Stone"), bot, secret, gone])
    await remember(short_term, embedder, [message(5), message(6, author_name="cleo")])

    here, there = await memory.known_names(places=HERE), await memory.known_names(places=frozenset({2}))

    assert authors(here, "ana", "ben stone", "ben", "cleo") == [{"ana"}, {"Ben Stone"}, {"Ben Stone"}, {"cleo"}]
    assert authors(here, "backscroll", "dora", "eve") == [set(), set(), set()]
    assert authors(there, "ana", "dora") == [set(), {"dora"}]
    assert here.complete


async def test_a_channel_is_known_by_all_its_names_and_its_mention_with_its_threads(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(
        long_term,
        embedder,
        [
            message(1, channel_name="old"),
            message(2, channel_name="deploys"),
            message(3, channel_name="deploys", thread_id=7),
            message(4, channel_id=2, channel_name="secret"),
        ],
    )
    await remember(short_term, embedder, [message(5, channel_id=3, channel_name="ops")])

    known = await memory.known_names(places=frozenset({1, 3, 7, 99}))

    assert [set(known.channel_places(key)) for key in ("deploys", "ops", "old", "secret")] == [
        {1, 7},
        {3},
        {1},
        set(),
    ]
    assert [set(known.mentioned_places(one)) for one in (1, 7, 3, 99, 2)] == [{1, 7}, {7}, {3}, {99}, set()]
    assert known.channel_names(frozenset({7, 3, 2, 99})) == ("deploys", "ops")
    assert known.within(frozenset({7, 2})).channel_places("deploys") == {7}
    assert not (await memory.known_names(places=frozenset())).channel_places("deploys")


async def test_who_has_just_spoken_for_the_first_time_is_known(
    memory: Memory, short_term: Database, embedder: Embedder
) -> None:
    await remember(short_term, embedder, [message(1)])
    await memory.known_names(places=HERE)

    memory.note_stored(
        [message(2, author_name="Irmak", channel_name="town"), message(3, author_name="x", channel_id=2)]
    )

    known = await memory.known_names(places=HERE)
    assert authors(known, "irmak", "x", "ana") == [{"Irmak"}, set(), {"ana"}]
    assert known.channel_names(HERE) == ("town",)
    assert [set(known.channel_places(name)) for name in ("town", "general")] == [{1}, {1}]


async def test_a_question_right_after_the_first_message_of_somebody_finds_them(
    memory: Memory, short_term: Database, embedder: Embedder, tmp_path: Path
) -> None:
    await memory.known_names(places=HERE)
    async with open_recorder(
        session="demo",
        journal_path=tmp_path / "demo.csv",
        not_added_path=tmp_path / "demo_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=8,
        on_stored=memory.note_stored,
    ) as recorder:
        await recorder.record(message(1, "the kiln is hot", author_name="Irmak"))
        assert await recorder.settle(timeout=timedelta(seconds=60))

        asked = await parse_question(
            "what did \u0131rmak say?", places=HERE, here=1, now=minute(9), time_zone=ZoneInfo("UTC"), memory=memory
        )

    assert asked.authors == Authors(names=frozenset({"Irmak"}))
    assert asked.complete


async def test_what_another_process_brings_into_long_term_memory_is_known_at_the_next_question(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1)])
    before = authors(await memory.known_names(places=HERE), "zed")

    await bring_in(long_term, 1, message(2, author_name="zed", sent_at=minute(-9)), at=minute(0))
    after = await memory.known_names(places=HERE)
    await bring_in(long_term, 2, message(3, author_name="yan", sent_at=minute(-8)), at=minute(1))
    later = await memory.known_names(places=HERE)

    assert (before, authors(after, "zed", "ana")) == ([set()], [{"zed"}, {"ana"}])
    assert authors(later, "yan", "zed", "ana") == [{"yan"}, {"zed"}, {"ana"}]


async def test_of_a_batch_that_comes_in_its_names_alone_are_read(
    memory: Memory, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(long_term, embedder, [message(number, author_name=f"author {number}") for number in range(1, 6)])
    await memory.known_names(places=HERE)
    read = list[str]()
    take_in = Index.add

    def add(index: Index, named: Named) -> None:
        read.append(named.author)
        take_in(index, named)

    monkeypatch.setattr(Index, "add", add)
    await bring_in(long_term, 1, message(8, author_name="zed"), at=minute(0))
    await memory.known_names(places=HERE)

    assert read == ["zed"]


async def test_who_came_with_a_batch_that_was_taken_back_is_forgotten(
    memory: Memory, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1)])
    await bring_in(long_term, 1, message(2, author_name="zed"), at=minute(0))
    before = await memory.known_names(places=HERE)

    async with open_connection(long_term.dsn, timeout=PATIENCE) as connection:
        await take_back(connection, 1, now=minute(6))

    assert authors(before, "zed") == [{"zed"}]
    assert authors(await memory.known_names(places=HERE), "zed", "ana") == [set(), {"ana"}]


async def test_a_person_is_known_by_every_name_that_they_bore_where_they_bore_it(
    memory: Memory, short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, author_id=7, author_name="Ana")])
    renamed = message(2, author_id=7, author_name="Ana \u2615 | on holiday")
    secret = message(3, author_id=7, author_name="Nightingale", channel_id=2)
    await remember(short_term, embedder, [renamed, secret, message(4, author_id=8, author_name="Ana Lima")])

    known = await memory.known_names(places=HERE)

    assert (set(known.people("ana")), set(known.people("nightingale"))) == ({7, 8}, set())
    assert (known.name_of(7), known.name_of(8), known.name_of(9)) == ("Ana \u2615 | on holiday", "Ana Lima", None)
    assert (await memory.known_names(places=frozenset({2}))).name_of(7) == "Nightingale"


async def test_the_table_of_names_says_what_the_messages_say(long_term: Database, embedder: Embedder) -> None:
    said = [message(1), message(2), message(3, author_id=7, author_name="Z" * 5000), message(4, kind=Kind.ANSWER)]
    others = [message(5, thread_id=9, channel_name="t" * 5000), deletion(6, at=9), message(7, sent_at=minute(-50))]
    await remember(long_term, embedder, said)
    await remember(long_term, embedder, others)
    await bring_in(long_term, 1, message(8, author_name="zed"), message(1, author_id=4), at=minute(0))
    rows = await noted(long_term)

    await renew(long_term)

    assert len(rows) == 5
    assert await noted(long_term) == rows


async def test_one_question_asks_a_memory_once_whether_its_names_are_current(
    memory: Memory, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(long_term, embedder, [message(1, author_name="ana")])
    monkeypatch.setattr(remembered, "_CURRENT", PATIENCE)
    first = await memory.known_names(places=HERE)
    monkeypatch.setattr(rows_module, "version", None)  # calling it would raise

    again = await memory.known_names(places=HERE)

    assert authors(first, "ana") == authors(again, "ana") == [{"ana"}]


async def test_names_that_take_too_long_are_left_out_and_read_on_at_the_next_question(
    memory: Memory, long_term: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    await remember(long_term, embedder, [message(number, author_name=f"author {number}") for number in range(1, 6)])
    monkeypatch.setattr(remembered, "PATIENCE", timedelta(0))
    hurried = await memory.known_names(places=HERE)
    assert (hurried.complete, authors(hurried, "author 5")) == (False, [set()])

    monkeypatch.setattr(remembered, "PATIENCE", timedelta(seconds=60))
    patient = await memory.known_names(places=HERE)

    assert (patient.complete, authors(patient, "author 5")) == (True, [{"author 5"}])


async def test_names_are_loaded_before_anybody_asks(memory: Memory, long_term: Database, embedder: Embedder) -> None:
    await remember(long_term, embedder, [message(number, author_name=f"author {number}") for number in range(1, 6)])

    await memory.load_names()

    known = await memory.known_names(places=HERE)
    assert (known.complete, authors(known, "author 1")) == (True, [{"author 1"}])


@pytest.fixture
async def nobody() -> AsyncIterator[SearchableDatabase]:
    """A memory whose server does not answer."""
    url = parse_dsn(f"postgresql://ana@127.0.0.1:{closed_port()}/memory", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=5)) as engine:
        yield SearchableDatabase("short-term", sessions_of(engine), bm25=True, hypertable=False)


async def test_a_memory_that_is_away_leaves_the_names_of_the_other(
    memory: Memory, nobody: SearchableDatabase, long_term: Database, embedder: Embedder
) -> None:
    await remember(long_term, embedder, [message(1, author_name="lena")])
    halved = replace(memory, short_term=nobody)

    known = await halved.known_names(places=HERE)

    assert (known.complete, authors(known, "lena")) == (False, [{"lena"}])


async def test_two_memories_that_are_away_are_an_outage(nobody: SearchableDatabase, embedder: Embedder) -> None:
    away = Memory(nobody, replace(nobody, name="long-term"), embedder)

    with pytest.raises(DatabaseUnavailableError):
        await away.known_names(places=HERE)
