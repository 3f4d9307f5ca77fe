"""People ask to be reminded, and are: once, when it is due or when the bot is back, and of what they may read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import discord
import pytest
import simcord
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType

from agent.types import Answer
from bot.client import Bot
from bot.features.reminders.delivery import GONE, LOOK_EVERY, MOST_TRIES_CLOSED
from bot.features.reminders.replies import NOT_KEPT, NOT_YOURS, NOTHING_WAITS, TOO_MANY
from memory.message import Kind
from memory.reminders import MOST_OF_A_PERSON
from overviews.all import Overviews
from tests.end_to_end.test_discord import HIDDEN
from tests.fakes import FakeMemory
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.fakes_reminders import FakeReminders
from tests.seen import seen
from time_expressions.future import Repeat


class Clock:
    """Tells a time that the test moves on."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


@pytest.fixture
def reminders() -> FakeReminders:
    return FakeReminders()


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simcord_bot(recorder: FakeRecorder, reminders: FakeReminders, memory: FakeMemory, clock: Clock) -> Bot:
    nowhere: Any = None
    usual = services(recorder, FakeAsker(Answer(text="")))
    overviews = Overviews(memory=memory, databases=(nowhere, nowhere))
    return Bot(replace(usual, reminders=reminders, overviews=overviews, clock=clock))


class Office:
    """A server with a channel, two people, and the direct messages that they get."""

    def __init__(
        self, env: simcord.Env, clock: Clock, recorder: FakeRecorder, memory: FakeMemory, reminders: FakeReminders
    ) -> None:
        self.env, self.clock, self.recorder, self.memory, self.reminders = env, clock, recorder, memory, reminders
        self.guild = env.create_guild("Guild")
        self.general = self.guild.create_text_channel("general")
        self.ana = self.guild.add_member(env.create_user("ana"), nick="Ana")
        self.ben = self.guild.add_member(env.create_user("ben"))

    async def remind(self, who: simcord.MemberActor | None = None, **options: Any) -> str:
        """Return what /remind me answers."""
        result = await (who or self.ana).slash(self.general, "remind me", **options)
        assert result.response is not None
        assert result.response.ephemeral
        return seen(result.response)

    async def after(self, **passed: float) -> None:
        """Let so much time pass, and the bot notice it."""
        self.clock.now += timedelta(**passed)
        await self.env.advance_time(LOOK_EVERY.total_seconds() + 1)

    async def said(self, content: str) -> discord.Message:
        """Let Ben say something that memory keeps."""
        message = await self.ben.send(self.general, content)
        self.memory.messages += [one for one in self.recorder.messages if one.message_id == message.id]
        return message

    def told(self, who: simcord.MemberActor | None = None) -> list[str]:
        """Return the direct messages that somebody has got, Ana unless another is named."""
        channel = (who or self.ana).user.dm_channel
        return [message.content for message in channel.history()]

    def posted(self) -> list[discord.Message]:
        """Return what the bot has said in the channel."""
        assert self.env.bot.user is not None
        return [message for message in self.general.history() if message.author.id == self.env.bot.user.id]


@pytest.fixture
def office(
    simcord_env: simcord.Env, clock: Clock, recorder: FakeRecorder, memory: FakeMemory, reminders: FakeReminders
) -> Office:
    return Office(simcord_env, clock, recorder, memory, reminders)


@pytest.fixture
def close_direct_messages(office: Office, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets Discord refuse direct messages, as it does for those who want none."""

    def close() -> None:
        async def refused(*_: Any, **__: Any) -> None:
            response: Any = type("Response", (), {"status": 403, "reason": "Forbidden"})()
            raise discord.Forbidden(response, {"code": 50007, "message": "Cannot send messages to this user"})

        monkeypatch.setattr(discord.DMChannel, "send", refused)

    return close


# ---- asking


async def test_the_moment_that_was_understood_is_shown(office: Office, reminders: FakeReminders) -> None:
    words = await office.remind(when="tomorrow at 9", text="water the plants")

    (kept,) = reminders.kept.values()
    assert "Wed 4 Nov 2026 09:00" in words
    assert "Europe/Paris" in words
    assert "water the plants" in words
    assert (kept.person_id, kept.guild_id, kept.channel_id) == (office.ana.id, office.guild.id, office.general.id)
    assert kept.due_at.isoformat() == "2026-11-04T09:00:00+01:00"


async def test_what_is_no_time_to_come_is_said_to_be_none(office: Office, reminders: FakeReminders) -> None:
    assert "I do not understand" in await office.remind(when="soon")
    assert "is past" in await office.remind(when="yesterday")
    assert "5 years" in await office.remind(when="in 9 years")
    assert reminders.kept == {}


async def test_a_person_may_have_only_so_many(office: Office, reminders: FakeReminders) -> None:
    await office.remind(when="in 1 hour")
    (first,) = reminders.kept.values()
    for number in range(MOST_OF_A_PERSON):
        reminders.kept[number] = replace(first, reminder_id=number)
        reminders.try_at[number] = first.due_at

    assert await office.remind(when="in 1 hour") == TOO_MANY


async def test_a_memory_that_is_away_is_said_to_be(office: Office, reminders: FakeReminders) -> None:
    reminders.away = True

    assert await office.remind(when="in 1 hour") == NOT_KEPT


async def test_no_reminder_pings_anybody_by_its_text(office: Office) -> None:
    await office.remind(when="in 1 hour", text="@everyone <@1> come")
    await office.after(hours=1)

    assert "@everyone" not in office.told()[0]


async def test_times_are_suggested_with_the_moment_that_they_mean(office: Office) -> None:
    choices = await office.ana.autocomplete(office.general, "remind me", "when", "tomorrow at 9")

    assert [(one["name"], one["value"]) for one in choices] == [
        ("tomorrow at 9 (Wed 4 Nov 2026 09:00)", "tomorrow at 9")
    ]


async def test_reminders_are_listed_and_cancelled_by_their_person_alone(
    office: Office, reminders: FakeReminders
) -> None:
    await office.remind(when="in 2 hours", text="second")
    await office.remind(when="in 1 hour", text="first")
    await office.remind(office.ben, when="in 1 hour", text="not hers")
    (first,) = [one for one in reminders.kept.values() if one.text == "first"]

    listed = await office.ana.slash(office.general, "remind list")
    assert listed.response is not None
    words = seen(listed.response)
    assert words.index("first") < words.index("second")
    assert "not hers" not in words

    stolen = await office.ben.slash(office.general, "remind cancel", reminder=str(first.reminder_id))
    assert stolen.response is not None
    assert seen(stolen.response) == NOT_YOURS
    await office.ana.slash(office.general, "remind cancel", reminder=str(first.reminder_id))
    assert sorted(one.text for one in reminders.kept.values()) == ["not hers", "second"]


async def test_whoever_waits_for_nothing_is_told_how_to_begin(office: Office) -> None:
    listed = await office.ana.slash(office.general, "remind list")

    assert listed.response is not None
    assert seen(listed.response) == NOTHING_WAITS


# ---- being reminded


async def test_somebody_is_reminded_once_when_it_is_due(office: Office) -> None:
    await office.remind(when="in 1 hour", text="look after the kiln")

    await office.after(minutes=59)
    assert office.told() == []
    await office.after(minutes=1)
    await office.after(minutes=10)

    (told,) = office.told()
    assert "look after the kiln" in told
    assert f"https://discord.com/channels/{office.guild.id}/{office.general.id}" in told
    assert "It was due" not in told


async def test_what_was_due_while_the_bot_was_away_is_told_late_and_says_so(office: Office) -> None:
    await office.remind(when="in 1 hour", text="look after the kiln")

    await office.after(hours=5)

    (told,) = office.told()
    assert "It was due" in told


async def test_a_reminder_that_comes_again_is_told_once_for_all_that_was_missed(
    office: Office, reminders: FakeReminders
) -> None:
    await office.remind(when="every day at 17:00", text="stand up")

    await office.after(days=3)

    assert len(office.told()) == 1
    (kept,) = reminders.kept.values()
    assert kept.repeat is Repeat.DAILY
    assert kept.due_at.isoformat() == "2026-11-06T17:00:00+01:00"


async def test_a_memory_that_is_away_when_a_reminder_was_sent_sends_it_no_second_time(
    office: Office, reminders: FakeReminders, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.remind(when="in 1 hour", text="look after the kiln")
    record = office.recorder.record

    async def recorded(*arguments: Any, **options: Any) -> None:
        await record(*arguments, **options)
        reminders.away = True

    monkeypatch.setattr(office.recorder, "record", recorded)
    await office.after(hours=1)
    reminders.away = False
    await office.after(minutes=1)

    assert len(office.told()) == 1
    assert len(reminders.delivered_at) == 1


async def test_what_was_sent_is_kept_as_an_answer(office: Office) -> None:
    await office.remind(when="in 1 hour", text="look after the kiln")
    before = len(office.recorder.of_kind(Kind.ANSWER))

    await office.after(hours=1)

    (sent,) = office.recorder.of_kind(Kind.ANSWER)[before:]
    assert "look after the kiln" in sent.content


# ---- about a message


async def remind_about(office: Office, message: discord.Message) -> None:
    form = await office.ana.context_menu(office.general, "Remind me about this", message)
    await office.ana.submit_modal(form, {"when": "in 1 hour", "text": ""})


async def test_a_reminder_about_a_message_quotes_it_and_links_to_it(office: Office) -> None:
    message = await office.said("the kiln has to be emptied ||by night||")

    await remind_about(office, message)
    await office.after(hours=1)

    (told,) = office.told()
    assert "the kiln has to be emptied" in told
    assert "by night" not in told
    assert f"/{office.general.id}/{message.id}" in told


async def test_a_message_that_memory_does_not_have_is_linked_to(office: Office) -> None:
    message = await office.ben.send(office.general, "the kiln has to be emptied")

    await remind_about(office, message)
    await office.after(hours=1)

    (told,) = office.told()
    assert f"/{office.general.id}/{message.id}" in told
    assert "kiln" not in told


async def test_nothing_is_quoted_of_a_place_that_the_person_may_not_read_any_more(office: Office) -> None:
    message = await office.said("the kiln has to be emptied")
    await remind_about(office, message)

    nobody = Overwrite(office.guild.default_role.id, OverwriteType.ROLE, deny=HIDDEN.pair()[1].value)
    office.env.backend.set_overwrite(office.general.id, nobody)
    await office.after(hours=1)

    (told,) = office.told()
    assert "kiln" not in told
    assert GONE in told
    assert str(message.id) not in told


async def test_nothing_is_quoted_to_somebody_who_has_left(office: Office) -> None:
    message = await office.said("the kiln has to be emptied")
    await remind_about(office, message)

    office.env.backend.remove_member(office.guild.id, office.ana.id)
    await office.after(hours=1)

    assert all("kiln" not in told for told in office.told())


# ---- closed direct messages


async def test_somebody_who_chose_it_is_pinged_in_the_channel_and_nobody_else(
    office: Office, close_direct_messages: Callable[[], None]
) -> None:
    await office.remind(when="in 1 hour", text=f"tell <@{office.ben.id}> @here", in_channel=True)
    close_direct_messages()

    await office.after(hours=1)

    (posted,) = office.posted()[-1:]
    assert [user.id for user in posted.mentions] == [office.ana.id]
    assert not posted.mention_everyone


async def test_somebody_who_did_not_choose_it_is_pinged_nowhere_and_tried_again(
    office: Office, reminders: FakeReminders, close_direct_messages: Callable[[], None]
) -> None:
    await office.remind(when="in 1 hour", text="secret")
    posted = len(office.posted())
    close_direct_messages()

    await office.after(hours=1)

    assert len(office.posted()) == posted
    (kept,) = reminders.kept.values()
    assert kept.tries == 1
    listed = await office.ana.slash(office.general, "remind list")
    assert listed.response is not None
    assert "open your direct messages" in seen(listed.response)
    for _ in range(MOST_TRIES_CLOSED):
        await office.after(days=1)
    assert len(reminders.delivered_at) == 1
