"""What the gateway really sends of channels and threads: hidden ones without a name, deleted and archived ones."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from agent.types import Answer
from bot.client import Bot
from memory.places.state import PlaceKind, PlaceState
from tests.fake_discord import FakeDiscord
from tests.fake_discord.models import FORUM
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.unit.test_places import FakeLog
from tests.wire import served

PATIENCE = timedelta(seconds=30)


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def bot(log: FakeLog) -> Bot:
    return Bot(replace(services(FakeRecorder(), FakeAsker(Answer(text="-"))), places=log))


async def last(log: FakeLog, place_id: int, wanted: Callable[[PlaceState], bool]) -> PlaceState:
    """Return the state of a place as soon as the newest one is as wanted."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while True:
            states = [state for state in log.states if state.place_id == place_id]
            if states and wanted(states[-1]):
                return states[-1]
            await asyncio.sleep(0.01)


async def test_a_channel_that_is_hidden_is_lost_and_none_that_is_renamed(
    fake: FakeDiscord, bot: Bot, log: FakeLog
) -> None:
    guild = fake.world.guild("Harbour")
    general, den = (fake.world.channel(guild, name) for name in ("general", "den"))
    fake.world.hide(den)

    async with served(bot, fake):
        unseen = await last(log, den.id, lambda state: True)
        seen = await last(log, general.id, lambda state: state.is_there)
        fake.world.hide(general)
        hidden = await last(log, general.id, lambda state: not state.is_there)
        fake.world.show(general)
        fake.world.update(general, name="talk")
        renamed = await last(log, general.id, lambda state: state.name == "talk")

    assert unseen.hidden_since is not None
    assert (seen.kind, seen.name, seen.guild_id) == (PlaceKind.TEXT, "general", guild.id)
    assert hidden.hidden_since is not None
    assert renamed.is_there
    assert not any("hidden" in state.name for state in log.states)


async def test_a_post_is_known_from_its_beginning_to_its_end(fake: FakeDiscord, bot: Bot, log: FakeLog) -> None:
    guild = fake.world.guild("Harbour")
    forum = fake.world.channel(guild, "help-forum", kind=FORUM)
    early = fake.world.post(forum, "Wet boots", "mine are wet")

    async with served(bot, fake):
        active = await last(log, early.id, lambda state: True)
        late = fake.world.post(forum, "Boiler makes noises", "it does")
        begun = await last(log, late.id, lambda state: True)
        fake.world.archive(late, locked=True)
        solved = await last(log, late.id, lambda state: state.archived)
        fake.world.remove(early)
        gone = await last(log, early.id, lambda state: state.gone_at is not None)

    assert (active.name, active.kind, active.parent_id) == ("Wet boots", PlaceKind.PUBLIC_THREAD, forum.id)
    assert (begun.name, begun.archived) == ("Boiler makes noises", False)
    assert solved.locked
    assert (gone.guild_id, gone.parent_id) == (guild.id, forum.id)
