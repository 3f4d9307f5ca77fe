"""What a server does not want to be kept any longer goes from both memories and from the files of sessions."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from agent.conversations import ConversationKey, Conversations, Turn
from db.databases import Database
from db.engines import transaction
from db.schema import AnswerRow, DecisionRow, MessageRow, NameRow, PlaceRow, RatingRow, RevisionRow, TurnRow
from memory.capture.journal import Journal
from memory.capture.members import Member, note_member
from memory.capture.recorder import open_recorder
from memory.consent.reading import rules_of
from memory.consent.rules import Refusal
from memory.embedding.embedder import Embedder
from memory.guild_settings import RETENTION_DAYS, GuildSettings
from memory.index import store
from memory.index.store import Indexed
from memory.message import Message, Revision
from ops.retention.retain import Retention, erase_old_lines
from ops.retention.rows import cutoffs_of, erase_old_rows
from tests.builders import deletion, message, minute, whole
from tests.integration.test_importing import csv_of
from tests.lived_in import PATIENCE, PLACE

DAY = 24 * 60
GUILD, OTHER, CHANNEL = 2, 9, 1
NOW = minute(40 * DAY)


def said(number: int, day: float, content: str = "hello", **changes: Any) -> Message:
    """Return a message of a day, counted from the tests' first."""
    return message(number, content, **{"sent_at": minute(day * DAY), "guild_id": GUILD, "author_id": 5, **changes})


OLD = [said(number, number / 10, f"old {number}") for number in range(1, 8)]
NEW = [said(20, 30, "new"), said(21, 39, "newest")]
OTHERS = [said(30, 1, "of another server", guild_id=OTHER), said(31, 1, "between two people", guild_id=None)]


async def write(database: Database, messages: Sequence[Message]) -> None:
    async with transaction(database.sessions) as session:
        await store.write(
            session,
            batch=[Indexed(one, one.content, None, None) for one in messages],
            revisions=[Revision(1, minute(200), "what it said before")],
            journal="demo",
            position=0,
        )


async def keep_for(long_term: Database, days: int | None) -> None:
    await GuildSettings(long_term.sessions).set(GUILD, RETENTION_DAYS, days, at=minute(0))


async def texts(database: Database) -> set[str]:
    async with transaction(database.sessions) as session:
        return set(await session.scalars(select(MessageRow.content)))


async def amount(database: Database, row: Any) -> int:
    async with transaction(database.sessions) as session:
        return len((await session.scalars(select(row))).all())


def retention(short_term: Database, long_term: Database, folder: Path) -> Retention:
    return Retention(short_term, long_term, folder, clock=lambda: NOW, timeout=PATIENCE)


async def test_what_is_too_old_goes_from_both_memories_and_nothing_else(
    short_term: Database, long_term: Database, tmp_path: Path
) -> None:
    for database in (short_term, long_term):
        await write(database, [*OLD, *NEW, *OTHERS])
    await keep_for(long_term, 30)

    await retention(short_term, long_term, tmp_path).erase()

    for database in (short_term, long_term):
        assert await texts(database) == {one.content for one in (*NEW, *OTHERS)}
        assert await amount(database, RevisionRow) == 0


async def test_where_nothing_is_said_of_it_all_is_kept(
    short_term: Database, long_term: Database, tmp_path: Path
) -> None:
    await write(long_term, OLD)
    await retention(short_term, long_term, tmp_path).erase()
    await keep_for(long_term, None)
    await retention(short_term, long_term, tmp_path).erase()

    assert len(await texts(long_term)) == len(OLD)


async def test_many_rows_go_in_several_transactions(short_term: Database, long_term: Database) -> None:
    await write(long_term, [*OLD, *NEW])
    await keep_for(long_term, 30)
    cutoffs = await cutoffs_of(long_term, now=NOW)

    erased = await erase_old_rows([long_term], cutoffs, long_term=long_term, limit=2)

    assert erased == len(OLD)
    assert await texts(long_term) == {"new", "newest"}


async def test_what_else_tells_of_that_time_goes_with_it_decisions_included(
    short_term: Database, long_term: Database, tmp_path: Path
) -> None:
    await write(long_term, [*OLD, *NEW])
    key = ConversationKey(channel_id=CHANNEL, asker_id=5, private=False)
    asked: dict[str, Any] = {
        "channel_id": CHANNEL,
        "access_id": CHANNEL,
        "asker_id": 5,
        "text": "?",
        "private": False,
        "all_time": False,
        "about": [],
        "locale": "",
        "state": "delivered",
        "attempts": 0,
        "cites": [],
    }
    async with transaction(long_term.sessions) as session:
        await session.execute(insert(PlaceRow).values({**PLACE, "place_id": CHANNEL, "guild_id": GUILD}))
        for number, day in ((1, 1), (2, 39)):
            at = minute(day * DAY)
            times = {"asked_at": at, "changed_at": at}
            await session.execute(insert(AnswerRow).values(question_id=number, guild_id=GUILD, **asked, **times))
            await session.execute(insert(RatingRow).values(question_id=number, rater_id=5, rating=1, rated_at=at))
            decided = {"channel_id": CHANNEL, "sent_at": at, "marked_at": minute(39 * DAY), "title": ""}
            await session.execute(insert(DecisionRow).values(guild_id=GUILD, message_id=number, **decided))
            name = {"channel_name": "general", "author_name": f"ana {number}", "first_seen": at, "last_seen": at}
            ids = {"place_id": CHANNEL, "channel_id": CHANNEL, "author_id": 5}
            await session.execute(insert(NameRow).values(**ids, **name))
    for day in (1, 39):
        await Conversations(long_term.sessions).append(
            key, Turn(asked_at=minute(day * DAY), question=f"day {day}", answer="-")
        )
    await keep_for(long_term, 30)

    await retention(short_term, long_term, tmp_path).erase()

    async with transaction(long_term.sessions) as session:
        assert list(await session.scalars(select(AnswerRow.question_id))) == [2]
        assert list(await session.scalars(select(RatingRow.question_id))) == [2]
        assert list(await session.scalars(select(DecisionRow.message_id))) == [2]
        assert list(await session.scalars(select(TurnRow.question))) == ["day 39"]
        names = await session.scalars(select(NameRow.author_name).where(NameRow.author_name.startswith("ana ")))
        assert list(names) == ["ana 2"]


async def test_lines_go_from_the_files_of_sessions_that_are_over(
    short_term: Database, long_term: Database, tmp_path: Path
) -> None:
    over, running = tmp_path / "over", tmp_path / "running"
    lines = [*OLD, *NEW, *OTHERS, deletion(1, at=300, guild_id=GUILD)]
    for folder in (over, running):
        folder.mkdir()
        csv_of(folder / f"{folder.name}.csv", *lines)
    async with transaction(short_term.sessions) as session:
        await note_member(session, Member(shards=None, session="running", journal=running / "running.csv"))
    await keep_for(long_term, 30)

    await retention(short_term, long_term, tmp_path).erase()

    kept = [one.content for one in whole(Journal(over / "over.csv")).messages]
    assert kept == [one.content for one in (*NEW, *OTHERS)]
    assert len(whole(Journal(running / "running.csv")).messages) == len(lines)


async def test_lines_go_from_the_file_that_is_being_written_and_it_goes_on(
    short_term: Database, long_term: Database, embedder: Embedder, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    await keep_for(long_term, 30)
    async with open_recorder(
        session="demo",
        journal_path=folder / "demo.csv",
        not_added_path=folder / "demo_not_added.csv",
        sessions=short_term.sessions,
        embedder=embedder,
        batch=8,
    ) as recorder:
        for one in (*OLD, *NEW, *OTHERS):
            await recorder.record(one)
        assert await recorder.settle(timeout=PATIENCE)
        assert await recorder.push()
        erasing = Retention(short_term, long_term, tmp_path, clock=lambda: NOW, timeout=PATIENCE, running=recorder)

        await erasing.erase()

        await recorder.record(said(50, 39, "said afterwards"))
        assert await recorder.settle(timeout=PATIENCE)
        kept = [one.content for one in (*NEW, *OTHERS)]
        assert await texts(short_term) == {*kept, "said afterwards"}
        assert recorder.progress[0] == recorder.progress[1]
    assert [one.content for one in whole(Journal(folder / "demo.csv")).messages] == [*kept, "said afterwards"]


async def test_what_is_too_old_is_not_taken_in_again(long_term: Database) -> None:
    await keep_for(long_term, 30)

    rules = await rules_of(long_term, now=NOW)

    assert [rules.refusal_of(one) for one in (OLD[0], NEW[0], OTHERS[0])] == [Refusal.AGE, None, None]


async def test_a_memory_that_was_never_migrated_has_nothing_to_erase(blank: Database) -> None:
    assert await cutoffs_of(blank, now=NOW) == {}


async def test_a_file_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a/a.csv").mkdir()
    csv_of(tmp_path / "b/b.csv", *OLD)

    assert erase_old_lines(tmp_path, {GUILD: NOW - timedelta(days=30)}, in_use=()) == len(OLD)
