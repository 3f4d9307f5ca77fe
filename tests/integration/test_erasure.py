"""A person who is forgotten is nowhere any more, and nobody else has lost a word."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from agent.conversations import Conversations
from db.databases import LONG_TERM, SHORT_TERM, Database
from db.schema import CatchUpRow, DigestRow
from db.table_copy import open_connection
from errors import DatabaseUnavailableError, OperatorError, SessionError
from memory.capture.erased import Erased
from memory.capture.journal import Journal
from memory.capture.recorder import open_recorder
from memory.capture.session import begin_session
from memory.embedding.embedder import Embedder
from memory.index.index_text import search_text
from memory.message import Message, Revision
from ops.backup.create import BackupPlan, create
from ops.backup.formats import Format
from ops.backup.manifest import read_manifest
from ops.backup.restore import restore
from ops.backup.session_files import go_on_with_session
from ops.erasure import erase as erase_module
from ops.erasure import files
from ops.erasure.erase import ErasedFile, Receipt, forget
from ops.erasure.files import Redactions
from ops.erasure.ledger import COPIES, LEDGER, read_copies, read_ledger
from ops.erasure.rows import Counts, erase_rows, erasures_of, known_erasures, unfinished
from ops.erasure.subject import Subject
from storage.sessions import ProgramSession
from tests import forgotten
from tests.builders import deletion, edit, minute, whole
from tests.conftest import open_existing_database, open_new_database
from tests.forgotten import (
    AFTER_IMPORTED,
    BOB,
    BOT,
    CARLA,
    DISCORD,
    FIRST,
    FORGOTTEN_AT,
    HERS,
    KEPT_CONVERSATIONS,
    KEPT_QUESTIONS,
    NADIA,
    PATIENCE,
    QUESTIONS,
    REPEATING,
    SAID,
    TALKED,
    World,
    answers,
    by,
    conversation,
    fill,
    where_she_is,
)
from tests.sentences import is_one_sentence
from tests.servers import Server
from util_async import Progress, no_progress

pytestmark = pytest.mark.server

NEIGHBOURS = {2, 3, 6, 22, 24, 28, 30, 32, 40}
"""The messages that were indexed with something of hers."""

MOVE = "UPDATE journal_positions SET position = :position"
STAYING = [one for one in SAID if one.message_id not in HERS | REPEATING]


async def make_both(server: Server, names: tuple[str, str]) -> None:
    for name, kind in zip(names, (SHORT_TERM, LONG_TERM), strict=True):
        async with open_existing_database(server, name, name=kind) as database:
            await database.migrate(dimensions=forgotten.WIDTH)


@pytest.fixture(scope="module")
def names(server: Server) -> Iterator[tuple[str, str]]:
    """The names of two databases with empty tables."""
    new = partial(server.create_database, width=forgotten.WIDTH)
    made = new("forgetting_short"), new("forgetting_long")
    asyncio.run(make_both(server, made))
    yield made
    for name in made:
        server.drop_database(name)


@pytest.fixture
async def world(server: Server, names: tuple[str, str], tmp_path: Path) -> AsyncIterator[World]:
    """Two databases with empty tables, and two folders that are not there yet."""
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as short_term,
        open_existing_database(server, names[1], name=LONG_TERM) as long_term,
    ):
        yield World(
            short_term=short_term,
            long_term=long_term,
            storage_dir=tmp_path / "storage",
            backup_dir=tmp_path / "backups",
        )
        tables = "messages, message_revisions, replaced_messages, journal_positions, facts, time_zones, erasures"
        for database in (short_term, long_term):
            await run(
                database,
                f"TRUNCATE {tables}, conversation_turns, names, answers, ratings, decisions, catch_ups, digests,"
                " reminders, traces",
            )


@pytest.fixture
async def new_world(server: Server, tmp_path: Path) -> AsyncIterator[World]:
    """Two databases without tables."""
    async with open_new_database(server, SHORT_TERM) as short_term, open_new_database(server, LONG_TERM) as long_term:
        yield World(
            short_term=short_term,
            long_term=long_term,
            storage_dir=tmp_path / "storage",
            backup_dir=tmp_path / "backups",
        )


async def forget_her(
    world: World, report: Progress = no_progress, *, user_id: int = NADIA, now: datetime = FORGOTTEN_AT
) -> Receipt:
    return await forget(
        user_id,
        short_term=world.short_term,
        long_term=world.long_term,
        storage_dir=world.storage_dir,
        backup_dir=world.backup_dir,
        now=now,
        timeout=PATIENCE,
        report=report,
    )


async def rows(database: Database, columns: str = "message_id", table: str = "messages") -> list[Any]:
    async with database.engine.connect() as connection:
        found = await connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1"))  # noqa: S608
        return [tuple(row) if len(row) > 1 else row[0] for row in found]


async def conversations_in(database: Database) -> set[tuple[Any, ...]]:
    return set(await rows(database, "channel_id, asker_id, private", "conversation_turns"))


async def run(database: Database, statement: str, **values: object) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text(statement), values)


async def erase(database: Database, erasures: dict[int, datetime]) -> Counts:
    async with open_connection(database.dsn, timeout=PATIENCE) as connection, connection.transaction():
        return await erase_rows(connection, Subject(people=erasures))


async def test_decisions_lose_her_messages_and_what_she_wrote_about_those_of_others(world: World) -> None:
    await fill(world)

    receipt = await forget_her(world)

    marks = await rows(world.long_term, "message_id, marked_by, title, supersedes", "decisions")
    assert marks == [(2, None, "", None), (4, CARLA, "every other day", 2)]
    assert receipt.long_term.decisions == 3


async def test_her_reminders_go_and_those_of_others_lose_her_words_but_not_their_time(world: World) -> None:
    await fill(world)

    receipt = await forget_her(world)

    left = await rows(world.long_term, "reminder_id, person_id, text, message_id, due_at", "reminders")
    assert left == [(2, BOB, "", None, minute(900)), (3, BOB, "every other day", None, minute(900))]
    assert receipt.long_term.reminders == 2


async def test_traces_of_answers_to_her_go_and_all_that_have_texts(world: World) -> None:
    await fill(world)

    await forget_her(world)

    assert await rows(world.long_term, "trace_id", "traces") == ["c" * 32]


async def test_nothing_of_her_is_left_in_any_table_or_file(world: World) -> None:
    await fill(world)
    assert {secret for _, secret in await where_she_is(world)} == set(forgotten.SECRETS)

    await forget_her(world)

    assert await where_she_is(world) == set()


async def test_questions_and_ratings_of_hers_go_and_answers_that_cite_or_repeat_her(world: World) -> None:
    await fill(world)
    assert len(await rows(world.long_term, "question_id", "answers")) == len(QUESTIONS)

    receipt = await forget_her(world)

    assert set(await rows(world.long_term, "question_id", "answers")) == KEPT_QUESTIONS
    assert await rows(world.long_term, "question_id, rater_id", "ratings") == [(64, CARLA)]
    assert receipt.long_term.questions == len(QUESTIONS) - len(KEPT_QUESTIONS)


async def test_nobody_else_has_lost_anything(world: World) -> None:
    await fill(world)
    kept = "message_id, sent_at, content, author_name, attachments, edited_at, deleted_at, embedding::text"
    before = [row for row in await rows(world.long_term, kept) if row[0] not in HERS | REPEATING | {301}]

    await forget_her(world)

    assert await rows(world.long_term, kept) == before
    assert await rows(world.short_term) == [one.message_id for one in STAYING]
    assert whole(Journal(world.journal)).messages == tuple(STAYING)
    assert [one.message_id for one in whole(Journal(world.storage_dir / "old" / "old.csv")).messages] == [202]
    assert await rows(world.long_term, "owner_kind, owner_id", "time_zones") == [("guild", NADIA), ("person", BOB)]
    assert await conversations_in(world.long_term) == KEPT_CONVERSATIONS
    for key in KEPT_CONVERSATIONS:
        assert await Conversations(world.long_term.sessions).recall(key) == TALKED[key]


async def test_the_names_that_are_left_are_those_of_messages_that_are_left(world: World) -> None:
    await fill(world)
    people = "DISTINCT coalesce(author_id, 0), author_name"
    said = "messages WHERE kind = 'message' AND deleted_at IS NULL"
    before = await rows(world.long_term, people, "names")

    await forget_her(world)

    assert len([name for author_id, name in before if author_id == NADIA]) > 1
    for database in (world.short_term, world.long_term):
        left = set(await rows(database, people, "names"))
        assert left - {(0, "")} == set(await rows(database, people, said))


def context_of(one: Message, among: list[Message]) -> list[Message]:
    """Return the two messages before one in its place, of those that are not deleted."""
    earlier = [
        other
        for other in among
        if other.place_id == one.place_id
        and (other.sent_at, other.message_id) < (one.sent_at, one.message_id)
        and other.kind == "message"
        and other.deleted_at is None
    ]
    return sorted(earlier, key=lambda other: other.sent_at)[-2:]


async def test_the_words_of_a_neighbour_have_what_is_left_before_them_as_context(world: World) -> None:
    await fill(world)

    await forget_her(world)

    for database in (world.short_term, world.long_term):
        found = dict(await rows(database, "message_id, search_text"))
        among = STAYING if database is world.short_term else [*STAYING, AFTER_IMPORTED]
        for one in [one for one in STAYING if one.message_id in NEIGHBOURS]:
            assert found[one.message_id] == search_text(one, context_of(one, among))


async def test_a_message_that_was_heard_late_loses_its_context_too(world: World) -> None:
    await fill(world)

    await forget_her(world)

    found = dict(await rows(world.long_term, "message_id, search_text"))
    assert found[AFTER_IMPORTED.message_id] == search_text(AFTER_IMPORTED, [])
    assert found[4] == search_text(SAID[3], [SAID[1], SAID[2]])


async def test_the_receipt_tells_what_was_erased_where(world: World) -> None:
    await fill(world)
    for name in ("first_2026-11-03_1", "second_2026-11-03_2", ".third_2026-11-03_3.partial"):
        (world.backup_dir / name).mkdir(parents=True)
        (world.backup_dir / name / "manifest.json").touch()
    (world.backup_dir / "something else").mkdir()

    receipt = await forget_her(world)

    assert receipt.short_term == Counts(messages=6, revisions=1, answers=6, search_texts=9)
    assert receipt.long_term == Counts(
        messages=7,
        revisions=1,
        replaced=2,
        answers=6,
        conversations=6,
        questions=4,
        search_texts=11,
        time_zones=1,
        decisions=3,
        reminders=2,
    )
    assert set(receipt.files) == {
        ErasedFile(world.journal, 14),  # a message was journalled twice, and one was heard of again when it was deleted
        ErasedFile(world.storage_dir / "demo" / "demo_not_added.csv", 3),
        ErasedFile(world.storage_dir / "old" / "old.csv", 1),
        ErasedFile(world.storage_dir / "promotions" / "3_refused.csv", 3),
    }
    assert receipt.backups == ("first_2026-11-03_1", "second_2026-11-03_2")
    for words in ("7 messages", "6 conversations", str(world.journal), "14 lines", "first_2026-11-03_1"):
        assert words in receipt.text()


async def fill_with_posts(world: World) -> None:
    """Put answers into it that stand in Discord as well."""
    long_one = [
        forgotten.posted(1, "the first half repeats nobody", to=24),
        forgotten.posted(2, "and the second one names nadia", to=24, thread_id=DISCORD + 9),
    ]
    mine = forgotten.posted(3, "of that I know nothing", to=20, guild_id=None)
    others = [
        forgotten.posted(4, "nothing of her", to=30),
        forgotten.posted(5, "nadia said so, but I was deleted", to=32, deleted_at=minute(40)),
        answers(6, "nadia said so in a terminal", to=32),
    ]
    old = forgotten.posted(7, "she called it an oubliette in the pantry of the old flat", to=1000)
    await forgotten.write(world.short_term, [FIRST, *long_one, *others], [], 0)
    await forgotten.write(world.long_term, [forgotten.asks(NADIA, 20, "/chat what?"), mine], [], 0)
    forgotten.journalled(world.storage_dir / "old" / "old.csv", [forgotten.OLD, old])


HER_LINKS = {
    f"https://discord.com/channels/{DISCORD}/{DISCORD + 1}/{DISCORD + 1}",
    f"https://discord.com/channels/{DISCORD}/{DISCORD + 9}/{DISCORD + 2}",
    f"https://discord.com/channels/@me/{DISCORD + 1}/{DISCORD + 3}",
    f"https://discord.com/channels/{DISCORD}/{DISCORD + 1}/{DISCORD + 7}",
}


async def test_posts_in_discord_that_repeat_her_are_listed_by_their_links(world: World) -> None:
    await fill_with_posts(world)

    receipt = await forget_her(world)

    assert {post.link for post in receipt.posts} == HER_LINKS
    assert set(receipt.text().split()) >= HER_LINKS
    assert "is erased here, but not in Discord yet" in receipt.text()
    assert "set DISCORD_TOKEN" in receipt.text()
    whole_receipt = receipt.with_deleted({post.message_id for post in receipt.posts}, "")
    assert "is erased:" in whole_receipt.text()
    assert "4 posts of the bot" in whole_receipt.text()
    assert "https://" not in whole_receipt.text()


@pytest.mark.parametrize("step", [9, 10, 12, 14, 15])
async def test_killed_anywhere_it_knows_the_posts_when_it_is_done_again(world: World, step: int) -> None:
    await fill_with_posts(world)
    with pytest.raises(Killed):
        await forget_her(world, killing(step))

    receipt = await forget_her(world)

    assert {post.link for post in receipt.posts} == HER_LINKS


async def test_nobody_is_found_and_is_forgotten_all_the_same(world: World) -> None:
    await fill(world)
    before = [await rows(database, "*") for database in (world.short_term, world.long_term)]

    receipt = await forget_her(world, user_id=12345)

    assert receipt.found_nothing
    assert "Nothing of user 12345 was found" in receipt.text()
    assert read_ledger(world.backup_dir / LEDGER) == {12345: FORGOTTEN_AT}
    assert await erasures_of(world.long_term) == {12345: FORGOTTEN_AT}
    assert [await rows(database, "*") for database in (world.short_term, world.long_term)] == before


async def test_her_catch_ups_go_and_the_digests_that_quote_her_are_to_be_written_anew(world: World) -> None:
    await fill(world)
    her_message, other = min(HERS), STAYING[0].message_id
    digest = {"channel_id": 1, "guild_id": 5, "starts_at": minute(1), "claimed_at": minute(9), "checksum": "made up"}
    async with world.long_term.engine.begin() as connection:
        for person in (NADIA, BOB):
            await connection.execute(insert(CatchUpRow).values(person_id=person, guild_id=5, shown_at=minute(7)))
        for number, sources in enumerate(([her_message, other], [other])):
            await connection.execute(insert(DigestRow).values(**digest, due_at=minute(number), source_ids=sources))

    await forget_her(world)

    assert await rows(world.long_term, "person_id", "catch_ups") == [BOB]
    assert await rows(world.long_term, "due_at, source_ids, checksum", "digests") == [
        (minute(0), [other], ""),
        (minute(1), [other], "made up"),
    ]


async def test_databases_without_tables_are_passed_over(new_world: World) -> None:
    receipt = await forget_her(new_world)

    assert receipt.found_nothing
    assert await erasures_of(new_world.long_term) == {}
    assert read_ledger(new_world.backup_dir / LEDGER) == {NADIA: FORGOTTEN_AT}


async def test_tables_that_an_older_database_lacks_are_passed_over(new_world: World) -> None:
    world = new_world
    for database in (world.short_term, world.long_term):
        await database.migrate(dimensions=forgotten.WIDTH)
    await fill(world)
    for table in (
        *("erasures", "replaced_messages", "time_zones", "conversation_turns", "journal_positions"),
        *("catch_ups", "digests", "reminders", "traces"),
    ):
        for database in (world.short_term, world.long_term):
            await run(database, f"DROP TABLE IF EXISTS {table}")

    receipt = await forget_her(world)

    assert receipt.long_term.messages == 7
    assert (receipt.long_term.time_zones, receipt.long_term.conversations) == (0, 0)


async def test_what_was_said_since_goes_with_a_second_time(world: World) -> None:
    await fill(world)
    await forget_her(world)

    receipt = await forget_her(world, now=minute(200))

    assert (receipt.short_term.messages, receipt.long_term.messages) == (1, 1)
    assert await erasures_of(world.long_term) == read_ledger(world.backup_dir / LEDGER) == {NADIA: minute(200)}


async def test_an_earlier_moment_takes_nothing_back(world: World) -> None:
    await fill(world)
    await forget_her(world, now=minute(200))

    receipt = await forget_her(world)

    assert receipt.erased_at == minute(200)
    assert await erasures_of(world.long_term) == {NADIA: minute(200)}


async def test_an_id_that_is_none_is_refused_before_anything_is_noted(world: World) -> None:
    with pytest.raises(OperatorError) as caught:
        await forget_her(world, user_id=2**63)

    assert is_one_sentence(str(caught.value))
    assert not world.backup_dir.exists()


class Killed(BaseException):
    """What ends the process in the middle."""


def killing(step: int) -> Progress:
    def report(done: int, _: int) -> None:
        if done == step:
            raise Killed

    return report


STEPS = 4 * (4 + 2) + 2 * 2


async def test_as_many_steps_are_reported_as_there_are(world: World) -> None:
    await fill(world)
    heard: list[tuple[int, int]] = []

    await forget_her(world, lambda done, total: heard.append((done, total)))

    assert heard == [(number, STEPS) for number in range(1, STEPS + 1)]


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(15, id="among the files that repeat her"),
        pytest.param(18, id="before the databases that repeat her"),
        pytest.param(19, id="between the databases that repeat her"),
        pytest.param(22, id="among the files with her words"),
        pytest.param(24, id="before the databases with her words"),
        pytest.param(25, id="between the databases with her words"),
        pytest.param(27, id="before the last database is cleaned up"),
    ],
)
async def test_killed_it_goes_on_when_it_is_done_again(world: World, step: int) -> None:
    await fill(world)
    with pytest.raises(Killed):
        await forget_her(world, killing(step))

    await forget_her(world)

    assert await where_she_is(world) == set()
    assert await rows(world.short_term) == [one.message_id for one in STAYING]
    assert whole(Journal(world.journal)).messages == tuple(STAYING)


async def no_meaning(_: Embedder, texts: list[str]) -> Any:
    return np.full((len(texts), forgotten.WIDTH), 0.5, dtype=np.float32)


async def bot_runs(world: World, monkeypatch: pytest.MonkeyPatch, embedder: Embedder, *new: Message) -> None:
    """Let the ingest catch up with the journal, as the bot does at its start."""
    monkeypatch.setattr(Embedder, "embed", no_meaning)
    async with open_recorder(
        session="demo",
        journal_path=world.journal,
        not_added_path=world.journal.with_name("demo_not_added.csv"),
        sessions=world.short_term.sessions,
        embedder=embedder,
        batch=4,
        erased=Erased(await known_erasures(world.backup_dir, world.long_term)),
    ) as recorder:
        for one in new:
            await recorder.record(one)
        assert await recorder.settle(timeout=PATIENCE)


def position_behind(world: World, messages: int) -> int:
    """Return where the journal stands behind its first records."""
    return Journal(world.journal).read(0, messages).position


def die_around_cut(patched: pytest.MonkeyPatch, dies: str) -> None:
    """End the process before or after the journal is replaced by one without her words."""
    original = files.cut

    def cut(path: Path, cuts: Redactions) -> None:
        hers = path.name == "demo.csv" and cuts.own
        if not hers or dies == "after":
            original(path, cuts)
        if hers:
            raise Killed

    patched.setattr(erase_module, "cut", cut)


@pytest.mark.parametrize("read", [0, 9, 99], ids=["nothing read", "half of it read", "all read"])
@pytest.mark.parametrize("dies", ["before", "after"], ids=["before the file is replaced", "after it is replaced"])
async def test_killed_around_the_journal_nobody_is_lost_and_she_does_not_come_back(
    world: World, monkeypatch: pytest.MonkeyPatch, embedder: Embedder, read: int, dies: str
) -> None:
    await fill(world)
    await run(world.short_term, "DELETE FROM messages WHERE message_id > :read", read=read)
    await run(world.short_term, "DELETE FROM message_revisions WHERE message_id > :read", read=read)
    known = sum(one.message_id <= read for one in SAID)
    await run(world.short_term, MOVE, position=position_behind(world, known + 1))
    with monkeypatch.context() as patched:
        die_around_cut(patched, dies)
        with pytest.raises(Killed):
            await forget_her(world)

    await bot_runs(world, monkeypatch, embedder, by(BOB, 130, "said between the two halves"))
    await forget_her(world)

    # An answer from before the erasure may repeat her: what of them is not stored yet is kept out.
    ids = [one.message_id for one in STAYING if one.author_id != BOT or one.message_id <= read] + [130]
    assert await rows(world.short_term) == ids
    await bot_runs(world, monkeypatch, embedder)
    assert await rows(world.short_term) == ids
    assert await where_she_is(world) == set()


async def test_a_forgotten_person_does_not_come_back_when_an_old_message_is_pinned(
    world: World, monkeypatch: pytest.MonkeyPatch, embedder: Embedder
) -> None:
    """Discord sends the whole message then, as it does when somebody begins a thread under it."""
    await fill(world)
    await forget_her(world)
    pinned = by(NADIA, 7, "it rained, says the pluviometer", edited_at=minute(8))

    await bot_runs(
        world,
        monkeypatch,
        embedder,
        pinned,
        deletion(5, at=130, author_name=""),
        edit(2, "thank you again", at=130, author_id=BOB, author_name="bob"),
        by(NADIA, 131, "this is new", author_name="Nadja"),
    )

    assert await where_she_is(world) == set()
    assert await rows(world.short_term, "content", "messages WHERE message_id IN (2, 7, 131)") == [
        "thank you again",
        "this is new",
    ]
    assert 5 in await rows(world.short_term)  # a message that was deleted somewhere, and nothing else is told of it


@pytest.mark.parametrize("heard", ["not added", "read again"])
async def test_nor_by_the_csv_of_a_session_from_before(
    world: World, monkeypatch: pytest.MonkeyPatch, embedder: Embedder, heard: str
) -> None:
    await fill(world)
    before = world.journal.read_bytes()
    await forget_her(world)
    world.journal.write_bytes(before + f"1,{NADIA},damaged: the cellarkey\n".encode())
    await run(world.short_term, MOVE, position=0)
    if heard == "not added":  # all of it is
        await run(world.short_term, "DELETE FROM messages")

    await bot_runs(world, monkeypatch, embedder)

    texts = {**await forgotten.texts_of_database(world.short_term), "put aside": not_added(world)}
    assert not [place for place, words in texts.items() if list(forgotten.secrets_in(words))]
    kept = {one.message_id for one in STAYING if heard == "read again" or one.author_id != BOT}
    assert set(await rows(world.short_term)) == kept | {1}  # that one was deleted, by somebody of whom it tells nothing


async def test_what_an_unfinished_erasure_has_left_in_memory_is_not_written_back_into_a_csv(world: World) -> None:
    await fill(world)
    with pytest.raises(Killed):
        await forget_her(world, killing(24))  # the files are rewritten, and the databases not yet
    await run(
        world.short_term, "INSERT INTO facts VALUES ('session', 'demo'), ('journal', :path)", path=f"{world.journal}"
    )
    erased = Erased(await known_erasures(world.backup_dir, world.long_term))

    await begin_session(
        world.short_term, session_name="next", journal_path=world.journal.with_name("next.csv"), erased=erased
    )

    texts = forgotten.texts_of_folder(world.storage_dir)
    assert not [place for place, words in texts.items() if list(forgotten.secrets_in(words))]
    assert erased.kept_out


def not_added(world: World) -> str:
    return world.journal.with_name("demo_not_added.csv").read_text(encoding="utf-8")


async def test_the_position_of_the_journal_moves_with_it(world: World) -> None:
    await fill(world)
    await run(world.short_term, MOVE, position=position_behind(world, 5))

    await forget_her(world)

    (position,) = await rows(world.short_term, "position", "journal_positions")
    assert position == position_behind(world, 3)  # one of the five is hers


@pytest.mark.parametrize("place", ["journal", "not added"])
async def test_a_file_that_cannot_be_read_is_named_and_nothing_is_erased(world: World, place: str) -> None:
    await fill(world)
    path = world.journal if place == "journal" else world.journal.with_name("demo_not_added.csv")
    aside = path.with_suffix(".aside")
    path.rename(aside)
    path.mkdir()

    with pytest.raises(SessionError, match=str(path)) as caught:
        await forget_her(world)

    assert is_one_sentence(str(caught.value).replace(path.name, ""))
    assert await rows(world.short_term) == sorted(one.message_id for one in SAID)
    path.rmdir()
    aside.rename(path)
    await forget_her(world)
    assert await where_she_is(world) == set()


async def test_a_file_that_cannot_be_rewritten_leaves_the_position_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(world)
    before = await rows(world.short_term, "position", "journal_positions")

    def refuse(*_: object) -> None:
        raise SessionError("No space is left.")

    monkeypatch.setattr(erase_module, "cut", refuse)
    with pytest.raises(SessionError):
        await forget_her(world)

    assert await rows(world.short_term, "position", "journal_positions") == before


async def test_a_database_that_goes_away_half_way_is_reported_and_the_same_command_finishes(world: World) -> None:
    await fill(world)

    def close_the_connections(done: int, _: int) -> None:
        if done == 21:
            disconnect(world.long_term)

    with pytest.raises(DatabaseUnavailableError, match="the same command") as caught:
        await forget_her(world, close_the_connections)

    assert is_one_sentence(str(caught.value))
    assert await where_she_is(world)
    await forget_her(world)
    assert await where_she_is(world) == set()


def disconnect(database: Database) -> None:
    """Close all connections to a database, from its server's side."""
    with psycopg.connect(database.dsn, connect_timeout=60, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_database_that_does_not_answer_leaves_an_entry_in_the_ledger(world: World) -> None:
    nowhere = create_async_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    world = replace(world, long_term=replace(world.long_term, engine=nowhere))

    with pytest.raises(DatabaseUnavailableError, match="the same command"):
        await forget_her(world)

    assert read_ledger(world.backup_dir / LEDGER) == {NADIA: FORGOTTEN_AT}


async def test_a_restored_database_from_before_has_nothing_of_her_in_it(world: World) -> None:
    await fill(world)

    counts = [await erase(database, {NADIA: FORGOTTEN_AT}) for database in (world.short_term, world.long_term)]

    places = {place for place, _ in await where_she_is(world)}
    assert not [place for place in places if place.startswith(("short-term", "long-term"))]
    kept = [one for one in STAYING if one.author_id != BOT]
    assert await rows(world.short_term) == [one.message_id for one in kept]
    assert counts[1] == Counts(
        messages=7,
        revisions=1,
        replaced=2,
        answers=7,
        conversations=8,
        questions=5,
        search_texts=11,
        time_zones=1,
        decisions=3,
        reminders=3,
    )


async def test_answers_and_conversations_from_after_the_erasure_come_back_from_a_backup(world: World) -> None:
    await fill(world)
    await forget_her(world)
    before = [await rows(database, "*") for database in (world.short_term, world.long_term)]

    counts = [await erase(database, {NADIA: FORGOTTEN_AT}) for database in (world.short_term, world.long_term)]

    assert counts == [Counts(), Counts()]
    assert [await rows(database, "*") for database in (world.short_term, world.long_term)] == before
    assert await conversations_in(world.long_term) == KEPT_CONVERSATIONS


async def test_a_database_knows_which_erasures_it_has_been_through(world: World) -> None:
    await fill(world)
    erasures = {NADIA: FORGOTTEN_AT, BOB: minute(1)}
    async with open_connection(world.short_term.dsn, timeout=PATIENCE) as connection:
        assert await unfinished(connection, erasures) == erasures

    await forget_her(world)

    async with open_connection(world.short_term.dsn, timeout=PATIENCE) as connection:
        assert await unfinished(connection, erasures) == {BOB: minute(1)}
        assert await unfinished(connection, {NADIA: minute(101)}) == {NADIA: minute(101)}


async def test_many_are_erased_at_once_each_up_to_their_moment(world: World) -> None:
    await fill(world)

    counts = await erase(world.short_term, {NADIA: minute(6), BOB: minute(3), 5: minute(500)})

    assert counts.messages == 3
    left = set(await rows(world.short_term))
    assert not left & {1, 2, 5}
    assert {3, 4, 7, 10, 40} <= left


async def test_nothing_is_erased_when_the_caller_gives_up(world: World) -> None:
    await fill(world)
    before = await rows(world.long_term, "*")

    opening = open_connection(world.long_term.dsn, timeout=PATIENCE)
    async with opening as connection, connection.transaction(force_rollback=True):
        await erase_rows(connection, Subject(people={NADIA: FORGOTTEN_AT}))

    assert await rows(world.long_term, "*") == before


async def test_nobody_to_erase_costs_nothing(world: World) -> None:
    assert await erase(world.long_term, {}) == Counts()


async def test_no_dead_row_is_left_for_an_index_to_point_at(world: World) -> None:
    await fill(world)

    await forget_her(world)

    for database in (world.short_term, world.long_term):
        left = re.findall(r"(\d+) (?:dead item identifiers )?removed", await vacuumed(database))
        assert left
        assert set(left) == {"0"}


STATISTICS_OF_SEVERAL = "CREATE STATISTICS who_says_what (mcv) ON author_name, content FROM messages"


async def test_the_planner_has_no_samples_of_her_words_any_more(world: World) -> None:
    await fill(world)
    await run(world.long_term, STATISTICS_OF_SEVERAL)
    await forgotten.analysed(world.long_term)
    try:
        told = "".join((await forgotten.statistics_of_database(world.long_term)).values())
        assert {"cellarkey", "nadia", f"{NADIA}"} <= set(re.findall(r"\w+", told))

        await forget_her(world, now=minute(1000))

        for database in (world.short_term, world.long_term):
            for table, values in (await forgotten.statistics_of_database(database)).items():
                assert not list(forgotten.secrets_in(values)), table
                assert "erasures" in table or "time_zones" in table or f"{NADIA}" not in values, table
    finally:
        await run(world.long_term, "DROP STATISTICS who_says_what")


async def test_nor_has_it_where_nothing_else_was_said(world: World) -> None:
    """A table, or a chunk, that has no rows any more is passed over by ANALYZE, which leaves the old samples there."""
    hers = [one for one in SAID if one.author_id == NADIA]
    later = [by(BOB, 401, "a month later", sent_at=minute(60 * 24 * 40))]
    forgotten.journalled(world.journal, hers)
    await forgotten.write(world.short_term, hers, [Revision(7, minute(8), "zugzwang")], 0)
    await forgotten.write(world.long_term, [*hers, *later], [Revision(7, minute(8), "zugzwang")], 0)
    await Conversations(world.long_term.sessions).append(conversation(1, NADIA), TALKED[conversation(1, NADIA)][0])
    for database in (world.short_term, world.long_term):
        await forgotten.analysed(database)
    assert {secret for _, secret in await where_she_is(world)} >= {"cellarkey", "zugzwang", "nadia"}

    await forget_her(world, now=minute(1000))

    assert await where_she_is(world) == set()
    for database in (world.short_term, world.long_term):
        told = await forgotten.statistics_of_database(database)
        assert not [table for table, values in told.items() if "messages" in table and f"{NADIA}" in values]
    assert await rows(world.short_term) == []
    assert await rows(world.long_term) == [401]
    assert await rows(world.short_term, "message_id", "message_revisions") == []


async def vacuumed(database: Database) -> str:
    """Return what PostgreSQL says of vacuuming the messages once more."""
    said: list[str] = []
    async with open_connection(database.dsn, timeout=PATIENCE) as connection:
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        await connection.execute("VACUUM (VERBOSE) messages")
    return "\n".join(said)


async def test_a_time_zone_that_was_chosen_since_is_kept(world: World) -> None:
    await fill(world)
    await run(world.long_term, "UPDATE time_zones SET set_at = '2100-01-01' WHERE owner_id = :user_id", user_id=NADIA)

    assert (await forget_her(world)).long_term.time_zones == 0


async def test_what_others_forwarded_of_her_goes_from_everywhere_wherever_the_original_is(world: World) -> None:
    words = "the cellarkey is under the third pot"
    copy = by(BOB, 11, words, forwarded_from=10)
    copy_of_copy = by(BOB, 12, words, forwarded_from=11)
    another = by(BOB, 13, "of somebody else", forwarded_from=9)
    after = by(forgotten.CARLA, 14, "what a day")
    await forgotten.write(world.long_term, [by(NADIA, 10, words)], [], 0)
    await forgotten.write(world.short_term, [copy, copy_of_copy, after, another], [], 0)
    assert "cellarkey" in str(await rows(world.short_term, "search_text", "messages WHERE message_id = 14"))
    path = world.storage_dir / "demo" / "demo.csv"
    forgotten.journalled(path, [copy, copy_of_copy, deletion(12, at=20, author_name=""), another, after])

    receipt = await forget_her(world)

    assert await rows(world.short_term) == [13, 14]
    assert "cellarkey" not in str(await rows(world.short_term, "search_text"))
    assert await rows(world.long_term) == []
    assert (receipt.short_term.messages, receipt.files) == (2, (ErasedFile(path, 3),))
    assert [one.message_id for one in whole(Journal(path)).messages] == [13, 14]
    assert read_copies(world.backup_dir / COPIES) == {11, 12}
    await forget_her(world)
    assert read_copies(world.backup_dir / COPIES) == {11, 12}


async def test_nor_has_it_copies_whose_original_is_in_the_other_memory(world: World) -> None:
    messages = [by(BOB, 11, "hers", forwarded_from=10), by(BOB, 12, "mine", forwarded_from=9)]
    await forgotten.write(world.short_term, messages, [], 0)

    async with open_connection(world.short_term.dsn, timeout=PATIENCE) as connection, connection.transaction():
        counts = await erase_rows(connection, Subject(people={NADIA: FORGOTTEN_AT}, messages=frozenset({11})))

    assert counts.messages == 1
    assert await rows(world.short_term) == [12]


async def test_a_restored_database_from_before_has_no_copies_of_what_she_said(world: World) -> None:
    messages = [by(NADIA, 10, "hers"), by(BOB, 11, "hers", forwarded_from=10), by(BOB, 12, "mine")]
    await forgotten.write(world.long_term, messages, [], 0)

    counts = await erase(world.long_term, {NADIA: FORGOTTEN_AT})

    assert counts.messages == 2
    assert await rows(world.long_term) == [12]


async def test_a_message_whose_author_only_a_csv_tells_goes_too(world: World) -> None:
    await fill(world)
    await run(world.short_term, "UPDATE messages SET author_id = NULL WHERE message_id IN (1, 2)")

    await forget_her(world)

    left = await rows(world.short_term)
    assert 1 not in left
    assert 2 in left


async def test_a_backup_from_before_is_restored_without_her_and_one_from_after_as_it_is(world: World) -> None:
    await fill(world)
    before = await back_up(world, minute(90))
    await forget_her(world)
    after = await back_up(world, minute(110))
    left = [await rows(database, "*") for database in (world.short_term, world.long_term)]

    await restore_all(world, before)
    assert await where_she_is(world) == set()
    assert {3, 4, 40} <= set(await rows(world.short_term))
    await forget_her(world, now=minute(100))

    await restore_all(world, after)
    assert await where_she_is(world) == set()
    assert [await rows(database, "*") for database in (world.short_term, world.long_term)] == left
    assert await conversations_in(world.long_term) == KEPT_CONVERSATIONS


async def back_up(world: World, now: datetime) -> Path:
    """Back up everything, and return the folder of the backup."""
    session = ProgramSession("demo", "demo", world.journal.parent)
    made = await create(
        [world.short_term, world.long_term],
        BackupPlan(name="whole", formats=[Format.BINARY]),
        session=session,
        backup_dir=world.backup_dir,
        now=now,
        timeout=PATIENCE,
        report=no_progress,
    )
    return made.folder


async def restore_all(world: World, folder: Path) -> None:
    """Lose the files of the session, and restore everything as the script does."""
    shutil.rmtree(world.journal.parent)
    manifest, erasures = read_manifest(folder), read_ledger(world.backup_dir / LEDGER)
    for database in (world.short_term, world.long_term):
        await restore(
            folder,
            manifest,
            database,
            source=Format.BINARY,
            erasures=erasures,
            dimensions=forgotten.WIDTH,
            model="made up",
            timeout=PATIENCE,
            report=no_progress,
        )
    await go_on_with_session(folder, manifest, world.short_term, storage_dir=world.storage_dir, erasures=erasures)


async def test_the_csvs_of_other_processes_lose_her_too_and_those_elsewhere_are_named(
    world: World, tmp_path: Path
) -> None:
    await fill(world)
    other = tmp_path / "other" / "demo" / "demo.csv"
    other.parent.mkdir(parents=True)
    shutil.copy(world.journal, other)
    facts = "INSERT INTO facts VALUES ('journal 0-3/8', :here), ('journal 4-7/8', '/elsewhere/storage/demo/demo.csv')"
    await run(world.short_term, facts, here=str(other))

    receipt = await forget_her(world)

    assert {file.path for file in receipt.files} >= {world.journal, other}
    assert not list(forgotten.secrets_in(other.read_text(encoding="utf-8")))
    assert "other processes (/elsewhere/storage): give the same command where they are." in receipt.text()
