"""Stand-ins for what surrounds the Discord front end: its services, and Discord's own wire."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from yarl import URL

from agent.types import Answer, Question
from bot.services import Services
from errors import JournalUnavailableError
from memory.message import Kind, Message
from tests.fakes_guild_settings import FakeGuildSettings
from tests.fakes_time_zones import FakeTimeZones

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


class FakeRecorder:
    """Remembers what it was told to keep, in order."""

    def __init__(self, *, settles: bool = True) -> None:
        self.messages: list[Message] = []
        self.news: asyncio.Queue[Message] = asyncio.Queue()
        self.refuses: set[Kind] = set()
        """What cannot be written down just now."""
        self.patience: timedelta | None = None
        """How long the last command may wait for that."""
        self._settles = settles

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        if message.kind is Kind.COMMAND:
            self.patience = patience
        if message.kind in self.refuses:
            raise JournalUnavailableError("demo.csv: No space left on device")
        self.messages.append(message)
        self.news.put_nowait(message)

    async def settle(self, *, timeout: timedelta) -> bool:
        return self._settles

    def of_kind(self, kind: Kind) -> list[Message]:
        return [message for message in self.messages if message.kind is kind]


class FakeAsker:
    """Gives one answer, or raises one error, to every question; thinks for ever when given a `hold`."""

    def __init__(self, reply: Answer | Exception | Callable[[Question], Answer]) -> None:
        self.reply = reply
        self.questions: list[Question] = []
        self.hold: Callable[[Awaitable[object]], Awaitable[object]] | None = None

    async def ask(self, question: Question) -> Answer:
        self.questions.append(question)
        if self.hold is not None:
            await self.hold(asyncio.Event().wait())
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply if isinstance(self.reply, Answer) else self.reply(question)


async def about() -> str:
    return "Session **test**, 3 messages."


def services(
    recorder: FakeRecorder,
    asker: FakeAsker,
    time_zones: FakeTimeZones | None = None,
    guild_settings: FakeGuildSettings | None = None,
) -> Services:
    """Return what a bot needs, at a fixed time in Paris."""
    return Services(
        recorder=recorder,
        asker=asker,
        about=about,
        session="test_2026-11-03_1",
        time_zones=time_zones or FakeTimeZones(),
        guild_settings=guild_settings or FakeGuildSettings(),
        time_zone=ZoneInfo("Europe/Paris"),
        clock=lambda: NOW,
    )


USER_ID, GUILD_ID, CHANNEL_ID = 700000000000000001, 700000000000000002, 700000000000000003
GOOD_TOKEN = "good"

HELLO, DISPATCH, HEARTBEAT, IDENTIFY, ACKNOWLEDGED = 10, 0, 1, 2, 11  # gateway operations

_BOT_USER = {
    "id": str(USER_ID),
    "username": "backscroll",
    "discriminator": "0",
    "avatar": None,
    "global_name": None,
    "bot": True,
}
_GUILD = {
    "id": str(GUILD_ID),
    "name": "Guild",
    "owner_id": str(USER_ID + 8),
    "member_count": 2,
    "members": [],
    "threads": [],
    "emojis": [],
    "stickers": [],
    "roles": [{"id": str(GUILD_ID), "name": "@everyone", "permissions": "66560", "position": 0}],
    "channels": [
        {"id": str(CHANNEL_ID), "type": 0, "name": "general", "position": 0, "permission_overwrites": []},
    ],
}


@dataclass
class FakeDiscord:
    """Discord's REST and gateway on the loopback, as far as logging in and listening need them.

    A gateway given a `close_code` closes with it when a bot identifies itself; the application has these `flags`.
    `posts` are messages that can be deleted, unless they are `kept`, by the status that Discord then answers with.
    """

    close_code: int | None = None
    in_guild: bool = True
    flags: int = 0
    identified: list[dict[str, Any]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    posts: set[tuple[int, int]] = field(default_factory=set)
    kept: dict[int, int] = field(default_factory=dict)
    hung: set[int] = field(default_factory=set)
    rest_url: str = ""
    gateway_url: URL = field(default_factory=URL)
    refusals: int = 0
    welcomed: asyncio.Event = field(default_factory=asyncio.Event)
    published_in_guild: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    _socket: web.WebSocketResponse | None = None
    _sequence: int = 0

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which a script logs in here."""
        return {
            "DISCORD_TOKEN": GOOD_TOKEN,
            "DISCORD_API_BASE": self.rest_url,
            "DISCORD_GATEWAY_URL": str(self.gateway_url),
        }

    def app(self) -> web.Application:
        """Return the web application that answers at `rest_url` and `gateway_url`."""
        app = web.Application()
        app.router.add_get("/users/@me", self._me)
        app.router.add_get("/oauth2/applications/@me", self._application)
        app.router.add_put("/applications/{application_id}/commands", self._publish)
        app.router.add_put(f"/applications/{{application_id}}/guilds/{GUILD_ID}/commands", self._publish_in_guild)
        app.router.add_get(f"/guilds/{GUILD_ID}", self._show_guild)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_delete("/channels/{channel_id}/messages/{message_id}", self._delete)
        return app

    async def invite(self) -> None:
        """Let the connected bot into the guild."""
        self.in_guild = True
        await self._dispatch("GUILD_CREATE", _GUILD)

    async def say(self, message_id: int, text: str, **fields: object) -> None:
        """Send a message of a member called Ana to the connected bot, with these fields changed or added."""
        author = {"id": str(USER_ID + 9), "username": "ana", "discriminator": "0", "avatar": None}
        await self._dispatch(
            "MESSAGE_CREATE",
            {
                "id": str(message_id),
                "channel_id": str(CHANNEL_ID),
                "guild_id": str(GUILD_ID),
                "author": author | {"global_name": "Ana"},
                "content": text,
                "timestamp": "2026-11-03T14:00:00+00:00",
                "edited_timestamp": None,
                "type": 0,
                "tts": False,
                "mention_everyone": False,
                "pinned": False,
                "mentions": [],
                "mention_roles": [],
                "attachments": [],
                "embeds": [],
            }
            | fields,
        )

    async def send(self, frame: str) -> None:
        """Send the connected bot a frame as it is."""
        assert self._socket is not None, "no bot is connected"
        self.welcomed.clear()
        await self._socket.send_str(frame)

    async def _me(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bot {GOOD_TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        return _json(_BOT_USER)

    async def _application(self, _: web.Request) -> web.Response:
        return _json(
            {
                "id": str(USER_ID),
                "name": "backscroll",
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "",
                "owner": _BOT_USER,
                "team": None,
                "flags": self.flags,
            }
        )

    async def _show_guild(self, _: web.Request) -> web.Response:
        return _json(_GUILD) if self.in_guild else _json({"message": "Missing Access", "code": 50001}, status=403)

    async def _publish(self, request: web.Request) -> web.Response:
        self.published = await request.json()
        ids = {"application_id": str(USER_ID), "version": "1"}
        return _json([command | ids | {"id": str(n + 1)} for n, command in enumerate(self.published)])

    async def _publish_in_guild(self, request: web.Request) -> web.Response:
        if not self.in_guild:
            self.refusals += 1
            return _json({"message": "Missing Access", "code": 50001}, status=403)
        self.published_in_guild.set()
        return await self._publish(request)

    async def _delete(self, request: web.Request) -> web.Response:
        post = int(request.match_info["channel_id"]), int(request.match_info["message_id"])
        if post[1] in self.hung:
            await asyncio.Event().wait()
        if post[1] in self.kept:
            return _json({"message": "Missing Access", "code": 50001}, status=self.kept[post[1]])
        if post not in self.posts:
            return _json({"message": "Unknown Message", "code": 10008}, status=404)
        self.posts.remove(post)
        return web.Response(status=204)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = self._socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": 45_000}})
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await self._answer(socket, frame.json())
        self.left.set()
        return socket

    async def _answer(self, socket: web.WebSocketResponse, payload: dict[str, Any]) -> None:
        if payload["op"] == HEARTBEAT:
            await socket.send_json({"op": ACKNOWLEDGED})
        elif payload["op"] == IDENTIFY:
            self.identified.append(payload["d"])
            await self._welcome(socket)

    async def _welcome(self, socket: web.WebSocketResponse) -> None:
        if self.close_code is not None:
            await socket.close(code=self.close_code)
            return
        application = {"id": str(USER_ID), "flags": 0}
        session = {"v": 10, "session_id": "s", "resume_gateway_url": str(self.gateway_url), "guilds": []}
        await self._dispatch("READY", session | {"user": _BOT_USER, "application": application})
        if self.in_guild:
            await self._dispatch("GUILD_CREATE", _GUILD)
        self.welcomed.set()

    async def _dispatch(self, event: str, data: dict[str, Any]) -> None:
        assert self._socket is not None, "no bot is connected"
        self._sequence += 1
        await self._socket.send_json({"op": DISPATCH, "t": event, "s": self._sequence, "d": data})


def _json(data: object, *, status: int = 200) -> web.Response:
    """Answer as Discord does: discord.py reads JSON only under this very content type, without a charset."""
    headers = {"Content-Type": "application/json"}
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


@asynccontextmanager
async def open_fake_discord(
    *, close_code: int | None = None, in_guild: bool = True, flags: int = 0
) -> AsyncGenerator[FakeDiscord]:
    """Yield a Discord that listens on a free port of the loopback."""
    discord = FakeDiscord(close_code=close_code, in_guild=in_guild, flags=flags)
    async with TestServer(discord.app()) as server:
        discord.rest_url = str(server.make_url("")).rstrip("/")
        discord.gateway_url = server.make_url("/gateway").with_scheme("ws")
        yield discord
