"""/remember reads the past of a server while the bot runs, and shows administrators how far it is."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import discord
import pytest

from bot.buttons import Buttons
from bot.features.remember import words
from bot.history.progress import Outcome
from bot.layout import AnswerStyle
from bot.live_replies import LiveReplies
from bot.running_handlers import RunningHandlers
from db.databases import Database
from memory.coverage.intervals import Interval
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.fake_discord import Channel, FakeDiscord, Guild, Limits, Member, Rate, open_fake_discord
from tests.fake_discord.limits import HISTORY
from tests.fake_discord.models import ADMINISTRATOR, EPHEMERAL
from tests.running_bot import BotPrograms, RunningBot

ALL = words.BEGINNINGS[Outcome.FINISHED]
STOPPED = words.BEGINNINGS[Outcome.STOPPED]


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    """A Discord whose history is so slow that a reading can be stopped half-way."""
    slow = Limits(rates={HISTORY: Rate(2, 1)}, usual=None, per_client=None)
    async with open_fake_discord(limits=slow) as fake:
        yield fake


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
def captain(fake: FakeDiscord, guild: Guild) -> Member:
    return fake.world.member(guild, "Ana", roles=[fake.world.role(guild, "captain", permissions=ADMINISTRATOR)])


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


def say(fake: FakeDiscord, channel: Channel, count: int) -> None:
    for number in range(count):
        fake.world.say(channel, f"number {number}", at=datetime.now(UTC) - timedelta(hours=number + 1))


async def use(running: RunningBot, channel: Channel, member: Member, command: str, **options: Any) -> str:
    used = running.fake.interactions.use(channel, member, f"remember {command}", **options)
    text = await running.fake.interactions.answered(used)
    assert used.original is not None
    assert used.original.flags & EPHEMERAL
    return text


def pages(fake: FakeDiscord) -> int:
    return fake.rest.count(HISTORY, status=200)


async def test_the_past_is_read_and_found_while_the_reply_shows_how_far_it_is(
    programs: BotPrograms, fake: FakeDiscord, general: Channel, captain: Member
) -> None:
    say(fake, general, 450)
    fake.world.say(general, "the heron nests behind the lighthouse", at=datetime.now(UTC) - timedelta(days=3))

    async with programs.started() as running:
        used = fake.interactions.use(general, captain, "remember backfill")
        await fake.until(lambda: used.text.startswith(ALL))
        assert await running.recorder.settle(timeout=timedelta(seconds=60))
        answer = await running.ask(captain, general, "where does the heron nest?")
        status = await use(running, general, captain, "status")

    shown = list(dict.fromkeys(used.shown))
    assert any("of about 451 messages" in text and "%" in text for text in shown[:-1]), shown
    assert shown[-1].startswith(ALL)
    assert "451 of about 451 messages, 1 of 1 places" in shown[-1]
    assert status == shown[-1]
    assert "behind the lighthouse" in answer
    assert fake.throttled == []


async def test_a_reading_is_stopped_and_goes_on_where_it_was(
    programs: BotPrograms, fake: FakeDiscord, general: Channel, captain: Member
) -> None:
    say(fake, general, 850)

    async with programs.started() as running:
        assert await use(running, general, captain, "stop") == words.NOTHING_RUNS
        assert await use(running, general, captain, "status") == words.NOTHING_READ
        await use(running, general, captain, "backfill")
        await fake.until(lambda: pages(fake) >= 3)
        assert (await use(running, general, captain, "stop")).startswith(STOPPED)
        used = fake.interactions.use(general, captain, "remember backfill")
        await fake.until(lambda: used.text.startswith(ALL))
        assert await running.ledger.covered(general.id, Interval(0, general.last_message_id or 0))

    assert pages(fake) <= 10, "of nine at most one was read twice"


async def test_a_bot_that_is_stopped_says_so_and_goes_on_after_its_next_start(
    programs: BotPrograms, fake: FakeDiscord, general: Channel, captain: Member
) -> None:
    say(fake, general, 850)

    async with programs.started():
        used = fake.interactions.use(general, captain, "remember backfill")
        await fake.until(lambda: pages(fake) >= 3)
    assert used.text.startswith(STOPPED)

    async with programs.started() as running:
        used = fake.interactions.use(general, captain, "remember backfill")
        await fake.until(lambda: used.text.startswith(ALL))
        assert await running.ledger.covered(general.id, Interval(0, general.last_message_id or 0))


async def test_a_second_command_shows_the_reading_that_is_under_way(
    programs: BotPrograms, fake: FakeDiscord, general: Channel, captain: Member
) -> None:
    say(fake, general, 650)

    async with programs.started() as running:
        await use(running, general, captain, "backfill")
        second = fake.interactions.use(general, captain, "remember backfill")
        await fake.until(lambda: second.text.startswith(ALL))

    assert pages(fake) <= 7


async def test_only_the_channel_and_the_time_that_are_named_are_read(
    programs: BotPrograms, fake: FakeDiscord, guild: Guild, general: Channel, captain: Member
) -> None:
    beach = fake.world.channel(guild, "beach")
    say(fake, general, 5)
    say(fake, beach, 150)

    async with programs.started() as running:
        used = fake.interactions.use(general, captain, "remember backfill", channel=beach, since="yesterday")
        await fake.until(lambda: used.text.startswith(ALL))

        covered = await running.ledger.of_guild(guild.id)
        assert set(covered) == {beach.id}
        assert "is. Write it as in" in await use(running, general, captain, "backfill", since="the greenest day")


async def test_nobody_but_administrators_learns_or_begins_anything(
    programs: BotPrograms, fake: FakeDiscord, guild: Guild, general: Channel
) -> None:
    ben = fake.world.member(guild, "Ben")
    say(fake, general, 5)

    async with programs.started() as running:
        for command in ("backfill", "status", "stop"):
            assert await use(running, general, ben, command) == words.ONLY_ADMINISTRATORS

    published = {command["name"]: command for command in fake.interactions.commands}
    assert int(published["remember"]["default_member_permissions"]) == ADMINISTRATOR
    assert pages(fake) == 0


# ---- the reply


class Reply:
    """The reply to a command, as far as it is edited."""

    id = 1

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.fails = False

    async def edit_original_response(self, *, content: str, **_: object) -> None:
        if self.fails:
            raise TimeoutError
        self.shown.append(content)

    @property
    def interaction(self) -> discord.Interaction:
        return cast("discord.Interaction", self)


async def test_a_reply_is_edited_only_where_it_changes_and_for_as_long_as_discord_allows() -> None:
    live, reply = (
        LiveReplies(Buttons(RunningHandlers()), AnswerStyle.TEXT, every=timedelta(0), life=timedelta(seconds=0.2)),
        Reply(),
    )
    texts = iter(["one", "one", "two"])

    live.follow(reply.interaction, lambda: next(texts, "two"), is_over=lambda: False)
    await asyncio.sleep(0.3)
    await live.close()

    assert reply.shown == ["one", "two"]


async def test_a_reply_that_can_be_edited_no_more_is_left_alone() -> None:
    live, reply = LiveReplies(Buttons(RunningHandlers()), AnswerStyle.TEXT, every=timedelta(0)), Reply()
    reply.fails = True

    live.follow(reply.interaction, lambda: "one", is_over=lambda: False)
    await asyncio.sleep(0.05)

    assert live._tasks == set()
