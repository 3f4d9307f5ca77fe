"""Compute from the roles and overwrites of a guild whether everyone who sees one channel can read another.

Roles are bits of an int, so a set of roles, which is what a member is, is an int too. A *violation* is a set of roles
that sees the destination D and lacks a permission b which reading the source S needs. It is looked for among all sets
that could be, not among the members of today: so the result needs no list of members, and holds for whoever joins or
is given a role later.

Whoever has one of N = Allow_S[b] | Admin has b in S, whatever else they have. So, with v for View Channel, a set of
roles that avoids N

- sees D by A: one role of Allow_D[v], which wins over every denial; or, without any role of Deny_D[v], by B1:
  @everyone sees D; or by B2: D's overwrites do not name @everyone, who lacks v in the guild: one role of Grant[v];
- lacks b in S by P: one role of Deny_S[b]; or without any role by Q1: S denies b to @everyone; or by Q2: S does not
  name @everyone, who lacks b in the guild, and the set avoids Grant[b].

Seeing takes one role at most, lacking another one, and every other condition only forbids roles. So there is a
violation exactly where there is one of at most two roles: the *witness*. `tests/unit/test_permissions.py` and
`python -m bench.audience` compare this with discord.py's own permissions of every set of roles.

Owner and administrators have every permission and are no witness. Roles that belong to a bot are held by that bot
alone, and a reader is a person, so no set of roles has them. Time-outs, which pass, are left aside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

ADMINISTRATOR = 1 << 3
VIEW_CHANNEL = 1 << 10
READ_MESSAGE_HISTORY = 1 << 16
CONNECT = 1 << 20
MANAGE_THREADS = 1 << 34

READ = (VIEW_CHANNEL, READ_MESSAGE_HISTORY)
"""What reading a text channel or forum needs, with its public threads and posts."""

READ_VOICE = (*READ, CONNECT)
"""What reading the chat of a voice or stage channel needs."""

_PERMISSIONS = (*READ_VOICE, MANAGE_THREADS)


class RoleFacts(NamedTuple):
    """A role by its id, with the permissions that it grants in the whole guild."""

    role_id: int
    permissions: int
    is_of_bot: bool = False


class Overwrite(NamedTuple):
    """What a channel allows and denies to a role or to a person, by their id."""

    target_id: int
    is_role: bool
    allow: int
    deny: int


class OwnOverwrite(NamedTuple):
    """What a channel allows and denies to one person."""

    allow: int = 0
    deny: int = 0


NO_OVERWRITE = OwnOverwrite()


class Rule(NamedTuple):
    """Who has one permission in one channel: the roles that are allowed and denied it, and @everyone.

    `everyone` is 1 where @everyone is allowed it, -1 where they are denied it, and 0 where the channel does not name
    them.
    """

    everyone: int
    allow: int
    deny: int


class Sight(NamedTuple):
    """Who sees a channel: any of two sets of roles, or everyone, and the roles that take sight away again."""

    by_allow: int
    by_grant: int
    everyone: bool
    hidden_from: int

    @property
    def openers(self) -> int:
        """The roles that open the channel."""
        return self.by_allow | self.by_grant


class Lack(NamedTuple):
    """Who lacks a permission in a channel: whoever has a denied role, or just anybody (`by_default`).

    `granting` are the roles that help against the latter, `repairing` those that help against either.
    """

    denied: int
    by_default: bool
    granting: int
    repairing: int


_BLIND = Sight(0, 0, everyone=False, hidden_from=0)
_ALWAYS_SEES = Sight(0, 0, everyone=True, hidden_from=0)
_NEVER_LACKS = Lack(0, by_default=False, granting=0, repairing=0)
_ALWAYS_LACKS = Lack(0, by_default=True, granting=0, repairing=0)


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who could see an answer and may not read its source: whoever has these roles, or a person.

    It is not `certain` where it could not be found out which roles the person has.
    """

    role_ids: tuple[int, ...] = ()
    person_id: int | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ChannelRules:
    """What all channels with the same overwrites have in common; equal only to itself."""

    rules: Mapping[int, Rule]
    people: Mapping[int, OwnOverwrite]
    sight: Sight
    lacks: Mapping[int, Lack]

    def own(self, person_id: int) -> OwnOverwrite:
        """Return the overwrite of a person."""
        return self.people.get(person_id, NO_OVERWRITE)

    def people_who_see(self) -> tuple[int, ...]:
        """Return those whom an overwrite of their own lets see the channel."""
        return tuple(person for person, own in self.people.items() if own.allow & VIEW_CHANNEL)

    def people_who_lack(self, need: Iterable[int]) -> tuple[int, ...]:
        """Return those whom an overwrite of their own denies a permission."""
        needed = sum(need)
        return tuple(person for person, own in self.people.items() if own.deny & ~own.allow & needed)


class GuildRules:
    """The roles of a guild as bits, and what follows for its channels; made anew when any role changes."""

    def __init__(self, guild_id: int, owner_id: int | None, roles: Iterable[RoleFacts]) -> None:
        """Raise ValueError where the role @everyone, which has the guild's id, is not among the roles."""
        facts = {role.role_id: role for role in roles}
        if guild_id not in facts:
            raise ValueError(f"the roles of guild {guild_id} are not known")
        self.guild_id = guild_id
        self.owner_id = owner_id
        self._everyone = facts.pop(guild_id).permissions
        self._role_ids: list[int] = []
        self._bits: dict[int, int] = {}
        self._people = self._admins = 0
        self._grants = dict.fromkeys(_PERMISSIONS, 0)
        self._channels: dict[tuple[Overwrite, ...], ChannelRules] = {}
        self._witnesses: dict[tuple[Sight, Lack, int], tuple[int, ...] | None] = {}
        for role in facts.values():
            self._add(role)

    def held(self, role_ids: Iterable[int]) -> int:
        """Return a set of roles as bits; roles that are not known count for nothing."""
        held = 0
        for role_id in role_ids:
            held |= self._bits.get(role_id, 0)
        return held

    def channel(self, overwrites: tuple[Overwrite, ...]) -> ChannelRules:
        """Return the rules of a channel.

        A role that the guild does not have, as one that has just been deleted, counts as one that somebody may have.
        """
        known = self._channels.get(overwrites)
        if known is None:
            known = self._channels[overwrites] = self._compiled(overwrites)
        return known

    def may(self, channel: ChannelRules, need: Iterable[int], *, held: int, person_id: int | None) -> bool:
        """Return whether a person with these roles has all of the permissions in a channel."""
        if (self._everyone & ADMINISTRATOR) or held & self._admins or (person_id and person_id == self.owner_id):
            return True
        own = NO_OVERWRITE if person_id is None else channel.own(person_id)
        return all(self._has(channel.rules[permission], permission, held, own) for permission in need)

    def witness(
        self, destination: ChannelRules | None, source: ChannelRules, need: Iterable[int], *, restricting: int = 0
    ) -> Witness | None:
        """Return a set of at most two roles that sees one channel and may not read another; None if there is none.

        Without a destination that is known, everyone sees it. A restricting role is assumed never to go with another
        role that opens the destination; nothing is assumed of it where everyone sees the destination anyway.
        """
        sight = _ALWAYS_SEES if destination is None else destination.sight
        found = [self._roles_between(sight, source.lacks[permission], restricting) for permission in need]
        witnesses = [role_ids for role_ids in found if role_ids is not None]
        return Witness(min(witnesses, key=len)) if witnesses else None

    def witness_of_unknown(
        self, destination: ChannelRules | None, source: ChannelRules, need: Iterable[int], *, person_id: int
    ) -> Witness | None:
        """Return whether a person whose roles are not known could see one channel and not read another, as a witness.

        None is certain: whatever roles they have, it cannot be.
        """
        if self._everyone & ADMINISTRATOR or person_id == self.owner_id:
            return None
        sight = _ALWAYS_SEES if destination is None else _sight_of(destination, person_id)
        lacks = (_lack_of(source, permission, person_id) for permission in need)
        is_possible = any(self._roles_between(sight, lack, 0) is not None for lack in lacks)
        return Witness(person_id=person_id, certain=False) if is_possible else None

    def _add(self, role: RoleFacts) -> int:
        bit = 1 << len(self._role_ids)
        self._role_ids.append(role.role_id)
        self._bits[role.role_id] = bit
        if not role.is_of_bot:
            self._people |= bit
        if role.permissions & ADMINISTRATOR:
            self._admins |= bit
        for permission in _PERMISSIONS:
            if role.permissions & permission:
                self._grants[permission] |= bit
        return bit

    def _compiled(self, overwrites: tuple[Overwrite, ...]) -> ChannelRules:
        rules = {permission: self._rule(overwrites, permission) for permission in _PERMISSIONS}
        return ChannelRules(
            rules=rules,
            people={one.target_id: OwnOverwrite(one.allow, one.deny) for one in overwrites if not one.is_role},
            sight=self._sight(rules[VIEW_CHANNEL]),
            lacks={permission: self._lack(rule, permission) for permission, rule in rules.items()},
        )

    def _rule(self, overwrites: tuple[Overwrite, ...], permission: int) -> Rule:
        everyone = allowed = denied = 0
        for target_id, is_role, allow, deny in overwrites:
            if not is_role or not (allow | deny) & permission:
                continue
            if target_id == self.guild_id:
                everyone = 1 if allow & permission else -1
                continue
            bit = self._bits.get(target_id) or self._add(RoleFacts(target_id, 0))
            if allow & permission:
                allowed |= bit
            if deny & permission:
                denied |= bit
        return Rule(everyone, allowed, denied)

    def _sight(self, rule: Rule) -> Sight:
        """Return who sees a channel, administrators aside."""
        readers = self._people & ~self._admins
        everyone = rule.everyone > 0 or (rule.everyone == 0 and bool(self._everyone & VIEW_CHANNEL))
        by_grant = self._grants[VIEW_CHANNEL] & ~rule.deny & readers if rule.everyone == 0 and not everyone else 0
        return Sight(rule.allow & readers, by_grant, everyone, rule.deny)

    def _lack(self, rule: Rule, permission: int) -> Lack:
        if self._everyone & ADMINISTRATOR:
            return _NEVER_LACKS
        repairing = rule.allow | self._admins
        is_unnamed = rule.everyone == 0
        return Lack(
            denied=rule.deny & self._people & ~repairing,
            by_default=rule.everyone < 0 or (is_unnamed and not self._everyone & permission),
            granting=self._grants[permission] if is_unnamed else 0,
            repairing=repairing,
        )

    def _has(self, rule: Rule, permission: int, held: int, own: OwnOverwrite) -> bool:
        """Return whether somebody who is no administrator has a permission, as Discord computes it."""
        if (own.allow | own.deny) & permission:
            return bool(own.allow & permission)
        if held & (rule.allow | rule.deny):
            return bool(held & rule.allow)
        if rule.everyone:
            return rule.everyone > 0
        return bool(self._everyone & permission or held & self._grants[permission])

    def _roles_between(self, sight: Sight, lack: Lack, restricting: int) -> tuple[int, ...] | None:
        key = (sight, lack, restricting)
        if key not in self._witnesses:
            found = _violation(sight, lack, restricting)
            named = None if found is None else tuple(self._role_ids[bit.bit_length() - 1] for bit in found)
            self._witnesses[key] = named
        return self._witnesses[key]


def _violation(sight: Sight, lack: Lack, restricting: int) -> tuple[int, ...] | None:
    """Return the roles of somebody who sees and lacks, first the one that opens; None where nobody can be.

    The rows of the table are A (seen by an allowed role), B1 (by everyone) and B2 (by a granted role); its columns P
    (lacked by a denied role) and Q (by default).
    """
    if sight.everyone and lack.by_default:  # B1 x Q
        return ()
    denied = lack.denied & ~sight.hidden_from
    if sight.everyone and denied:  # B1 x P
        return (_lowest(denied),)
    for openers, denied_with in ((sight.by_allow, lack.denied), (sight.by_grant, denied)):
        seeing = openers & ~lack.repairing
        if lack.by_default and seeing & ~lack.granting:  # A x Q, B2 x Q
            return (_lowest(seeing & ~lack.granting),)
        if pair := _pair(seeing, denied_with, sight.openers, restricting):  # A x P, B2 x P
            return pair
    return None


def _pair(seeing: int, denied: int, openers: int, restricting: int) -> tuple[int, ...]:
    """Return a role of each set, or one that is in both; nothing where there are none that may go together."""
    if seeing & denied:
        return (_lowest(seeing & denied),)
    free = denied & ~restricting
    if free and seeing & ~restricting:
        return _lowest(seeing & ~restricting), _lowest(free)
    free &= ~openers
    return (_lowest(seeing), _lowest(free)) if free and seeing else ()


def _lowest(roles: int) -> int:
    return roles & -roles


def _sight_of(channel: ChannelRules, person_id: int) -> Sight:
    own = channel.own(person_id)
    if (own.allow | own.deny) & VIEW_CHANNEL:
        return _ALWAYS_SEES if own.allow & VIEW_CHANNEL else _BLIND
    return channel.sight


def _lack_of(channel: ChannelRules, permission: int, person_id: int) -> Lack:
    own = channel.own(person_id)
    if (own.allow | own.deny) & permission:
        return _NEVER_LACKS if own.allow & permission else _ALWAYS_LACKS
    return channel.lacks[permission]
