"""The gateway of the fake Discord: sessions that are identified, resumed, interrupted and ended."""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import discord
import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from tests.fake_discord.models import DM, Channel
from tests.fake_discord.payloads import Payload, guild_event, user_payload, without_content
from tests.fake_discord.waiting import Changes
from tests.fake_discord.world import Event, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACKNOWLEDGED = 0, 1, 2, 6, 7, 9, 10, 11
"""Operations."""

AUTHENTICATION_FAILED, INVALID_SHARD, INTENT_NOT_ENABLED, SESSION_TIMED_OUT = 4004, 4010, 4014, 4009
"""Codes with which the gateway closes."""

HEARTBEAT_INTERVAL = 41_250  # milliseconds
_KEPT = 20_000  # events that can be replayed to whoever resumes

_CONTENT_FLAGS = discord.ApplicationFlags(gateway_message_content=True).value | (
    discord.ApplicationFlags(gateway_message_content_limited=True).value
)
_MEMBER_FLAGS = discord.ApplicationFlags(gateway_guild_members=True).value | (
    discord.ApplicationFlags(gateway_guild_members_limited=True).value
)
_CONTENT = discord.Intents(message_content=True).value
_PRIVILEGED = ((_CONTENT, _CONTENT_FLAGS), (discord.Intents(members=True).value, _MEMBER_FLAGS))

_INTENTS = {
    "GUILD_MEMBER_ADD": discord.Intents(members=True),
    "GUILD_MEMBER_UPDATE": discord.Intents(members=True),
    "GUILD_MEMBER_REMOVE": discord.Intents(members=True),
    "MESSAGE_REACTION_ADD": discord.Intents(guild_reactions=True),
    "MESSAGE_REACTION_REMOVE": discord.Intents(guild_reactions=True),
    "MESSAGE_CREATE": discord.Intents(guild_messages=True),
    "MESSAGE_UPDATE": discord.Intents(guild_messages=True),
    "MESSAGE_DELETE": discord.Intents(guild_messages=True),
    "MESSAGE_DELETE_BULK": discord.Intents(guild_messages=True),
    "INTERACTION_CREATE": discord.Intents.none(),
}
"""What a client has to ask for to be told of an event; everything else comes with the intent for guilds."""

_IN_DIRECT_MESSAGES = discord.Intents(dm_messages=True, dm_reactions=True)


@dataclass(slots=True, eq=False)
class Session:
    """What the gateway knows of a client; it outlives a connection that was lost."""

    session_id: str
    shard_id: int
    num_shards: int
    intents: int
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    socket: web.WebSocketResponse | None = None
    sequence: int = 0
    kept: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def takes(self, event: Event) -> bool:
        """Return whether an event is for this shard and was asked for."""
        shard_id = 0 if event.guild is None else (event.guild.id >> 22) % self.num_shards
        return shard_id == self.shard_id and (self._wants(event) or _is_own(event))

    def _wants(self, event: Event) -> bool:
        needed = _INTENTS.get(event.name, discord.Intents(guilds=True)).value
        if event.seen_in is not None and event.seen_in.kind == DM:
            needed = _IN_DIRECT_MESSAGES.value & (needed << 3)  # the bits for direct messages lie three above
        return needed & self.intents == needed

    def dispatch(self, name: str, data: Payload) -> None:
        """Send an event, or keep it for when the client comes back."""
        self.sequence += 1
        if not self.intents & _CONTENT and name in {"MESSAGE_CREATE", "MESSAGE_UPDATE"}:
            data = without_content(data)
        frame = orjson.dumps({"op": DISPATCH, "t": name, "s": self.sequence, "d": data}).decode()
        self.kept.append((self.sequence, frame))
        if self.socket is not None:
            self.outbox.put_nowait(frame)

    def replay(self, after: int) -> None:
        """Send everything again that came after an event."""
        for sequence, frame in self.kept:
            if sequence > after:
                self.outbox.put_nowait(frame)


def _is_own(event: Event) -> bool:
    """Return whether an event is about the bot itself as a member, of which it is told in any case."""
    if event.name != "GUILD_MEMBER_UPDATE" or event.guild is None:
        return False
    return bool(event.data()["user"]["bot"])


class Gateway:
    """Lets clients in, tells them of what happens, and misbehaves on demand.

    `close_code` closes a connection that identifies itself; `identified` and `resumed` have the data of all such
    frames in order; `shards` is what a client is advised to use.
    """

    def __init__(self, world: World, changes: Changes, *, token: str) -> None:
        self._world = world
        self._changes = changes
        self._token = token
        self.url = ""
        self.flags = discord.ApplicationFlags(gateway_message_content_limited=True).value
        self.close_code: int | None = None
        self.shards = 1
        self.identified: list[dict[str, Any]] = []
        self.resumed: list[dict[str, Any]] = []
        self.ready = 0
        """How often a client has been told all that it needs to begin or to go on."""
        self.heartbeats = 0
        self.heartbeat_interval = HEARTBEAT_INTERVAL
        self.is_silent = False
        """Whether heartbeats are left without an answer, as on a connection of which one end is gone."""
        self.closed = 0
        """How many connections have ended."""
        self.sessions: dict[str, Session] = {}
        self._sockets: dict[web.WebSocketResponse, web.Request] = {}
        world.listeners.append(self._tell)

    # ---- what a test does

    @property
    def connected(self) -> list[Session]:
        """The sessions with a connection."""
        return [session for session in self.sessions.values() if session.socket is not None]

    async def wait_until_ready(self, times: int = 1) -> None:
        """Wait until clients have been let in or have resumed so many times since the start."""
        await self._changes.until(lambda: self.ready >= times)

    def send(self, frame: str) -> None:
        """Send every client a frame as it is, after all that waits to be sent."""
        for session in self.connected:
            session.outbox.put_nowait(frame)

    def replay(self) -> None:
        """Send every client all events of its session once more, which Discord is free to do."""
        for session in self.connected:
            session.replay(after=1)  # the first was the greeting

    def ask_for_heartbeat(self) -> None:
        """Ask every client for a heartbeat at once (op 1)."""
        for session in self.connected:
            session.outbox.put_nowait(_frame(HEARTBEAT, None))

    def ask_to_reconnect(self) -> None:
        """Ask every client to come back and resume (op 7)."""
        for session in self.connected:
            session.outbox.put_nowait(_frame(RECONNECT, None))

    def invalidate(self, *, resumable: bool) -> None:
        """End every session (op 9), unless it may be resumed."""
        for session in self.connected:
            session.outbox.put_nowait(_frame(INVALID_SESSION, resumable))
            if not resumable:
                del self.sessions[session.session_id]

    async def drop(self, *, code: int | None = 4000) -> None:
        """Close every connection, without a word when there is no code; sessions stay and can be resumed."""
        for session in self.connected:
            socket, session.socket = session.socket, None
            if socket is None:
                continue
            if code is not None:
                await socket.close(code=code)
            elif (transport := self._sockets[socket].transport) is not None:
                transport.abort()

    def forget_sessions(self) -> None:
        """Forget every session: what happens until a client identifies itself anew, it is not told of."""
        self.sessions.clear()

    async def close(self) -> None:
        """Close all connections, so that the server can end."""
        for socket in list(self._sockets):
            with suppress(ConnectionError):
                await socket.close(code=WSCloseCode.GOING_AWAY)

    # ---- the protocol

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a connection until it ends."""
        socket = web.WebSocketResponse(max_msg_size=1 << 16)
        await socket.prepare(request)
        self._sockets[socket] = request
        session: Session | None = None
        sending: asyncio.Task[None] | None = None
        try:
            await socket.send_str(_frame(HELLO, {"heartbeat_interval": self.heartbeat_interval}))
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    break
                payload = frame.json()
                if payload["op"] == HEARTBEAT:
                    await self._beat(socket)
                elif session is None and payload["op"] in {IDENTIFY, RESUME}:
                    session = await self._enter(socket, payload)
                    if session is not None:
                        sending = asyncio.create_task(_send(session.outbox, socket))
        finally:
            if sending is not None:
                sending.cancel()
            self._leave(socket, session)
        return socket

    async def _beat(self, socket: web.WebSocketResponse) -> None:
        self.heartbeats += 1
        self._changes.happened()
        if not self.is_silent:
            await socket.send_str(_frame(ACKNOWLEDGED, None))

    async def _enter(self, socket: web.WebSocketResponse, payload: dict[str, Any]) -> Session | None:
        if payload["op"] == RESUME:
            return await self._resume(socket, payload["d"])
        return await self._identify(socket, payload["d"])

    async def _identify(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> Session | None:
        self.identified.append(data)
        if (code := self._refusal(data)) is not None:
            self._changes.happened()
            await socket.close(code=code)
            return None
        shard_id, num_shards = data.get("shard", (0, 1))
        session = Session(secrets.token_hex(8), shard_id, num_shards, data["intents"], socket=socket)
        self.sessions[session.session_id] = session
        session.dispatch("READY", self._greeting(session, shards=data.get("shard")))
        for guild in self._guilds_of(session):
            session.dispatch("GUILD_CREATE", guild_event(guild, self._world.bot_in(guild)) | {"unavailable": False})
        self.ready += 1
        self._changes.happened()
        return session

    def _refusal(self, data: dict[str, Any]) -> int | None:
        """Return the code with which a connection is closed, if it is."""
        if self.close_code is not None:
            return self.close_code
        if data["token"] != self._token:
            return AUTHENTICATION_FAILED
        if any(data["intents"] & intent and not self.flags & allowed for intent, allowed in _PRIVILEGED):
            return INTENT_NOT_ENABLED
        shard_id, num_shards = data.get("shard", (0, 1))
        return None if 0 <= shard_id < num_shards else INVALID_SHARD

    async def _resume(self, socket: web.WebSocketResponse, data: dict[str, Any]) -> Session | None:
        self.resumed.append(data)
        session = self.sessions.get(data["session_id"])
        if data["token"] != self._token or session is None or data["seq"] > session.sequence:
            await socket.send_str(_frame(INVALID_SESSION, False))
            return None
        session.outbox, session.socket = asyncio.Queue(), socket
        session.replay(after=data["seq"])
        session.dispatch("RESUMED", {})
        self.ready += 1
        self._changes.happened()
        return session

    def _greeting(self, session: Session, *, shards: list[int] | None) -> Payload:
        greeting: Payload = {
            "v": 10,
            "user": user_payload(self._world.me),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in self._guilds_of(session)],
            "session_id": session.session_id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._world.me.id), "flags": self.flags},
        }
        return greeting if shards is None else greeting | {"shard": shards}

    def _guilds_of(self, session: Session) -> Iterator[Any]:
        for guild in self._world.guilds.values():
            if guild.has_bot and (guild.id >> 22) % session.num_shards == session.shard_id:
                yield guild

    def _leave(self, socket: web.WebSocketResponse, session: Session | None) -> None:
        """End a connection; a client that closes with 1000 or 1001 ends its session as well."""
        self._sockets.pop(socket, None)
        self.closed += 1
        if session is not None and session.socket is socket:  # else `drop` has closed it, or a later one took over
            session.socket = None
            if socket.close_code in {1000, 1001}:
                self.sessions.pop(session.session_id, None)
        self._changes.happened()

    def _tell(self, event: Event) -> None:
        for session in self.sessions.values():
            if session.takes(event) and self._is_shown(event.seen_in):
                session.dispatch(event.name, event.data())

    def _is_shown(self, channel: Channel | None) -> bool:
        return channel is None or self._world.sees(channel)


async def _send(outbox: asyncio.Queue[str], socket: web.WebSocketResponse) -> None:
    with suppress(ConnectionError):
        while not socket.closed:
            await socket.send_str(await outbox.get())


def _frame(operation: int, data: object) -> str:
    return orjson.dumps({"op": operation, "d": data}).decode()
