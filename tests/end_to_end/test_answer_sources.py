"""The button that shows what an answer cites, to whoever presses it and may read that."""

from collections.abc import Iterable
from dataclasses import replace

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType

from agent.types import Answer, Source
from bot.answer_buttons import SOURCES
from bot.cited_sources import NONE_LEFT
from bot.client import Bot
from memory.message import Attachment, Message
from tests.builders import message
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import buttons, seen

LONG = "the ferry leaves at noon, and ||the captain|| waits for nobody " + "who is late " * 40


class FakeLookup:
    """Finds messages among some."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        ids = set(message_ids)
        return {one.message_id: one for one in self.messages if one.message_id in ids and one.place_id in places}


@pytest.fixture
def lookup() -> FakeLookup:
    return FakeLookup()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text="?"))


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def simcord_bot(asker: FakeAsker, recorder: FakeRecorder, lookup: FakeLookup) -> Bot:
    return Bot(replace(services(recorder, asker), lookup=lookup))


class Harbour:
    """A guild in which Ana asks about what was said in #news and #quay."""

    def __init__(self, env: simcord.Env, asker: FakeAsker, lookup: FakeLookup) -> None:
        self.env = env
        self.guild = env.create_guild("Harbour")
        self.general = self.guild.create_text_channel("general")
        self.news = self.guild.create_text_channel("news")
        self.quay = self.guild.create_text_channel("quay")
        self.ana = self.guild.add_member(env.create_user("ana"))
        self.ben = self.guild.add_member(env.create_user("ben"))
        picture = Attachment(name="quay.png", url="u")
        said = [
            message(7, LONG, guild_id=self.guild.id, channel_id=self.news.id, channel_name="news"),
            message(8, "so", guild_id=self.guild.id, channel_id=self.quay.id, attachments=(picture,)),
        ]
        lookup.messages = said
        places = frozenset({self.news.id, self.quay.id})
        sources = tuple(Source(number, one) for number, one in enumerate(said, 1))
        asker.reply = Answer(text="At noon [1], so [2].", sources=sources, shown_places=places)

    async def asked(self) -> simcord.results.ResponseMessage:
        """Return the answer to Ana's question."""
        response = (await self.ana.slash(self.general, "chat", text="when?")).response
        assert response is not None
        return response

    async def close(self, channel: simcord.ChannelHandle) -> None:
        """Hide a channel from everybody."""
        _, deny = discord.PermissionOverwrite(view_channel=False).pair()
        nobody = Overwrite(self.guild.default_role.id, OverwriteType.ROLE, deny=deny.value)
        self.env.backend.set_overwrite(channel.id, nobody)
        await self.env.settle()


@pytest.fixture
def harbour(simcord_env: simcord.Env, asker: FakeAsker, lookup: FakeLookup) -> Harbour:
    return Harbour(simcord_env, asker, lookup)


async def test_whoever_sees_an_answer_sees_its_sources_at_length_and_alone(
    harbour: Harbour, recorder: FakeRecorder
) -> None:
    answer = await harbour.asked()
    recorded = len(recorder.messages)

    pressed = await harbour.ben.click(answer, label=SOURCES)

    text = seen(pressed.response)
    assert pressed.ephemeral
    assert f"[[1]](<https://discord.com/channels/{harbour.guild.id}/{harbour.news.id}/7>) **ana** in #news" in text
    assert "the ferry leaves at noon, and ||the captain|| waits" in text
    assert 400 < len(text) < 800
    assert "> so\n> (quay.png)" in text
    assert len(recorder.messages) == recorded


async def test_a_source_that_may_not_be_read_any_more_is_left_out_and_counted(harbour: Harbour) -> None:
    answer = await harbour.asked()

    await harbour.close(harbour.news)
    pressed = await harbour.ana.click(answer, label=SOURCES)

    text = seen(pressed.response)
    assert "ferry" not in text
    assert "[[2]]" in text
    assert "-# 1 of what the answer cites cannot be shown" in text


async def test_sources_of_which_nothing_is_left_are_a_sentence(harbour: Harbour, lookup: FakeLookup) -> None:
    answer = await harbour.asked()

    lookup.messages = []
    pressed = await harbour.ana.click(answer, label=SOURCES)

    assert seen(pressed.response) == NONE_LEFT


async def test_an_answer_that_cites_nothing_has_no_button_for_it(harbour: Harbour, asker: FakeAsker) -> None:
    asker.reply = Answer(text="I found nothing.")

    assert SOURCES not in buttons(await harbour.asked())
