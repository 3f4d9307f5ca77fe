"""What is said, edited and deleted while the bot is away is known after its next start, over Discord's protocol."""

from datetime import timedelta
from pathlib import Path

import discord
import pytest

from bot.history.cited_check import COULD_NOT_BE_CHECKED
from bot.history.verification import Verified
from db.databases import Database
from errors import JournalUnavailableError
from memory.capture.journal import Journal
from memory.capture.recorder import Recorder
from memory.coverage.intervals import Interval, first_id_at
from memory.embedding.embedder import Embedder
from memory.message import Message
from memory.search.memory import Memory
from tests.builders import whole
from tests.fake_discord import Channel, FakeDiscord
from tests.fake_discord.models import VIEW
from tests.harbours import Harbour
from tests.running_bot import BotPrograms, RunningBot

pytestmark = pytest.mark.server


@pytest.fixture
def programs(
    tmp_path: Path, short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, fake: FakeDiscord
) -> BotPrograms:
    return BotPrograms(
        folder=tmp_path, short_term=short_term, long_term=long_term, memory=memory, embedder=embedder, fake=fake
    )


async def heard_long_ago(running: RunningBot, channel: Channel, amount: int = 1) -> None:
    """Wait until so many messages are searchable, and let the ledger say that the channel was heard for two months."""
    await running.heard(channel, amount)
    note_heard(running, channel)


def note_heard(running: RunningBot, channel: Channel) -> None:
    assert channel.guild is not None
    since = first_id_at(discord.utils.utcnow() - timedelta(days=60))
    running.writer.add(channel.id, channel.guild.id, Interval(since, first_id_at(discord.utils.utcnow())))


def said_in(programs: BotPrograms) -> list[str]:
    """Return what the journal has, in order: the text of each state, or that of a deletion, which has none."""
    return [message.content for message in whole(Journal(programs.journal())).messages]


async def test_a_message_sent_while_away_is_stored_exactly_once(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        fake.world.say(harbour.general, "before", author=harbour.ana)
        await running.heard(harbour.general, 1)
    fake.world.say(harbour.general, "while away", author=harbour.ana)

    async with programs.started() as running:
        fake.world.say(harbour.general, "after", author=harbour.ben)
        await running.settled()

    async with programs.started() as running:
        texts = await running.stored(harbour.general)
    assert sorted(texts) == ["after", "before", "while away"]
    assert sorted(said_in(programs)) == ["after", "before", "while away"]


async def test_edits_and_deletions_made_while_away_are_known_after_the_start(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        messages = [fake.world.say(harbour.general, f"word {number}", author=harbour.ana) for number in range(4)]
        await running.heard(harbour.general, 4)
    fake.world.edit(messages[1], "other words")
    fake.world.delete(messages[2])
    fake.world.delete(messages[3])

    async with programs.started() as running:
        texts = await running.stored(harbour.general)

    assert sorted(texts) == ["other words", "word 0"]


async def test_a_resumed_connection_reads_and_replays_nothing_twice(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        fake.world.say(harbour.general, "before", author=harbour.ana)
        await running.heard(harbour.general, 1)
        read = fake.rest.count("messages")
        await fake.gateway.drop()
        fake.world.say(harbour.general, "meanwhile", author=harbour.ana)
        await fake.ready(2)
        await fake.until(lambda: bool(fake.gateway.resumed))
        fake.world.say(harbour.general, "after", author=harbour.ana)
        await running.heard(harbour.general, 3)

        assert fake.rest.count("messages") == read

    assert said_in(programs) == ["before", "meanwhile", "after"]


async def test_a_connection_that_has_to_begin_anew_reads_what_was_missed(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        message = fake.world.say(harbour.general, "before", author=harbour.ana)
        gone = fake.world.say(harbour.general, "mistake", author=harbour.ana)
        await running.heard(harbour.general, 2)
        await fake.gateway.drop()
        fake.gateway.forget_sessions()
        fake.world.say(harbour.general, "meanwhile", author=harbour.ana)
        fake.world.edit(message, "changed")
        fake.world.delete(gone)
        await fake.ready(2)
        await running.heard(harbour.general, 2)
        await fake.requested("messages", times=2)
        await running.settled()

        assert sorted(await running.stored(harbour.general)) == ["changed", "meanwhile"]


async def test_a_channel_that_was_hidden_for_a_while_is_read_once_it_is_seen_again(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    own = next(iter(fake.world.bot_in(harbour.guild).roles.values()))
    async with programs.started() as running:
        fake.world.say(harbour.general, "before", author=harbour.ana)
        await running.heard(harbour.general, 1)
        for role in (harbour.guild.everyone, own):
            fake.world.permit(harbour.general, role, deny=VIEW)
        fake.world.say(harbour.general, "behind closed doors", author=harbour.ana)
        for role in (harbour.guild.everyone, own):
            fake.world.permit(harbour.general, role)
        await running.heard(harbour.general, 2)

        assert sorted(await running.stored(harbour.general)) == ["before", "behind closed doors"]


async def test_what_could_not_be_written_down_is_read_again_once_it_can(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.history.keeper.TICK", timedelta(seconds=0.3))
    record, refused = Recorder.record, list[str]()

    async def full_for_a_moment(self: Recorder, message: Message, *, patience: timedelta | None = None) -> None:
        if message.content == "lost" and not refused:
            refused.append(message.content)
            raise JournalUnavailableError("demo.csv: No space left on device")
        await record(self, message, patience=patience)

    monkeypatch.setattr(Recorder, "record", full_for_a_moment)
    async with programs.started() as running:
        fake.world.say(harbour.general, "before", author=harbour.ana)
        await running.heard(harbour.general, 1)
        fake.world.say(harbour.general, "lost", author=harbour.ana)
        await running.heard(harbour.general, 2)

        assert sorted(await running.stored(harbour.general)) == ["before", "lost"]
    assert refused == ["lost"]


async def test_a_page_that_fails_leaves_the_message_alone_until_it_can_be_read(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        message = fake.world.say(harbour.general, "still here", author=harbour.ana)
        gone = fake.world.say(harbour.general, "gone", author=harbour.ana)
        await running.heard(harbour.general, 2)
    fake.world.delete(gone)
    fake.rest.fail(f"messages/{gone.id}", status=403, times=99)

    async with programs.started() as running:
        await running.settled()
        assert sorted(await running.stored(harbour.general)) == ["gone", "still here"]

    assert message.content == "still here"


LONG_AGO = timedelta(days=30)


async def test_an_old_message_that_was_deleted_while_away_is_checked_before_it_is_quoted(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        then = discord.utils.utcnow() - LONG_AGO
        old = fake.world.say(harbour.general, "the ferry leaves at noon", author=harbour.ana, at=then)
        kept = fake.world.say(harbour.general, "the lighthouse is painted red", author=harbour.ana, at=then)
        await heard_long_ago(running, harbour.general, 2)
    fake.world.delete(old)

    async with programs.started() as running:
        await running.settled()
        assert "the ferry leaves at noon" in await running.stored(harbour.general)
        ferry = await running.ask(harbour.ana, harbour.general, "when does the ferry leave?")
        lighthouse = await running.ask(harbour.ana, harbour.general, "which colour has the lighthouse?")

        assert "the ferry leaves at noon" not in await running.stored(harbour.general)

    assert "noon" not in ferry
    assert kept.content in lighthouse
    assert COULD_NOT_BE_CHECKED not in lighthouse


async def test_a_night_finds_what_was_deleted_in_an_archived_thread_and_the_next_need_not_look_again(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.history.sweep.FRESH_FOR", timedelta(0))
    then = discord.utils.utcnow() - LONG_AGO
    thread = fake.world.thread(harbour.general, "crossing", at=then, thread_id=first_id_at(then))
    async with programs.started() as running:
        gone = fake.world.say(thread, "the ferry leaves at noon", author=harbour.ana, at=then)
        await heard_long_ago(running, harbour.general, 1)  # whoever reads a channel reads its public threads
        note_heard(running, thread)
    fake.world.archive(thread, at=then + timedelta(days=1))
    fake.world.delete(gone)

    async with programs.started() as running:
        await running.settled()
        keeper, tonight = running.bot._history, discord.utils.utcnow() + timedelta(minutes=5)
        assert keeper is not None
        found = await keeper._sweep.run([harbour.guild.id], until=tonight)
        again = await keeper._sweep.run([harbour.guild.id], until=tonight)
        texts = await running.stored(harbour.general)

    assert (found, again, texts) == (Verified(deleted=1), Verified(), [])


async def test_what_cannot_be_checked_is_quoted_with_a_note(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    async with programs.started() as running:
        then = discord.utils.utcnow() - LONG_AGO
        old = fake.world.say(harbour.general, "the ferry leaves at noon", author=harbour.ana, at=then)
        await heard_long_ago(running, harbour.general)
    fake.rest.fail(f"messages/{old.id}", status=None, times=9)

    async with programs.started() as running:
        await running.settled()
        ferry = await running.ask(harbour.ana, harbour.general, "when does the ferry leave?")

    assert "the ferry leaves at noon" in ferry
    assert COULD_NOT_BE_CHECKED in ferry


async def test_an_answer_about_a_time_that_was_not_seen_says_so(
    programs: BotPrograms, fake: FakeDiscord, harbour: Harbour
) -> None:
    now = discord.utils.utcnow()
    quay = fake.world.channel(harbour.guild, "quay", channel_id=first_id_at(now - timedelta(days=60)))
    async with programs.started() as running:
        fake.world.say(quay, "the ferry leaves at noon", author=harbour.ana)
        await running.heard(quay, 1)
        for start, end in ((60, 20), (10, 0)):
            ids = [first_id_at(now - timedelta(days=days)) for days in (start, end)]
            running.writer.add(quay.id, harbour.guild.id, Interval(*ids))
        assert await running.writer.flush()
        answer = await running.ask(harbour.ana, quay, "what was said in the last 30 days?")

    assert "I was away" in answer
    assert "in #quay" in answer


async def test_stop_send_edit_delete_start_ask(programs: BotPrograms, fake: FakeDiscord, harbour: Harbour) -> None:
    async with programs.started() as running:
        plan = fake.world.say(harbour.general, "the ferry leaves at noon on Saturday", author=harbour.ana)
        rumour = fake.world.say(harbour.general, "the ferry is sold, I heard", author=harbour.ben)
        await running.heard(harbour.general, 2)
    fake.world.edit(plan, "the ferry leaves at two on Saturday")
    fake.world.delete(rumour)
    fake.world.say(harbour.general, "the ferry takes bicycles now", author=harbour.ben)

    async with programs.started() as running:
        await running.settled()
        when = await running.ask(harbour.ana, harbour.general, "when does the ferry leave?")
        sold = await running.ask(harbour.ana, harbour.general, "is the ferry sold?")
        bicycles = await running.ask(harbour.ana, harbour.general, "does the ferry take bicycles?")

    assert "leaves at two on Saturday" in when
    assert "noon" not in when
    assert "sold, I heard" not in sold
    assert "takes bicycles now" in bicycles
