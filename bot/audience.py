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

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import discord

from bot.caller import Caller
from bot.guild_rules import GuildView, GuildViews, ReadableChannel, each_number
from bot.members import HeldRoles, Members
from bot.permissions import GuildRules, Witness
from bot.private_threads import ArchivedThread, PrivateThreads
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
        self,
        settings: GuildSettings,
        members: Members | None = None,
        *,
        spoilers: Container[int] = frozenset(),
        private_threads: PrivateThreads | None = None,
    ) -> None:
        self.settings = settings
        self.members = members or Members()
        self.private_threads = private_threads or PrivateThreads()
        self.views = GuildViews(spoilers)

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event what it says about guilds, channels and people."""
        for learn in (self.views.note, self.members.note):
            learn(event, data)


async def audience_of(
    caller: Caller,
    *,
    private: bool,
    readers: Readers,
    among: Collection[int] | None = None,
    explain: bool = False,
) -> Audience:
    """Return what the answer to somebody may be made from by now.

    It may be called before everything that is sent or edited: most of it is kept until something changes. `among` are
    the private threads of which it matters whether the asker has joined them; by default the newest. To `explain` what
    is left out takes longer.
    """
    if caller.guild_id is None:
        return Audience(frozenset() if caller.channel_id is None else frozenset({caller.channel_id}))
    if caller.guild is None or not isinstance(caller.user, discord.Member):
        return Audience(must_be_private=True)
    shown_in = None if must_be_private(caller, readers) else caller.channel
    return await audience_in(shown_in, caller.user, private=private, readers=readers, among=among, explain=explain)


def must_be_private(caller: Caller, readers: Readers) -> bool:
    """Return whether an answer has to be shown to the asker alone, as it cannot be known who else would see it."""
    if caller.guild_id is None:
        return False
    view = None if caller.guild is None else readers.views.of(caller.guild)
    if view is None or not caller.app_permissions.view_channel:
        return True
    return view.number(_channel_id(caller.channel)) is None


async def audience_in(
    shown_in: object,
    asker: discord.Member,
    *,
    private: bool,
    readers: Readers,
    among: Collection[int] | None = None,
    explain: bool = False,
) -> Audience:
    """Return what an answer to a member may be made from that is shown in a channel or thread of their guild.

    Of a place that is None or not known it is assumed that every member sees it.
    """
    guild, members = asker.guild, readers.members
    view = readers.views.of(guild)
    members.meet(asker)
    roles = (await members.roles(guild, [asker.id])).get(asker.id)
    if view is None or roles is None or not roles.is_reader:
        return Audience(must_be_private=view is None)
    archived = await readers.private_threads.archived(guild)
    held = view.rules.held(roles.role_ids)
    asking = _Asking(
        guild,
        view,
        shown_in,
        archived,
        readable=view.rules.readable(held, asker.id),
        readable_threads=view.rules_of_threads.readable(held, asker.id),
    )
    unfit = asking.unfit() if explain else {}
    if private:
        asked = asking.joinable.keys() & among if among is not None else sorted(asking.joinable)[-MEMBERSHIPS_ASKED:]
        joined = await members.joined(asker.id, (asking.joinable[thread_id] for thread_id in asked))
        return asking.audience(asking.own | joined, left_out=unfit)
    named = await readers.settings.get(guild.id, RESTRICTING_ROLES)  # none while nobody can look: that shows less
    closed = await asking.closed_to_others(view.rules.held(named.value), members, explain=explain)
    shared = asking.places(asking.channels & ~closed.channels, asking.threads & ~closed.threads)
    return asking.audience(shared, rest=asking.own - shared, left_out={**unfit, **closed.reasons})


async def audience_of_channel(channel: discord.TextChannel, readers: Readers) -> Audience:
    """Return what may be shown in a channel to everybody who sees it, whoever has it shown: what all of them may read.

    It has to be private, and has no places, where it is not known who sees the channel.
    """
    guild = channel.guild
    view = readers.views.of(guild)
    if view is None or view.number(channel.id) is None:
        return Audience(must_be_private=True)
    archived = await readers.private_threads.archived(guild)
    asking = _Asking(
        guild,
        view,
        channel,
        archived,
        readable=view.rules.all_channels,
        readable_threads=view.rules_of_threads.all_channels,
    )
    named = await readers.settings.get(guild.id, RESTRICTING_ROLES)
    closed = await asking.closed_to_others(view.rules.held(named.value), readers.members, explain=False)
    shared = asking.places(asking.channels & ~closed.channels, asking.threads & ~closed.threads)
    return asking.audience(shared, left_out={})


async def joined_private_threads(
    member: discord.Member, guild: discord.Guild, readers: Readers, *, among: Iterable[int]
) -> frozenset[int]:
    """Ask Discord which of some private threads a member has joined; those of which it does not say so are left out.

    It does not look at whether the member may read there: `among` are of an audience's `joinable`.
    """
    threads: list[discord.Thread | ArchivedThread] = [*await readers.private_threads.archived(guild), *guild.threads]
    known = {thread.id: thread for thread in threads}
    return await readers.members.joined(member.id, (known[thread_id] for thread_id in among if thread_id in known))


@dataclass(slots=True)
class _Closed:
    """The channels, and those with private threads, that somebody else who sees the answer may not read."""

    channels: int
    threads: int
    reasons: dict[int, Witness | Reason]


class _Asking:
    """What somebody may read of what fits the place where the answer is shown.

    `channels` are the channels, `threads` those of which the asker reads the private threads without having joined
    them; `joinable` are private threads of the others. `readable` and `readable_threads` are the same whether they fit
    or not, and whether the bot sees them or not.
    """

    def __init__(
        self,
        guild: discord.Guild,
        view: GuildView,
        shown_in: object,
        archived: Sequence[ArchivedThread],
        *,
        readable: int,
        readable_threads: int,
    ) -> None:
        self._guild = guild
        self._archived = archived
        self._view = view
        self._shown_in = shown_in
        self._home = view.number(_channel_id(shown_in))
        self._readable = readable & view.seen
        self.channels = self._readable & ~self._unfit()
        private = [thread for thread in self._threads() if thread.is_private()]
        self.threads = readable_threads & self.channels if private else 0
        self.joinable = {
            thread.id: thread
            for thread in private
            if self._is_in(thread, self.channels & ~self.threads) and thread != shown_in
        }
        self.own = self.places(self.channels, self.threads)

    def places(self, channels: int, threads: int) -> frozenset[int]:
        """Return the places of some channels, and the private threads of others.

        Public threads that are known stand beside their channels: of a message that was stored before kinds of threads
        were, it is not known that its thread is one. Whoever sees a private thread sees its channel, so the one of the
        question is read as its channel is.
        """
        of_threads = (
            thread.id
            for thread in self._threads()
            if self._is_in(thread, threads if thread.is_private() and thread != self._shown_in else channels)
        )
        return self._view.ids(channels) | frozenset(of_threads)

    def audience(
        self,
        places: frozenset[int],
        *,
        rest: frozenset[int] = frozenset(),
        left_out: Mapping[int, Witness | Reason],
    ) -> Audience:
        """Return the audience of an answer that uses these places."""
        return Audience(places, rest, self._home is None, frozenset(self.joinable), left_out)

    def unfit(self) -> dict[int, Witness | Reason]:
        """Return the channels that the asker may read and that do not fit, with the reason."""
        restricted = dict.fromkeys(self._view.ids(self._readable & self._unfit()), Reason.AGE_RESTRICTED)
        return {
            **restricted,
            **dict.fromkeys(self._view.ids(self._readable & self._foreign_spoilers()), Reason.SPOILER),
        }

    async def closed_to_others(self, restricting: int, members: Members, *, explain: bool) -> _Closed:
        """Return what somebody who sees the answer may not read."""
        view, sight = self._view, self._view.sight(self._home)
        channels = self.channels & view.rules.closed(sight, restricting=restricting)
        threads = self.threads and self.threads & view.rules_of_threads.closed(sight, restricting=restricting)
        reasons: dict[int, Witness | Reason] = {}
        if explain:
            for number in each_number(channels):
                witness = view.rules.witness(sight, number, restricting=restricting)
                reasons |= dict.fromkeys(view.ids(1 << number), witness or Witness())
        closed = _Closed(channels, threads, reasons)
        await self._close_to_people(closed, members)
        return closed

    async def _close_to_people(self, closed: _Closed, members: Members) -> None:
        """Add what people may not read whom overwrites of their own concern, each with the roles that they have."""
        channels, threads = self.channels & ~closed.channels, self.threads & ~closed.threads
        by_channel = self._contested(self._view.rules, channels)
        by_thread = self._contested(self._view.rules_of_threads, threads) if threads else {}
        if not by_channel and not by_thread:
            return
        people = dict.fromkeys((*by_channel, *by_thread))
        known = await members.roles(self._guild, people)
        for person_id in people:
            roles = known.get(person_id)
            out = self._lacked(self._view.rules, person_id, roles) & by_channel.get(person_id, 0)
            closed.channels |= out
            reason = Witness(person_id=person_id, certain=roles is not None)
            closed.reasons |= dict.fromkeys(self._view.ids(out) - closed.reasons.keys(), reason)
            if person_id in by_thread:
                closed.threads |= self._lacked(self._view.rules_of_threads, person_id, roles) & by_thread[person_id]

    def _contested(self, rules: GuildRules, sources: int) -> dict[int, int]:
        """Return the people who might see the answer and not read some of these channels, with what that would be."""
        contested = {
            person_id: sources & rules.closed_to_unknown(person_id, self._home)
            for person_id in rules.people_between(self._home, sources)
            if person_id != self._view.bot_id
        }
        return {person_id: channels for person_id, channels in contested.items() if channels}

    def _lacked(self, rules: GuildRules, person_id: int, roles: HeldRoles | None) -> int:
        """Return the channels that a person may not read who sees the answer; all of them if that is not known."""
        if roles is None:
            return rules.all_channels
        held = rules.held(roles.role_ids)
        if not roles.is_reader or not (self._home is None or rules.visible(held, person_id) >> self._home & 1):
            return 0
        return rules.all_channels & ~rules.readable(held, person_id)

    def _unfit(self) -> int:
        """Return the channels that are age-restricted, where this one is not, and other channels that are spoilers."""
        view, home = self._view, self._home
        is_restricted = home is not None and view.nsfw >> home & 1
        return self._foreign_spoilers() | (0 if is_restricted else view.nsfw)

    def _foreign_spoilers(self) -> int:
        return self._view.spoilers & ~(0 if self._home is None else 1 << self._home)

    def _is_in(self, thread: discord.Thread | ArchivedThread, channels: int) -> bool:
        number = self._view.number(thread.parent_id)
        return number is not None and bool(channels >> number & 1)

    def _threads(self) -> Iterator[discord.Thread | ArchivedThread]:
        """Yield the threads that are known, and that of the question in any case."""
        yield from self._guild.threads
        yield from self._archived
        if isinstance(self._shown_in, discord.Thread):
            yield self._shown_in


def _channel_id(shown_in: object) -> int | None:
    """Return the id of the channel whose permissions count for a place; None for one that is not known."""
    channel = shown_in.parent if isinstance(shown_in, discord.Thread) else shown_in
    return channel.id if isinstance(channel, ReadableChannel) else None
