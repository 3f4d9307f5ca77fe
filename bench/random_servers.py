"""Make servers at random, with a secret in every channel, thread and post, on a simulated Discord."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import discord
import simcord
from simcord.backend import serializers
from simcord.backend.models.channel import Overwrite
from simcord.enums import ChannelType, OverwriteType

TOKEN = "tok"  # noqa: S105 - no password
"""What every secret begins with; eight hexadecimal digits follow."""

ROOM = "room"
"""What the name of every channel begins with; the number of the server, an x and its own number follow."""

_ROLES, _CHANNELS, _MEMBERS = (3, 6), (5, 8), (5, 8)
_USUAL = discord.Permissions(
    send_messages=True, send_messages_in_threads=True, use_application_commands=True, connect=True
)
_WEIGHED = (
    discord.Permissions(view_channel=True),
    discord.Permissions(read_message_history=True),
    discord.Permissions(connect=True),
    discord.Permissions(manage_threads=True),
)
_READ = discord.Permissions(view_channel=True, read_message_history=True)
_BASES = (_READ, _READ, _READ, _READ, discord.Permissions(view_channel=True), discord.Permissions())
_AGE_RESTRICTED, _SPOILER = {"nsfw": True}, {"flags": 1 << 21}
_KINDS = (ChannelType.TEXT, ChannelType.TEXT, ChannelType.TEXT, ChannelType.VOICE, ChannelType.FORUM)
_SYLLABLES = ("ba", "ko", "mi", "ru", "ze", "lo", "fa", "ni", "pu", "ga", "ve", "do")


@dataclass(frozen=True, slots=True)
class Spot:
    """A channel, thread or post with a secret in it, and the word that the secret can be asked for by.

    `home_id` is the channel whose permissions count; in a private thread it is read by its members.
    """

    place_id: int
    home_id: int
    noun: str
    token: str
    is_private_thread: bool = False

    @property
    def words(self) -> str:
        """What is said there."""
        return f"the {self.noun} password is {self.token}"


@dataclass(slots=True)
class RandomServer:
    """A server, its members and the secrets of its places."""

    env: simcord.Env
    guild: simcord.GuildHandle
    members: list[simcord.MemberActor] = field(default_factory=list)
    roles: list[simcord.RoleHandle] = field(default_factory=list)
    channels: list[simcord.ChannelHandle] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    def handle(self, place_id: int) -> simcord.ChannelHandle:
        """Return a channel or thread by its id."""
        threads = (thread for channel in self.channels for thread in channel.threads)
        return next(place for place in (*self.channels, *threads) if place.id == place_id)


class Marks:
    """The channels that are age-restricted or spoilers, which the simulated Discord does not know of."""

    def __init__(self, env: simcord.Env) -> None:
        self.fields: dict[int, dict[str, Any]] = {}
        backend: Any = env.backend
        emit: Callable[[str, Any], None] = backend.emit

        def emit_marked(event: str, payload: Any) -> None:
            fields = self.fields.get(int(payload.get("id") or 0)) if event.startswith("CHANNEL_") else None
            emit(event, {**payload, **fields} if fields else payload)

        backend.emit = emit_marked


class ServerMaker:
    """Makes one random server after the other."""

    def __init__(self, env: simcord.Env, rng: random.Random, marks: Marks) -> None:
        self._env = env
        self._rng = rng
        self._marks = marks
        self._words = self._nouns()
        self._count = 0

    def make(self) -> RandomServer:
        """Return a new server, with everything in it said."""
        self._count += 1
        env, rng = self._env, self._rng
        guild = env.create_guild(f"Server {self._count}")
        server = RandomServer(env, guild)
        base = discord.Permissions(_USUAL.value | rng.choice(_BASES).value)
        env.backend.edit_role(guild.id, guild.id, {"permissions": base.value})
        server.roles = [self._role(guild, number) for number in range(rng.randint(*_ROLES))]
        for number in range(rng.randint(*_MEMBERS)):
            roles = [role for role in server.roles if rng.random() < 0.4]
            user = env.create_user(f"member{self._count}x{number}")
            server.members.append(guild.add_member(user, roles=roles))
        for number in range(rng.randint(*_CHANNELS)):
            self._add_channel(server, number)
        for spot in server.spots:
            env.backend.create_message(spot.place_id, rng.choice(server.members).id, spot.words)
        return server

    def change(self, server: RandomServer, asker: simcord.MemberActor) -> None:
        """Change rights somewhere: an overwrite, what a role may, or which roles the asker has."""
        rng, backend = self._rng, self._env.backend
        match rng.randrange(4):
            case 0:
                role = rng.choice(server.roles)
                backend.edit_role(server.guild.id, role.id, {"permissions": self._permissions().value})
            case 1:
                roles = [role.id for role in server.roles if rng.random() < 0.4]
                backend.edit_member(server.guild.id, asker.id, {"role_ids": roles})
            case _:
                channel = rng.choice(server.channels)
                backend.set_overwrite(channel.id, self._overwrite(server))

    def _role(self, guild: simcord.GuildHandle, number: int) -> simcord.RoleHandle:
        return guild.create_role(f"role{number}", permissions=self._permissions())

    def _permissions(self) -> discord.Permissions:
        value = sum(weighed.value for weighed in _WEIGHED if self._rng.random() < 0.3)
        if self._rng.random() < 0.05:
            value |= discord.Permissions(administrator=True).value
        return discord.Permissions(value)

    def _overwrite(self, server: RandomServer) -> Overwrite:
        """Return what a role, everybody or a single person is given or denied in a channel."""
        rng = self._rng
        allow = deny = 0
        for weighed in _WEIGHED:
            match rng.randrange(4):
                case 0:
                    allow |= weighed.value
                case 1:
                    deny |= weighed.value
        if rng.random() < 0.2:
            return Overwrite(rng.choice(server.members).id, OverwriteType.MEMBER, allow, deny)
        role_id = rng.choice([server.guild.id, *(role.id for role in server.roles)])
        return Overwrite(role_id, OverwriteType.ROLE, allow, deny)

    def _add_channel(self, server: RandomServer, number: int) -> None:
        rng, backend = self._rng, self._env.backend
        kind = rng.choice(_KINDS) if number else ChannelType.TEXT
        overwrites = {
            one.target_id: one for one in (self._overwrite(server) for _ in range(rng.choice((0, 0, 0, 1, 2, 3))))
        }
        bot = self._env.bot.user
        if bot is not None and rng.random() < 0.9:
            everything = sum(weighed.value for weighed in _WEIGHED)
            overwrites[bot.id] = Overwrite(bot.id, OverwriteType.MEMBER, everything)
        name = f"{ROOM}{self._count}x{number}"
        made = backend.create_channel(server.guild.id, name, type=kind, overwrites=list(overwrites.values()))
        channel = server.guild.channels[name]
        server.channels.append(channel)
        if rng.random() < 0.2:
            self._marks.fields[made.id] = dict(rng.choice((_AGE_RESTRICTED, _SPOILER)))
        backend.announce_channel_update(made.id)
        if kind != ChannelType.FORUM:
            server.spots.append(self._spot(made.id, made.id))
        if kind == ChannelType.VOICE:
            return
        self._add_thread(server, made.id, ChannelType.PUBLIC_THREAD)
        if kind == ChannelType.TEXT:
            self._add_thread(server, made.id, ChannelType.PRIVATE_THREAD)

    def _add_thread(self, server: RandomServer, parent_id: int, kind: ChannelType) -> None:
        rng, backend = self._rng, self._env.backend
        owner = rng.choice(server.members)
        thread = backend.create_thread(parent_id, f"thread of {parent_id}", owner.id, type=kind)
        joining = [member.id for member in server.members if rng.random() < 0.3]
        if self._env.bot.user is not None:
            joining.append(self._env.bot.user.id)
        for member_id in joining if kind == ChannelType.PRIVATE_THREAD else ():
            backend.add_thread_member(thread.id, member_id)
        is_private = kind == ChannelType.PRIVATE_THREAD
        server.spots.append(self._spot(thread.id, parent_id, is_private_thread=is_private))

    def _spot(self, place_id: int, home_id: int, *, is_private_thread: bool = False) -> Spot:
        token = f"{TOKEN}{self._rng.getrandbits(32):08x}"
        return Spot(place_id, home_id, next(self._words), token, is_private_thread)

    def _nouns(self) -> Iterator[str]:
        """Yield words that nobody uses, each once."""
        used: set[str] = set()
        while True:
            word = "".join(self._rng.choice(_SYLLABLES) for _ in range(4))
            if word not in used:
                used.add(word)
                yield word


def people_of(server: RandomServer, bot_guild: discord.Guild) -> list[discord.Member]:
    """Return all members of a server as discord.py sees them, which a bot without the members intent does not."""
    backend = server.env.backend
    guild = backend.get_guild(server.guild.id)
    state = bot_guild._state  # noqa: SLF001 - a member needs it, and there is no other way to one
    payloads: list[Any] = [
        dict(serializers.member_payload(backend, guild, backend.get_member(guild.id, member.id)))
        for member in server.members
    ]
    return [discord.Member(data=payload, guild=bot_guild, state=state) for payload in payloads]
