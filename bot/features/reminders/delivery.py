"""Remind people when it is time: with a direct message, or in the channel where they chose to be."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import discord

from agent.markdown import inline, line
from agent.spoilers import without_spoilers
from bot.audience import audience_in
from bot.command_runner import JOURNAL_LIMIT
from bot.events import message_of
from bot.features.reminders.replies import link_of
from bot.parts import Parts
from bot.rendering import neutralised
from db.shards import ShardRange
from errors import DatabaseUnavailableError, TemporaryError
from memory.mentions import in_discord
from memory.message import Kind, Message
from memory.reminders import Reminder, Reminders
from time_expressions.future import FutureTime, next_time
from util_async import FailureLog

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=15)
"""How often memory is asked at least what is due: /remind puts something there, in whatever process."""

SHORTEST_PAUSE = timedelta(milliseconds=200)
AT_ONCE = 20  # reminders that are delivered before memory is asked again
REQUEST_LIMIT = timedelta(seconds=30)  # for one request to Discord, with the pauses that it may ask for
MEMORY_LIMIT = timedelta(seconds=5)

MOST_KNOWN = 1000  # deliveries that this process remembers
LATE_FROM = timedelta(minutes=2)
"""How late a reminder is before it says so."""

MOST_TRIES = 12
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
"""How long it waits after a delivery has failed: twice as long each time."""

CLOSED_PAUSE = timedelta(days=1)
"""How long it waits before it tries once more to write to somebody whose direct messages are closed."""

MOST_TRIES_CLOSED = 7
LONGEST_QUOTE = 300  # characters

REMINDED = "You asked me {when} to remind you{of}"
LATE = "It was due {due}; I could not tell you then."
GONE = "It is about a message that I cannot show you: you may not read there any more, or I cannot look it up now."

_DISCORDS = (discord.HTTPException, aiohttp.ClientError, TimeoutError, OSError)


class ReminderDelivery:
    """Delivers the reminders of the guilds of this process; `close` it in the end."""

    def __init__(self, parts: Parts, shards: ShardRange | None) -> None:
        self._parts = parts
        self._shards = shards
        self._failures = FailureLog(logger)
        self._task: asyncio.Task[None] | None = None
        self._sent: dict[tuple[int, datetime], None] = {}
        """What was sent last."""

    def start(self) -> None:
        """Begin to deliver, if there is anything that reminders are kept in."""
        if self._parts.services.reminders is not None and self._task is None:
            self._task = asyncio.create_task(self._run(self._parts.services.reminders))

    async def close(self) -> None:
        """Deliver no more; what is on its way comes again at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, reminders: Reminders) -> None:
        while True:
            pause = SHORTEST_PAUSE
            if self._parts.client.is_ready():
                pause = LOOK_EVERY
                try:
                    pause = await self.look(reminders)
                except DatabaseUnavailableError as error:
                    self._failures.failed("memory", f"what is to be reminded of cannot be read: {error}")
                except Exception:
                    logger.exception("reminders are not delivered just now")
                else:
                    self._failures.worked("memory")
            await asyncio.sleep(pause.total_seconds())

    async def look(self, reminders: Reminders) -> timedelta:
        """Deliver what is due; return how long to wait before the next look. Raises DatabaseUnavailableError."""
        now = self._parts.services.clock()
        for reminder in await reminders.due(now=now, shards=self._shards, limit=AT_ONCE):
            await self._deliver(reminder, reminders)
        await reminders.drop_delivered(now=now)
        upcoming = await reminders.next_try(shards=self._shards)
        left = LOOK_EVERY if upcoming is None else upcoming - self._parts.services.clock()
        return min(max(left, SHORTEST_PAUSE), LOOK_EVERY)

    async def _deliver(self, reminder: Reminder, reminders: Reminders) -> None:
        """Deliver a reminder, and note that it is, or when to try again."""
        now, occurrence = self._parts.services.clock(), (reminder.reminder_id, reminder.due_at)
        if occurrence in self._sent:  # memory was away when this was to be noted
            await self._over(reminder, reminders, now)
            return
        try:
            sent = await self._send(reminder, now)
        except discord.Forbidden:
            await self._put_off(reminder, reminders, pause=CLOSED_PAUSE, most=MOST_TRIES_CLOSED)
            return
        except _DISCORDS as error:
            logger.info("reminder %d is not delivered yet: %r", reminder.reminder_id, error)
            pause = min(FIRST_PAUSE * 2 ** min(reminder.tries, 10), LONGEST_PAUSE)
            await self._put_off(reminder, reminders, pause=pause, most=MOST_TRIES)
            return
        except Exception:
            logger.exception("reminder %d is not delivered", reminder.reminder_id)
            await self._put_off(reminder, reminders, pause=LONGEST_PAUSE, most=MOST_TRIES)
            return
        self._sent[occurrence] = None
        while len(self._sent) > MOST_KNOWN:
            del self._sent[next(iter(self._sent))]
        await self._record(sent, reminder)
        await self._over(reminder, reminders, now)

    async def _over(self, reminder: Reminder, reminders: Reminders, now: datetime) -> None:
        """Note that a reminder was delivered, or will never be; one that comes again waits for its next time."""
        first = reminder.due_at.astimezone(ZoneInfo(reminder.time_zone))
        again = next_time(FutureTime(first, reminder.repeat), after=now)
        if again is None:
            await reminders.delivered(reminder.reminder_id, at=now)
        else:
            await reminders.repeat(reminder.reminder_id, due_at=again)

    async def _put_off(self, reminder: Reminder, reminders: Reminders, *, pause: timedelta, most: int) -> None:
        now = self._parts.services.clock()
        if reminder.tries + 1 < most:
            await reminders.put_off(reminder.reminder_id, until=now + pause)
            return
        logger.warning("reminder %d is given up: Discord has not taken it %d times", reminder.reminder_id, most)
        await self._over(reminder, reminders, now)

    async def _send(self, reminder: Reminder, now: datetime) -> discord.Message:
        """Send a reminder; raise discord.Forbidden when its person cannot be reached, or what else discord.py raises.

        Discord takes a message with the same nonce once within some minutes: a process that is killed before it has
        noted what it sent sends nothing twice.
        """
        nonce = (reminder.reminder_id + int(reminder.due_at.timestamp())) % 2**63
        text = await self._text(reminder, now)
        try:
            async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
                conversation = await self._parts.client.create_dm(discord.Object(reminder.person_id))
                nobody = discord.AllowedMentions.none()
                return await conversation.send(text, nonce=nonce, allowed_mentions=nobody, suppress_embeds=True)
        except discord.Forbidden:
            channel = self._channel_of(reminder)
            if channel is None:
                raise
        text = f"<@{reminder.person_id}> {neutralised(_heading(reminder, now))}\n{link_of(reminder)}"
        async with asyncio.timeout(REQUEST_LIMIT.total_seconds()):
            only_them = discord.AllowedMentions(users=[discord.Object(reminder.person_id)], everyone=False, roles=False)
            return await channel.send(text, nonce=nonce, allowed_mentions=only_them, suppress_embeds=True)

    def _channel_of(self, reminder: Reminder) -> discord.abc.Messageable | None:
        """Return where a person chose to be reminded when no direct message reaches them; None where they did not."""
        guild = None if reminder.guild_id is None else self._parts.client.get_guild(reminder.guild_id)
        if guild is None or not reminder.in_channel:
            return None
        channel = guild.get_channel_or_thread(reminder.channel_id)
        return channel if isinstance(channel, discord.abc.Messageable) else None

    async def _text(self, reminder: Reminder, now: datetime) -> str:
        """Return what is written to a person: their words, and what the message says as far as they may read it."""
        lines = [_heading(reminder, now)]
        if reminder.message_id is None:
            lines.append(link_of(reminder))
        else:
            lines += await self._about(reminder, reminder.message_id)
        return "\n".join(map(neutralised, lines))

    async def _about(self, reminder: Reminder, message_id: int) -> list[str]:
        """Return the message that a reminder is about, as far as memory has it, if its person may read there now."""
        try:
            async with asyncio.timeout(MEMORY_LIMIT.total_seconds()):
                places = await self._readable(reminder)
                message = await self._looked_up(reminder, message_id, places)
        except (TemporaryError, TimeoutError, discord.HTTPException) as error:
            logger.warning("reminder %d quotes nothing: %r", reminder.reminder_id, error)
            return [GONE]
        if message is not None:
            words = line(without_spoilers(in_discord(message.content)), longest=LONGEST_QUOTE)
            where = f"#{inline(message.channel_name)}" if message.guild_id else "here"
            return [f"> {inline(message.author_name)} in {where}: {words}", link_of(reminder)]
        return [link_of(reminder)] if reminder.channel_id in places else [GONE]

    async def _looked_up(self, reminder: Reminder, message_id: int, places: frozenset[int]) -> Message | None:
        overviews = self._parts.services.overviews
        if overviews is None:
            return None
        memory = overviews.memory.in_guild(reminder.guild_id)
        return (await memory.lookup([message_id], places=places)).get(message_id)

    async def _readable(self, reminder: Reminder) -> frozenset[int]:
        """Return what a person may read by now where they asked; nothing where that is not known."""
        if reminder.guild_id is None:
            return frozenset({reminder.channel_id})
        guild = self._parts.client.get_guild(reminder.guild_id)
        if guild is None:
            return frozenset()
        try:
            member = await guild.fetch_member(reminder.person_id)  # with the roles that they have now
        except discord.NotFound:
            return frozenset()  # they have left
        among = {reminder.channel_id}
        audience = await audience_in(None, member, private=True, readers=self._parts.readers, among=among)
        return audience.places

    async def _record(self, sent: discord.Message, reminder: Reminder) -> None:
        """Keep what was sent, as an answer: whoever is quoted in it can be forgotten there as well."""
        services = self._parts.services
        try:
            state = replace(message_of(sent, session=services.session), kind=Kind.ANSWER)
            await services.recorder.record(state, patience=JOURNAL_LIMIT)  # a full disk delays no other reminder
        except Exception:
            logger.exception("reminder %d is not in the journal", reminder.reminder_id)


def _heading(reminder: Reminder, now: datetime) -> str:
    """Return the words with which somebody is reminded."""
    asked = f"<t:{int(reminder.created_at.timestamp())}:R>"
    of = f": {line(reminder.text, longest=len(reminder.text) + 1)}" if reminder.text.strip() else "."
    heading = REMINDED.format(when=asked, of=of)
    if now - reminder.due_at < LATE_FROM:
        return heading
    return f"{heading}\n{LATE.format(due=f'<t:{int(reminder.due_at.timestamp())}:f>')}"
