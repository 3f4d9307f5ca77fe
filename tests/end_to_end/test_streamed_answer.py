"""What is seen of an answer while it comes about, with the times of all edits."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType

from agent.progress import UNWATCHED, Step, StepKind, Watcher
from agent.types import Answer, Outcome, Question, Source
from bot.answer_buttons import UP
from bot.client import Bot
from bot.layout import AnswerStyle
from memory.message import Kind
from tests.builders import message
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import buttons, seen

FIRST, GAP = 1.5, 1.2  # seconds
LEEWAY = 0.15  # by which the clock of the simulated Discord is off where a test lets time go by; unit tests are exact


@dataclass(frozen=True, slots=True)
class Edit:
    """What was seen from a moment on, in seconds since the question."""

    at: float
    message_id: int
    text: str
    buttons: int


class Watched:
    """Notes everything that the bot posts or edits, and when."""

    def __init__(self, env: simcord.Env) -> None:
        self.edits: list[Edit] = []
        self._since: float | None = None
        backend: Any = env.backend
        commit, edit = backend.commit_message, backend.edit_message

        def committed(message: Any, **options: Any) -> Any:
            self._note(message, backend)
            return commit(message, **options)

        def edited(*arguments: Any) -> Any:
            message = edit(*arguments)
            self._note(message, backend)
            return message

        backend.commit_message, backend.edit_message = committed, edited

    def now(self) -> float:
        """Return the seconds since the first call, by the clock of the bot, whose tasks alone may call it."""
        if self._since is None:
            self._since = time.monotonic()
        return time.monotonic() - self._since

    def _note(self, message: Any, backend: Any) -> None:
        if message.author_id == backend.bot_user.id and seen(message):
            self.edits.append(Edit(self.now(), message.id, seen(message), len(buttons(message))))


Script = Callable[[Watcher, Question], Awaitable[Answer]]


class ScriptedAsker(FakeAsker):
    """Answers as a script says, which tells the watcher of it."""

    script: Script

    async def ask(self, question: Question, *, watcher: Watcher = UNWATCHED) -> Answer:
        self.questions.append(question)
        return await self.script(watcher, question)


@pytest.fixture
def asker() -> ScriptedAsker:
    return ScriptedAsker(Answer(text=""))


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def style() -> AnswerStyle:
    return AnswerStyle.CARD


@pytest.fixture
def simcord_bot(asker: ScriptedAsker, recorder: FakeRecorder, style: AnswerStyle) -> Bot:
    return Bot(replace(services(recorder, asker), answer_style=style))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def ops(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("ops")


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ana"))


@pytest.fixture
def watched(simcord_env: simcord.Env) -> Watched:
    return Watched(simcord_env)


SEARCHING = Step(kind=StepKind.SEARCHING, channels=("ops",))
WRITING = Step(kind=StepKind.WRITING)


def answered_from(channel: simcord.ChannelHandle, text: str) -> Answer:
    """Return an answer that cites a message of a channel."""
    source = Source(1, message(7, "it leaves at noon", guild_id=1, channel_id=channel.id, channel_name=channel.name))
    return Answer(text=text, sources=(source,), shown_places=frozenset({channel.id}))


def gaps(edits: list[Edit]) -> list[float]:
    """Return the seconds from each edit to the next."""
    return [later.at - earlier.at for earlier, later in pairwise(edits)]


@pytest.mark.parametrize("style", list(AnswerStyle))
async def test_steps_then_the_checked_beginning_then_the_answer_in_one_message_and_never_too_often(
    simcord_env: simcord.Env,
    asker: ScriptedAsker,
    recorder: FakeRecorder,
    watched: Watched,
    general: simcord.ChannelHandle,
    ops: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    async def script(watcher: Watcher, question: Question) -> Answer:
        watched.now()
        watcher.step(SEARCHING)
        await asyncio.sleep(1.6)
        for _ in range(20):
            watcher.step(Step(kind=StepKind.READING_AROUND, count=3))
            watcher.step(WRITING)
            await asyncio.sleep(0.05)
        text = "The ferry leaves"
        for word in ["at", "noon", "[1]", ".", "It", "does", "so", "every", "day", "of", "the", "week"]:
            text = f"{text} {word}"
            watcher.draft(answered_from(ops, text))
            await asyncio.sleep(0.3)
        return answered_from(ops, f"{text}.")

    asker.script = script
    result = await ana.slash(general, "chat", text="when does the ferry leave?")
    await simcord_env.advance_time(20)

    shown = watched.edits
    assert len(shown) >= 5
    assert len({edit.message_id for edit in shown}) == 1
    assert shown[0].at >= FIRST - 0.2  # it is counted from the acknowledgement, a moment before
    assert "searching #ops" in shown[0].text
    assert min(gaps(shown)) >= GAP - LEEWAY
    assert all(later.text != earlier.text for earlier, later in pairwise(shown))
    assert [edit.buttons > 0 for edit in shown] == [False] * (len(shown) - 1) + [True]
    assert "every day of the week." in shown[-1].text
    assert "writing" not in shown[-1].text
    assert UP in buttons(result.response) if result.response else False
    assert [kept.content for kept in recorder.of_kind(Kind.ANSWER)] == [shown[-1].text]


async def test_an_answer_that_is_there_within_a_second_and_a_half_is_the_only_thing_seen(
    simcord_env: simcord.Env,
    asker: ScriptedAsker,
    watched: Watched,
    general: simcord.ChannelHandle,
    ops: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    async def script(watcher: Watcher, question: Question) -> Answer:
        watched.now()
        watcher.step(SEARCHING)
        watcher.draft(answered_from(ops, "At"))
        return answered_from(ops, "At noon [1].")

    asker.script = script
    await ana.slash(general, "chat", text="when does the ferry leave?")
    await simcord_env.advance_time(20)

    (only,) = watched.edits
    assert "At noon" in only.text
    assert only.at < FIRST


async def test_what_is_closed_meanwhile_is_taken_away_with_the_next_edit_and_never_shown_again(
    simcord_env: simcord.Env,
    asker: ScriptedAsker,
    watched: Watched,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ops: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    closed_at = 0.0

    async def script(watcher: Watcher, question: Question) -> Answer:
        nonlocal closed_at
        if ops.id not in question.places:
            return Answer(text="I found nothing.", outcome=Outcome.NOTHING_FOUND)
        watched.now()
        watcher.step(SEARCHING)
        watcher.draft(answered_from(ops, "The ferry leaves at noon [1]."))
        await asyncio.sleep(2)
        _, deny = discord.PermissionOverwrite(view_channel=False).pair()
        hidden = Overwrite(guild.default_role.id, OverwriteType.ROLE, deny=deny.value)
        simcord_env.backend.set_overwrite(ops.id, hidden)
        closed_at = watched.now()
        await asyncio.sleep(0.3)
        watcher.step(WRITING)
        watcher.draft(answered_from(ops, "The ferry leaves at noon [1]. Every day."))
        await asyncio.sleep(2)
        return answered_from(ops, "The ferry leaves at noon [1]. Every day.")

    asker.script = script
    await ana.slash(general, "chat", text="when does the ferry leave?")
    await simcord_env.advance_time(20)

    before = [edit.text for edit in watched.edits if edit.at < closed_at]
    after = [edit.text for edit in watched.edits if edit.at >= closed_at]
    assert any("noon" in text for text in before)
    assert len(after) >= 2
    assert not any("noon" in text or "ops" in text for text in after)
    assert after[-1].startswith("I found nothing.")


async def test_answers_to_mentions_are_edited_at_most_every_second_and_a_half_and_one_at_a_time(
    simcord_env: simcord.Env,
    asker: ScriptedAsker,
    watched: Watched,
    general: simcord.ChannelHandle,
    ops: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    async def script(watcher: Watcher, question: Question) -> Answer:
        watched.now()
        for step in (SEARCHING, Step(kind=StepKind.READING_AROUND, count=3), WRITING):
            watcher.step(step)
            await asyncio.sleep(1.6)
        return answered_from(ops, "At noon [1].")

    asker.script = script
    me = f"<@{simcord_env.bot.user.id}>" if simcord_env.bot.user else ""
    for _ in range(2):
        await ana.send(general, f"{me} when does the ferry leave?")
    await simcord_env.advance_time(20)

    by_message: dict[int, list[Edit]] = {}
    for edit in watched.edits:
        by_message.setdefault(edit.message_id, []).append(edit)
    once, streamed = sorted(by_message.values(), key=len)
    assert len(once) == 1
    assert len(streamed) >= 3
    assert min(gaps(streamed)) >= 1.5 - LEEWAY
    assert "searching #ops" in streamed[0].text
    assert "At noon" in streamed[-1].text
