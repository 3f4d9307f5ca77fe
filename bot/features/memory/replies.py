"""Say what is held of a person: by channel where they can read it, and how much of everything else."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import discord

from bot.overviews import viewing_of
from bot.parts import Parts
from bot.rendering import day_and_time
from memory.personal import Held, HeldOfPlace, PersonalData

MOST_CHANNELS = 25

NO_PERSONAL = "I cannot tell here what I hold of you: please ask whoever runs me."
NOTHING = "I hold nothing of what you have said."
ALL = "**I hold {} of yours**, the first from {}, the last from {}."
ELSEWHERE = "- {} in {} that you cannot read here: other servers, direct messages, channels that are closed to you now"
HOW_TO_GO_ON = (
    "The button hands all of it over to you, your own words alone. `/forget me` erases it, `/forget message` one "
    "message; `/optout` keeps me from keeping more."
)


async def summary(interaction: discord.Interaction, personal: PersonalData, parts: Parts) -> str:
    """Return what is held of whoever asks."""
    viewing = await viewing_of(interaction, private=True, services=parts.services, readers=parts.readers)
    viewer = viewing.viewer
    held = await personal.held(interaction.user.id)
    return "\n".join(_lines(held, viewer.places, viewer.time_zone))


def _lines(held: Held, places: frozenset[int], time_zone: ZoneInfo) -> Iterator[str]:
    if held.places:
        first = min(place.first for place in held.places)
        last = max(place.last for place in held.places)
        yield ALL.format(_amount(held.messages, "message"), _day(first, time_zone), _day(last, time_zone))
    else:
        yield NOTHING
    yield from _of_channels(held.places, places, time_zone)
    others = [f"{count} {name}" for name, count in held.amounts.items() if name not in held.choices]
    if others:
        yield f"Besides: {', '.join(others)}."
    if held.choices:
        yield f"You have chosen: {', '.join(f'{name} {chosen}' for name, chosen in held.choices.items())}."
    yield f"\n{HOW_TO_GO_ON}"


def _of_channels(held: Sequence[HeldOfPlace], places: frozenset[int], time_zone: ZoneInfo) -> Iterator[str]:
    """Yield a line for each channel that the person can read, and one for all others."""
    readable = [place for place in held if place.access_id in places]
    for place in readable[:MOST_CHANNELS]:
        edited = f", {place.edited:,} edited" if place.edited else ""
        when = f"{_day(place.first, time_zone)} to {_day(place.last, time_zone)}"
        yield f"- <#{place.access_id}>: {_amount(place.messages, 'message')}{edited}, {when}"
    rest = [place for place in held if place.access_id not in places]
    rest_here = readable[MOST_CHANNELS:]
    if rest_here:
        messages = _amount(sum(place.messages for place in rest_here), "message")
        yield f"- {messages} in {len(rest_here)} more channels here"
    if rest:
        messages = _amount(sum(place.messages for place in rest), "message")
        yield ELSEWHERE.format(messages, _amount(len(rest), "channel"))


def _day(moment: datetime, time_zone: ZoneInfo) -> str:
    return day_and_time(moment, time_zone)


def _amount(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
