"""Decide which channels and threads an answer may be made from.

Three questions have to be told apart: what the asker may read, who will see the answer, and what may be shown there.

- A private (ephemeral) answer is seen by the asker alone: it may use every place that the asker may read.
- A public answer is seen by everyone who sees the channel where it is given: of the places that the asker may read, it
  uses those that all of these people may read, the channel itself no less than the others. `bot/permissions.py` decides
  that from roles and overwrites, for people as they are and as they could be. Where an overwrite names a person, that
  person is looked at alone, with the roles that they have; where these cannot be found out, the place is left out.
- In a direct message there are two readers, and the answer uses that conversation only.
- Whoever sees it, an answer quotes an age-restricted channel only where the answer's own channel is age-restricted,
  and a channel marked as a spoiler only in itself: Discord asks before it shows these, and would not ask there.

A place is named by what opens it: the id of a channel opens the channel with all of its public threads and posts, the
id of a private thread that thread alone. A private thread is for those whom it was shared with, and for those who may
manage threads in its channel. A place that the bot cannot see now is never used, and in a channel that the bot cannot
see nobody knows who else sees the answer, so that it has to be private. Time-outs, which pass, are left aside.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain
from typing import Any

import discord

from bot.guild_rules import GuildView, GuildViews, KnownChannel, ReadableChannel, Source, rules_of, source_of
from bot.members import HeldRoles, Members
from bot.permissions import ChannelRules, Witness
from bot.services import GuildSettings
from memory.guild_settings import RESTRICTING_ROLES

MEMBERSHIPS_ASKED = 20  # the newest private threads, where nobody says which of them matter


class Reason(Enum):
    """Why a channel is left out of answers, whoever sees them."""

    AGE_RESTRICTED = "age-restricted"
    SPOILER = "spoiler"


@dataclass(frozen=True, slots=True)
class Audience:
    """The places that an answer may use, as access ids, and what else there is."""

    places: frozenset[int] = frozenset()
    rest: frozenset[int] = frozenset()
    """What a private answer could use beyond these."""
    must_be_private: bool = False
    """Whether it cannot be known who else would see the answer."""
    joinable: frozenset[int] = frozenset()
    """Private threads that the asker may read if they have joined them, which only Discord knows."""
    left_out: Mapping[int, Witness | Reason] = field(default_factory=dict)
    """Why channels that the asker may read are left out, by their ids."""

    @property
    def more_in_private(self) -> bool:
        """Whether the asker may read more than the answer may use."""
        return bool(self.rest)


class Readers:
    """What is known of who may read what; learns from the events of the gateway.

    `spoilers` holds the channels that are marked as such, as long as they are.
    """

    def __init__(
        self, settings: GuildSettings, members: Members | None = None, *, spoilers: Container[int] = frozenset()
    ) -> None:
        self.settings = settings
        self.members = members or Members()
        self.views = GuildViews()
        self.spoilers = spoilers

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event what it says about guilds, channels and people."""
        for learn in (self.views.note, self.members.note):
            learn(event, data)


async def audience_of(
    interaction: discord.Interaction, *, private: bool, readers: Readers, among: Collection[int] | None = None
) -> Audience:
    """Return what the answer to an interaction may be made from by now.

    It may be called before everything that is sent or edited: most of it is kept until something changes. `among` are
    the private threads of which it matters whether the asker has joined them; by default the newest.
    """
    if interaction.guild_id is None:
        return Audience(frozenset() if interaction.channel_id is None else frozenset({interaction.channel_id}))
    if interaction.guild is None or not isinstance(interaction.user, discord.Member):
        return Audience(must_be_private=True)
    shown_in = None if must_be_private(interaction, readers) else interaction.channel
    return await audience_in(shown_in, interaction.user, private=private, readers=readers, among=among)


def must_be_private(interaction: discord.Interaction, readers: Readers) -> bool:
    """Return whether an answer has to be shown to the asker alone, as it cannot be known who else would see it."""
    if interaction.guild_id is None:
        return False
    view = None if interaction.guild is None else readers.views.of(interaction.guild)
    if view is None or not interaction.app_permissions.view_channel:
        return True
    return _home(interaction.channel, view) is None


async def audience_in(
    shown_in: object,
    asker: discord.Member,
    *,
    private: bool,
    readers: Readers,
    among: Collection[int] | None = None,
) -> Audience:
    """Return what an answer to a member may be made from that is shown in a channel or thread of their guild.

    Of a place that is None or not known it is assumed that every member sees it.
    """
    guild, members = asker.guild, readers.members
    view = readers.views.of(guild)
    members.meet(asker)
    held = (await members.roles(guild, [asker.id])).get(asker.id)
    if view is None or held is None:
        return Audience(must_be_private=view is None)
    asking = _Asking(guild, view, shown_in, asker.id, view.rules.held(held.role_ids), readers.spoilers)
    if private:
        asked = asking.joinable.keys() & among if among is not None else sorted(asking.joinable)[-MEMBERSHIPS_ASKED:]
        joined = await members.joined(asker.id, (asking.joinable[thread_id] for thread_id in asked))
        own = asking.places(asking.sources) | joined
        return Audience(
            own, must_be_private=asking.home is None, joinable=frozenset(asking.joinable), left_out=asking.unfit
        )
    named = await readers.settings.get(guild.id, RESTRICTING_ROLES)  # none while nobody can look: that shows less
    restricting = view.rules.held(named.value)
    closed = await asking.closed_to_others(restricting, members)
    shared = asking.places(source for source in asking.sources if source not in closed)
    return Audience(
        shared,
        rest=asking.places(asking.sources) - shared,
        must_be_private=asking.home is None,
        joinable=frozenset(asking.joinable),
        left_out=asking.unfit
        | {place: witness for source, witness in closed.items() for place in asking.sources[source]},
    )


async def joined_private_threads(
    member: discord.Member, guild: discord.Guild, readers: Readers, *, among: Iterable[int]
) -> frozenset[int]:
    """Ask Discord which of some private threads a member has joined; those of which it does not say so are left out.

    It does not look at whether the member may read there: `among` are of an audience's `joinable`.
    """
    threads = (guild.get_thread(thread_id) for thread_id in among)
    return await readers.members.joined(member.id, (thread for thread in threads if thread is not None))


def is_open_to_all(channel: ReadableChannel, guild: discord.Guild) -> bool:
    """Return whether every member, whatever their roles, may read a channel."""
    try:
        rules = rules_of(guild)
    except ValueError:
        return False
    source = source_of(channel, rules)
    return rules.witness(None, *source) is None and not any(
        rules.witness_of_unknown(None, *source, person_id=person_id)
        for person_id in source.rules.people_who_lack(source.need)
    )


class _Asking:
    """What somebody may read of what fits the place where the answer is shown.

    `sources` are the places for which others are asked too, those together that the same people may read: channels, and
    private threads that the asker reads without having joined them, or in which the question was asked.
    """

    def __init__(
        self,
        guild: discord.Guild,
        view: GuildView,
        shown_in: object,
        asker_id: int,
        held: int,
        spoilers: Container[int],
    ) -> None:
        self._guild = guild
        self._view = view
        self._shown_in = shown_in
        self.home = _home(shown_in, view)
        home_id = _home_id(shown_in)
        readable = view.readable(asker_id, held)
        ids = frozenset[int]().union(*readable.values())
        self.unfit: dict[int, Witness | Reason] = dict.fromkeys(
            (channel_id for channel_id in ids if channel_id in spoilers and channel_id != home_id), Reason.SPOILER
        )
        if self.home is None or not self.home.is_nsfw:
            self.unfit |= dict.fromkeys(ids & view.nsfw, Reason.AGE_RESTRICTED)
        self.sources = {source: channel_ids - self.unfit.keys() for source, channel_ids in readable.items()}
        self.joinable: dict[int, discord.Thread] = {}
        for thread in self._threads():
            if thread.is_private() and thread.parent_id in ids and thread.parent_id not in self.unfit:
                self._add_private(thread, asker_id, held)

    def places(self, sources: Iterable[Source]) -> frozenset[int]:
        """Return the places of some sources.

        Public threads that are known stand beside their channels: of a message that was stored before kinds of threads
        were, it is not known that its thread is one.
        """
        places = frozenset[int]().union(*(self.sources[source] for source in sources))
        public = (thread.id for thread in self._threads() if thread.parent_id in places and not thread.is_private())
        return places | frozenset(public)

    async def closed_to_others(self, restricting: int, members: Members) -> dict[Source, Witness]:
        """Return the sources that somebody who sees the answer may not read, each with a witness."""
        destination = None if self.home is None else self.home.source.rules
        witnesses = {source: self._view.witness(destination, source, restricting) for source in self.sources}
        named = {
            source: people
            for source, witness in witnesses.items()
            if witness is None and (people := self._view.people_between(destination, source))
        }
        if named:
            roles = await members.roles(self._guild, chain.from_iterable(named.values()))
            for source, people in named.items():
                found = (self._witness(destination, source, person_id, roles.get(person_id)) for person_id in people)
                witnesses[source] = next((witness for witness in found if witness is not None), None)
        return {source: witness for source, witness in witnesses.items() if witness is not None}

    def _witness(
        self, destination: ChannelRules | None, source: Source, person_id: int, roles: HeldRoles | None
    ) -> Witness | None:
        """Return a person as a witness, unless it is certain that they are none."""
        if roles is None:
            return Witness(person_id=person_id, certain=False)
        held = self._view.rules.held(roles.role_ids)
        is_witness = roles.is_reader and self._view.sees_and_lacks(destination, source, person_id, held)
        return Witness(person_id=person_id) if is_witness else None

    def _threads(self) -> Iterator[discord.Thread]:
        """Yield the threads that are known, and that of the question in any case."""
        yield from self._guild.threads
        if isinstance(self._shown_in, discord.Thread):
            yield self._shown_in

    def _add_private(self, thread: discord.Thread, asker_id: int, held: int) -> None:
        parent = self._view.channels[thread.parent_id]
        if self._shown_in == thread:  # who sees it sees its channel, and may read it as the channel
            self._add(parent.source, thread.id)
        elif self._view.may_read(parent.private_threads, asker_id, held):
            self._add(parent.private_threads, thread.id)
        else:
            self.joinable[thread.id] = thread

    def _add(self, source: Source, place: int) -> None:
        self.sources[source] = self.sources.get(source, frozenset()) | {place}


def _home_id(shown_in: object) -> int | None:
    """Return the id of the channel whose permissions count for a place; None for one that is not known."""
    channel = shown_in.parent if isinstance(shown_in, discord.Thread) else shown_in
    return channel.id if isinstance(channel, ReadableChannel) else None


def _home(shown_in: object, view: GuildView) -> KnownChannel | None:
    """Return what is known of that channel; None where the bot does not see it."""
    home_id = _home_id(shown_in)
    return None if home_id is None else view.channels.get(home_id)
