"""What an answer is made of in Discord, as a card of components and as text."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import discord
import pytest
import simcord

from agent.types import Answer, Searched, Source
from bot.answer_buttons import SEARCH_ALL_TIME
from bot.client import Bot
from bot.layout import AnswerStyle
from memory.message import Kind
from tests.builders import message
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.seen import buttons, seen
from time_expressions.window import Window

DAY = Window(datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC))
SEARCHED = Searched(windows=(DAY,), went_beyond=False, channels=(), now=NOW, time_zone=ZoneInfo("Europe/Paris"))
SOURCE = Source(1, replace(message(7, "the ferry leaves at ||noon||"), guild_id=1, channel_id=2, author_name="Ben"))
ANSWER = Answer(text="At noon [1].", sources=(SOURCE,), searched=SEARCHED)


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(ANSWER)


@pytest.fixture(params=list(AnswerStyle))
def style(request: pytest.FixtureRequest) -> AnswerStyle:
    chosen: AnswerStyle = request.param
    return chosen


@pytest.fixture
def simcord_bot(recorder: FakeRecorder, asker: FakeAsker, style: AnswerStyle) -> Bot:
    return Bot(replace(services(recorder, asker), answer_style=style))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    return guild.add_member(simcord_env.create_user("ana"))


def kinds(shown: simcord.results.ResponseMessage) -> list[str]:
    """Return the kinds of components of a message that are not within others."""
    return [discord.ComponentType(part["type"]).name for part in shown.components]


async def test_an_answer_is_a_card_of_text_sources_and_buttons_or_a_text_with_buttons(
    style: AnswerStyle, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    shown = (await ana.slash(general, "chat", text="when?")).response

    assert shown is not None
    if style is AnswerStyle.CARD:
        assert shown.content == ""
        assert kinds(shown) == ["text_display", "text_display", "action_row"]
        assert (
            shown.components[1]["content"]
            .split("\n")[1]
            .startswith("-# [[1]](<https://discord.com/channels/1/2/7>) Ben")
        )
    else:
        assert shown.content.startswith("At noon [[1]](<https://discord.com/channels/1/2/7>).\n\n**Sources**\n[[1]](<")
        assert kinds(shown) == ["action_row"]
    assert "noon||" not in seen(shown)
    assert "-# searched Tue 3 Nov" in seen(shown)
    assert SEARCH_ALL_TIME in buttons(shown)


async def test_what_is_recorded_of_an_answer_is_what_a_person_sees(
    recorder: FakeRecorder, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    result = await ana.slash(general, "chat", text="when?")

    (kept,) = recorder.of_kind(Kind.ANSWER)
    assert kept.content == seen(result.response)
    assert "At noon" in kept.content
    assert "-# searched" in kept.content


async def test_an_answer_that_is_too_long_for_a_message_goes_on_with_its_code_in_fences(
    style: AnswerStyle,
    recorder: FakeRecorder,
    asker: FakeAsker,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    code = "".join(f"print({n})  # {'x' * 40}\n" for n in range(140))
    asker.reply = replace(ANSWER, text=f"Like this:\n```py\n{code}```\nDone [1].")

    result = await ana.slash(general, "chat", text="how?")

    shown = [seen(result.response), *map(seen, result.followups)]
    assert len(shown) == (2 if style is AnswerStyle.CARD else 4)
    assert all(text.count("```") == 2 for text in shown)
    assert all(text.startswith("```py\n") for text in shown[1:])
    assert [kept.content for kept in recorder.of_kind(Kind.ANSWER)] == shown
    assert "**Sources**" in shown[-1]


async def test_nothing_in_an_answer_pings(
    simcord_env: simcord.Env, asker: FakeAsker, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    asker.reply = replace(ANSWER, text=f"@everyone <@{ana.id}> [1]", notes=("@here",))

    result = await ana.slash(general, "chat", text="who?")

    assert result.response is not None
    assert not result.response.message.mention_everyone
    assert not result.response.message.mentions
    assert "@everyone" not in seen(result.response)
    sent: list[Any] = [request.json for request in simcord_env.http_requests if "/messages" in request.path]
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)
