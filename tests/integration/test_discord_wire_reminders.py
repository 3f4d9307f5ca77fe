"""Reminders over Discord's real protocol: sent once, also by a process that was killed before it could note it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.types import Answer
from bot.client import Bot
from errors import DatabaseUnavailableError
from memory.reminders import Reminder
from tests.fake_discord import Channel, FakeDiscord, Member
from tests.fakes_discord import NOW, FakeAsker, FakeRecorder, services
from tests.fakes_reminders import FakeReminders
from tests.wire import served


class KilledBeforeNoting(FakeReminders):
    """Loses what a process notes about deliveries, as long as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.loses = True
        self.noted = asyncio.Event()

    async def delivered(self, reminder_id: int, *, at: datetime) -> None:
        if self.loses:
            raise DatabaseUnavailableError("the process was killed")
        await super().delivered(reminder_id, at=at)
        self.noted.set()


@pytest.fixture
def ana(fake: FakeDiscord) -> Member:
    return fake.world.member(fake.world.guild("Harbour"), "Ana")


@pytest.fixture
def general(fake: FakeDiscord, ana: Member) -> Channel:
    return fake.world.channel(ana.guild, "general")


@pytest.fixture
def reminders() -> KilledBeforeNoting:
    return KilledBeforeNoting()


def bot(reminders: FakeReminders) -> Bot:
    return Bot(replace(services(FakeRecorder(), FakeAsker(Answer(text=""))), reminders=reminders))


async def test_a_process_that_is_killed_before_it_notes_what_it_sent_sends_it_once(
    fake: FakeDiscord, ana: Member, general: Channel, reminders: KilledBeforeNoting
) -> None:
    await reminders.add(
        Reminder(
            reminder_id=77,
            person_id=ana.user.id,
            guild_id=ana.guild.id,
            channel_id=general.id,
            message_id=None,
            text="look after the kiln",
            due_at=NOW - timedelta(hours=1),
            created_at=NOW - timedelta(hours=2),
            time_zone="Europe/Paris",
        )
    )
    conversation = fake.world.direct_message(ana.user)

    async with served(bot(reminders), fake):
        await fake.until(lambda: bool(conversation.messages))
    reminders.loses = False
    async with served(bot(reminders), fake), asyncio.timeout(20):
        await reminders.noted.wait()

    (message,) = conversation.messages.values()
    assert "look after the kiln" in message.text
    assert "It was due" in message.text
    assert not general.messages
