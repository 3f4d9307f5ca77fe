"""Compare who may see and read a channel, decided from masks, with discord.py's own permissions of every set of roles.

A guild has six roles and four channels, two of text and two of voice. What its roles and @everyone are granted, and
what its channels allow and deny them, is made by chance. In some guilds a role is an administrator's or a bot's, some
roles are named as restricting ones, and some people have an overwrite of their own. Each pair of channels, now and
then a channel and itself, is a case: a destination and a source. For each of the 64 sets of roles `permissions_for` is
asked who sees the destination and lacks what reading the source needs; `bot.permissions` has to find a witness exactly
where there is such a set, and the witness has to be one. People with overwrites are compared too, with their roles and
without.
"""

import asyncio
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from statistics import median
from typing import Annotated, Any, TypeVar

import discord
import typer

from bench.tables import table
from bot.audience import Readers, audience_in
from bot.guild_rules import facts_of, role_facts
from bot.permissions import (
    ADMINISTRATOR,
    CONNECT,
    MANAGE_THREADS,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    ChannelFacts,
    GuildRules,
)
from memory.guild_settings import Chosen, Setting

T = TypeVar("T")

GUILD, OWNER, BOT = 1, 2, 3
ROLES = tuple(range(101, 107))
PEOPLE = (201, 202)
TEXT, VOICE, OTHER_TEXT, OTHER_VOICE = range(301, 305)

DIFFERENT = "DIFFERENT: "
"""What the name of a count begins with that has to be 0."""

_RUNS = 15  # of which the median is printed
_SELDOM = 0.75  # of the pairs of a channel and itself are left out
_PART = 800  # cases that a process compares at a time
_ROLES_HELD = [
    discord.utils.SnowflakeList(role for number, role in enumerate(ROLES) if held >> number & 1)
    for held in range(1 << len(ROLES))
]
_DESTINATION_NUMBER, _SOURCE_NUMBER = 0, 1
_DESTINATION, _SOURCE = 1 << _DESTINATION_NUMBER, 1 << _SOURCE_NUMBER
_BITS = (VIEW_CHANNEL, READ_MESSAGE_HISTORY, CONNECT, MANAGE_THREADS)


@dataclass(frozen=True, slots=True)
class Case:
    """A destination and a source, what reading the source needs, and the roles that are named as restricting."""

    destination: discord.abc.GuildChannel
    source: discord.abc.GuildChannel
    need: tuple[int, ...]
    restricting: tuple[int, ...]
    possible: tuple[int, ...]
    """The sets of roles that somebody could have, as bits."""
    assumed: tuple[int, ...]
    """Those in which no restricting role goes with another role that opens the destination."""


class Town:
    """A guild as discord.py keeps it, whose masks are changed from case to case."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - no secret
        self.guild = _guild()
        self.nobody = self._member(1_000)
        self.people = {self._member(person): 0 for person in PEOPLE}
        """Those who may have an overwrite of their own, with the roles that they have."""
        self._permissions: dict[tuple[int, int, int], int] = {}

    def cases(self) -> Iterator[Case]:
        """Yield cases for ever: every pair of channels of one guild, then those of the next, with new masks."""
        while True:
            possible = self._change_masks()
            for destination, source in product(self.guild.channels, repeat=2):
                if destination is source and self.chance.random() < _SELDOM:
                    continue
                yield self._case(destination, source, possible)

    def permissions(self, channel: discord.abc.GuildChannel, member: discord.Member, held: int) -> int:
        """Return what discord.py lets somebody do in a channel who has these roles."""
        key = channel.id, member.id, held
        if key not in self._permissions:
            member._roles = _ROLES_HELD[held]
            self._permissions[key] = channel.permissions_for(member).value
        return self._permissions[key]

    def _change_masks(self) -> list[int]:
        """Make the masks of a new guild, and return the sets of roles that somebody could have there."""
        chance = self.chance
        self._permissions.clear()
        self.guild.owner_id = chance.choice((OWNER, OWNER, OWNER, *PEOPLE))
        density = chance.choice((0.05, 0.15, 0.3, 0.5))
        granted = chance.choice((0.1, 0.3, 0.7))
        roles = {role.id: role for role in self.guild.roles}
        for role in roles.values():
            role._permissions = self._some(granted) | (ADMINISTRATOR if chance.random() < 0.04 else 0)
            role.tags = None
        of_bot = chance.randrange(len(ROLES)) if chance.random() < 0.2 else None
        if of_bot is not None:
            roles[ROLES[of_bot]].tags = discord.RoleTags({"bot_id": str(BOT)})
        with_people = chance.random() < 0.4
        for channel in self.guild.channels:
            payload: Any = {"permission_overwrites": self._overwrites(density, with_people=with_people)}
            channel._fill_overwrites(payload)
        possible = [held for held in range(1 << len(ROLES)) if of_bot is None or not held >> of_bot & 1]
        self.people = {person: chance.choice(possible) for person in self.people}
        return possible

    def _case(
        self, destination: discord.abc.GuildChannel, source: discord.abc.GuildChannel, possible: list[int]
    ) -> Case:
        chance = self.chance
        need = READ_VOICE if isinstance(source, discord.VoiceChannel) else READ
        if need is READ and chance.random() < 0.15:
            need = (*READ, MANAGE_THREADS)
        restricting = tuple(role for role in ROLES if chance.random() < 0.7) if chance.random() < 0.3 else ()
        assumed = tuple(self._without_pairs(possible, destination, restricting))
        return Case(destination, source, need, restricting, tuple(possible), assumed)

    def _without_pairs(
        self, possible: Iterable[int], destination: discord.abc.GuildChannel, restricting: tuple[int, ...]
    ) -> Iterator[int]:
        """Leave out the sets in which a restricting role goes with another role that opens the destination."""
        allowed = {one.id for one in destination._overwrites if one.allow & VIEW_CHANNEL}
        sees_bare = self.permissions(destination, self.nobody, 0) & VIEW_CHANNEL
        opening = {
            number
            for number, role in enumerate(ROLES)
            if role in allowed
            or (not sees_bare and self.permissions(destination, self.nobody, 1 << number) & VIEW_CHANNEL)
        }
        bound = [number for number, role in enumerate(ROLES) if role in restricting]
        for held in possible:
            if not any(held >> one & 1 and held >> other & 1 for one in bound for other in opening - {one}):
                yield held

    def _overwrites(self, density: float, *, with_people: bool) -> list[Any]:
        targets = [(GUILD, 0), *((role, 0) for role in ROLES)]
        if with_people:
            targets += [(person, 1) for person in PEOPLE if self.chance.random() < 0.6]
        self.chance.shuffle(targets)
        return [
            {"id": target, "type": kind, "allow": self._some(density), "deny": self._some(density)}
            for target, kind in targets
            if self.chance.random() < 0.6
        ]

    def _some(self, density: float) -> int:
        return sum(bit for bit in _BITS if self.chance.random() < density)

    def _member(self, user_id: int) -> discord.Member:
        return discord.Member(data=_member_payload(user_id, []), guild=self.guild, state=self.guild._state)


def _member_payload(user_id: int, role_ids: Iterable[int]) -> Any:
    return {
        "user": {"id": str(user_id), "username": f"user-{user_id}", "discriminator": "0", "avatar": None},
        "roles": [str(role_id) for role_id in role_ids],
        "joined_at": None,
        "flags": 0,
    }


def _guild() -> discord.Guild:
    kinds = {TEXT: 0, VOICE: 2, OTHER_TEXT: 0, OTHER_VOICE: 2}
    payload: Any = {
        "id": str(GUILD),
        "name": "Guild",
        "owner_id": str(OWNER),
        "roles": [{"id": str(role), "name": f"r{role}", "permissions": "0", "position": 0} for role in (GUILD, *ROLES)],
        "channels": [
            {"id": str(channel), "type": kind, "name": "c", "position": 0, "bitrate": 1, "user_limit": 0}
            for channel, kind in kinds.items()
        ],
    }
    state = discord.Client(intents=discord.Intents(guilds=True))._connection
    return discord.Guild(data=payload, state=state)


class Comparison:
    """Compares what the masks of one case say with what discord.py does."""

    def __init__(self, town: Town, case: Case) -> None:
        self._town = town
        self._case = case
        self._need = sum(case.need)
        channels = [facts_of(case.destination), ChannelFacts(facts_of(case.source).overwrites, case.need)]
        self._rules = GuildRules(GUILD, town.guild.owner_id, role_facts(town.guild), channels)
        self._restricting = self._rules.held(case.restricting)
        self.violating = {held for held in case.possible if self._violates(town.nobody, held)}

    def differences(self) -> list[str]:
        """Return what is said otherwise, in a word each."""
        return [*self._wrong_witness(), *self._wrong_sets(), *self._wrong_people(), *self._wrong_whole()]

    def has_people(self) -> bool:
        """Return whether anybody has an overwrite of their own."""
        return any(self._is_named(person.id) for person in self._town.people)

    def _violates(self, member: discord.Member, held: int) -> bool:
        """Return whether discord.py lets somebody with these roles see the destination and not read the source."""
        if not self._town.permissions(self._case.destination, member, held) & VIEW_CHANNEL:
            return False
        return bool(self._need & ~self._town.permissions(self._case.source, member, held))

    def _violates_by_masks(self, *, held: int, person_id: int | None) -> bool:
        sees = self._rules.visible(held, person_id) & _DESTINATION
        return bool(sees) and not self._rules.readable(held, person_id) & _SOURCE

    def _is_closed(self) -> bool:
        sight = self._rules.sight(_DESTINATION_NUMBER)
        return bool(self._rules.closed(sight, restricting=self._restricting) & _SOURCE)

    def _wrong_witness(self) -> Iterator[str]:
        sight, violating = self._rules.sight(_DESTINATION_NUMBER), self.violating & set(self._case.assumed)
        witness = self._rules.witness(sight, _SOURCE_NUMBER, restricting=self._restricting)
        if self._is_closed() != bool(violating):
            yield "whether some roles see the one and lack the other"
        if (witness is None) != (not violating):
            yield "whether there is a witness"
        elif witness is not None and (len(witness.role_ids) > 2 or _held(witness.role_ids) not in violating):
            yield "who is the witness"

    def _wrong_sets(self) -> Iterator[str]:
        for held in self._case.possible[self._town.chance.randrange(16) :: 16]:
            ours = self._violates_by_masks(held=self._held(held), person_id=None)
            if ours != (held in self.violating):
                yield "what a set of roles may do"

    def _wrong_people(self) -> Iterator[str]:
        for person, roles in self._town.people.items():
            if self._violates_by_masks(held=self._held(roles), person_id=person.id) != self._violates(person, roles):
                yield "what a person may do"
            if self._is_named(person.id):
                ours = self._rules.closed_to_unknown(person.id, _DESTINATION_NUMBER) & _SOURCE
                if bool(ours) != any(self._violates(person, held) for held in self._case.possible):
                    yield "what a person whose roles are not known could do"

    def _wrong_whole(self) -> Iterator[str]:
        """Compare what is decided in the end: the roles, and those people whom an overwrite concerns."""
        if self._case.restricting:
            return
        people = self._town.people.items()
        concerned = set(self._rules.people_between(_DESTINATION_NUMBER, _SOURCE))
        ours = self._is_closed() or any(
            self._violates_by_masks(held=self._held(roles), person_id=person.id)
            for person, roles in people
            if person.id in concerned
        )
        if ours != (bool(self.violating) or any(self._violates(person, roles) for person, roles in people)):
            yield "whether the source is left out"

    def _held(self, roles: int) -> int:
        return self._rules.held(_role_ids(roles))

    def _is_named(self, person_id: int) -> bool:
        channels = (self._case.destination, self._case.source)
        return any(one.id == person_id for channel in channels for one in channel._overwrites)


def _role_ids(held: int) -> list[int]:
    return [role for number, role in enumerate(ROLES) if held >> number & 1]


def _held(role_ids: Iterable[int]) -> int:
    return sum(1 << ROLES.index(role) for role in role_ids)


def compare(seed: int, cases: int) -> Counter[str]:
    """Compare as many cases, and count them by what they are; a difference is counted under what differs."""
    town = Town(seed)
    counts: Counter[str] = Counter()
    for case in islice(town.cases(), cases):
        comparison = Comparison(town, case)
        counts["cases"] += 1
        counts["sets of roles"] += len(case.possible)
        counts["left out"] += bool(comparison.violating)
        counts["with overwrites of people"] += comparison.has_people()
        counts["with restricting roles"] += bool(case.restricting)
        counts["left out but for restricting roles"] += bool(comparison.violating) and not comparison.violating & set(
            case.assumed
        )
        counts["with a bot's role"] += len(case.possible) < 1 << len(ROLES)
        counts["a channel beside itself"] += case.source is case.destination
        counts.update(f"{DIFFERENT}{difference}" for difference in comparison.differences())
    return counts


def large_guild(channels: int, roles: int, *, alike: bool, seed: int = 1) -> discord.Guild:
    """Return a guild whose channels are as those of a large server, or of which no two have the same overwrites.

    Those of a large server stand in categories of a dozen, most of them with the overwrites of their category.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    role_ids = range(1_000, 1_000 + roles)
    everyone = VIEW_CHANNEL | READ_MESSAGE_HISTORY | CONNECT

    def overwrites(number: int) -> list[Any]:
        named = chance.sample(role_ids, number)
        opened = [{"id": role, "type": 0, "allow": everyone, "deny": 0} for role in named[1:]]
        closed = {"id": named[0], "type": 0, "allow": 0, "deny": VIEW_CHANNEL}
        return [{"id": GUILD, "type": 0, "allow": 0, "deny": VIEW_CHANNEL * chance.randrange(2)}, closed, *opened]

    categories = [overwrites(chance.randint(2, 8)) for _ in range(channels // 12 + 1)]
    payload: Any = {
        "id": str(GUILD),
        "name": "Guild",
        "owner_id": str(OWNER),
        "roles": [
            {"id": str(role), "name": f"r{role}", "permissions": str(everyone * (role == GUILD)), "position": 0}
            for role in (GUILD, *role_ids)
        ],
        "members": [_member_payload(BOT, [role_ids[0]])],
        "channels": [
            {
                "id": str(10_000 + number),
                "type": chance.choice((0, 0, 0, 2)),
                "name": f"c{number}",
                "position": number,
                "bitrate": 1,
                "user_limit": 0,
                "permission_overwrites": [
                    *(
                        categories[number // 12]
                        if alike and chance.random() < 0.85
                        else overwrites(chance.randint(2, 8))
                    ),
                    {"id": role_ids[0], "type": 0, "allow": VIEW_CHANNEL, "deny": 0},
                ],
            }
            for number in range(channels)
        ],
    }
    state = discord.Client(intents=discord.Intents(guilds=True))._connection
    state.user = discord.ClientUser(state=state, data=_member_payload(BOT, [])["user"])
    return discord.Guild(data=payload, state=state)


class _NoSettings:
    """Settings of guilds in which nobody has set any."""

    async def get(self, _: int, setting: Setting[T]) -> Chosen[T]:
        return Chosen(setting.default)

    async def set(self, guild_id: int, setting: Setting[T], value: T, *, at: datetime) -> None:
        raise NotImplementedError

    async def change(self, guild_id: int, setting: Setting[T], change: Callable[[T], T], *, at: datetime) -> T:
        raise NotImplementedError

    async def of_every_guild(self, _: Setting[T]) -> dict[int, T]:
        return {}


async def time_audiences(guild: discord.Guild, destinations: int, runs: int) -> tuple[float, float, int]:
    """Return the processor time in ms of the audiences of many channels, first without and then with what is kept.

    Also how many different overwrites the channels have.
    """
    asker = discord.Member(data=_member_payload(OWNER, []), guild=guild, state=guild._state)
    places = guild.channels[:: max(1, len(guild.channels) // destinations)][:destinations]

    async def ask(readers: Readers) -> float:
        began = time.thread_time()
        for place in places:
            await audience_in(place, asker, private=False, readers=readers)
        return (time.thread_time() - began) * 1000

    first, again = [], []
    for _ in range(runs):
        readers = Readers(_NoSettings())
        first.append(await ask(readers))
        again.append(await ask(readers))
    return median(first), median(again), len({facts_of(channel) for channel in guild.channels})


def _times(channels: int, roles: int, destinations: int) -> str:
    rows: list[list[str | float]] = []
    for name, alike in (("as on a large server", True), ("no two channels alike", False)):
        guild = large_guild(channels, roles, alike=alike)
        first, again, different = asyncio.run(time_audiences(guild, destinations, _RUNS))
        rows.append([name, different, first, again])
    heads = [
        f"{channels} channels, {roles} roles, {destinations} destinations",
        "different",
        "uncached, ms",
        "cached, ms",
    ]
    return table(heads, rows)


def compare_in_parts(cases: int, *, seed: int, processes: int) -> Iterator[Counter[str]]:
    """Compare in several processes, and yield the counts of one part after the other."""
    parts = [min(_PART, cases - begun) for begun in range(0, cases, _PART)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_compared, [(seed + number, part) for number, part in enumerate(parts)])


def _compared(part: tuple[int, int]) -> Counter[str]:
    return compare(*part)


def main(
    cases: Annotated[int, typer.Option(min=1, help="How many pairs of channels; there are 13 in a guild.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many processes compare.")] = os.cpu_count() or 1,
    channels: Annotated[int, typer.Option(min=1, help="Channels of the guild whose audiences are timed.")] = 500,
    roles: Annotated[int, typer.Option(min=10, max=250, help="Its roles.")] = 250,
    destinations: Annotated[int, typer.Option(min=1, help="Channels in which an answer is given.")] = 30,
) -> None:
    """Print whether masks and discord.py agree, and how long an audience takes; status 1 when they do not."""
    typer.echo(f"{_times(channels, roles, destinations)}\n")
    counts: Counter[str] = Counter()
    began = time.perf_counter()
    with typer.progressbar(length=cases, label="Comparing", file=sys.stderr) as bar:
        for part in compare_in_parts(cases, seed=seed, processes=processes):
            counts += part
            bar.update(part["cases"])
    seconds = time.perf_counter() - began
    typer.echo(table(["compared with discord.py", "number"], [[name, number] for name, number in counts.most_common()]))
    different = sum(number for name, number in counts.items() if name.startswith(DIFFERENT))
    typer.echo(f"\n{'EQUAL' if not different else 'NOT EQUAL'} in {counts['cases']:,} cases, in {seconds:.0f} s")
    if different:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
