"""Places are learnt without a gateway too: from what a server has, and from pages of its archived threads."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import discord
import pytest

from bot.history.backfill import Backfill, BackfillRequest
from bot.history.discord_history import load_guild
from bot.history.pages import PageReader
from bot.history.servers import Server, open_client
from bot.places import Places
from memory.coverage.writer import CoverageWriter
from memory.places.state import PlaceKind
from tests.fake_discord import FakeDiscord
from tests.fake_discord.models import FORUM
from tests.fakes_history import InMemoryJournal, InMemoryLedger
from tests.unit.test_places import FakeLog


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def client(fake: FakeDiscord) -> AsyncIterator[discord.Client]:
    async with open_client(fake.token) as client:
        yield client


async def test_a_backfill_learns_of_channels_active_posts_and_archived_ones(
    fake: FakeDiscord, client: discord.Client
) -> None:
    world, log, journal, ledger = fake.world, FakeLog(), InMemoryJournal(), InMemoryLedger()
    guild = world.guild("Harbour")
    forum = world.channel(guild, "help-forum", kind=FORUM)
    active = world.post(forum, "Wet boots", "mine are wet")
    solved = world.post(forum, "Boiler makes noises", "it does")
    world.archive(solved)
    hidden = world.channel(guild, "staff")
    world.hide(hidden)
    server = Server(client, await load_guild(client, guild.id))

    places = Places(log, clock=now, guild_of=lambda _: server.guild)
    places.note_known(server.guild)
    history = server.history(learn=places.note_payload)
    pages = PageReader(history, writer=CoverageWriter(ledger, journal, clock=now), recorder=journal, session="demo")
    await Backfill(history, pages, ledger=ledger, clock=now, request=BackfillRequest()).run()

    states = {state.place_id: state for state in log.states}
    assert hidden.id not in states
    assert (states[forum.id].kind, states[forum.id].name) == (PlaceKind.FORUM, "help-forum")
    for post, is_archived in ((active, False), (solved, True)):
        state = states[post.id]
        assert (state.kind, state.parent_id, state.guild_id) == (PlaceKind.PUBLIC_THREAD, forum.id, guild.id)
        assert (state.name, state.archived) == (post.name, is_archived)
