"""An answer is not lost between thought and delivery: a restart delivers it once, while its token or channel allows."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from bot import live_answer, owed_answers
from bot.answering import Answered, Answerer, Asking
from bot.command_runner import INTERRUPTED_IN_PRIVATE, INTERRUPTED_KEPT, UNSENDABLE_YET
from db.databases import Database
from errors import DatabaseUnavailableError
from memory.answers.kept import Kept, State
from memory.answers.store import AnswerStore
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.builders import hears
from tests.fake_discord import Channel, FakeDiscord, Guild, Interaction, Member, Message
from tests.fake_discord.models import VIEW
from tests.fake_discord.payloads import user_payload
from tests.running_bot import BotPrograms, RunningBot

pytestmark = pytest.mark.server

QUESTION = "what did Ben say about the ferry?"
LEAVES = "the ferry leaves at noon"


@dataclass(frozen=True, slots=True)
class Harbour:
    """A server with two members and two channels."""

    guild: Guild
    general: Channel
    bridge: Channel
    ana: Member
    ben: Member


@pytest.fixture
def harbour(fake: FakeDiscord) -> Harbour:
    guild = fake.world.guild("Harbour")
    general, bridge = fake.world.channel(guild, "general"), fake.world.channel(guild, "bridge")
    return Harbour(guild, general, bridge, fake.world.member(guild, "Ana"), fake.world.member(guild, "Ben"))


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


@pytest.fixture(autouse=True)
def _looks_often_and_shows_no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_answer, "FIRST_AFTER", timedelta(minutes=1))
    monkeypatch.setattr(owed_answers, "LOOK_EVERY", owed_answers.LOOK_EVERY / 200)
    monkeypatch.setattr(owed_answers, "FIRST_PAUSE", owed_answers.FIRST_PAUSE / 100)


async def never(_: Answerer, __: Asking, **___: object) -> Answered:
    """Think for ever."""
    await asyncio.Event().wait()
    raise AssertionError


async def told(running: RunningBot, harbour: Harbour) -> Message:
    """Let the bot remember something."""
    said = running.fake.world.say(harbour.general, LEAVES, author=harbour.ben)
    await running.heard(harbour.general, 1)
    return said


async def asked(running: RunningBot, harbour: Harbour, *, private: bool = False) -> Interaction:
    """Let Ana ask, and wait until her question is kept."""
    question = running.fake.interactions.use(harbour.general, harbour.ana, "chat", text=QUESTION, private=private)
    await running.fake.interactions.acknowledged(question)
    return question


async def kept(programs: BotPrograms, question: Interaction | Message, *states: State) -> Kept:
    """Return a question as it is kept, once it is in one of these states."""
    store = AnswerStore(programs.long_term.sessions)
    async with asyncio.timeout(60):
        while (found := await store.get(question.id)) is None or found.state not in states:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
    return found


async def change(programs: BotPrograms, assignments: str) -> None:
    """Let all questions have been kept otherwise by the run that was killed."""
    async with programs.long_term.engine.begin() as connection:
        await connection.execute(text(f"UPDATE answers SET {assignments}"))  # noqa: S608


async def killed_while_thinking(
    programs: BotPrograms, harbour: Harbour, monkeypatch: pytest.MonkeyPatch, *, private: bool = False
) -> Interaction:
    """Leave a question behind that a run had acknowledged and not answered."""
    async with programs.started() as running:
        await told(running, harbour)
        with monkeypatch.context() as patched:
            patched.setattr(Answerer, "answer", never)
            question = await asked(running, harbour, private=private)
            await kept(programs, question, State.ASKED)
            await running.bot.close()
    return question


async def killed_before_the_mark(programs: BotPrograms, harbour: Harbour, *, private: bool = False) -> Interaction:
    """Leave a question behind whose answer Discord had taken, when its run was killed before it noted that."""
    async with programs.started() as running:
        await told(running, harbour)
        question = await asked(running, harbour, private=private)
        await kept(programs, question, State.DELIVERED)
    await change(programs, f"state = 'sending', delivered_at = NULL, token = '{question.token}'")
    return question


def of_the_bot(fake: FakeDiscord, channel: Channel) -> list[str]:
    """Return what the bot's messages in a channel say."""
    return [message.text for message in channel.messages.values() if message.author is fake.world.me]


@pytest.mark.parametrize("private", [pytest.param(False, id="in public"), pytest.param(True, id="in private")])
async def test_a_question_that_a_stop_has_interrupted_is_answered_after_the_next_start(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch, *, private: bool
) -> None:
    question = await killed_while_thinking(programs, harbour, monkeypatch, private=private)
    assert question.text == (INTERRUPTED_IN_PRIVATE if private else INTERRUPTED_KEPT)

    async with programs.started() as running:
        done = await kept(programs, question, State.DELIVERED)
        await running.settled()

    assert LEAVES in question.text
    assert question.follow_ups == []
    assert len(of_the_bot(fake, harbour.general)) == (0 if private else 1)
    assert question.original is not None
    assert question.original.is_ephemeral == private
    assert done.message_ids == (question.original.id,)


async def test_a_late_public_answer_without_a_token_stands_in_its_channel_and_names_the_question_and_pings_nobody(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await killed_while_thinking(programs, harbour, monkeypatch)
    await change(programs, "asked_at = asked_at - interval '20 minutes'")

    async with programs.started():
        done = await kept(programs, question, State.DELIVERED)

    late = harbour.general.messages[done.message_id or 0]
    assert LEAVES in late.text
    assert f"<@{harbour.ana.user.id}>" in late.text
    assert QUESTION in late.text
    assert late.fields.get("allowed_mentions", {}).get("parse", []) == []
    assert len(of_the_bot(fake, harbour.general)) == 2


async def test_a_private_answer_whose_token_has_ended_is_given_up_and_the_log_says_so(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await killed_while_thinking(programs, harbour, monkeypatch, private=True)
    await change(programs, "asked_at = asked_at - interval '20 minutes'")

    with hears("is given up: its answer is for the asker alone") as heard:
        async with programs.started():
            await kept(programs, question, State.GIVEN_UP)
            await heard.wait()

    assert question.text == INTERRUPTED_IN_PRIVATE
    assert of_the_bot(fake, harbour.general) == []


@pytest.mark.parametrize(
    "token",
    [pytest.param("token", id="its token lives"), pytest.param("NULL", id="its token has ended")],
)
async def test_an_answer_that_discord_had_taken_before_a_kill_is_not_shown_twice(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, token: str
) -> None:
    question = await killed_before_the_mark(programs, harbour)
    shown = list(question.shown)
    await change(programs, f"token = {token}")

    async with programs.started():
        done = await kept(programs, question, State.DELIVERED)

    assert question.original is not None
    assert done.message_id == question.original.id
    assert question.shown == shown
    assert len(of_the_bot(fake, harbour.general)) == 1


async def test_an_answer_that_a_late_message_shows_already_is_not_sent_again(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await killed_while_thinking(programs, harbour, monkeypatch)
    await change(programs, "asked_at = asked_at - interval '20 minutes'")
    async with programs.started():
        first = await kept(programs, question, State.DELIVERED)
    await change(programs, "state = 'sending', delivered_at = NULL")

    async with programs.started():
        again = await kept(programs, question, State.DELIVERED)

    assert again.message_id == first.message_id
    assert len(of_the_bot(fake, harbour.general)) == 2


async def test_an_answer_that_was_ready_is_not_shown_with_what_its_asker_may_not_read_any_more(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    secret = "the ferry is to be sold"
    async with programs.started() as running:
        fake.world.say(harbour.bridge, secret, author=harbour.ben)
        await running.heard(harbour.bridge, 1)
        question = await asked(running, harbour, private=True)
        await kept(programs, question, State.DELIVERED)
        assert secret in question.text
    await change(programs, f"state = 'ready', delivered_at = NULL, token = '{question.token}'")
    fake.world.permit(harbour.bridge, harbour.ana, deny=VIEW)

    async with programs.started():
        await kept(programs, question, State.DELIVERED)

    assert secret not in question.text


@pytest.mark.parametrize("what", ["edited", "deleted"])
async def test_an_answer_that_was_ready_is_made_anew_when_what_it_cites_has_changed(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, what: str
) -> None:
    async with programs.started() as running:
        said = await told(running, harbour)
        question = await asked(running, harbour)
        await kept(programs, question, State.DELIVERED)
    await change(programs, f"state = 'ready', delivered_at = NULL, token = '{question.token}'")
    if what == "edited":
        fake.world.edit(said, "the ferry leaves at midnight")
    else:
        fake.world.delete(said)

    async with programs.started():
        await kept(programs, question, State.DELIVERED)

    assert LEAVES not in question.text
    assert ("the ferry leaves at midnight" in question.text) == (what == "edited")


async def test_an_answer_that_was_ready_is_shown_as_it_was(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with programs.started() as running:
        await told(running, harbour)
        question = await asked(running, harbour)
        await kept(programs, question, State.DELIVERED)
    first = question.text
    await change(programs, f"state = 'ready', delivered_at = NULL, token = '{question.token}'")
    monkeypatch.setattr(Answerer, "answer", never)

    async with programs.started():
        await kept(programs, question, State.DELIVERED)

    assert question.shown == [first, first]


async def test_an_answer_that_discord_refuses_is_sent_again_a_moment_later(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord
) -> None:
    async with programs.started() as running:
        await told(running, harbour)
        fake.rest.fail("PATCH /webhooks", status=400, times=1)
        question = await asked(running, harbour)
        await kept(programs, question, State.DELIVERED)

    assert LEAVES in question.shown[-1]
    assert question.shown[:-1] == [UNSENDABLE_YET]


async def test_nobody_is_answered_who_has_left(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = await killed_while_thinking(programs, harbour, monkeypatch)
    fake.world.leave(harbour.ana)

    async with programs.started():
        await kept(programs, question, State.GIVEN_UP)

    assert LEAVES not in question.text


async def test_an_answer_goes_out_although_the_database_does_not_take_it(
    programs: BotPrograms,
    harbour: Harbour,
    fake: FakeDiscord,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError("db:5432")

    for method in ("asked", "ready", "sending", "delivered"):
        monkeypatch.setattr(AnswerStore, method, away)
    caplog.set_level(logging.WARNING)

    async with programs.started() as running:
        await told(running, harbour)
        answer = await running.ask(harbour.ana, harbour.general, QUESTION)

    assert LEAVES in answer
    assert "is not kept, and would be lost with this process" in caplog.text


async def mentioned_and_killed(programs: BotPrograms, harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> Message:
    """Leave a question behind that was asked by a mention, and that a run had not answered when it was stopped."""
    me = programs.fake.world.me
    async with programs.started() as running:
        await told(running, harbour)
        with monkeypatch.context() as patched:
            patched.setattr(Answerer, "answer", never)
            asking = running.fake.world.say(
                harbour.general, f"<@{me.id}> {QUESTION}", author=harbour.ana, mentions=[user_payload(me)]
            )
            await kept(programs, asking, State.ASKED)
            await running.bot.close()
    return asking


async def test_a_mention_that_a_stop_has_interrupted_is_answered_by_a_reply_to_it(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = await mentioned_and_killed(programs, harbour, monkeypatch)
    assert of_the_bot(fake, harbour.general) == [INTERRUPTED_KEPT]

    async with programs.started():
        done = await kept(programs, asking, State.DELIVERED)

    late = harbour.general.messages[done.message_id or 0]
    assert LEAVES in late.text
    assert int(late.fields["message_reference"]["message_id"]) == asking.id
    assert len(of_the_bot(fake, harbour.general)) == 2


async def test_a_mention_that_was_deleted_meanwhile_is_not_answered(
    programs: BotPrograms, harbour: Harbour, fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = await mentioned_and_killed(programs, harbour, monkeypatch)
    fake.world.delete(asking)

    async with programs.started():
        await kept(programs, asking, State.GIVEN_UP)

    assert of_the_bot(fake, harbour.general) == [INTERRUPTED_KEPT]
