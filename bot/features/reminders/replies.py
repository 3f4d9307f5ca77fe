"""Answer /remind: keep a reminder, list those that wait, cancel one, and suggest times while they are typed."""

import asyncio
import logging
from datetime import datetime
from zoneinfo import ZoneInfo

import discord
from discord import app_commands

from agent.markdown import line
from bot.services import NOT_LOOKED_UP, Services
from errors import DatabaseUnavailableError
from memory.preferences import Zone
from memory.reminders import LONGEST_TEXT, MOST_OF_A_PERSON, Reminder
from time_expressions.conventions import OURS, date_order
from time_expressions.future import FutureTime, future_time

logger = logging.getLogger(__name__)

MOST_CHOICES = 25
_LONGEST_CHOICE = 100  # characters that Discord takes
_SHOWN_TEXT = 120  # characters of a reminder in a list
_LONGEST_SENTENCE = 400

USUAL = ("in 20 minutes", "in 1 hour", "in 3 hours", "tomorrow at 9", "next Monday at 9", "every weekday at 9")
"""What is suggested before anything is typed."""

KEPT = "I will remind you {when}{again} with a direct message{of}."
IN_CHANNEL = "Should your direct messages be closed, I ping you here, where others see it."
TOO_MANY = f"You have {MOST_OF_A_PERSON} reminders waiting already: cancel one with `/remind cancel` first."
NOT_KEPT = "I cannot reach the place where I keep reminders just now, so nothing has changed; please try again soon."
NO_REMINDERS_HERE = "I keep no reminders here."
NOTHING_WAITS = 'You are to be reminded of nothing. `/remind me when:tomorrow at 9 text:...` or the menu of a message ("Remind me about this") changes that.'  # noqa: E501
CANCELLED = "Cancelled: {}."
NOT_YOURS = "You have no such reminder: choose one from the list that comes up while you type."
CLOSED = " (I could not reach you yet: open your direct messages to members of this server)"


async def remind(
    interaction: discord.Interaction,
    *,
    when: str,
    text: str,
    in_channel: bool,
    services: Services,
    message_id: int | None = None,
) -> str:
    """Keep a reminder for whoever asks; return what was understood, or why it is not kept."""
    if services.reminders is None:
        return NO_REMINDERS_HERE
    now, zone = services.clock(), await services.zone_of(interaction.user.id, interaction.guild_id)
    try:
        due = await asyncio.to_thread(_understood, when, interaction, now, zone.zone, services)
    except ValueError as error:
        return line(str(error), longest=_LONGEST_SENTENCE)  # it repeats what was typed
    reminder = Reminder(
        reminder_id=interaction.id,
        person_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        message_id=message_id,
        text=text[:LONGEST_TEXT],
        due_at=due.moment,
        created_at=now,
        time_zone=zone.zone.key,
        repeat=due.repeat,
        in_channel=in_channel and interaction.guild_id is not None,
    )
    try:
        is_kept = await services.reminders.add(reminder)
    except DatabaseUnavailableError as error:
        logger.warning("a reminder was not kept: %r", error)
        return NOT_KEPT
    return _confirmation(reminder, zone) if is_kept else TOO_MANY


async def waiting(person_id: int, services: Services) -> str:
    """Return what a person is still to be reminded of, the next first."""
    if services.reminders is None:
        return NO_REMINDERS_HERE
    try:
        reminders = await services.reminders.waiting(person_id)
    except DatabaseUnavailableError as error:
        logger.warning("reminders were not listed: %r", error)
        return NOT_KEPT
    lines = [f"- {_summary(reminder)}{CLOSED if reminder.tries else ''}" for reminder in reminders]
    return "\n".join(lines) if lines else NOTHING_WAITS


async def cancel(person_id: int, chosen: str, services: Services) -> str:
    """Cancel a reminder of a person by its id, as the suggestions give it."""
    if services.reminders is None:
        return NO_REMINDERS_HERE
    if not (chosen.isascii() and chosen.isdecimal() and len(chosen) < 20):
        return NOT_YOURS
    try:
        cancelled = await services.reminders.cancel(person_id, int(chosen))
    except DatabaseUnavailableError as error:
        logger.warning("a reminder was not cancelled: %r", error)
        return NOT_KEPT
    return NOT_YOURS if cancelled is None else CANCELLED.format(_summary(cancelled))


async def suggested_times(
    interaction: discord.Interaction, typed: str, services: Services
) -> list[app_commands.Choice[str]]:
    """Return what is typed, or usual times, each with the moment that it means."""
    zone = await services.zone_of(interaction.user.id, interaction.guild_id)
    return await asyncio.to_thread(_time_choices, interaction, typed, services.clock(), zone.zone, services)


async def suggested_reminders(person_id: int, typed: str, services: Services) -> list[app_commands.Choice[str]]:
    """Return the reminders of a person that are still waiting and have what is typed in them."""
    if services.reminders is None:
        return []
    try:
        reminders = await services.reminders.waiting(person_id)
    except DatabaseUnavailableError:
        return []
    named = {f"{_moment(one)}: {one.text or 'a message'}"[:_LONGEST_CHOICE]: one for one in reminders}
    fitting = [(name, one) for name, one in named.items() if typed.casefold() in name.casefold()]
    return [app_commands.Choice(name=name, value=str(one.reminder_id)) for name, one in fitting[:MOST_CHOICES]]


def _understood(
    when: str, interaction: discord.Interaction, now: datetime, zone: ZoneInfo, services: Services
) -> FutureTime:
    order = date_order(locale=interaction.locale.value, time_zone=zone, setting=services.date_order)
    return future_time(when, now=now, time_zone=zone, conventions=OURS.in_order(order))


def _time_choices(
    interaction: discord.Interaction, typed: str, now: datetime, zone: ZoneInfo, services: Services
) -> list[app_commands.Choice[str]]:
    choices = []
    for text in [typed] if typed.strip() else USUAL:
        try:
            due = _understood(text, interaction, now, zone, services)
        except ValueError:
            continue
        name = f"{text.strip()} ({_spoken(due.moment)}{_again(due)})"
        if len(name) <= _LONGEST_CHOICE:
            choices.append(app_commands.Choice(name=name, value=text))
    return choices


def _confirmation(reminder: Reminder, zone: Zone) -> str:
    of = f": {_text(reminder)}" if reminder.text else " about that message" if reminder.message_id else ""
    lines = [
        KEPT.format(
            when=f"on **{_moment(reminder)}** {reminder.time_zone} ({_relative(reminder)})",
            again=f", and then {reminder.repeat.value}" if reminder.repeat else "",
            of=of,
        )
    ]
    if reminder.in_channel:
        lines.append(IN_CHANNEL)
    if not zone.certain:
        lines.append(NOT_LOOKED_UP.format(reminder.time_zone))
    return "\n".join(lines)


def _summary(reminder: Reminder) -> str:
    """Return a reminder in a line."""
    again = f", {reminder.repeat.value}" if reminder.repeat else ""
    about = f" ({link_of(reminder)})" if reminder.message_id else ""
    return f"**{_moment(reminder)}** {reminder.time_zone}{again}: {_text(reminder)}{about}"


def _text(reminder: Reminder) -> str:
    return line(reminder.text, longest=_SHOWN_TEXT) if reminder.text.strip() else "no words of yours"


def _moment(reminder: Reminder) -> str:
    return _spoken(reminder.due_at.astimezone(ZoneInfo(reminder.time_zone)))


def _spoken(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"


def _again(due: FutureTime) -> str:
    return f", {due.repeat.value}" if due.repeat else ""


def _relative(reminder: Reminder) -> str:
    """Return a time as Discord renders it for each reader: "in 2 hours"."""
    return f"<t:{int(reminder.due_at.timestamp())}:R>"


def link_of(reminder: Reminder) -> str:
    """Return the address of the message that a reminder is about, or of the place in which it was asked for."""
    place = f"https://discord.com/channels/{reminder.guild_id or '@me'}/{reminder.channel_id}"
    return f"<{place}/{reminder.message_id}>" if reminder.message_id else f"<{place}>"
