"""The past of a server is read from Discord as Discord really answers."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import discord
import pytest
from aiolimiter import AsyncLimiter

from bot.history.backfill import Backfill, BackfillRequest
from bot.history.discord_history import NO_CHANNEL, NO_HISTORY, DiscordHistory, load_guild
from bot.history.pace import background_limiter, background_requests, paced_by
from bot.history.pages import PageReader
from bot.history.progress import Progress
from bot.history.servers import find_channel, find_servers, open_client
from bot.history.source import PassedOver
from bot.other_bots import ALL_BOTS, OtherBots
from db.databases import Database
from db.shards import ShardRange
from errors import DiscordSetupError, RefusedPlaceError
from memory.authors import webhook_author_id
from memory.capture.recorder import open_recorder
from memory.coverage.intervals import Interval
from memory.coverage.ledger import Ledger
from memory.coverage.writer import CoverageWriter, open_coverage_writer
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message, Reaction, Source
from memory.search.memory import Memory
from tests.fake_discord import Channel, FakeDiscord, Guild
from tests.fake_discord.models import FORUM, HISTORY, MANAGE_THREADS, VOICE
from tests.fakes_history import InMemoryJournal, InMemoryLedger

DAY = timedelta(days=1)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def client(fake: FakeDiscord) -> AsyncIterator[discord.Client]:
    """A client that is logged in over HTTP alone."""
    async with open_client(fake.token) as client:
        yield client


@pytest.fixture
def guild(fake: FakeDiscord) -> Guild:
    return fake.world.guild("Harbour")


@pytest.fixture
def general(fake: FakeDiscord, guild: Guild) -> Channel:
    return fake.world.channel(guild, "general")


@pytest.fixture
def journal() -> InMemoryJournal:
    return InMemoryJournal()


@pytest.fixture
def ledger() -> InMemoryLedger:
    return InMemoryLedger()


def said(fake: FakeDiscord, channel: Channel, count: int, *, age: timedelta = DAY) -> list[int]:
    """Let so much be said, the newest of an age, one message a minute; return the ids from the oldest on."""
    times = (now() - age - timedelta(minutes=number) for number in reversed(range(count)))
    return [fake.world.say(channel, f"{channel.name} {number}", at=at).id for number, at in enumerate(times)]


async def read(
    client: discord.Client,
    guild: Guild,
    ledger: InMemoryLedger,
    journal: InMemoryJournal,
    *,
    other_bots: OtherBots = ALL_BOTS,
    **request: Any,
) -> Progress:
    history = DiscordHistory(client, await load_guild(client, guild.id), other_bots=other_bots)
    writer = CoverageWriter(ledger, journal, clock=now)
    pages = PageReader(history, writer=writer, recorder=journal, session="demo")
    wanted = BackfillRequest(**request)
    progress = await Backfill(history, pages, ledger=ledger, clock=now, request=wanted).run()
    await writer.flush()
    return progress


def by_channel(journal: InMemoryJournal) -> dict[str, int]:
    """Return how many messages of each channel were recorded, by its name."""
    names = [message.channel_name for message in journal.messages]
    return {name: names.count(name) for name in sorted(set(names))}


async def test_channels_threads_posts_and_voice_chats_are_read_archived_or_not(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    world = fake.world
    voice, forum = (
        world.channel(guild, "lounge", kind=VOICE, bitrate=64000, user_limit=0),
        world.channel(guild, "help", kind=FORUM),
    )
    for channel in (general, voice):
        said(fake, channel, 230)
    said(fake, world.thread(general, "open"), 3)
    post = world.post(forum, "how do I dock", "at the pier", at=now() - 9 * DAY)
    world.archive(post, at=now() - 8 * DAY)
    for number in range(130):
        thread = world.thread(general, f"old {number}", at=now() - 90 * DAY)
        said(fake, thread, 1, age=80 * DAY)
        world.archive(thread, at=now() - timedelta(days=50, minutes=number))

    progress = await read(client, guild, ledger, journal)

    counts = by_channel(journal)
    assert (counts["general"], counts["lounge"], counts["general › open"]) == (230, 230, 3)
    assert counts["help › how do I dock"] == 1
    assert sum(name.startswith("general › old") for name in counts) == 130
    assert (progress.places_done, progress.places_total, progress.passed_over) == (134, 134, ())
    (docked,) = (message for message in journal.messages if message.channel_id == forum.id)
    assert (docked.thread_id, docked.guild_id, docked.content) == (post.id, guild.id, "at the pier")


async def test_what_is_read_of_the_past_is_kept_as_it_is_when_it_is_said(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    world = fake.world
    ana = world.member(guild, "ana")
    helper = world.member(guild, world.user("helper", is_bot=True))
    original = world.say(general, "the kiln is at 900", author=ana, reactions={"\N{FIRE}": [ana, helper]})
    forward = world.forward(original, general, author=ana)
    luna = world.relay(general, "I have the key", name="Luna", webhook_id=900)
    world.say(general, "build passed", author=helper)

    await read(client, guild, ledger, journal, other_bots=OtherBots(frozenset()))

    kept = {message.message_id: message for message in journal.messages}
    assert kept.keys() == {original.id, forward.id, luna.id}
    assert kept[original.id].reactions == (Reaction(emoji="\N{FIRE}", count=2),)
    assert kept[forward.id].forwarded_from == original.id
    assert [part.source for part in kept[forward.id].parts] == [Source.FORWARD]
    assert kept[luna.id].author_id == webhook_author_id(900, "Luna")


async def test_private_threads_are_read_that_the_bot_has_joined_or_all_where_it_manages_threads(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    world, me = fake.world, fake.world.bot_in(guild)
    managed = world.channel(guild, "managed")
    world.permit(managed, me, allow=MANAGE_THREADS)
    for channel, name, members in ((general, "joined", [me]), (general, "secret", []), (managed, "seen", [])):
        thread = world.thread(channel, name, private=True, members=members, at=now() - 9 * DAY)
        said(fake, thread, 2, age=8 * DAY)
        world.archive(thread, at=now() - 7 * DAY)

    await read(client, guild, ledger, journal)

    assert by_channel(journal) == {"general › joined": 2, "managed › seen": 2}


async def test_a_channel_without_its_history_is_named_and_never_taken_for_an_empty_one(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    staff, hidden = fake.world.channel(guild, "staff"), fake.world.channel(guild, "hidden")
    for channel in (general, staff, hidden):
        said(fake, channel, 3)
    fake.world.permit(staff, guild.everyone, deny=HISTORY)
    fake.world.permit(staff, fake.world.bot_in(guild), deny=HISTORY)
    fake.world.hide(hidden)
    fake.world.permit(hidden, fake.world.bot_in(guild), deny=1 << 10)

    progress = await read(client, guild, ledger, journal)

    assert progress.passed_over == (PassedOver(staff.id, "#staff", NO_HISTORY),)
    assert set(ledger.stretches) == {general.id}


async def test_a_right_that_is_taken_away_meanwhile_leaves_a_gap(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ids = said(fake, general, 150)
    first = journal.record

    async def record(message: Message) -> None:
        await first(message)
        fake.world.permit(general, fake.world.bot_in(guild), deny=HISTORY)

    monkeypatch.setattr(journal, "record", record)

    progress = await read(client, guild, ledger, journal)

    assert PassedOver(general.id, "#general", NO_HISTORY) in progress.passed_over
    assert [one.covered for one in ledger.stretches[general.id]] == [Interval(ids[50], ids[-1])]


async def test_places_that_vanish_or_fail_are_named_and_the_others_are_read(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("bot.history.backfill._FIRST_RETRY", 0.0)
    broken, gone = fake.world.channel(guild, "broken"), fake.world.channel(guild, "gone")
    for channel in (general, broken, gone):
        said(fake, channel, 2)
    fake.rest.fail(f"/channels/{broken.id}/messages", status=503, times=3)
    fake.rest.fail(f"/channels/{gone.id}/messages", status=404)

    progress = await read(client, guild, ledger, journal)

    reasons = {place.name: (place.reason, place.for_later) for place in progress.passed_over}
    assert reasons == {
        "#broken": ("Discord answers with status 503", True),
        "#gone": ("it is not there any more", False),
    }
    assert by_channel(journal) == {"general": 2}


async def test_what_the_bot_said_is_its_answer_and_no_evidence(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    command = {"id": "77", "type": 2, "user": {"id": "5", "username": "ana"}, "authorizing_integration_owners": {}}
    fake.world.say(general, "it leaves at noon", author=fake.world.me, interaction_metadata=command)
    fake.world.say(general, "", author=fake.world.me, flags=1 << 7)
    fake.world.say(general, "when does it leave?")

    await read(client, guild, ledger, journal)

    kept = {message.content: (message.kind, message.reply_to) for message in journal.messages}
    assert kept == {"it leaves at noon": (Kind.ANSWER, 77), "when does it leave?": (Kind.MESSAGE, None)}


async def test_the_search_tells_about_how_many_messages_there_are_unless_it_has_no_index(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, ledger: InMemoryLedger,
    journal: InMemoryJournal,
) -> None:  # fmt: skip
    said(fake, general, 30)
    guild.is_indexed = False
    assert (await read(client, guild, InMemoryLedger(), InMemoryJournal())).messages_total is None

    guild.is_indexed = True
    assert (await read(client, guild, ledger, journal)).messages_total == 30
    assert (await read(client, guild, ledger, journal)).messages_total is None, "how many are left is not known"


# ---- one channel, one server


async def test_a_channel_is_read_with_its_threads_and_a_thread_alone_archived_or_not(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    world = fake.world
    said(fake, world.channel(guild, "other"), 1)
    said(fake, general, 1)
    active, old = world.thread(general, "active"), world.thread(general, "old", at=now() - 9 * DAY)
    said(fake, active, 1)
    said(fake, old, 1, age=8 * DAY)
    world.archive(old, at=now() - 7 * DAY)

    async def names(channel_id: int) -> list[str]:
        journal = InMemoryJournal()
        await read(client, guild, InMemoryLedger(), journal, channel_id=channel_id)
        return list(by_channel(journal))

    assert await names(general.id) == ["general", "general › active", "general › old"]
    assert await names(active.id) == ["general › active"]
    assert await names(old.id) == ["general › old"]
    with pytest.raises(RefusedPlaceError, match=NO_CHANNEL):
        await names(12345)


async def test_servers_and_channels_are_found_by_name_or_id(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel
) -> None:
    island = fake.world.guild("Island")
    fake.world.channel(island, "general")
    beach = fake.world.channel(island, "beach")

    servers = await find_servers(client, "")

    assert {one.guild.id for one in servers} == {guild.id, island.id}
    assert [one.guild.id for one in await find_servers(client, "harbour")] == [guild.id]
    assert [one.guild.id for one in await find_servers(client, str(island.id))] == [island.id]
    for shard in range(2):
        shards = ShardRange(shard, shard, 2)
        here = {one for one in (guild.id, island.id) if (one >> 22) % 2 == shard}
        if here:
            assert {one.guild.id for one in await find_servers(client, "", shards=shards)} == here
        else:
            with pytest.raises(DiscordSetupError, match=f"No such server belongs to shards {shard}/2"):
                await find_servers(client, "", shards=shards)
    assert find_channel(servers, "#Beach")[1] == beach.id
    assert find_channel(servers, str(general.id))[1] == general.id
    with pytest.raises(DiscordSetupError, match="Several channels are called 'general'"):
        find_channel(servers, "general")
    with pytest.raises(DiscordSetupError, match="no channel 'attic' that the bot can see"):
        find_channel(servers, "attic")
    with pytest.raises(DiscordSetupError, match=r"in no server 'Atlantis': .* such as"):
        await find_servers(client, "Atlantis")


async def test_a_wrong_token_is_refused_in_one_sentence(fake: FakeDiscord) -> None:
    with pytest.raises(DiscordSetupError, match="Discord refuses DISCORD_TOKEN"):
        async with open_client("wrong"):
            pass


# ---- the pace


async def test_only_background_requests_wait_for_the_limiter(fake: FakeDiscord) -> None:
    asked = 0

    class Counting(AsyncLimiter):
        async def acquire(self, amount: float = 1) -> None:
            nonlocal asked
            asked += 1

    async with aiohttp.ClientSession(trace_configs=[paced_by(Counting(1, 1))]) as session:
        await (await session.get(f"{fake.api_base}/gateway")).read()
        assert asked == 0
        with background_requests():
            await (await session.get(f"{fake.api_base}/gateway")).read()
        await (await session.get(f"{fake.api_base}/gateway")).read()

    assert asked == 1


async def test_no_second_sees_more_background_requests_than_leave_room_for_answers() -> None:
    limiter = background_limiter()
    allowed = limiter.max_rate + limiter.max_rate / limiter.time_period

    assert allowed <= 45, "a full burst, and what a second lets out after it"


# ---- on real databases


async def test_what_was_read_is_found_and_what_is_known_is_not_read_again(
    fake: FakeDiscord, client: discord.Client, guild: Guild, general: Channel, short_term: Database,
    long_term: Database, memory: Memory, embedder: Embedder, tmp_path: Path,
) -> None:  # fmt: skip
    said(fake, general, 120)
    fake.world.say(general, "the heron nests behind the lighthouse", at=now() - 3 * DAY)
    ledger = Ledger(long_term.sessions, session="demo")
    async with (
        open_recorder(
            session="demo",
            journal_path=tmp_path / "demo.csv",
            not_added_path=tmp_path / "demo_not_added.csv",
            sessions=short_term.sessions,
            embedder=embedder,
            batch=64,
        ) as recorder,
        open_coverage_writer(ledger, recorder, clock=now) as writer,
    ):
        history = DiscordHistory(client, await load_guild(client, guild.id))
        pages = PageReader(history, writer=writer, recorder=recorder, session="demo")

        async def backfill() -> Progress:
            return await Backfill(history, pages, ledger=ledger, clock=now, request=BackfillRequest()).run()

        assert (await backfill()).messages == 121
        assert await recorder.settle(timeout=timedelta(seconds=60))
        found = await memory.search("where does the heron nest", places=frozenset({general.id}), limit=1)
        hits = [line.message.content for excerpt in found.excerpts for line in excerpt.lines if line.hit]
        assert hits == ["the heron nests behind the lighthouse"]

        await writer.flush()
        requests = fake.rest.count("/messages")
        await backfill()
        assert fake.rest.count("/messages") == requests

    assert await ledger.covered(general.id, Interval(0, general.last_message_id or 0))
