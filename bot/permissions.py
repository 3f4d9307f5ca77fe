"""Compute from the roles and overwrites of a guild whether everyone who sees one channel can read another.

Roles are bits of an int, so a set of roles, which is what a member is, is an int too; so are sets of channels. A
*violation* is a set of roles that sees the destination D and lacks a permission b which reading the source S needs. It
is looked for among all sets that could be, not among the members of today: so the result needs no list of members, and
holds for whoever joins or is given a role later.

Whoever has one of N = Allow_S[b] | Admin has b in S, whatever else they have. So, with v for View Channel, a set of
roles that avoids N

- sees D by A: one role of Allow_D[v], which wins over every denial; or, without any role of Deny_D[v], by B1:
  @everyone sees D; or by B2: D's overwrites do not name @everyone, who lacks v in the guild: one role of Grant[v];
- lacks b in S by P: one role of Deny_S[b]; or without any role by Q1: S denies b to @everyone; or by Q2: S does not
  name @everyone, who lacks b in the guild, and the set avoids Grant[b].

Seeing takes one role at most, lacking another one, and every other condition only forbids roles. So there is a
violation exactly where there is one of at most two roles: the *witness*. `tests/unit/test_permissions.py` and
`python -m bench.audience` compare this with discord.py's own permissions of every set of roles.

The table is worked out for all sources at once: a *slot* is a permission that a channel needs to be read, and for each
role one int says in which slots it is allowed the permission, and one in which it is denied it.

Owner and administrators have every permission and are no witness. Roles that belong to a bot are held by that bot
alone, and a reader is a person, so no set of roles has them. Time-outs, which pass, are left aside.
"""

from collections.abc import Iterable, Iterator, Sequence
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

Overwrite = tuple[int, bool, int, int]
"""Whom a channel allows and denies something: their id, whether it is a role's, what is allowed, what is denied."""


class RoleFacts(NamedTuple):
    """A role by its id, with the permissions that it grants in the whole guild."""

    role_id: int
    permissions: int
    is_of_bot: bool = False


class ChannelFacts(NamedTuple):
    """What channels with the same overwrites have in common, and the permissions that reading them needs."""

    overwrites: tuple[Overwrite, ...]
    need: tuple[int, ...]


class Witness(NamedTuple):
    """Somebody who could see an answer and may not read its source: whoever has these roles, or a person.

    It is not `certain` where it could not be found out which roles the person has.
    """

    role_ids: tuple[int, ...] = ()
    person_id: int | None = None
    certain: bool = True


class Sight(NamedTuple):
    """Who sees a channel: any of two sets of roles, or everyone, and the roles that take sight away again."""

    by_allow: int
    by_grant: int
    everyone: bool
    hidden_from: int


class Lack(NamedTuple):
    """Who lacks a permission in a channel: whoever has a denied role, or just anybody (`by_default`).

    `granting` are the roles that help against the latter, `repairing` those that help against either.
    """

    denied: int
    by_default: bool
    granting: int
    repairing: int


class _Rule(NamedTuple):
    """Which roles a channel allows and denies a permission; @everyone is allowed it (1), denied it (-1), or neither."""

    everyone: int
    allow: int
    deny: int


class _Own:
    """The slots that overwrites of a person's own allow and deny."""

    def __init__(self) -> None:
        self.allow = self.deny = 0


EVERYBODY = Sight(0, 0, everyone=True, hidden_from=0)
"""Who sees a channel of which nothing is known: it has to be assumed that all do."""

_NOBODY = Sight(0, 0, everyone=False, hidden_from=0)
_NOT_OWN = _Own()


class GuildRules:
    """The roles of a guild and the overwrites of some channels, which are named by their place in a sequence.

    Sets of roles and sets of channels are ints, a bit for each. Made anew when any role or overwrite changes.
    """

    def __init__(
        self, guild_id: int, owner_id: int | None, roles: Iterable[RoleFacts], channels: Sequence[ChannelFacts]
    ) -> None:
        """Raise ValueError where the role @everyone, which has the guild's id, is not among the roles.

        A role that channels name and the guild does not have, as one that has just been deleted, counts as one that
        somebody may have.
        """
        facts = {role.role_id: role for role in roles}
        if guild_id not in facts:
            raise ValueError(f"the roles of guild {guild_id} are not known")
        self._guild_id = guild_id
        self._owner_id = owner_id
        self._everyone = facts.pop(guild_id).permissions
        self._all_are_administrators = bool(self._everyone & ADMINISTRATOR)
        self._role_ids: list[int] = []
        self._bits: dict[int, int] = {}
        self._people = self._admins = 0
        self._grants = dict.fromkeys(_PERMISSIONS, 0)
        for role in facts.values():
            self._add_role(role)
        self._channels = channels
        self.all_channels = (1 << len(channels)) - 1
        self._fill_slots()
        self._closed: dict[tuple[Sight, int], int] = {}
        self._sights: dict[int, Sight] = {}

    def held(self, role_ids: Iterable[int]) -> int:
        """Return a set of roles; those that are not known count for nothing."""
        held = 0
        for role_id in role_ids:
            held |= self._bits.get(role_id, 0)
        return held

    def readable(self, held: int, person_id: int | None) -> int:
        """Return the channels that a person with these roles may read."""
        return self.all_channels & ~self._folded(self._needed & ~self._had(held, person_id))

    def visible(self, held: int, person_id: int | None) -> int:
        """Return the channels that a person with these roles may see."""
        return self.all_channels & self._had(held, person_id)

    def sight(self, channel: int) -> Sight:
        """Return who sees a channel, administrators aside."""
        if channel not in self._sights:
            self._sights[channel] = self._sight_by(self._rule(channel, VIEW_CHANNEL))
        return self._sights[channel]

    def closed(self, sight: Sight, *, restricting: int = 0) -> int:
        """Return the channels that some roles whose holder sees a destination may not read.

        A restricting role is assumed never to go with another role that opens the destination; nothing is assumed of
        it where everyone sees the destination anyway.
        """
        return self._folded(self._closed_slots(sight, restricting))

    def closed_to_unknown(self, person_id: int, destination: int | None) -> int:
        """Return the channels that a person might not read, who might see a destination; their roles are not known.

        What is not among these is certain, whatever roles they have.
        """
        if self._all_are_administrators or person_id == self._owner_id:
            return 0
        own = self._own.get(person_id, _NOT_OWN)
        sight = EVERYBODY if destination is None else self._sight_of(destination, own)
        closed = self._closed_slots(sight, 0) & ~(own.allow | own.deny)
        if sight.everyone or sight.by_allow or sight.by_grant:
            closed |= own.deny & self._needed
        return self._folded(closed)

    def people_between(self, destination: int | None, sources: int) -> Iterator[int]:
        """Yield those whom an overwrite of their own lets see a destination, or denies some of the sources."""
        for person_id, own in self._own.items():
            sees = destination is not None and own.allow >> destination & 1
            if sees or (own.deny and self._folded(own.deny & self._needed) & sources):
                yield person_id

    def witness(self, sight: Sight, source: int, *, restricting: int = 0) -> Witness | None:
        """Return at most two roles whose holder sees a destination and may not read a channel; None if nobody is so."""
        found = [_violation(sight, self._lack(source, one), restricting) for one in self._channels[source].need]
        witnesses = [roles for roles in found if roles is not None and not self._all_are_administrators]
        if not witnesses:
            return None
        return Witness(tuple(self._role_ids[role.bit_length() - 1] for role in min(witnesses, key=len)))

    def _add_role(self, role: RoleFacts) -> int:
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

    def _fill_slots(self) -> None:
        """Say for every role, for @everyone and for people in which slots they are allowed and denied something."""
        used = {permission for channel in self._channels for permission in channel.need} | {VIEW_CHANNEL}
        width = len(self._channels)
        self._shifts = {one: number * width for number, one in enumerate(p for p in _PERMISSIONS if p in used)}
        self._needed = self._allowed_to_all = self._denied_to_all = 0
        self._allow: dict[int, int] = {}
        self._deny: dict[int, int] = {}
        self._own: dict[int, _Own] = {}
        alike: dict[Overwrite, int] = {}
        needing: dict[tuple[int, ...], int] = {}
        for number, (overwrites, need) in enumerate(self._channels):
            channel = 1 << number
            needing[need] = needing.get(need, 0) | channel
            for overwrite in overwrites:
                alike[overwrite] = alike.get(overwrite, 0) | channel
        for need, channels in needing.items():
            self._needed |= self._slots(channels, sum(need))
        for (target_id, is_role, allow, deny), channels in alike.items():
            self._fill(target_id, is_role, self._slots(channels, allow), self._slots(channels, deny))
        self._denied_to_all &= ~self._allowed_to_all
        self._unnamed = ~(self._allowed_to_all | self._denied_to_all)
        missing = self._slots(self.all_channels, ~self._everyone)
        self._by_default = self._needed & (self._denied_to_all | (self._unnamed & missing))
        readers = self._people & ~self._admins
        self._denied = {
            bit: denied
            for bit, slots in self._deny.items()
            if bit & readers and (denied := slots & ~self._allow.get(bit, 0) & self._needed)
        }

    def _fill(self, target_id: int, is_role: bool, allow: int, deny: int) -> None:
        if not is_role:
            own = self._own.setdefault(target_id, _Own())
            own.allow |= allow
            own.deny |= deny & ~allow
        elif target_id == self._guild_id:
            self._allowed_to_all |= allow
            self._denied_to_all |= deny
        else:
            bit = self._bits.get(target_id) or self._add_role(RoleFacts(target_id, 0))
            if allow:
                self._allow[bit] = self._allow.get(bit, 0) | allow
            if deny:
                self._deny[bit] = self._deny.get(bit, 0) | deny

    def _slots(self, channels: int, permissions: int) -> int:
        """Return the slots of some permissions in some channels."""
        slots = 0
        for permission, shift in self._shifts.items():
            if permissions & permission:
                slots |= channels << shift
        return slots

    def _folded(self, slots: int) -> int:
        """Return the channels that any of these slots belongs to."""
        channels = 0
        for shift in self._shifts.values():
            channels |= slots >> shift
        return channels & self.all_channels

    def _had(self, held: int, person_id: int | None) -> int:
        """Return the slots in which a person with these roles has the permission, as Discord computes it."""
        if self._all_are_administrators or held & self._admins or (person_id and person_id == self._owner_id):
            return -1
        allow = deny = 0
        for bit in _each(held):
            allow |= self._allow.get(bit, 0)
            deny |= self._deny.get(bit, 0)
        granted = self._everyone | sum(
            one for one, roles in self._grants.items() if roles & held and one & ~self._everyone
        )
        base = self._allowed_to_all | (self._unnamed & self._slots(self.all_channels, granted))
        own = _NOT_OWN if person_id is None else self._own.get(person_id, _NOT_OWN)
        return ((allow | (~deny & base)) & ~own.deny) | own.allow

    def _closed_slots(self, sight: Sight, restricting: int) -> int:
        """Return the slots for which there is a violation: the table, for all sources at once."""
        if self._all_are_administrators:
            return 0
        key = sight, restricting
        if key not in self._closed:
            self._closed[key] = self._find_closed(sight, restricting)
        return self._closed[key]

    def _find_closed(self, sight: Sight, restricting: int) -> int:
        denied = self._denied_by(~sight.hidden_from)
        closed = self._by_default | denied if sight.everyone else 0  # B1 x Q, B1 x P
        for opening, may_deny in ((sight.by_allow, -1), (sight.by_grant, ~sight.hidden_from)):
            if not opening:
                continue
            # A restricting role beside a denied one that opens as well need not be looked at: that one is enough alone.
            free = self._denied_by(may_deny & ~restricting)
            for bit in _each(opening):  # A or B2
                beside = free | self._denied.get(bit, 0)  # x P
                default = self._by_default & ~(self._unnamed & self._granted_by(bit))  # x Q
                closed |= (beside | default) & ~self._allow.get(bit, 0)
        return closed

    def _denied_by(self, roles: int) -> int:
        """Return the slots that any of these roles is denied."""
        slots = 0
        for bit, denied in self._denied.items():
            if bit & roles:
                slots |= denied
        return slots

    def _granted_by(self, bit: int) -> int:
        return self._slots(self.all_channels, sum(one for one, roles in self._grants.items() if roles & bit))

    def _rule(self, channel: int, permission: int) -> _Rule:
        everyone = allowed = denied = 0
        for target_id, is_role, allow, deny in self._channels[channel].overwrites:
            if not is_role or not (allow | deny) & permission:
                continue
            if target_id == self._guild_id:
                everyone = 1 if allow & permission else -1
                continue
            allowed |= self._bits[target_id] if allow & permission else 0
            denied |= self._bits[target_id] if deny & permission else 0
        return _Rule(everyone, allowed, denied)

    def _sight_by(self, rule: _Rule) -> Sight:
        readers = self._people & ~self._admins
        everyone = rule.everyone > 0 or (rule.everyone == 0 and bool(self._everyone & VIEW_CHANNEL))
        by_grant = self._grants[VIEW_CHANNEL] & ~rule.deny & readers if rule.everyone == 0 and not everyone else 0
        return Sight(rule.allow & readers, by_grant, everyone, rule.deny)

    def _sight_of(self, channel: int, own: _Own) -> Sight:
        if (own.allow | own.deny) >> channel & 1:  # the first slots are those of seeing
            return EVERYBODY if own.allow >> channel & 1 else _NOBODY
        return self.sight(channel)

    def _lack(self, channel: int, permission: int) -> Lack:
        rule = self._rule(channel, permission)
        repairing = rule.allow | self._admins
        is_unnamed = rule.everyone == 0
        return Lack(
            denied=rule.deny & self._people & ~repairing,
            by_default=rule.everyone < 0 or (is_unnamed and not self._everyone & permission),
            granting=self._grants[permission] if is_unnamed else 0,
            repairing=repairing,
        )


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
        if pair := _pair(seeing, denied_with, sight.by_allow | sight.by_grant, restricting):  # A x P, B2 x P
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


def _each(roles: int) -> Iterator[int]:
    """Yield each role of a set, as a set of its own."""
    while roles:
        lowest = _lowest(roles)
        yield lowest
        roles ^= lowest
