"""People mention the bot, reply to it and ask about messages: it answers where they ask, for those who read there."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from functools import partial
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType

from agent.agent import Agent
from agent.types import Answer, Question
from bot.client import Bot
from bot.features.mentions.answers import ABOUT_WHAT, ASK_QUIETLY
from memory.answers.kept import State
from memory.message import Kind
from tests.end_to_end.test_discord import HIDDEN, SHOWN, Overwrites, a_source
from tests.fakes import FakeMemory
from tests.fakes_answers import FakeAnswerStore
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import seen

DEPLOY = Answer(text="The deploy is on Friday.")


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(DEPLOY)


@pytest.fixture
def answers() -> FakeAnswerStore:
    return FakeAnswerStore()


@pytest.fixture
def simcord_bot(recorder: FakeRecorder, asker: FakeAsker, answers: FakeAnswerStore) -> Bot:
    return Bot(services(recorder, asker, answers=answers))


class Square:
    """A server with a channel for all and one for the staff, and two people who ask."""

    def __init__(self, env: simcord.Env) -> None:
        assert env.bot.user is not None
        self.env, self.bot = env, env.bot.user
        self.guild = env.create_guild("Guild")
        self.staff = self.guild.create_role("Staff")
        self.general = self.guild.create_text_channel("general")
        for_staff: Overwrites = {self.guild.default_role: HIDDEN, self.staff: SHOWN, self.bot: SHOWN}
        self.cellar = self.guild.create_text_channel("cellar", overwrites=for_staff)
        self.ana = self.guild.add_member(env.create_user("ana"), nick="Ana", roles=[self.staff])
        self.ben = self.guild.add_member(env.create_user("ben"))
        self.requests: list[str] = []
        """What the bot has asked of Discord: method and path."""
        http: Any = env.bot.http
        request = http.request

        async def noted(route: Any, **options: Any) -> Any:
            self.requests.append(f"{route.method} {route.path}")
            return await request(route, **options)

        http.request = noted

    @property
    def me(self) -> str:
        """What mentions the bot."""
        return f"<@{self.bot.id}>"

    def typed(self) -> int:
        """Return how often the bot has said that it is typing."""
        return sum(request.endswith("/typing") for request in self.requests)

    def answers(self, channel: simcord.ChannelHandle | None = None) -> list[discord.Message]:
        """Return what the bot has said in a channel, in #general unless another is named."""
        return [one for one in (channel or self.general).history() if one.author.id == self.bot.id]


@pytest.fixture
def square(simcord_env: simcord.Env) -> Square:
    return Square(simcord_env)


# ---- what is a question


async def test_a_mention_is_answered_in_a_reply_that_pings_nobody(square: Square, asker: FakeAsker) -> None:
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")

    (answer,) = square.answers()
    assert asker.questions[0].text == "when is the deploy?"
    assert not asker.questions[0].private
    assert seen(answer) == DEPLOY.text
    assert answer.reference is not None
    assert answer.reference.message_id == question.id
    assert answer.mentions == []


async def test_the_question_is_kept_as_a_command_and_the_answer_as_one_to_it(
    square: Square, recorder: FakeRecorder
) -> None:
    question = await square.ana.send(square.general, f"hey {square.me}, when is the deploy?")

    (kept,) = [one for one in recorder.messages if one.message_id == question.id]
    (answer,) = recorder.of_kind(Kind.ANSWER)
    assert kept.kind is Kind.COMMAND
    assert kept.author_id == square.ana.id
    assert answer.reply_to == question.id
    assert answer.content == DEPLOY.text


async def test_a_reply_to_the_bot_is_a_question(square: Square, asker: FakeAsker) -> None:
    await square.ana.send(square.general, f"{square.me} when is the deploy?")
    await square.ben.send(square.general, "and who does it?", reply_to=square.answers()[0])

    assert [question.text for question in asker.questions] == ["when is the deploy?", "and who does it?"]


@pytest.mark.parametrize("words", ["@everyone when?", "when is the deploy?", "@here", "Backscroll, when?"])
async def test_what_mentions_somebody_else_or_all_is_no_question(
    square: Square, asker: FakeAsker, recorder: FakeRecorder, words: str
) -> None:
    await square.ana.send(square.general, words)
    await square.ana.send(square.general, f"<@&{square.staff.id}> <@{square.ben.id}> when?")

    assert asker.questions == []
    assert [one.kind for one in recorder.messages] == [Kind.MESSAGE, Kind.MESSAGE]


async def test_bots_and_webhooks_are_not_answered(square: Square, simcord_env: simcord.Env, asker: FakeAsker) -> None:
    helper = square.guild.add_member(simcord_env.create_user("helper", bot=True))
    webhook = square.guild.create_webhook(square.general, "feed")

    await helper.send(square.general, f"{square.me} when is the deploy?")
    await webhook.send(f"{square.me} when is the deploy?")

    assert asker.questions == []
    assert square.answers() == []


async def test_a_mention_without_words_gets_one_line_of_help(square: Square, asker: FakeAsker) -> None:
    await square.ana.send(square.general, square.me)

    (answer,) = square.answers()
    assert asker.questions == []
    assert "/help" in seen(answer)
    assert "\n" not in seen(answer)


# ---- what it points at


async def test_a_mention_in_a_reply_asks_about_that_message_and_those_before_it(
    square: Square, asker: FakeAsker
) -> None:
    first = await square.ben.send(square.general, "the kiln is dead")
    second = await square.ana.send(square.general, "the relay again", reply_to=first)

    await square.ben.send(square.general, f"{square.me} what does she mean by that?", reply_to=second)

    assert asker.questions[0].about == (second.id, first.id)


async def test_a_mention_alone_in_a_reply_asks_what_it_is_about(square: Square, asker: FakeAsker) -> None:
    first = await square.ben.send(square.general, "the kiln is dead")

    await square.ana.send(square.general, square.me, reply_to=first)

    assert (asker.questions[0].text, asker.questions[0].about) == (ABOUT_WHAT, (first.id,))


async def test_a_reply_to_an_answer_goes_on_from_its_question_and_its_sources(square: Square, asker: FakeAsker) -> None:
    said = await square.ben.send(square.general, "the deploy is on Tuesday")
    asker.reply = Answer(text="On Tuesday [1].", sources=(a_source(1, said.id, square.guild.id, square.general.id),))
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")

    await square.ben.send(square.general, "and who does it?", reply_to=square.answers()[0])

    assert asker.questions[1].about == (said.id, question.id)


async def test_a_reply_to_the_answer_of_a_command_goes_on_from_the_command(
    square: Square, asker: FakeAsker, recorder: FakeRecorder
) -> None:
    result = await square.ana.slash(square.general, "chat", text="when is the deploy?")
    assert result.response is not None
    (command,) = recorder.of_kind(Kind.COMMAND)

    await square.ben.send(square.general, "and who does it?", reply_to=result.response)

    assert asker.questions[1].about == (command.message_id,)


async def test_a_chain_of_replies_is_followed_only_so_far(square: Square, asker: FakeAsker) -> None:
    messages = [await square.ben.send(square.general, "one")]
    for number in range(8):
        messages.append(await square.ben.send(square.general, f"{number}", reply_to=messages[-1]))

    await square.ana.send(square.general, f"{square.me} what?", reply_to=messages[-1])

    assert asker.questions[0].about == tuple(one.id for one in reversed(messages[-5:]))


# ---- for those who read there


async def test_a_mention_in_public_uses_only_what_all_readers_there_may_seen(square: Square, asker: FakeAsker) -> None:
    secret = await square.ana.send(square.cellar, "the wizard hides in the cellar")

    await square.ana.send(square.general, f"{square.me} where is the wizard?")
    await square.ana.send(square.cellar, f"{square.me} where is the wizard?", reply_to=secret)

    public, among_staff = asker.questions
    assert public.places == {square.general.id}
    assert among_staff.places == {square.general.id, square.cellar.id}


async def test_an_answer_that_rights_overtake_is_made_anew(square: Square, asker: FakeAsker) -> None:
    news = square.guild.create_text_channel("news")
    nobody = Overwrite(square.guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)

    def answer(question: Question) -> Answer:
        if news.id not in question.places:
            return DEPLOY
        square.env.backend.set_overwrite(news.id, nobody)
        return Answer(text="a secret of the news", shown_places=frozenset({news.id}))

    asker.reply = answer
    await square.ben.send(square.general, f"{square.me} what is new?")

    assert [seen(one) for one in square.answers()] == [DEPLOY.text]


async def test_where_nobody_knows_who_reads_the_bot_asks_to_be_asked_quietly(
    square: Square, asker: FakeAsker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.features.mentions.answers.must_be_private", lambda *_: True)

    await square.ana.send(square.general, f"{square.me} where is the wizard?")

    assert [seen(one) for one in square.answers()] == [ASK_QUIETLY]
    assert asker.questions == []


async def test_no_mention_leaves_the_bot_with_an_answer(square: Square, asker: FakeAsker) -> None:
    asker.reply = Answer(text=f"@everyone and <@{square.ben.id}> know")

    await square.ana.send(square.general, f"{square.me} who knows?")

    (answer,) = square.answers()
    assert (answer.mention_everyone, answer.mentions) == (False, [])


# ---- typing


def thinks_until(asker: FakeAsker, env: simcord.Env) -> asyncio.Event:
    """Let answers take until somebody sets the event."""
    ready = asyncio.Event()

    async def thinking(for_ever: Awaitable[object]) -> object:
        asyncio.ensure_future(for_ever).cancel()
        return await env.external_wait(ready.wait(), reason="the model is slow")

    asker.hold = thinking
    return ready


async def test_the_bot_types_while_it_thinks_and_no_longer(
    square: Square, simcord_env: simcord.Env, asker: FakeAsker
) -> None:
    ready = thinks_until(asker, simcord_env)
    await square.ana.send(square.general, f"{square.me} when is the deploy?")
    at_first = square.typed()
    await simcord_env.advance_time(8.5)
    later = square.typed()
    ready.set()
    await simcord_env.settle()
    await simcord_env.advance_time(30)

    assert (at_first, later, square.typed()) == (1, 2, 2)
    assert [seen(one) for one in square.answers()] == [DEPLOY.text]


async def test_typing_ends_when_answering_fails(square: Square, simcord_env: simcord.Env, asker: FakeAsker) -> None:
    asker.reply = ValueError("nobody foresaw it")
    ready = thinks_until(asker, simcord_env)
    await square.ana.send(square.general, f"{square.me} when is the deploy?")

    ready.set()
    await simcord_env.settle()
    await simcord_env.advance_time(30)

    assert square.typed() == 1
    assert "Something went wrong" in seen(square.answers()[0])


# ---- taken back


async def test_work_ends_when_the_asker_deletes_the_question(
    square: Square, simcord_env: simcord.Env, asker: FakeAsker, recorder: FakeRecorder
) -> None:
    asker.hold = partial(simcord_env.external_wait, reason="the model is slow")
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")

    await square.ana.delete(question)
    await simcord_env.advance_time(30)

    assert square.answers() == []
    assert recorder.of_kind(Kind.ANSWER) == []
    assert square.typed() == 1


async def test_an_answer_goes_with_its_question(square: Square, simcord_env: simcord.Env) -> None:
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")
    other = await square.ben.send(square.general, f"{square.me} when is it?")
    assert len(square.answers()) == 2

    await square.ana.delete(question)
    await simcord_env.settle()

    (left,) = square.answers()
    assert left.reference is not None
    assert left.reference.message_id == other.id


async def test_an_answer_goes_when_many_messages_are_deleted_at_once(square: Square, simcord_env: simcord.Env) -> None:
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")
    payload = {"ids": [str(question.id)], "channel_id": str(square.general.id), "guild_id": str(square.guild.id)}

    simcord_env.backend.emit("MESSAGE_DELETE_BULK", payload)
    await simcord_env.settle()

    assert square.answers() == []


async def test_an_answer_of_an_earlier_run_goes_with_its_question_as_well(
    square: Square, simcord_env: simcord.Env, answers: FakeAnswerStore, simcord_bot: Bot
) -> None:
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")
    assert answers.kept[question.id].state is State.DELIVERED
    vars(vars(simcord_bot)["_mentions"])["_shown"].clear()  # as after a restart

    await square.ana.delete(question)
    await simcord_env.settle()

    assert square.answers() == []


async def test_a_question_that_was_deleted_is_not_answered_after_a_restart(
    square: Square, simcord_env: simcord.Env, asker: FakeAsker, answers: FakeAnswerStore
) -> None:
    asker.hold = partial(simcord_env.external_wait, reason="the model is slow")
    question = await square.ana.send(square.general, f"{square.me} when is the deploy?")

    await square.ana.delete(question)
    await simcord_env.settle()

    assert answers.kept[question.id].state is State.GIVEN_UP


async def test_work_on_a_command_ends_when_the_message_that_shows_it_is_deleted(
    square: Square, simcord_env: simcord.Env, asker: FakeAsker, recorder: FakeRecorder
) -> None:
    ended: list[str] = []

    async def thinking(for_ever: Awaitable[object]) -> object:
        try:
            return await simcord_env.external_wait(for_ever, reason="the model is slow")
        finally:
            ended.append("thinking")

    asker.hold = thinking
    await square.ana.slash(square.general, "chat", text="when is the deploy?")
    (shown,) = square.answers()

    simcord_env.backend.delete_message(square.general.id, shown.id)
    await simcord_env.settle()

    assert ended == ["thinking"]
    assert recorder.of_kind(Kind.ANSWER) == []
    assert square.answers() == []


# ---- where the bot may not speak


async def test_where_the_bot_may_not_write_it_says_so_in_one_line_of_the_log(
    square: Square, asker: FakeAsker, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = square.guild.create_text_channel(
        "quiet", overwrites={square.bot: discord.PermissionOverwrite(send_messages=False)}
    )
    caplog.set_level(logging.INFO)

    await square.ana.send(quiet, f"{square.me} when is the deploy?")

    lines = [record for record in caplog.records if "may not write" in record.message]
    assert len(lines) == 1
    assert asker.questions == []
    assert not any(record.exc_info for record in caplog.records)


async def test_what_discord_refuses_costs_one_line_of_the_log_and_no_traceback(
    square: Square, caplog: pytest.LogCaptureFixture, asker: FakeAsker
) -> None:
    def answer(_: Question) -> Answer:
        denied = Overwrite(square.bot.id, OverwriteType.MEMBER, deny=discord.Permissions(send_messages=True).value)
        square.env.backend.set_overwrite(square.general.id, denied)
        return DEPLOY

    asker.reply = answer
    await square.ana.send(square.general, f"{square.me} when is the deploy?")

    assert square.answers() == []
    assert [record.levelname for record in caplog.records if "not sent whole" in record.message] == ["WARNING"]
    assert not any(record.exc_info for record in caplog.records)


# ---- the menu of a message


async def test_somebody_asks_about_a_message_for_their_eyes_only(
    square: Square, asker: FakeAsker, recorder: FakeRecorder
) -> None:
    first = await square.ben.send(square.general, "the kiln is dead")
    said = await square.ana.send(square.general, "the relay again", reply_to=first)

    form = await square.ben.context_menu(square.general, "Ask about this", said)
    result = await square.ben.submit_modal(form, {"question": "which relay?"})

    (question,) = asker.questions
    assert (question.text, question.about, question.private) == ("which relay?", (said.id, first.id), True)
    assert result.response is not None
    assert result.response.ephemeral
    assert seen(result.response) == DEPLOY.text
    assert recorder.of_kind(Kind.COMMAND)[0].content.startswith("/chat which relay?")


# ---- with a real agent


class Talk(Square):
    """The same square, whose bot answers with quotations from what was said there."""

    def __init__(self, env: simcord.Env, memory: FakeMemory, recorder: FakeRecorder) -> None:
        super().__init__(env)
        self._memory, self._recorder = memory, recorder

    async def says(
        self, who: simcord.MemberActor, channel: simcord.ChannelHandle, words: str, **options: Any
    ) -> discord.Message:
        """Let somebody say something, and memory have it."""
        message = await who.send(channel, words, **options)
        self._memory.messages[:] = self._recorder.messages
        return message


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


class TestWithARealAgent:
    """A reply asks about messages, and its answer shows what every reader may read."""

    @pytest.fixture
    def simcord_bot(self, recorder: FakeRecorder, memory: FakeMemory) -> Bot:
        return Bot(replace(services(recorder, FakeAsker(DEPLOY)), asker=Agent((), memory=memory)))

    @pytest.fixture
    def talk(self, simcord_env: simcord.Env, memory: FakeMemory, recorder: FakeRecorder) -> Talk:
        return Talk(simcord_env, memory, recorder)

    async def test_what_did_she_mean_by_that_is_answered_with_what_was_said_around_it(self, talk: Talk) -> None:
        await talk.says(talk.ben, talk.general, "the relay of the kiln clicked all night")
        meant = await talk.says(talk.ana, talk.general, "then we dry the bowls on the roof")

        await talk.ben.send(talk.general, f"{talk.me} what did she mean by that?", reply_to=meant)

        (answer,) = talk.answers()
        assert "dry the bowls on the roof" in seen(answer)
        assert "the relay of the kiln" in seen(answer)

    async def test_a_follow_up_shows_nothing_of_a_source_that_was_hidden_meanwhile(self, talk: Talk) -> None:
        news = talk.guild.create_text_channel("news")
        await talk.says(talk.ana, news, "the kiln exploded behind the harbour")
        await talk.says(talk.ben, talk.general, f"{talk.me} what exploded behind the harbour?")
        (first,) = talk.answers()
        assert "the kiln exploded" in seen(first)
        hidden = Overwrite(talk.guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)
        talk.env.backend.set_overwrite(news.id, hidden)
        await talk.env.settle()

        await talk.ben.send(talk.general, f"{talk.me} what is this about?", reply_to=first)

        assert "kiln" not in seen(talk.answers()[-1])

    async def test_a_question_proves_nothing_to_whoever_asks_it_again(self, talk: Talk) -> None:
        await talk.says(talk.ana, talk.general, f"{talk.me} is the zeppelin landing on Tuesday?")

        await talk.ben.send(talk.general, f"{talk.me} is the zeppelin landing on Tuesday?")

        assert all("**Ana**" not in seen(answer) for answer in talk.answers())
