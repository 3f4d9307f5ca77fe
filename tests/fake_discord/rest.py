"""The REST API of the fake Discord."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from tests.fake_discord.errors import ApiError
from tests.fake_discord.gateway import Gateway
from tests.fake_discord.interactions import Interactions
from tests.fake_discord.limits import Limits
from tests.fake_discord.models import (
    HISTORY,
    MANAGE_MESSAGES,
    MANAGE_THREADS,
    SEND,
    Channel,
    Guild,
    Message,
    Thread,
    permissions_in,
)
from tests.fake_discord.payloads import (
    Payload,
    active_threads,
    channel_payload,
    guild_payload,
    member_payload,
    message_payload,
    role_payload,
    thread_member_payload,
    thread_payload,
    user_payload,
)
from tests.fake_discord.search import NOT_INDEXED, search
from tests.fake_discord.validation import check_message
from tests.fake_discord.waiting import Changes
from tests.fake_discord.world import World

API = "/api/v10"
_MOST_NOTED = 200_000  # requests
_LARGEST_PAGE = 100
_WITHOUT_TOKEN = ("/interactions/", "/webhooks/", "/attachments/", "/gateway/socket")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that was answered; `route` is such as GET /channels/{channel_id}/messages, `at` of the loop's clock."""

    route: str
    path: str
    status: int
    at: float


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` requests whose route and path contain these words.

    A fault without a `status` never answers. One of 429 has `retry_after`, in seconds, and is global or not.
    """

    words: str
    times: int
    status: int | None = 500
    retry_after: float = 0.0
    is_global: bool = False


class Rest:
    """Answers requests from what the world knows; notes all that it answered in `requests`."""

    def __init__(
        self,
        world: World,
        gateway: Gateway,
        interactions: Interactions,
        limits: Limits,
        changes: Changes,
        *,
        token: str,
    ) -> None:
        self._world = world
        self._gateway = gateway
        self._interactions = interactions
        self._limits = limits
        self._changes = changes
        self._token = token
        self.requests: deque[Request] = deque(maxlen=_MOST_NOTED)
        self.faults: list[Fault] = []

    # ---- what a test does

    def fail(self, words: str, *, status: int | None = 500, times: int = 1) -> None:
        """Let requests fail whose route and path contain some words; without a status they are never answered."""
        self.faults.append(Fault(words, times, status))

    def throttle(self, words: str, *, retry_after: float, is_global: bool = False, times: int = 1) -> None:
        """Answer requests with 429, whatever the limits say."""
        self.faults.append(Fault(words, times, 429, retry_after, is_global))

    def count(self, words: str, *, status: int | None = None) -> int:
        """Return how many requests were answered whose route and path contain some words, with any status or one."""
        return sum(
            words in f"{request.route} {request.path}" and status in {None, request.status} for request in self.requests
        )

    # ---- the protocol

    def app(self) -> web.Application:
        """Return the application, gateway included."""
        app = web.Application(middlewares=[self._answer], client_max_size=30 << 20)
        for method, path, handler in self._routes():
            app.router.add_route(method, API + path, handler)
        app.router.add_get("/attachments/{file_id}/{name}", self._file)
        app.router.add_get("/gateway/socket", self._gateway.connect)
        app.router.add_get("/gateway/socket/", self._gateway.connect)
        return app

    def _routes(self) -> list[tuple[str, str, Handler]]:
        messages, threads = "/channels/{channel_id}/messages", "/channels/{channel_id}/threads"
        message, reactions = messages + "/{message_id}", messages + "/{message_id}/reactions/{emoji}"
        commands, webhook = "/applications/{application_id}/commands", "/webhooks/{application_id}/{token}"
        guild_commands = "/applications/{application_id}/guilds/{guild_id}/commands"
        return [
            ("GET", "/users/@me", self._me),
            ("GET", "/users/@me/guilds", self._my_guilds),
            ("POST", "/users/@me/channels", self._open_direct_message),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/applications/@me", self._application),
            ("GET", "/gateway", self._gateway_url),
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", commands, self._published),
            ("PUT", commands, self._publish),
            ("GET", guild_commands, self._published),
            ("PUT", guild_commands, self._publish),
            ("GET", "/guilds/{guild_id}", self._show_guild),
            ("GET", "/guilds/{guild_id}/channels", self._channels),
            ("GET", "/guilds/{guild_id}/roles", self._roles),
            ("GET", "/guilds/{guild_id}/roles/member-counts", self._member_counts),
            ("GET", "/guilds/{guild_id}/threads/active", self._active),
            ("GET", "/guilds/{guild_id}/members/{user_id}", self._member),
            ("GET", "/guilds/{guild_id}/messages/search", self._search),
            ("GET", "/channels/{channel_id}", self._show_channel),
            ("POST", "/channels/{channel_id}/typing", self._typing),
            ("GET", messages, self._history),
            ("POST", messages, self._send),
            ("POST", messages + "/bulk-delete", self._delete_many),
            ("GET", message, self._show_message),
            ("PATCH", message, self._edit),
            ("DELETE", message, self._delete),
            ("GET", reactions, self._reacted),
            ("PUT", reactions + "/@me", self._react),
            ("DELETE", reactions + "/@me", self._unreact),
            ("GET", threads + "/archived/public", self._archived_public),
            ("GET", threads + "/archived/private", self._archived_private),
            ("GET", "/channels/{channel_id}/users/@me/threads/archived/private", self._archived_joined),
            ("GET", "/channels/{channel_id}/thread-members", self._thread_members),
            ("GET", "/channels/{channel_id}/thread-members/{user_id}", self._thread_member),
            ("POST", "/interactions/{interaction_id}/{token}/callback", self._callback),
            ("POST", webhook, self._follow_up),
            ("GET", webhook + "/messages/{message_id}", self._show_answer),
            ("PATCH", webhook + "/messages/{message_id}", self._edit_answer),
            ("DELETE", webhook + "/messages/{message_id}", self._delete_answer),
        ]

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/gateway/socket"):
            return await handler(request)
        route = _route_of(request)
        try:
            response = await self._judged(request, route, handler)
        except ApiError as error:
            response = _json({"message": error.message, "code": error.code}, status=error.status)
        except web.HTTPNotFound:
            response = _json({"message": "404: Not Found", "code": 0}, status=404)
        at = asyncio.get_running_loop().time()
        self.requests.append(Request(route, request.path, response.status, at))
        self._changes.happened()
        return response

    async def _judged(self, request: web.Request, route: str, handler: Handler) -> web.StreamResponse:
        """Answer a request, unless it fails, is refused, or comes too early."""
        if (fault := self._fault(f"{route} {request.path}")) is not None:
            return await _failed(fault)
        public = request.path.removeprefix(API).startswith(_WITHOUT_TOKEN)
        if not public and request.headers.get("Authorization") != f"Bot {self._token}":
            raise ApiError(401, 0, "401: Unauthorized")
        verdict = self._limits.judge(route, _major(request))
        if verdict.retry_after is not None:
            return _too_early(verdict.retry_after, is_global=verdict.is_global, headers=verdict.headers)
        try:
            response = await handler(request)
        except ApiError as error:
            response = _json({"message": error.message, "code": error.code}, status=error.status)
        response.headers.update(verdict.headers)
        return response

    def _fault(self, described: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.words in described:
                fault.times -= 1
                return fault
        return None

    # ---- the bot and its gateway

    async def _me(self, _: web.Request) -> web.Response:
        return _json(user_payload(self._world.me))

    async def _my_guilds(self, _: web.Request) -> web.Response:
        guilds = [guild for guild in self._world.guilds.values() if guild.has_bot]
        return _json([{"id": str(guild.id), "name": guild.name, "owner": False, "features": []} for guild in guilds])

    async def _open_direct_message(self, request: web.Request) -> web.Response:
        user = self._world.users.get(int((await request.json())["recipient_id"]))
        if user is None:
            raise ApiError(404, 10013, "Unknown User")
        return _json(channel_payload(self._world.direct_message(user)))

    async def _application(self, _: web.Request) -> web.Response:
        me = self._world.me
        application = {"id": str(me.id), "name": me.name, "icon": None, "description": "", "bot_public": False}
        more = {"bot_require_code_grant": False, "verify_key": "", "owner": user_payload(me), "team": None}
        return _json(application | more | {"flags": self._gateway.flags})

    async def _gateway_url(self, _: web.Request) -> web.Response:
        return _json({"url": self._gateway.url})

    async def _gateway_bot(self, _: web.Request) -> web.Response:
        starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return _json({"url": self._gateway.url, "shards": self._gateway.shards, "session_start_limit": starts})

    # ---- commands

    async def _published(self, request: web.Request) -> web.Response:
        return _json(self._commands_of(request))

    async def _publish(self, request: web.Request) -> web.Response:
        guild = self._guild(request) if "guild_id" in request.match_info else None
        ids = {"application_id": str(self._world.me.id), "version": "1"}
        described = [{"description": ""} | command for command in await request.json()]  # menus have none
        published = [command | ids | {"id": str(self._world.new_id())} for command in described]
        if guild is None:
            self._interactions.commands = published
        else:
            self._interactions.guild_commands[guild.id] = published
        return _json(published)

    def _commands_of(self, request: web.Request) -> list[Payload]:
        if "guild_id" not in request.match_info:
            return self._interactions.commands
        return self._interactions.guild_commands.get(self._guild(request).id, [])

    # ---- guilds

    async def _show_guild(self, request: web.Request) -> web.Response:
        guild = self._guild(request)
        return _json(guild_payload(guild, self._world.bot_in(guild)))

    async def _channels(self, request: web.Request) -> web.Response:
        guild = self._guild(request)
        return _json([channel_payload(channel) for channel in guild.channels.values() if self._world.sees(channel)])

    async def _roles(self, request: web.Request) -> web.Response:
        return _json([role_payload(role) for role in self._guild(request).roles.values()])

    async def _member_counts(self, request: web.Request) -> web.Response:
        guild = self._guild(request)
        counts = {
            role.id: sum(role.id in member.roles for member in guild.members.values()) for role in guild.roles.values()
        }
        return _json({str(role_id): count for role_id, count in counts.items() if role_id != guild.id})

    async def _active(self, request: web.Request) -> web.Response:
        guild = self._guild(request)
        me = self._world.bot_in(guild)
        threads = active_threads(guild.threads.values(), me)
        return _json({"threads": threads, "members": [thread["member"] for thread in threads if "member" in thread]})

    async def _member(self, request: web.Request) -> web.Response:
        member = self._guild(request).members.get(_id(request, "user_id"))
        if member is None:
            raise ApiError(404, 10007, "Unknown Member")
        return _json(member_payload(member))

    async def _search(self, request: web.Request) -> web.Response:
        guild = self._guild(request)
        if not guild.is_indexed:
            return _json(NOT_INDEXED, status=202)
        return _json(search(self._world, guild, request.query))

    def _guild(self, request: web.Request) -> Guild:
        """Return the guild of a request; raise ApiError when the bot is not in it."""
        guild = self._world.guilds.get(_id(request, "guild_id"))
        if guild is None:
            raise ApiError(404, 10004, "Unknown Guild")
        if not guild.has_bot:
            raise ApiError(403, 50001, "Missing Access")
        return guild

    # ---- channels and threads

    async def _show_channel(self, request: web.Request) -> web.Response:
        return _json(self._shown(self._channel(request)))

    async def _typing(self, request: web.Request) -> web.Response:
        self._channel(request, needs=SEND)
        return web.Response(status=204)

    async def _archived_public(self, request: web.Request) -> web.Response:
        channel = self._channel(request, needs=HISTORY)
        return self._archive(request, [thread for thread in _threads_of(channel) if not thread.is_private])

    async def _archived_private(self, request: web.Request) -> web.Response:
        channel = self._channel(request, needs=HISTORY | MANAGE_THREADS)
        return self._archive(request, [thread for thread in _threads_of(channel) if thread.is_private])

    async def _archived_joined(self, request: web.Request) -> web.Response:
        """Page through private threads that the bot has joined: by their ids, unlike the others."""
        channel, me = self._channel(request, needs=HISTORY), self._world.me.id
        before = int(request.query.get("before", 1 << 63))
        threads = [thread for thread in _threads_of(channel) if thread.is_private and me in thread.members]
        older = [thread for thread in threads if thread.archived and thread.id < before]
        return self._page_of_threads(request, sorted(older, key=lambda thread: thread.id, reverse=True))

    def _archive(self, request: web.Request, threads: list[Thread]) -> web.Response:
        before = _time(request, "before")
        archived = [(thread.archived_at, thread) for thread in threads if thread.archived and thread.archived_at]
        older = [(at, thread) for at, thread in archived if before is None or at < before]
        older.sort(key=lambda pair: (pair[0], pair[1].id), reverse=True)
        return self._page_of_threads(request, [thread for _, thread in older])

    def _page_of_threads(self, request: web.Request, threads: list[Thread]) -> web.Response:
        limit = _limit(request, usual=50)
        page = [self._shown(thread) for thread in threads[:limit]]
        members = [thread["member"] for thread in page if "member" in thread]
        return _json({"threads": page, "members": members, "has_more": len(threads) > limit})

    async def _thread_members(self, request: web.Request) -> web.Response:
        thread = self._thread(request)
        return _json([thread_member_payload(thread, user_id) for user_id in thread.members])

    async def _thread_member(self, request: web.Request) -> web.Response:
        thread, user_id = self._thread(request), _id(request, "user_id")
        if user_id not in thread.members:
            raise ApiError(404, 10007, "Unknown Member")
        return _json(thread_member_payload(thread, user_id))

    def _shown(self, channel: Channel) -> Payload:
        if isinstance(channel, Thread):
            return thread_payload(channel, member_id=self._world.me.id)
        return channel_payload(channel)

    def _thread(self, request: web.Request) -> Thread:
        channel = self._channel(request)
        if not isinstance(channel, Thread):
            raise ApiError(404, 10003, "Unknown Channel")
        return channel

    def _channel(self, request: web.Request, *, needs: int = 0) -> Channel:
        """Return the channel of a request; raise ApiError when the bot does not see it or may not do this there."""
        channel = self._world.channels.get(_id(request, "channel_id"))
        if channel is None:
            raise ApiError(404, 10003, "Unknown Channel")
        if not self._world.sees(channel):
            raise ApiError(403, 50001, "Missing Access")
        if needs & ~self._permissions(channel):
            raise ApiError(403, 50013, "Missing Permissions")
        return channel

    def _permissions(self, channel: Channel) -> int:
        guild = channel.guild
        return ~0 if guild is None else permissions_in(self._world.bot_in(guild), channel)

    # ---- messages

    async def _history(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        where = {name: int(request.query[name]) for name in ("before", "after", "around") if name in request.query}
        limit = _limit(request, usual=50)
        if not self._permissions(channel) & HISTORY:
            return _json([])  # as Discord does where the bot sees a channel, but not its past
        page = channel.page(limit=limit, **where)
        return _json([self._written(message) for message in page])

    async def _show_message(self, request: web.Request) -> web.Response:
        return _json(self._written(self._message(request)))

    def _with_nonce(self, channel: Channel, nonce: object) -> Message | None:
        """Return what the bot has sent before with a nonce that it wants to be taken once; Discord knows the newest."""
        mine = (message for message in channel.messages.values() if message.author is self._world.me)
        return next((message for message in mine if message.fields.get("nonce") == nonce), None)

    async def _send(self, request: web.Request) -> web.Response:
        channel, body = self._channel(request, needs=SEND), await _body(request)
        check_message(body)
        fields = _kept(body)
        if body.get("enforce_nonce") and (known := self._with_nonce(channel, body["nonce"])) is not None:
            return _json(self._written(known))
        if (reference := fields.get("message_reference")) is not None:
            fields["type"] = 19
            replied = channel.messages.get(int(reference["message_id"]))
            fields["referenced_message"] = None if replied is None else self._written(replied)
        message = self._world.say(channel, body.get("content") or "", author=self._world.me, **fields)
        return _json(self._written(message))

    async def _edit(self, request: web.Request) -> web.Response:
        message, body = self._message(request), await _body(request)
        if message.author is not self._world.me:
            raise ApiError(403, 50005, "Cannot edit a message authored by another user")
        if isinstance(message.channel, Thread) and message.channel.archived:
            raise ApiError(400, 50083, "Thread is archived")
        check_message(body, flags=message.flags)
        self._world.edit(message, body.get("content", message.content) or "", **_kept(body))
        return _json(self._written(message))

    async def _delete(self, request: web.Request) -> web.Response:
        message = self._message(request)
        if message.author is not self._world.me and not self._permissions(message.channel) & MANAGE_MESSAGES:
            raise ApiError(403, 50013, "Missing Permissions")
        self._world.delete(message)
        return web.Response(status=204)

    async def _delete_many(self, request: web.Request) -> web.Response:
        channel = self._channel(request, needs=MANAGE_MESSAGES)
        ids = [int(message_id) for message_id in (await request.json())["messages"]]
        self._world.delete_many([channel.messages[message_id] for message_id in ids if message_id in channel.messages])
        return web.Response(status=204)

    async def _reacted(self, request: web.Request) -> web.Response:
        users = self._message(request).reactions.get(request.match_info["emoji"], {})
        return _json([user_payload(self._world.users[user_id]) for user_id in users])

    async def _react(self, request: web.Request) -> web.Response:
        self._world.react(self._message(request), request.match_info["emoji"], self._world.me)
        return web.Response(status=204)

    async def _unreact(self, request: web.Request) -> web.Response:
        self._world.unreact(self._message(request), request.match_info["emoji"], self._world.me)
        return web.Response(status=204)

    async def _file(self, request: web.Request) -> web.Response:
        file = self._world.files.get(_id(request, "file_id"))
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, headers={"Content-Type": file.content_type})

    def _message(self, request: web.Request) -> Message:
        """Return the message of a request; raise ApiError."""
        message = self._channel(request, needs=HISTORY).messages.get(_id(request, "message_id"))
        if message is None:
            raise ApiError(404, 10008, "Unknown Message")
        return message

    def _written(self, message: Message) -> Payload:
        return message_payload(message, self._world.me.id)

    # ---- interactions

    async def _callback(self, request: web.Request) -> web.Response:
        interaction_id, token = _id(request, "interaction_id"), request.match_info["token"]
        said = self._interactions.answer(interaction_id, token, await _body(request))
        return _json(said) if request.query.get("with_response") in {"1", "true"} else web.Response(status=204)

    async def _follow_up(self, request: web.Request) -> web.Response:
        message = self._interactions.follow_up(request.match_info["token"], await _body(request))
        return _json(self._written(message))

    async def _show_answer(self, request: web.Request) -> web.Response:
        return _json(self._written(self._interactions.message(**_of_answer(request))))

    async def _edit_answer(self, request: web.Request) -> web.Response:
        message = self._interactions.edit(**_of_answer(request), body=await _body(request))
        return _json(self._written(message))

    async def _delete_answer(self, request: web.Request) -> web.Response:
        self._interactions.delete(**_of_answer(request))
        return web.Response(status=204)


def _json(data: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Answer as Discord does: discord.py reads JSON only under this very content type, without a charset."""
    return web.Response(
        body=orjson.dumps(data), status=status, headers={"Content-Type": "application/json", **(headers or {})}
    )


async def _failed(fault: Fault) -> web.Response:
    if fault.status is None:
        await asyncio.Event().wait()
    if fault.status == 429:
        return _too_early(fault.retry_after, is_global=fault.is_global)
    forbidden = fault.status is not None and fault.status < 500
    body = (
        {"message": "Missing Access", "code": 50001} if forbidden else {"message": "Internal Server Error", "code": 0}
    )
    return _json(body, status=fault.status or 500)


def _too_early(retry_after: float, *, is_global: bool, headers: dict[str, str] | None = None) -> web.Response:
    """Answer 429: discord.py takes one without Via for a ban, and the body has to be in this form."""
    seconds = round(retry_after + 0.0005, 3)
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": is_global}
    scope = {"Via": "1.1 fake", "Retry-After": str(seconds), "X-RateLimit-Scope": "global" if is_global else "user"}
    return _json(body, status=429, headers={**scope, **(headers or {})})


def _route_of(request: web.Request) -> str:
    resource = request.match_info.route.resource
    path = request.path if resource is None else resource.canonical
    return f"{request.method} {path.removeprefix(API)}"


def _major(request: web.Request) -> str:
    """Return what a rate limit is counted by beside the route."""
    parts = (request.match_info.get(name) for name in ("channel_id", "guild_id", "token"))
    return "+".join(part for part in parts if part)


def _id(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    if not text.isdecimal() or len(text) > 20:
        raise ApiError(400, 50035, "Invalid Form Body")
    return int(text)


def _limit(request: web.Request, *, usual: int) -> int:
    limit = int(request.query.get("limit", usual))
    if not 1 <= limit <= _LARGEST_PAGE:
        raise ApiError(400, 50035, "Invalid Form Body")
    return limit


def _time(request: web.Request, name: str) -> datetime | None:
    text = request.query.get(name)
    return datetime.fromisoformat(text) if text else None


def _threads_of(channel: Channel) -> list[Thread]:
    assert channel.guild is not None
    return [thread for thread in channel.guild.threads.values() if thread.parent is channel]


async def _body(request: web.Request) -> Payload:
    """Return the JSON of a request; files that come with it are left out."""
    if request.content_type == "application/json":
        return dict(await request.json())
    form = await request.post()
    return dict(orjson.loads(str(form.get("payload_json", "{}"))))


def _kept(body: Payload) -> dict[str, Any]:
    names = ("embeds", "components", "flags", "poll", "message_reference", "nonce")
    return {name: body[name] for name in names if body.get(name) is not None}


def _of_answer(request: web.Request) -> dict[str, str]:
    return {"token": request.match_info["token"], "message_id": request.match_info["message_id"]}
