"""Answer /limits: how many questions a day the members of each role may ask."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import discord

from agent.markdown import inline
from bot.services import Services
from errors import DatabaseUnavailableError
from memory.guild_settings import DAILY_LIMITS

logger = logging.getLogger(__name__)

NOT_ALLOWED = "The limits of a server are for those who manage it."
NOT_STORED = "I cannot reach the place where I keep settings just now, so nothing has changed; please try again soon."
NOT_LOOKED_UP = "I cannot look up the limits just now; please try again soon."
WHICH = "Tell me how many `questions` a day that role may ask, or `remove: True` to take its limit away."
BOTH = "Tell me either how many `questions` a day, or `remove: True`, not both."
NO_LIMITS = "Everybody may ask as many questions as they like. `/limits questions:20` would set a limit for everybody."
HEADING = "Questions that people may ask me a day, on their own clock; the most generous of somebody's roles counts:"
UNLIMITED = "Who has none of these roles may ask as many as they like."


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody wants to be changed; nothing without a number and without `remove`."""

    role: discord.Role | None = None
    questions: int | None = None
    remove: bool = False

    def __str__(self) -> str:
        """Return the change as it was typed."""
        role = None if self.role is None else f"role:{self.role.name}"
        questions = None if self.questions is None else f"questions:{self.questions}"
        return " ".join(filter(None, (role, questions, "remove:True" if self.remove else None)))

    @property
    def problem(self) -> str | None:
        """Why it cannot be made; None where it can."""
        if self.remove and self.questions is not None:
            return BOTH
        return WHICH if self.role is not None and self.questions is None and not self.remove else None

    def applied(self, limits: Mapping[int, int], guild: discord.Guild) -> dict[int, int]:
        """Return limits after the change, without those of roles that are gone."""
        role_id = guild.id if self.role is None else self.role.id
        kept = {one: most for one, most in limits.items() if one != role_id and guild.get_role(one) is not None}
        return kept if self.questions is None else {**kept, role_id: self.questions}


async def limits(interaction: discord.Interaction, change: Change, services: Services) -> str:
    """Change what is to be changed, then say which limits there are."""
    guild = interaction.guild
    if guild is None or not interaction.permissions.manage_guild:
        return NOT_ALLOWED
    if change.problem is not None:
        return change.problem
    chosen = await services.guild_settings.get(guild.id, DAILY_LIMITS)
    if not chosen.certain:
        return NOT_LOOKED_UP
    if change == Change():
        return _listed(chosen.value, guild)
    new = change.applied(chosen.value, guild)
    try:
        await services.guild_settings.set(guild.id, DAILY_LIMITS, new, at=services.clock())
    except DatabaseUnavailableError as error:
        logger.warning("limits were not stored: %r", error)
        return NOT_STORED
    return _listed(new, guild)


def _listed(limits: Mapping[int, int], guild: discord.Guild) -> str:
    roles = {role.id: role for role in guild.roles}
    lines = [
        f"- {'everybody' if role_id == guild.id else f'@{inline(roles[role_id].name)}'}: {most}"
        for role_id, most in sorted(limits.items(), key=lambda limit: (limit[0] != guild.id, -limit[1]))
        if role_id in roles
    ]
    if not lines:
        return NO_LIMITS
    return "\n".join([HEADING, *lines, *([] if guild.id in limits else [UNLIMITED])])
