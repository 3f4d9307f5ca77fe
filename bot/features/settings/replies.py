"""Answer /settings: what answers in a channel leave out, who is the reason, and which roles are restricting."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import discord

from agent.markdown import inline
from bot.audience import Readers, Reason, audience_of
from bot.features.settings.choices import chosen_in, summary
from bot.permissions import Witness
from bot.services import Services
from errors import DatabaseUnavailableError
from memory.guild_settings import MOST_RESTRICTING_ROLES, RESTRICTING_ROLES, Chosen

logger = logging.getLogger(__name__)

NOT_ALLOWED = "The settings of a server are for its administrators."
NOT_STORED = "I cannot reach the place where I keep settings just now, so nothing has changed; please try again soon."
EVERYBODY = "Everybody has that role, so nothing can be assumed of it: name another one."
TOO_MANY = f"A server can name {MOST_RESTRICTING_ROLES} restricting roles at most: take another one back first."
NOT_SEEN = (
    "I cannot see this channel, or do not know who else can, so my answers here should be private: use `/chat` with "
    "`private: True`."
)
NOTHING_LEFT_OUT = "Answers in {home} may use every channel that you can read: everybody who sees them can read it too."
LEFT_OUT = "Answers in {home} are made from what everybody who sees them can read. So"
RESTRICTING = (
    "Restricting roles: {roles}. I take it that nobody has one of them together with another role that opens a "
    "channel. `/settings not_restricting:` takes that back."
)
NO_RESTRICTING = (
    "There are no restricting roles. If a role, such as that of the jailed, never goes together with another role that "
    "opens a channel, `/settings restricting:` tells me so, and answers leave out less."
)
NOT_LOOKED_UP = "I cannot look up just now which roles are restricting, so I assume that none are."

_MOST_REASONS = 25
_MOST_NAMED = 20  # channels with the same reason


@dataclass(frozen=True, slots=True)
class Change:
    """What an administrator wants to be changed."""

    named: discord.Role | None = None
    taken_back: discord.Role | None = None

    def __str__(self) -> str:
        """Return the change as it was typed."""
        options = {"restricting": self.named, "not_restricting": self.taken_back}
        return " ".join(f"{option}:{role.name}" for option, role in options.items() if role is not None)

    def applied(self, role_ids: frozenset[int]) -> frozenset[int]:
        """Return restricting roles after the change."""
        added = frozenset() if self.named is None else frozenset({self.named.id})
        return (role_ids | added) - (frozenset() if self.taken_back is None else frozenset({self.taken_back.id}))


async def settings(interaction: discord.Interaction, change: Change, services: Services, readers: Readers) -> str:
    """Change what is to be changed, then say what answers in this channel leave out and why."""
    guild = interaction.guild
    if guild is None or not interaction.permissions.administrator:
        return NOT_ALLOWED
    if change != Change() and (problem := await _changed(guild, change, services)):
        return problem
    audience = await audience_of(interaction, private=False, readers=readers, explain=True)
    home = f"<#{interaction.channel_id}>"
    if audience.must_be_private:
        shown = NOT_SEEN
    else:
        people = [reason.person_id for reason in audience.left_out.values() if isinstance(reason, Witness)]
        names = readers.members.names(guild, [person for person in people if person is not None])
        shown = "\n".join(_left_out(audience.left_out, home, guild, names)) or NOTHING_LEFT_OUT.format(home=home)
    restricting = _restricting(await services.guild_settings.get(guild.id, RESTRICTING_ROLES), guild)
    return f"{shown}\n\n{restricting}\n\n{summary(await chosen_in(guild.id, services), guild)}"


async def _changed(guild: discord.Guild, change: Change, services: Services) -> str:
    """Store a change; return why that could not be, or nothing."""
    if change.named is not None and change.named.is_default():
        return EVERYBODY
    roles = await services.guild_settings.get(guild.id, RESTRICTING_ROLES)
    if not roles.certain:
        return NOT_STORED
    there = frozenset(role_id for role_id in change.applied(roles.value) if guild.get_role(role_id) is not None)
    if len(there) > MOST_RESTRICTING_ROLES:
        return TOO_MANY
    try:
        await services.guild_settings.set(guild.id, RESTRICTING_ROLES, there, at=services.clock())
    except DatabaseUnavailableError as error:
        logger.warning("settings were not stored: %r", error)
        return NOT_STORED
    return ""


def _left_out(
    left_out: Mapping[int, Witness | Reason], home: str, guild: discord.Guild, names: Mapping[int, str]
) -> Iterator[str]:
    """Yield one line for all channels that are left out for the same reason."""
    by_reason: dict[Witness | Reason, list[int]] = defaultdict(list)
    for channel_id, reason in left_out.items():
        by_reason[reason].append(channel_id)
    if by_reason:
        yield LEFT_OUT.format(home=home)
    for reason, channel_ids in list(by_reason.items())[:_MOST_REASONS]:
        yield f"- {_channels(channel_ids)} left out of answers in {home} because {_because(reason, guild, names)}"
    if len(by_reason) > _MOST_REASONS:
        yield f"- and others, for {len(by_reason) - _MOST_REASONS} more reasons"


def _channels(channel_ids: list[int]) -> str:
    """Return mentions of channels, whose names Discord shows to those who may see them."""
    shown = [f"<#{channel_id}>" for channel_id in sorted(channel_ids)[:_MOST_NAMED]]
    if len(channel_ids) > _MOST_NAMED:
        shown.append(f"{len(channel_ids) - _MOST_NAMED} more")
    return f"{_listed(shown)} {'is' if len(shown) == 1 else 'are'}"


def _because(reason: Witness | Reason, guild: discord.Guild, names: Mapping[int, str]) -> str:
    match reason:
        case Reason.AGE_RESTRICTED:
            return "of an age restriction that this channel does not have"
        case Reason.SPOILER:
            return "what is said in a spoiler channel is shown in that channel alone"
        case Witness(person_id=None, role_ids=()):
            return "somebody without any role would see them"
        case Witness(person_id=None, role_ids=role_ids):
            return f"somebody with {_listed(_role_names(role_ids, guild))} would see them"
        case Witness(person_id=person_id, certain=is_certain):
            name = inline(names.get(person_id or 0) or f"the member with the id {person_id}")
            return f"{name} would see them" if is_certain else f"I could not find out whether {name} would see them"


def _restricting(chosen: Chosen[frozenset[int]], guild: discord.Guild) -> str:
    if not chosen.certain:
        return NOT_LOOKED_UP
    names = _role_names(sorted(chosen.value), guild)
    return RESTRICTING.format(roles=_listed(names)) if names else NO_RESTRICTING


def _role_names(role_ids: Iterable[int], guild: discord.Guild) -> list[str]:
    roles = (guild.get_role(role_id) for role_id in role_ids)
    return [f"@{inline(role.name)}" for role in roles if role is not None]


def _listed(words: list[str]) -> str:
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1] if words else "") if part)
