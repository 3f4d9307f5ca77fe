"""Compare who may see and read a channel, decided from masks, with discord.py's own permissions of every set of roles.

A case is a guild of six roles and two channels, the destination and the source, each of which may be a text or a voice
channel, and now and then are the same one. What the roles and @everyone are granted, and what the channels allow and
deny them, is made by chance. In some cases a role is an administrator's or a bot's, some roles are restricting ones,
and some people have an overwrite of their own. For each of the 64 sets of roles `permissions_for` is asked who sees
the destination and lacks what reading the source needs; `bot.permissions` has to find a witness exactly where there is
such a set, and the witness has to be one. People with overwrites are compared too, with their roles and without.
"""

import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import discord
import typer

from bench.tables import table
from bot.guild_rules import overwrites_of, rules_of
from bot.permissions import (
    ADMINISTRATOR,
    CONNECT,
    MANAGE_THREADS,
    READ,
    READ_MESSAGE_HISTORY,
    READ_VOICE,
    VIEW_CHANNEL,
    Witness,
)

GUILD, OWNER, BOT = 1, 2, 3
ROLES = tuple(range(101, 107))
PEOPLE = (201, 202)
TEXT, VOICE, OTHER_TEXT, OTHER_VOICE = range(301, 305)

DIFFERENT = "DIFFERENT: "
"""What the name of a count begins with that has to be 0."""

_PART = 500  # cases that a process compares at a time
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
        self.nobody = [self._member(1_000 + held, held) for held in range(1 << len(ROLES))]
        self.people = [self._member(person, 0) for person in PEOPLE]

    def case(self) -> Case:
        """Make the masks of a new case, and choose what is asked of it."""
        chance = self.chance
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
        for person in self.people:
            person._roles = _roles(chance.randrange(1 << len(ROLES)) & ~(0 if of_bot is None else 1 << of_bot))
        channels = {channel.id: channel for channel in self.guild.channels}
        destination = channels[chance.choice((TEXT, TEXT, VOICE))]
        source = channels[chance.choice((OTHER_TEXT, OTHER_TEXT, OTHER_VOICE))]
        if chance.random() < 0.1:
            source = destination
        need = READ_VOICE if isinstance(source, discord.VoiceChannel) else READ
        if need is READ and chance.random() < 0.15:
            need = (*READ, MANAGE_THREADS)
        restricting = tuple(role for role in ROLES if chance.random() < 0.7) if chance.random() < 0.3 else ()
        possible = [held for held in range(1 << len(ROLES)) if of_bot is None or not held >> of_bot & 1]
        assumed = tuple(self._without_pairs(possible, destination, restricting))
        return Case(destination, source, need, restricting, tuple(possible), assumed)

    def sees(self, channel: discord.abc.GuildChannel, member: discord.Member) -> bool:
        """Return whether discord.py lets somebody see a channel."""
        return channel.permissions_for(member).view_channel

    def _without_pairs(
        self, possible: Iterable[int], destination: discord.abc.GuildChannel, restricting: tuple[int, ...]
    ) -> Iterator[int]:
        """Leave out the sets in which a restricting role goes with another role that opens the destination."""
        allowed = {one.id for one in destination._overwrites if one.allow & VIEW_CHANNEL}
        sees_bare = self.sees(destination, self.nobody[0])
        opening = {
            number
            for number, role in enumerate(ROLES)
            if role in allowed or (not sees_bare and self.sees(destination, self.nobody[1 << number]))
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

    def _member(self, user_id: int, held: int) -> discord.Member:
        payload: Any = {
            "user": {"id": str(user_id), "username": f"user-{user_id}", "discriminator": "0", "avatar": None},
            "roles": [],
            "joined_at": None,
            "flags": 0,
        }
        member = discord.Member(data=payload, guild=self.guild, state=self.guild._state)
        member._roles = _roles(held)
        return member


def _roles(held: int) -> discord.utils.SnowflakeList:
    return discord.utils.SnowflakeList(role for number, role in enumerate(ROLES) if held >> number & 1)


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
        self._rules = rules_of(town.guild)
        self._destination = self._rules.channel(overwrites_of(case.destination))
        self._source = self._rules.channel(overwrites_of(case.source))
        self._need = sum(case.need)
        self.violating = {held for held in case.possible if self._violates(town.nobody[held])}

    def differences(self) -> list[str]:
        """Return what is said otherwise, in a word each."""
        return [*self._wrong_witness(), *self._wrong_sets(), *self._wrong_people(), *self._wrong_whole()]

    def has_people(self) -> bool:
        """Return whether anybody has an overwrite of their own."""
        return any(self._is_named(person.id) for person in self._town.people)

    def _violates(self, member: discord.Member) -> bool:
        """Return whether discord.py lets somebody see the destination and not read the source."""
        if not self._case.destination.permissions_for(member).value & VIEW_CHANNEL:
            return False
        return bool(self._need & ~self._case.source.permissions_for(member).value)

    def _violates_by_masks(self, *, held: int, person_id: int | None) -> bool:
        rules = self._rules
        sees = rules.may(self._destination, (VIEW_CHANNEL,), held=held, person_id=person_id)
        return sees and not rules.may(self._source, self._case.need, held=held, person_id=person_id)

    def _witness(self) -> Witness | None:
        restricting = self._rules.held(self._case.restricting)
        return self._rules.witness(self._destination, self._source, self._case.need, restricting=restricting)

    def _wrong_witness(self) -> Iterator[str]:
        witness, violating = self._witness(), self.violating & set(self._case.assumed)
        if (witness is None) != (not violating):
            yield "whether there is a witness"
        elif witness is not None and (len(witness.role_ids) > 2 or _held(witness.role_ids) not in violating):
            yield "who is the witness"

    def _wrong_sets(self) -> Iterator[str]:
        for held in self._case.possible[:: 1 + self._town.chance.randrange(8)]:
            ours = self._violates_by_masks(held=self._rules.held(_role_ids(held)), person_id=None)
            if ours != (held in self.violating):
                yield "what a set of roles may do"

    def _wrong_people(self) -> Iterator[str]:
        for person in self._town.people:
            held = self._rules.held(person._roles)
            if self._violates_by_masks(held=held, person_id=person.id) != self._violates(person):
                yield "what a person may do"
        person = self._town.people[0]
        if self._is_named(person.id):
            ours = self._rules.witness_of_unknown(self._destination, self._source, self._case.need, person_id=person.id)
            if (ours is not None) != self._could_violate(person):
                yield "what a person whose roles are not known could do"

    def _could_violate(self, person: discord.Member) -> bool:
        theirs = person._roles
        try:
            for held in self._case.possible:
                person._roles = self._town.nobody[held]._roles
                if self._violates(person):
                    return True
            return False
        finally:
            person._roles = theirs

    def _wrong_whole(self) -> Iterator[str]:
        """Compare what is decided in the end: the roles, and those people whom an overwrite concerns."""
        if self._case.restricting:
            return
        concerned = {*self._destination.people_who_see(), *self._source.people_who_lack(self._case.need)}
        ours = self._witness() is not None or any(
            self._violates_by_masks(held=self._rules.held(person._roles), person_id=person.id)
            for person in self._town.people
            if person.id in concerned
        )
        if ours != (bool(self.violating) or any(self._violates(person) for person in self._town.people)):
            yield "whether the source is left out"

    def _is_named(self, person_id: int) -> bool:
        return person_id in self._destination.people or person_id in self._source.people


def _role_ids(held: int) -> list[int]:
    return [role for number, role in enumerate(ROLES) if held >> number & 1]


def _held(role_ids: Iterable[int]) -> int:
    return sum(1 << ROLES.index(role) for role in role_ids)


def compare(seed: int, cases: int) -> Counter[str]:
    """Compare as many cases, and count them by what they are; a difference is counted under what differs."""
    town = Town(seed)
    counts: Counter[str] = Counter()
    for _ in range(cases):
        case = town.case()
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


def compare_in_parts(cases: int, *, seed: int, processes: int) -> Iterator[Counter[str]]:
    """Compare in several processes, and yield the counts of one part after the other."""
    parts = [min(_PART, cases - begun) for begun in range(0, cases, _PART)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap_unordered(_compared, [(seed + number, part) for number, part in enumerate(parts)])


def _compared(part: tuple[int, int]) -> Counter[str]:
    return compare(*part)


def main(
    cases: Annotated[int, typer.Option(min=1, help="How many guilds of six roles and two channels.")] = 200_000,
    seed: Annotated[int, typer.Option(help="Where chance begins.")] = 1,
    processes: Annotated[int, typer.Option(min=1, help="How many processes compare.")] = os.cpu_count() or 1,
) -> None:
    """Print whether masks and discord.py agree, and how long an audience takes; status 1 when they do not."""
    began = time.perf_counter()
    counts: Counter[str] = Counter()
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
