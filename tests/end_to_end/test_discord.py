"""The bot in a simulated Discord: people speak, edit, delete and ask; what is kept and what is shown."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.backend.serializers import channel_payload, message_payload
from simcord.enums import ChannelType, MessageType, OverwriteType
from simcord.results import ResponseMessage
from sqlalchemy.ext.asyncio import async_sessionmaker

from agent.types import Answer, Question, Searched, Source
from bot.answer_buttons import ASK_AGAIN, DOWN, SEARCH_ALL_TIME, UP
from bot.asked import RecentQuestions
from bot.buttons import NOT_YOURS
from bot.client import Bot, invite_link
from bot.command_runner import JOURNAL_LIMIT, NO_JOURNAL
from bot.commands import HELP, PRIVATE_HERE
from bot.presses import CANNOT_LOOK_UP, NOT_KNOWN, THANKS, UNDER_WAY
from bot.running_handlers import RunningHandlers
from errors import DatabaseUnavailableError, JournalUnavailableError, ModelUnavailableError
from memory.answers.kept import Rating
from memory.message import Kind, Message
from memory.preferences import Owner, OwnerKind
from memory.search_session import SearchableDatabase
from overviews.all import Overviews
from tests.fakes import FakeMemory
from tests.fakes_answers import FakeAnswerStore
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.fakes_time_zones import FakeTimeZones
from tests.seen import buttons, seen
from time_expressions.conventions import DateOrder
from time_expressions.window import Window

Overwrites = dict[Any, discord.PermissionOverwrite]

NOTHING = Answer(text="I found nothing.")
HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(NOTHING)


@pytest.fixture
def time_zones() -> FakeTimeZones:
    return FakeTimeZones()


@pytest.fixture
def simcord_bot(recorder: FakeRecorder, asker: FakeAsker, time_zones: FakeTimeZones) -> Bot:
    return Bot(services(recorder, asker, time_zones))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ana"), nick="Ana")


@pytest.fixture
def ben(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ben"))


def thread_in(
    env: simcord.Env,
    channel: simcord.ChannelHandle,
    owner: simcord.MemberActor,
    *,
    kind: ChannelType = ChannelType.PUBLIC_THREAD,
) -> simcord.ChannelHandle:
    thread_id = env.backend.create_thread(channel.id, "a thread", owner.id, type=kind).id
    return next(thread for thread in channel.threads if thread.id == thread_id)


async def send_unchanged(env: simcord.Env, channel: simcord.ChannelHandle, message: discord.Message) -> None:
    """Send the event that Discord also sends when it adds a preview to a message."""
    payload = message_payload(env.backend, env.backend.get_message(channel.id, message.id))
    env.backend.emit("MESSAGE_UPDATE", payload)
    await env.settle()


# ---- what is kept


async def test_messages_of_three_members_are_kept_with_their_ids(
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    ben: simcord.MemberActor,
) -> None:
    helper = guild.add_member(simcord_env.create_user("helper", bot=True))

    first = await ana.send(general, "the deploy is on Tuesday", attachments=[("plan.txt", b"steps")])
    reply = await ben.send(general, "thanks", reply_to=first)
    await helper.send(general, "build passed")

    kept = recorder.messages
    assert [(message.author_name, message.content) for message in kept] == [
        ("Ana", "the deploy is on Tuesday"),
        ("ben", "thanks"),
        ("helper", "build passed"),
    ]
    assert [message.author_id for message in kept] == [ana.id, ben.id, helper.id]
    assert {(m.guild_id, m.channel_id, m.channel_name, m.thread_id) for m in kept} == {
        (guild.id, general.id, "general", None)
    }
    assert (kept[1].message_id, kept[1].sent_at, kept[1].reply_to) == (reply.id, reply.created_at, first.id)
    assert [file.name for file in kept[0].attachments] == ["plan.txt"]


async def test_a_message_in_a_thread_is_kept_under_its_parent_channel(
    simcord_env: simcord.Env, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    thread = thread_in(simcord_env, general, ana)

    await ana.send(thread, "in the thread")

    kept = recorder.of_kind(Kind.MESSAGE)[-1]
    assert (kept.content, kept.thread_id, kept.channel_id) == ("in the thread", thread.id, general.id)
    assert (kept.channel_name, kept.place_id) == (f"general › {thread.name}", thread.id)


async def test_a_direct_message_is_kept_without_a_guild(
    simcord_env: simcord.Env, recorder: FakeRecorder, ana: simcord.MemberActor
) -> None:
    await ana.send_dm("between us")

    (kept,) = recorder.messages
    assert (kept.content, kept.guild_id, kept.channel_name) == ("between us", None, "DM")
    assert kept.channel_id == ana.user.dm_channel.id


async def test_a_system_message_is_kept_as_one(
    simcord_env: simcord.Env,
    guild: simcord.GuildHandle,
    recorder: FakeRecorder,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    guild.create_system_message(general, MessageType.NEW_MEMBER, author=ana)
    await simcord_env.settle()

    (kept,) = recorder.of_kind(Kind.SYSTEM)
    assert "ana" in kept.content


async def test_the_title_of_a_new_thread_is_what_somebody_said(
    simcord_env: simcord.Env, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    thread = thread_in(simcord_env, general, ana)
    await simcord_env.settle()

    (kept,) = recorder.of_kind(Kind.MESSAGE)
    assert (kept.author_id, kept.content) == (ana.id, f"started a thread: {thread.name}")


async def test_a_forwarded_message_is_kept_with_its_words_and_is_no_reply(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor, ben: simcord.MemberActor
) -> None:
    original = await ana.send(general, "the original words")

    await ben.forward(original, general)

    kept = recorder.messages[-1]
    assert (kept.author_name, kept.content, kept.reply_to) == ("ben", "the original words", None)


async def test_an_edit_is_kept_as_a_new_state(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    sent = await ana.send(general, "on Tuesday")

    await ana.edit(sent, "on Wednesday")

    before, after = recorder.messages
    assert (after.content, after.key) == ("on Wednesday", before.key)
    assert after.edited_at is not None
    assert before.edited_at is None


@pytest.mark.parametrize("remembered", [pytest.param(True, id="remembered"), pytest.param(False, id="forgotten")])
async def test_a_preview_that_discord_adds_to_a_message_is_no_edit(
    remembered: bool,
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    sent = await ana.send(general, "see https://example.org")
    if not remembered:
        simcord_env.bot._connection._messages = None

    await send_unchanged(simcord_env, general, sent)

    assert [message.content for message in recorder.messages] == ["see https://example.org"]


async def test_a_preview_that_discord_adds_to_an_edited_message_is_no_second_edit(
    simcord_env: simcord.Env, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    sent = await ana.send(general, "before")
    await ana.edit(sent, "see https://example.org")

    await send_unchanged(simcord_env, general, sent)

    assert [message.content for message in recorder.messages] == ["before", "see https://example.org"]


async def test_a_deletion_is_kept_without_the_words(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    sent = await ana.send(general, "a secret")

    await ana.delete(sent)

    before, after = recorder.messages
    assert (after.key, after.content, after.deleted_at) == (before.key, "", NOW)
    assert (after.guild_id, after.channel_id) == (before.guild_id, before.channel_id)


async def test_messages_deleted_at_once_in_a_thread_are_each_kept_as_deleted(
    simcord_env: simcord.Env, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    thread = thread_in(simcord_env, general, ana)
    sent = [await ana.send(thread, text) for text in ("one", "two")]

    simcord_env.backend.bulk_delete_messages(thread.id, [message.id for message in sent])
    await simcord_env.settle()

    deleted = [message for message in recorder.messages if message.deleted_at]
    assert [message.message_id for message in deleted] == [message.id for message in sent]
    assert {(message.channel_id, message.thread_id) for message in deleted} == {(general.id, thread.id)}


# ---- what is asked and answered


def a_source(number: int, message_id: int, guild_id: int, channel_id: int) -> Source:
    message = Message(
        message_id=message_id,
        sent_at=discord.utils.snowflake_time(message_id),
        session="s",
        guild_id=guild_id,
        channel_id=channel_id,
        channel_name="general",
        author_name="Ana",
        content="the deploy is on Tuesday",
    )
    return Source(number, message)


async def test_a_question_is_acknowledged_before_it_is_thought_about(
    simcord_env: simcord.Env, asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    requests_before_thinking: list[str] = []

    def think(_: Question) -> Answer:
        requests_before_thinking.append(simcord_env.http_requests[-1].path)
        return NOTHING

    asker.reply = think

    await ana.slash(general, "chat", text="well?")

    assert requests_before_thinking[0].endswith("/callback")


async def test_a_question_is_answered_with_links_to_the_messages_that_prove_it(
    asker: FakeAsker, guild: simcord.GuildHandle, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    said = await ana.send(general, "the deploy is on Tuesday")
    asker.reply = Answer(text="On Tuesday [1].", sources=(a_source(1, said.id, guild.id, general.id),))

    result = await ana.slash(general, "chat", text="when is the deploy?")

    assert not result.ephemeral
    link = f"https://discord.com/channels/{guild.id}/{general.id}/{said.id}"
    assert result.response is not None
    assert seen(result.response).startswith(f"On Tuesday [[1]](<{link}>).\n-# **Sources**\n-# [[1]](<{link}>) Ana in")
    question = asker.questions[0]
    assert (question.text, question.asker_id, question.asker_name) == ("when is the deploy?", ana.id, "Ana")
    assert (question.channel_id, question.now, question.time_zone.key) == (general.id, NOW, "Europe/Paris")
    assert question.date_order is DateOrder.MONTH_FIRST  # as people write whose Discord is in American English


async def test_a_command_and_its_answer_are_each_kept_once(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    result = await ana.slash(general, "chat", text="anything new?")

    command, answer = recorder.messages
    assert (command.kind, command.content, command.author_id) == (Kind.COMMAND, "/chat anything new?", ana.id)
    assert command.sent_at == discord.utils.snowflake_time(command.message_id)
    assert result.response is not None
    assert (answer.kind, answer.message_id, answer.content) == (Kind.ANSWER, result.response.id, "I found nothing.")
    assert (answer.reply_to, answer.channel_id) == (command.message_id, general.id)


async def test_a_private_question_is_answered_to_the_asker_alone_and_is_no_evidence(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor, ben: simcord.MemberActor
) -> None:
    result = await ana.slash(general, "chat", text="quietly", private=True)

    assert result.ephemeral
    assert general.history(viewer=ben) == []
    assert [message.kind for message in recorder.messages] == [Kind.COMMAND, Kind.ANSWER]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("about", "Session **test**", id="about"),
        pytest.param("help", "`/chat", id="help"),
        pytest.param("timezone", "Europe/Paris", id="timezone"),
    ],
)
async def test_the_other_commands_answer_the_asker_alone_and_are_kept(
    command: str, words: str, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    result = await ana.slash(general, command)

    assert result.response is not None
    assert words in seen(result.response)
    assert result.ephemeral
    assert [message.content for message in recorder.of_kind(Kind.COMMAND)] == [f"/{command}"]


async def test_an_answer_pings_nobody(
    asker: FakeAsker,
    simcord_env: simcord.Env,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    asker.reply = Answer(text="\n".join(f"@everyone <@{ana.id}> line {n}" for n in range(250)))

    result = await ana.slash(general, "chat", text="who?")

    assert result.followups, "the answer is long enough for a second message"
    assert result.response is not None
    for message in (result.response, *result.followups):
        assert "@everyone" not in seen(message)
        assert not message.message.mention_everyone
        assert not message.message.mentions
    bodies = [request.json for request in simcord_env.http_requests if "webhooks" in request.path]
    assert len(bodies) >= 2
    assert all(isinstance(body, dict) and body["allowed_mentions"] == {"parse": []} for body in bodies)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(DatabaseUnavailableError("host db:5432"), "My memory cannot be reached", id="memory is away"),
        pytest.param(ModelUnavailableError("http 500"), "My language model cannot be reached", id="model is away"),
        pytest.param(JournalUnavailableError("disk full"), "I cannot write anything down", id="journal is away"),
        pytest.param(TimeoutError("after 90 s"), "took me too long", id="too slow"),
        pytest.param(RuntimeError("secret://"), "Something went wrong on my side", id="a defect"),
    ],
)
async def test_an_error_ends_in_an_apology_that_shows_no_error_text(
    error: Exception,
    words: str,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asker.reply = error

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert words in seen(result.response)
    assert str(error)
    assert str(error) not in seen(result.response)
    assert any(record.exc_info for record in caplog.records), "the error is logged"


async def test_a_command_that_cannot_be_written_down_is_answered_with_that(
    recorder: FakeRecorder, asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    recorder.refuses = {Kind.COMMAND, Kind.ANSWER}

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert seen(result.response) == NO_JOURNAL
    assert not asker.questions
    assert recorder.patience == JOURNAL_LIMIT


async def test_a_message_that_cannot_be_kept_stops_nothing(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.refuses = {Kind.MESSAGE}
    await ana.send(general, "while the disk is full")
    recorder.refuses = set()
    await ana.send(general, "afterwards")

    assert [message.content for message in recorder.of_kind(Kind.MESSAGE)] == ["afterwards"]
    assert not caplog.records


async def test_an_answer_that_discord_refuses_ends_in_an_apology(
    simcord_env: simcord.Env, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    simcord_env.inject_error("PATCH", "/webhooks/*", status=400)

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert "Discord did not take it" in seen(result.response)


def raising(error: Exception, *, times: int = 1) -> Any:
    """Return a coroutine function that raises so many times and calls what it stands for from then on."""
    left = [error] * times
    real = discord.Interaction.edit_original_response

    async def send(interaction: discord.Interaction, **fields: Any) -> Any:
        if left:
            raise left.pop()
        return await real(interaction, **fields)

    return send


@pytest.mark.parametrize("error", [ValueError("a defect"), TimeoutError("after 30 s"), KeyError("view")], ids=repr)
async def test_an_answer_that_cannot_be_sent_ends_in_an_apology_whatever_the_reason(
    error: Exception, general: simcord.ChannelHandle, ana: simcord.MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.Interaction, "edit_original_response", raising(error))

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert "Discord did not take it" in seen(result.response)


async def test_an_answer_that_cannot_be_rendered_ends_in_an_apology(
    general: simcord.ChannelHandle, ana: simcord.MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> list[str]:
        raise IndexError

    monkeypatch.setattr("bot.commands.render", broken)

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert "Something went wrong on my side" in seen(result.response)


async def test_a_command_that_fails_before_its_answer_ends_in_an_apology(
    simcord_env: simcord.Env,
    simcord_bot: Bot,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret://")

    monkeypatch.setattr(simcord_bot._commands._runner, "run", broken)

    result = await ana.slash(general, "chat", text="well?")

    assert result.ephemeral
    assert result.response is not None
    assert "Something went wrong on my side" in seen(result.response)
    assert "secret://" in caplog.text
    assert len(simcord_env.errors) == 1


async def test_an_answer_that_cannot_be_journalled_is_shown_all_the_same(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def record(message: Message, *, patience: timedelta | None = None) -> None:
        if message.kind is Kind.ANSWER:
            raise JournalUnavailableError("disk full")

    monkeypatch.setattr(recorder, "record", record)

    result = await ana.slash(general, "chat", text="well?")

    assert result.response is not None
    assert seen(result.response) == "I found nothing."


async def test_the_help_fits_into_one_message(general: simcord.ChannelHandle, ana: simcord.MemberActor) -> None:
    result = await ana.slash(general, "help")

    assert result.response is not None
    assert not result.followups
    for fact in ("while I am away", "Archived", "Age-restricted", "before I joined", "own search", "I tell you alone"):
        assert fact in seen(result.response)


async def test_a_command_that_cannot_be_acknowledged_is_kept_and_not_answered(
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    simcord_env.inject_error("POST", "/interactions/*", status=404, code=10062)

    await ana.slash(general, "chat", text="too late?")

    assert [message.content for message in recorder.messages] == ["/chat too late?"]
    assert not asker.questions


async def test_an_answer_says_when_the_newest_messages_may_be_missing(
    asker: FakeAsker, simcord_env: simcord.Env, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    await simcord_env.restart_bot(Bot(services(FakeRecorder(settles=False), asker)))

    result = await ana.slash(general, "chat", text="just now?")

    assert result.response is not None
    assert "-# The newest messages were still being stored" in seen(result.response)


# ---- who may read what


@pytest.fixture
def staff(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("Staff")


@pytest.fixture
def secret(simcord_env: simcord.Env, guild: simcord.GuildHandle, staff: simcord.RoleHandle) -> simcord.ChannelHandle:
    """A channel that the staff and the bot see."""
    assert simcord_env.bot.user is not None
    overwrites: Overwrites = {guild.default_role: HIDDEN, staff: SHOWN, simcord_env.bot.user: SHOWN}
    return guild.create_text_channel("secret", overwrites=overwrites)


@pytest.fixture
def boss(simcord_env: simcord.Env, guild: simcord.GuildHandle, staff: simcord.RoleHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("boss"), roles=[staff])


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_a_channel_that_the_asker_cannot_read_is_never_searched(
    private: bool,
    asker: FakeAsker,
    secret: simcord.ChannelHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    await ana.slash(general, "chat", text="secrets?", private=private)

    assert asker.questions[0].places == {general.id}


async def test_a_hidden_channel_is_searched_for_a_private_answer_only(
    asker: FakeAsker, secret: simcord.ChannelHandle, general: simcord.ChannelHandle, boss: simcord.MemberActor
) -> None:
    await boss.slash(general, "chat", text="secrets?")
    await boss.slash(general, "chat", text="secrets?", private=True)

    assert [question.places for question in asker.questions] == [{general.id}, {general.id, secret.id}]


async def test_a_public_answer_in_a_hidden_channel_may_use_that_channel(
    asker: FakeAsker, secret: simcord.ChannelHandle, general: simcord.ChannelHandle, boss: simcord.MemberActor
) -> None:
    await boss.slash(secret, "chat", text="secrets?")

    assert asker.questions[0].places == {general.id, secret.id}


async def test_an_answer_where_the_bot_sees_nothing_is_for_the_asker_alone_and_says_why(
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    staff: simcord.RoleHandle,
    boss: simcord.MemberActor,
) -> None:
    unseen = guild.create_text_channel("unseen", overwrites={guild.default_role: HIDDEN, staff: SHOWN})

    result = await boss.slash(unseen, "chat", text="secrets?")

    assert result.ephemeral
    assert result.response is not None
    assert seen(result.response) == f"I found nothing.\n-# {PRIVATE_HERE}"
    assert asker.questions[0].private
    assert asker.questions[0].places >= {general.id}


async def test_a_question_in_a_thread_uses_the_thread_and_its_parent(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    secret: simcord.ChannelHandle,
    boss: simcord.MemberActor,
) -> None:
    thread = thread_in(simcord_env, secret, boss)
    await simcord_env.settle()

    await boss.slash(thread, "chat", text="secrets?")

    assert asker.questions[0].places == {secret.id, thread.id}
    assert asker.questions[0].channel_id == thread.id


NO_HISTORY = discord.PermissionOverwrite(read_message_history=False)
HISTORY = discord.PermissionOverwrite(read_message_history=True)


@pytest.fixture
def ticker(guild: simcord.GuildHandle, staff: simcord.RoleHandle) -> simcord.ChannelHandle:
    """A channel that all see and whose history is for the staff."""
    overwrites: Overwrites = {guild.default_role: NO_HISTORY, staff: HISTORY}
    return guild.create_text_channel("ticker", overwrites=overwrites)


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_a_thread_is_no_way_to_a_history_that_the_asker_may_not_read(
    private: bool,
    simcord_env: simcord.Env,
    asker: FakeAsker,
    ticker: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    boss: simcord.MemberActor,
) -> None:
    thread = thread_in(simcord_env, ticker, boss)
    await simcord_env.settle()

    for place in (ticker, thread):
        await ana.slash(place, "chat", text="earlier?", private=private)

    assert [question.places for question in asker.questions] == [frozenset(), frozenset()]


async def test_a_public_answer_shows_no_history_to_those_who_see_the_channel_without_it(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    ticker: simcord.ChannelHandle,
    boss: simcord.MemberActor,
) -> None:
    thread = thread_in(simcord_env, ticker, boss)
    await simcord_env.settle()

    for place in (ticker, thread):
        await boss.slash(place, "chat", text="earlier?")
        await boss.slash(place, "chat", text="earlier?", private=True)

    everything = frozenset({ticker.id, thread.id})
    assert [question.places for question in asker.questions] == [frozenset(), everything] * 2


async def marked(env: simcord.Env, channel: simcord.ChannelHandle, **fields: Any) -> None:
    """Have Discord say of a channel what the simulated one cannot."""
    env.backend.emit("CHANNEL_UPDATE", dict(channel_payload(env.backend, env.backend.channels[channel.id])) | fields)
    await env.settle()


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_an_age_restricted_channel_is_searched_only_where_that_is_said_first(
    private: bool,
    simcord_env: simcord.Env,
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    adults = guild.create_text_channel("adults")
    thread = thread_in(simcord_env, adults, ana)
    await marked(simcord_env, adults, nsfw=True)

    for place in (general, adults, thread):
        await ana.slash(place, "chat", text="well?", private=private)

    everything = frozenset({general.id, adults.id, thread.id})
    assert [question.places for question in asker.questions] == [{general.id}, everything, everything]


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_a_spoiler_channel_is_searched_only_in_itself(
    private: bool,
    simcord_env: simcord.Env,
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    ending = guild.create_text_channel("ending")
    await marked(simcord_env, ending, flags=1 << 21)

    for place in (general, ending):
        await ana.slash(place, "chat", text="well?", private=private)

    assert [question.places for question in asker.questions] == [{general.id}, {general.id, ending.id}]


async def test_a_private_thread_is_for_its_members(
    simcord_env: simcord.Env,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    ben: simcord.MemberActor,
) -> None:
    thread = thread_in(simcord_env, general, ana, kind=ChannelType.PRIVATE_THREAD)
    assert simcord_env.bot.user is not None
    simcord_env.backend.add_thread_member(thread.id, simcord_env.bot.user.id)
    await simcord_env.settle()
    asker.quotes = lambda question: Answer(text="", shown_places=question.places)  # there are hits everywhere

    await ana.slash(general, "chat", text="in public?")
    await ana.slash(general, "chat", text="in private?", private=True)
    await ben.slash(general, "chat", text="in private?", private=True)

    assert [question.places for question in asker.questions] == [{general.id}, {general.id, thread.id}, {general.id}]


async def test_a_question_in_a_direct_message_searches_that_conversation_only(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    await ana.user.slash("chat", text="what did I tell you?")

    assert asker.questions[0].places == {ana.user.dm_channel.id}


# ---- on whose clock

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def manager(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    role = guild.create_role("Managers", permissions=discord.Permissions(manage_guild=True))
    return guild.add_member(simcord_env.create_user("mia"), roles=[role])


def shown(result: simcord.InteractionResult) -> str:
    """Return what the asker alone was shown."""
    assert result.ephemeral
    assert result.response is not None
    return seen(result.response)


async def offered(member: simcord.MemberActor, channel: simcord.ChannelHandle, typed: str) -> list[str]:
    return [choice["value"] for choice in await member.autocomplete(channel, "timezone", "zone", typed)]


async def test_a_time_zone_that_a_person_chooses_counts_for_their_questions_alone(
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    ben: simcord.MemberActor,
) -> None:
    said = await ana.send(general, "the deploy is on Tuesday")
    source = a_source(1, said.id, guild.id, general.id)
    asker.reply = Answer(text="On Tuesday [1].", sources=(source,))

    chosen = await ana.slash(general, "timezone", zone="Asia/Tokyo")
    answered = await ana.slash(general, "chat", text="when?")
    await ana.user.slash("chat", text="and in private?")
    await ben.slash(general, "chat", text="when?")

    assert shown(chosen) == "Your time zone is Asia/Tokyo (Wed 00:00), which you chose yourself."
    assert [question.time_zone.key for question in asker.questions] == ["Asia/Tokyo", "Asia/Tokyo", "Europe/Paris"]
    assert answered.response is not None
    assert f"{source.message.sent_at.astimezone(TOKYO):%H:%M}" in seen(answered.response).partition("Sources")[2]


async def test_the_time_zone_in_use_is_shown_with_where_it_comes_from(
    time_zones: FakeTimeZones, guild: simcord.GuildHandle, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    nobodys = shown(await ana.slash(general, "timezone"))
    time_zones.chosen[Owner(OwnerKind.GUILD, guild.id)] = NEW_YORK
    servers = shown(await ana.slash(general, "timezone"))
    time_zones.chosen[Owner(OwnerKind.PERSON, ana.id)] = TOKYO
    own = shown(await ana.slash(general, "timezone"))
    without_own = shown(await ana.slash(general, "timezone", zone="none"))

    assert nobodys == "Your time zone is Europe/Paris (Tue 16:00), which counts where nobody has chosen another."
    assert servers == "Your time zone is America/New_York (Tue 10:00), which was chosen for this server."
    assert own == "Your time zone is Asia/Tokyo (Wed 00:00), which you chose yourself."
    assert without_own == servers


async def test_those_who_manage_a_server_choose_for_all_who_have_not(
    asker: FakeAsker,
    time_zones: FakeTimeZones,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    ben: simcord.MemberActor,
    manager: simcord.MemberActor,
) -> None:
    time_zones.chosen[Owner(OwnerKind.PERSON, ana.id)] = TOKYO

    before = shown(await manager.slash(general, "servertimezone"))
    chosen = shown(await manager.slash(general, "servertimezone", zone="new york"))
    for member in (ana, ben):
        await member.slash(general, "chat", text="when?")
    taken_back = shown(await manager.slash(general, "servertimezone", zone="none"))

    assert before == "This server has no time zone of its own, so mine counts: Europe/Paris (Tue 16:00)."
    assert chosen == (
        "The time zone of this server is America/New_York (Tue 10:00); members who chose one of their own keep it."
    )
    assert [question.time_zone for question in asker.questions] == [TOKYO, NEW_YORK]
    assert taken_back == before


async def test_nobody_else_chooses_for_a_server_even_where_the_command_is_opened_to_all(
    simcord_bot: Bot,
    time_zones: FakeTimeZones,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    with pytest.raises(simcord.SetupError, match="servertimezone"):
        await ana.slash(general, "servertimezone", zone="Asia/Tokyo")
    commands = {command.name: command for command in await simcord_bot.tree.fetch_commands()}
    guild.set_command_permissions(commands["servertimezone"], {ana: True})

    result = await ana.slash(general, "servertimezone", zone="Asia/Tokyo")

    assert "permission Manage Server" in shown(result)
    assert time_zones.chosen == {}


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        pytest.param("paris", ["Europe/Paris"], id="a city"),
        pytest.param("New Y", ["America/New_York"], id="with a blank"),
        pytest.param("york", ["America/New_York"], id="from the middle"),
        pytest.param("", ["UTC", "Europe/London"], id="nothing yet"),
        pytest.param("nowhere", [], id="no such place"),
    ],
)
async def test_time_zones_are_offered_while_they_are_typed(
    typed: str, first: list[str], general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    names = await offered(ana, general, typed)

    assert names[: len(first)] == first
    assert bool(names) == bool(first)


async def test_offered_time_zones_show_their_time_and_are_as_many_as_discord_takes(
    general: simcord.ChannelHandle, ana: simcord.MemberActor, manager: simcord.MemberActor
) -> None:
    choices = await ana.autocomplete(general, "timezone", "zone", "a")
    servers = await manager.autocomplete(general, "servertimezone", "zone", "tokyo")

    assert len(choices) == 25
    assert [choice["name"] for choice in servers] == ["Asia/Tokyo (Wed 00:00)"]


async def test_a_name_that_is_no_time_zone_is_told_with_the_nearest_ones(
    time_zones: FakeTimeZones, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    misspelt = await ana.slash(general, "timezone", zone="Europe/Berln")
    hostile = await ana.slash(general, "timezone", zone="@everyone")

    assert shown(misspelt) == "There is no time zone 'Europe/Berln': write Europe/Berlin."
    assert "@everyone" not in shown(hostile)
    assert time_zones.chosen == {}


async def test_time_zones_that_cannot_be_reached_stop_no_answer_and_are_told(
    asker: FakeAsker, time_zones: FakeTimeZones, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    time_zones.away = True

    answered = await ana.slash(general, "chat", text="when?")
    looked_at = shown(await ana.slash(general, "timezone"))
    refused = shown(await ana.slash(general, "timezone", zone="Asia/Tokyo"))

    assert asker.questions[0].time_zone.key == "Europe/Paris"
    assert answered.response is not None
    assert seen(answered.response).startswith("I found nothing.")
    note = "I cannot look up just now whether a time zone was chosen here, so times are in Europe/Paris"
    assert f"-# {note}." in seen(answered.response)
    assert looked_at == f"{note} (Tue 16:00)."
    assert refused.startswith("I cannot reach the place where I keep time zones just now, so nothing has changed")


# ---- all time instead


TUESDAY = Window(NOW.replace(hour=0) - timedelta(hours=1), NOW.replace(hour=23))  # the third in Paris
SEARCHED = Searched(windows=(TUESDAY,), went_beyond=False, channels=(), now=NOW, time_zone=ZoneInfo("Europe/Paris"))
LIMITED = Answer(text="I found nothing.", searched=SEARCHED)


def limited_unless_asked_of_all_time(question: Question) -> Answer:
    beyond = replace(SEARCHED, windows=(), went_beyond=True)
    return replace(LIMITED, searched=beyond) if question.all_time else LIMITED


async def asked_of_today(asker: simcord.MemberActor, place: simcord.ChannelHandle, **options: bool) -> ResponseMessage:
    """Return the answer to a question about a time."""
    response = (await asker.slash(place, "chat", text="today?", **options)).response
    assert response is not None
    return response


async def test_an_answer_tells_which_time_was_searched_and_offers_all_time(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    asker.reply = limited_unless_asked_of_all_time

    limited = await asked_of_today(ana, general)
    again = await ana.click(limited, label=SEARCH_ALL_TIME)

    assert seen(limited) == "I found nothing.\n-# searched Tue 3 Nov 00:00 - 24:00 Europe/Paris"
    assert again.response is not None
    assert seen(again.response) == "I found nothing.\n-# searched all time"
    assert not again.ephemeral
    assert [(question.text, question.all_time) for question in asker.questions] == [("today?", False), ("today?", True)]
    assert SEARCH_ALL_TIME in buttons(limited)
    assert SEARCH_ALL_TIME not in buttons(again.response)


async def test_a_press_is_kept_and_answered_like_a_command(
    asker: FakeAsker, recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    asker.reply = limited_unless_asked_of_all_time

    await ana.click(await asked_of_today(ana, general), label=SEARCH_ALL_TIME)

    kept = recorder.messages
    assert [message.kind for message in kept] == [Kind.COMMAND, Kind.ANSWER, Kind.COMMAND, Kind.ANSWER]
    assert kept[2].content == "/chat today? (all time)"
    assert kept[3].reply_to == kept[2].message_id


async def test_a_question_may_be_asked_again_as_often_as_one_likes(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    first = await asked_of_today(ana, general)

    for _ in range(2):
        again = await ana.click(first, label=ASK_AGAIN)
        assert seen(again.response) == "I found nothing."
    assert again.response is not None
    await ana.click(again.response, label=ASK_AGAIN)

    assert [(question.text, question.all_time) for question in asker.questions] == [("today?", False)] * 4


async def test_a_second_press_while_the_first_is_answered_is_told_so(
    simcord_env: simcord.Env, asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    first = await asked_of_today(ana, general)
    asker.hold = partial(simcord_env.external_wait, reason="the model is slow")

    await ana.click(first, label=ASK_AGAIN)
    second = await ana.click(first, label=ASK_AGAIN)

    assert (second.ephemeral, seen(second.response)) == (True, UNDER_WAY)
    assert len(asker.questions) == 2


async def test_the_button_is_the_askers_alone(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor, ben: simcord.MemberActor
) -> None:
    asker.reply = limited_unless_asked_of_all_time
    limited = await asked_of_today(ana, general)

    refused = await ben.click(limited, label=SEARCH_ALL_TIME)
    questions_after_ben = len(asker.questions)
    await ana.click(limited, label=SEARCH_ALL_TIME)

    assert refused.response is not None
    assert (refused.ephemeral, seen(refused.response)) == (True, NOT_YOURS)
    assert (questions_after_ben, len(asker.questions)) == (1, 2)


async def test_the_button_of_a_private_answer_answers_in_private(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor, ben: simcord.MemberActor
) -> None:
    asker.reply = limited_unless_asked_of_all_time

    again = await ana.click(await asked_of_today(ana, general, private=True), label=SEARCH_ALL_TIME)

    assert again.ephemeral
    assert asker.questions[-1].private
    assert general.history(viewer=ben) == []


@pytest.mark.parametrize("private", [pytest.param(False, id="public"), pytest.param(True, id="private")])
async def test_what_may_be_read_is_found_out_again_when_the_button_is_pressed(
    private: bool,
    simcord_env: simcord.Env,
    asker: FakeAsker,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    asker.reply = limited_unless_asked_of_all_time
    news = guild.create_text_channel("news")
    limited = await asked_of_today(ana, general, private=private)

    nobody = Overwrite(guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)
    simcord_env.backend.set_overwrite(news.id, nobody)
    await simcord_env.settle()
    await ana.click(limited, label=SEARCH_ALL_TIME)

    assert [question.places for question in asker.questions] == [{general.id, news.id}, {general.id}]


async def test_buttons_work_when_the_token_of_their_answer_has_ended_and_after_a_restart(
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    kept = FakeAnswerStore()
    await simcord_env.restart_bot(Bot(replace(services(recorder, asker), answers=kept)))
    asker.reply = limited_unless_asked_of_all_time
    limited = await asked_of_today(ana, general)

    await simcord_env.advance_time(20 * 60)
    await simcord_env.restart_bot(Bot(replace(services(recorder, asker), answers=kept)))
    again = await ana.click(limited, label=SEARCH_ALL_TIME)

    assert seen(again.response) == "I found nothing.\n-# searched all time"


async def test_a_button_of_a_question_that_nobody_knows_any_more_says_so(
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    asker.reply = limited_unless_asked_of_all_time
    limited = await asked_of_today(ana, general)
    await simcord_env.restart_bot(Bot(services(recorder, asker)))

    for label in (SEARCH_ALL_TIME, ASK_AGAIN, UP):
        pressed = await press(ana, limited, label)
        assert (pressed.ephemeral, seen(pressed.response)) == (True, NOT_KNOWN)
    assert len(asker.questions) == 1


async def test_a_button_says_so_while_its_question_cannot_be_looked_up(
    simcord_env: simcord.Env,
    recorder: FakeRecorder,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    kept = FakeAnswerStore()
    await simcord_env.restart_bot(Bot(replace(services(recorder, asker), answers=kept)))
    shown = await asked_of_today(ana, general)

    kept.away = True
    pressed = await press(ana, shown, UP)

    assert (pressed.ephemeral, seen(pressed.response)) == (True, CANNOT_LOOK_UP)
    assert kept.ratings == {}


async def press(member: simcord.MemberActor, message: ResponseMessage, label: str) -> simcord.results.InteractionResult:
    """Press the button of a message that has a label, or an emoji in its place."""
    for row in message.components:
        for button in row.get("components", ()):
            if label in {button.get("label"), (button.get("emoji") or {}).get("name")}:
                return await member.click(message, custom_id=button["custom_id"])
    raise LookupError(label)


async def test_everybody_who_sees_an_answer_may_rate_it_and_think_again(
    simcord_bot: Bot, general: simcord.ChannelHandle, ana: simcord.MemberActor, ben: simcord.MemberActor
) -> None:
    shown = await asked_of_today(ana, general)

    thanked = await press(ben, shown, UP)
    await press(ana, shown, UP)
    await press(ana, shown, DOWN)

    asked = simcord_bot._commands._asked
    assert isinstance(asked, RecentQuestions)
    assert (thanked.ephemeral, seen(thanked.response)) == (True, THANKS[Rating.UP])
    assert {rater: rating for (_, rater), rating in asked.ratings.items()} == {ben.id: Rating.UP, ana.id: Rating.DOWN}


async def test_a_thumb_and_a_look_at_the_sources_are_not_kept_as_messages(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    shown = await asked_of_today(ana, general)
    before = len(recorder.messages)

    await press(ana, shown, UP)

    assert len(recorder.messages) == before


async def test_the_footer_and_the_button_of_a_long_answer_are_under_its_end(
    asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    asker.reply = replace(LIMITED, text="word " * 2000)

    result = await ana.slash(general, "chat", text="today?")

    assert result.response is not None
    shown = [result.response, *result.followups]
    assert [bool(buttons(message)) for message in shown] == [False, False, True]
    assert ["-# searched Tue" in seen(message) for message in shown] == [False, False, True]


# ---- how it starts and stops


async def test_commands_of_a_bot_with_a_server_of_its_own_work_there(
    simcord_env: simcord.Env, recorder: FakeRecorder, asker: FakeAsker, caplog: pytest.LogCaptureFixture
) -> None:
    server_id = 700000000000000042
    caplog.set_level(logging.INFO, logger="bot")
    told: list[str] = []
    await simcord_env.restart_bot(Bot(services(recorder, asker), server_id=server_id, announce=told.append))

    server = simcord_env.create_guild(id=server_id)
    member = server.add_member(simcord_env.create_user("cleo"))
    result = await member.slash(server.create_text_channel("general"), "help")

    assert result.response is not None
    assert simcord_env.http_requests[-3].path.endswith(f"/guilds/{server_id}/commands")
    assert told[0].startswith("Invite the bot with https://discord.com/oauth2/authorize?client_id=")
    assert told[0] in caplog.text


def test_the_invitation_asks_for_what_is_needed_and_no_more() -> None:
    link = invite_link(42)

    needed = discord.Permissions(
        view_channel=True,
        read_message_history=True,
        send_messages=True,
        send_messages_in_threads=True,
        embed_links=True,
    )
    assert link.endswith(f"?client_id=42&scope=bot+applications.commands&permissions={needed.value}")


async def test_a_question_that_the_end_of_the_program_interrupts_still_gets_words(
    simcord_bot: Bot,
    simcord_env: simcord.Env,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.client.CLOSING_GRACE", timedelta(0))
    asker.hold = partial(simcord_env.external_wait, reason="the model is slow")
    result = await ana.slash(general, "chat", text="well?")
    assert result.deferred

    await simcord_bot.close()

    assert result.response is not None
    assert seen(result.response).startswith("I am being stopped")


async def test_handlers_that_do_not_end_in_time_are_cancelled_and_waited_for() -> None:
    in_flight = RunningHandlers()
    ended: list[str] = []

    async def handler() -> None:
        with in_flight.entered():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cleaned up")

    task = asyncio.create_task(handler())
    await asyncio.sleep(0)
    await in_flight.finish(grace=timedelta(0), farewell=timedelta(seconds=30))

    assert task.cancelled()
    assert ended == ["cleaned up"]


async def test_handlers_that_end_by_themselves_are_left_to_it() -> None:
    in_flight = RunningHandlers()
    go_on = asyncio.Event()

    async def handler() -> str:
        with in_flight.entered():
            await go_on.wait()
            return "recorded"

    async with asyncio.TaskGroup() as group:
        task = group.create_task(handler())
        await asyncio.sleep(0)
        group.create_task(in_flight.finish(grace=timedelta(seconds=30), farewell=timedelta(0)))
        go_on.set()

    assert task.result() == "recorded"


def test_help_names_every_command_and_every_menu(recorder: FakeRecorder, asker: FakeAsker) -> None:
    database = SearchableDatabase("none", async_sessionmaker(), bm25=False, hypertable=False)
    overviews = Overviews(memory=FakeMemory(), databases=(database, database))
    tree = Bot(replace(services(recorder, asker), overviews=overviews)).tree
    commands = {f"/{command.name}" for command in tree.get_commands(type=discord.AppCommandType.chat_input)}
    menus = {menu.name for menu in tree.get_commands(type=discord.AppCommandType.message)}

    assert {command for command in commands if f"`{command}" not in HELP} == {"/help"}
    assert {menu for menu in menus if f'"{menu}"' not in HELP} == set()
    assert "/catchup" in commands
    assert "Forget this" in menus
