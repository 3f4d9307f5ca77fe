"""When a message that an answer cites is edited or deleted, what Discord shows of the answer follows, where it can."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.changed_answers import DELETED_SINCE, NOTHING_LEFT, READS_ANEW
from agent.conversations import drop_stale_turns
from bot import answer_updates, live_answer
from bot.answer_updates import AnswerUpdates
from bot.cited_sources import DELETED
from db.databases import Database
from memory.answers import changes
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.builders import hears
from tests.fake_discord import Channel, FakeDiscord, Interaction, Member, Message
from tests.fake_discord.payloads import user_payload
from tests.harbours import Harbour
from tests.running_bot import BotPrograms, RunningBot

pytestmark = pytest.mark.server

QUESTION = "what did Ben say about the ferry?"
LEAVES, MIDNIGHT = "the ferry leaves at noon", "the ferry leaves at midnight"


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


@pytest.fixture(autouse=True)
def _does_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_answer, "FIRST_AFTER", timedelta(minutes=1))
    monkeypatch.setattr(answer_updates, "LOOK_EVERY", timedelta(seconds=0.05))
    monkeypatch.setattr(answer_updates, "FIRST_PAUSE", timedelta(seconds=0.1))
    monkeypatch.setattr(answer_updates, "ARCHIVED_PAUSE", timedelta(seconds=0.1))
    monkeypatch.setattr(changes, "SETTLES_IN", timedelta())
    monkeypatch.setattr(changes, "APART", timedelta())


async def said(running: RunningBot, channel: Channel, author: Member) -> Message:
    """Let the bot remember something."""
    message = running.fake.world.say(channel, LEAVES, author=author)
    await running.heard(channel, 1)
    return message


async def asked(
    programs: BotPrograms,
    running: RunningBot,
    harbour: Harbour,
    *,
    channel: Channel | None = None,
    private: bool = False,
) -> Interaction:
    """Return a question of Ana's whose answer is delivered."""
    question = running.fake.interactions.use(
        channel or harbour.general, harbour.ana, "chat", text=QUESTION, private=private
    )
    answer = await running.fake.interactions.answered(question)
    assert LEAVES in answer
    assert LEAVES in answer.partition("Sources")[2]
    await until_rows(programs, "state = 'delivered'", 1)
    return question


async def rows(programs: BotPrograms, condition: str) -> int:
    """Return how many answers are kept as a condition says."""
    async with programs.long_term.engine.connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM answers WHERE {condition}")))  # noqa: S608


async def until_rows(programs: BotPrograms, condition: str, amount: int) -> None:
    async with asyncio.timeout(60):
        while await rows(programs, condition) != amount:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)


async def change(programs: BotPrograms, assignments: str) -> None:
    """Let all answers have been kept otherwise."""
    async with programs.long_term.engine.begin() as connection:
        await connection.execute(text(f"UPDATE answers SET {assignments}"))  # noqa: S608


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)


async def updated(programs: BotPrograms) -> None:
    """Wait until a change was noticed, and nothing is left to do."""
    await until_rows(programs, "edited_cites || deleted_cites <> '{}' AND update_at IS NULL", 1)


AN_HOUR_AGO = "asked_at = asked_at - interval '1 hour', edits_known_to = asked_at"


@pytest.mark.parametrize("later", [pytest.param(False, id="by its token"), pytest.param(True, id="in its channel")])
async def test_a_deleted_message_goes_from_the_answer_that_quotes_it(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, *, later: bool
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour)
        if later:
            await change(programs, AN_HOUR_AGO)

        fake.world.delete(message)
        await updated(programs)

        assert LEAVES not in question.text
        assert NOTHING_LEFT in question.text
        assert DELETED_SINCE in question.text
        assert await rows(programs, f"answer::text LIKE '%{LEAVES}%'") == 0


@pytest.mark.parametrize("private", [pytest.param(False, id="in public"), pytest.param(True, id="in private")])
async def test_an_edited_message_is_quoted_anew_and_again(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, *, private: bool
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour, private=private)

        fake.world.edit(message, MIDNIGHT)
        await until(lambda: MIDNIGHT in question.text)
        assert "leaves at noon" not in question.text
        assert READS_ANEW in question.text
        fake.world.edit(message, "the ferry is sold")
        await until(lambda: "the ferry is sold" in question.text)
        await updated(programs)

        assert MIDNIGHT not in question.text
        assert len(list(question.messages())) == 1


async def test_an_answer_to_a_mention_follows_in_its_channel(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    me = fake.world.me
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        fake.world.say(harbour.general, f"<@{me.id}> {QUESTION}", author=harbour.ana, mentions=[user_payload(me)])
        await until_rows(programs, "state = 'delivered'", 1)

        fake.world.edit(message, MIDNIGHT)
        await updated(programs)

    (answer,) = [one for one in harbour.general.messages.values() if one.author is me]
    assert MIDNIGHT in answer.text
    assert "leaves at noon" not in answer.text


@pytest.mark.parametrize("what", ["edited", "deleted"])
async def test_what_happened_while_the_bot_was_away_is_found_after_its_start(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, what: str
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour)
    if what == "edited":
        fake.world.edit(message, MIDNIGHT)
    else:
        fake.world.delete(message)

    async with programs.started() as running:
        await running.settled()
        await updated(programs)

    assert "leaves at noon" not in question.text
    assert (MIDNIGHT in question.text) == (what == "edited")


async def test_an_update_that_a_kill_has_interrupted_is_made_after_the_next_start(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour)
        with monkeypatch.context() as patched:
            patched.setattr(AnswerUpdates, "_update", never)
            fake.world.delete(message)
            await until_rows(programs, "update_at IS NOT NULL AND update_tries = 1", 1)
            await running.bot.close()
    assert LEAVES in question.text

    async with programs.started():
        await updated(programs)

    assert LEAVES not in question.text


async def test_a_change_that_was_stored_and_not_noticed_before_a_kill_is_found_by_the_look_of_the_next_start(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour)
        fake.world.delete(message)
        await updated(programs)
    await change(programs, "deleted_cites = '{}', update_at = NULL, update_since = NULL")

    now = running.services.clock()
    with suppress(Exception):
        await drop_stale_turns(programs.long_term.sessions, programs.short_term.sessions, now=now)

    assert await rows(programs, "update_at IS NOT NULL AND cardinality(deleted_cites) = 1") == 1
    assert LEAVES not in question.text


async def test_an_archived_thread_is_left_archived_and_its_answer_waits(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    thread = fake.world.thread(harbour.general, "boats", owner=harbour.ana, members=[harbour.ben])
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour, channel=thread)
        await change(programs, AN_HOUR_AGO)
        fake.world.archive(thread)
        with hears("its thread is archived") as heard:
            fake.world.delete(message)
            await heard.wait()

        assert LEAVES in question.text
        assert thread.archived
        fake.world.reopen(thread)
        await updated(programs)

    assert LEAVES not in question.text


async def test_a_private_answer_without_a_token_stays_and_its_button_tells_what_has_changed(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour, private=True)
        await change(programs, AN_HOUR_AGO)
        fake.world.delete(message)
        await updated(programs)

        assert question.original is not None
        assert LEAVES in question.text
        pressed = fake.interactions.click(question.original, harbour.ana, f"bs:sources:{question.id}")
        assert DELETED.format("[1]") in await fake.interactions.answered(pressed)


async def test_an_edit_that_discord_refuses_is_tried_again(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    async with programs.started() as running:
        message = await said(running, harbour.general, harbour.ben)
        question = await asked(programs, running, harbour)
        await change(programs, AN_HOUR_AGO)
        fake.rest.fail("PATCH /channels", status=400)
        with hears("is not updated yet") as heard:
            fake.world.delete(message)
            await heard.wait()
        await updated(programs)

    assert LEAVES not in question.text


async def test_what_no_answer_cites_updates_nothing(programs: BotPrograms, harbour: Harbour, fake: FakeDiscord) -> None:
    async with programs.started() as running:
        await said(running, harbour.general, harbour.ben)
        other = fake.world.say(harbour.general, "a word about the kiln", author=harbour.ben)
        await running.heard(harbour.general, 2)
        question = await asked(programs, running, harbour)
        before = list(question.shown)

        fake.world.edit(other, "another word about the kiln")
        await running.settled()
        await asyncio.sleep(0.3)

        assert await rows(programs, "update_at IS NULL AND edited_cites = '{}'") == 1
        assert question.shown == before
