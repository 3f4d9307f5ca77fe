"""Slash commands, menus and buttons that members of the fake Discord use, and what the bot answers."""

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fake_discord.errors import ApiError
from tests.fake_discord.models import EPHEMERAL, LOADING, Channel, Member, Message, permissions_in
from tests.fake_discord.payloads import Payload, interaction_channel, member_payload, message_payload, user_payload
from tests.fake_discord.validation import check_message
from tests.fake_discord.waiting import Changes
from tests.fake_discord.world import World

ACKNOWLEDGE_WITHIN = 3.0  # seconds
TOKEN_LIVES = 15 * 60.0  # seconds

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
"""Types of interactions."""

_MESSAGE, _DEFERRED, _DEFERRED_UPDATE, _UPDATE = 4, 5, 6, 7  # types of answers
_SUBCOMMAND = 1
_CHANNEL_OPTION = 7
_OPTION_TYPES: dict[type, int] = {str: 3, int: 4, bool: 5, float: 10}


@dataclass(slots=True, eq=False)
class Interaction:
    """What a member did, and what came of it.

    `acknowledged_after` and `answered_after` are in seconds. `original` is the bot's first answer, `shown` all the
    texts that it had in turn, `follow_ups` are the answers after it; `callback` is what the bot acknowledged with.
    """

    id: int
    token: str
    channel: Channel
    member: Member
    sent: float
    message: Message | None = None
    acknowledged_after: float | None = None
    answered_after: float | None = None
    callback: Payload | None = None
    original: Message | None = None
    shown: list[str] = field(default_factory=list)
    follow_ups: list[Message] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer with something in it."""
        return self.original is not None and not self.original.flags & LOADING

    @property
    def shows_step(self) -> bool:
        """Whether the first answer tells what is being done for it: an answer that takes longer says so meanwhile."""
        *_, last = self.text.splitlines() or [""]
        return last.startswith("-# ") and not last.startswith("-# [[") and last.endswith(" …")

    @property
    def text(self) -> str:
        """What the first answer says now."""
        return "" if self.original is None else self.original.text

    def messages(self) -> Iterator[Message]:
        """Yield all answers."""
        yield from filter(None, [self.original])
        yield from self.follow_ups


class Interactions:
    """Sends interactions to the bot and takes its answers."""

    def __init__(self, world: World, changes: Changes) -> None:
        self._world = world
        self._changes = changes
        self.commands: list[Payload] = []
        """The commands that the bot has published for all guilds."""
        self.guild_commands: dict[int, list[Payload]] = {}
        self.by_token: dict[str, Interaction] = {}
        self.too_late = False
        """Whether every answer counts as one after the three seconds."""

    # ---- what a member does

    def use(
        self, channel: Channel, member: Member, command: str, /, **options: str | int | bool | float | Channel
    ) -> Interaction:
        """Let a member use a slash command, such as "chat" or, of a group, "remember backfill"."""
        published = self._published(channel, command.split()[0])
        written: list[Payload] = [_option(name, it) for name, it in options.items()]
        named = [it for it in options.values() if isinstance(it, Channel)]
        for name in reversed(command.split()[1:]):
            written = [{"name": name, "type": _SUBCOMMAND, "options": written}]
        data = {"id": published["id"], "name": published["name"], "type": 1, "options": written}
        if named:
            data["resolved"] = {"channels": {str(one.id): interaction_channel(one, member) for one in named}}
        return self._send(channel, member, COMMAND, data)

    def use_on(self, message: Message, member: Member, command: str) -> Interaction:
        """Let a member use a command of the menu of a message."""
        published = self._published(message.channel, command)
        target = {str(message.id): message_payload(message, self._world.me.id)}
        data = {"id": published["id"], "name": command, "type": 3, "target_id": str(message.id)}
        return self._send(message.channel, member, COMMAND, data | {"resolved": {"messages": target}})

    def click(self, message: Message, member: Member, custom_id: str) -> Interaction:
        """Let a member press a button."""
        return self._send(message.channel, member, COMPONENT, {"custom_id": custom_id, "component_type": 2}, message)

    async def acknowledged(self, interaction: Interaction) -> float:
        """Wait until the bot has acknowledged an interaction; return how many seconds it took."""
        await self._changes.until(lambda: interaction.acknowledged_after is not None)
        assert interaction.acknowledged_after is not None
        return interaction.acknowledged_after

    async def answered(self, interaction: Interaction) -> str:
        """Wait until the bot has answered, and shows no step any more; return the text."""
        await self._changes.until(lambda: interaction.is_answered and not interaction.shows_step, timeout=60)
        return interaction.text

    def _published(self, channel: Channel, name: str) -> Payload:
        own = self.guild_commands.get(channel.guild.id, []) if channel.guild else []
        for command in [*own, *self.commands]:
            if command["name"] == name:
                return command
        raise LookupError(f"the bot has not published {name}")

    def _send(
        self, channel: Channel, member: Member, kind: int, data: Mapping[str, Any], message: Message | None = None
    ) -> Interaction:
        world, guild = self._world, channel.guild
        interaction = Interaction(world.new_id(), secrets.token_hex(16), channel, member, time.monotonic(), message)
        self.by_token[interaction.token] = interaction
        mine = permissions_in(world.bot_in(guild), channel) if guild else 0
        payload: Payload = {
            "id": str(interaction.id),
            "application_id": str(world.me.id),
            "type": kind,
            "data": dict(data) if guild is None else {**data, "guild_id": str(guild.id)},
            "channel_id": str(channel.id),
            "channel": interaction_channel(channel, member if guild else None),
            "token": interaction.token,
            "version": 1,
            "app_permissions": str(mine),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 1 if guild is None else 0,
            "attachment_size_limit": 10_485_760,
        }
        if guild is None:
            payload["user"] = user_payload(member.user)
        else:
            rights = {"permissions": str(permissions_in(member, channel))}
            payload |= {"guild_id": str(guild.id), "guild_locale": "en-US", "member": member_payload(member) | rights}
        if message is not None:
            payload["message"] = message_payload(message, world.me.id)
        world.emit("INTERACTION_CREATE", payload, guild=guild)
        return interaction

    # ---- what the bot answers

    def answer(self, interaction_id: int, token: str, body: Payload) -> Payload:
        """Take the first answer; return what Discord says of it; raise ApiError for one too late or too many."""
        interaction = self.by_token.get(token)
        waited = 0.0 if interaction is None else time.monotonic() - interaction.sent
        if interaction is None or interaction.id != interaction_id or waited > ACKNOWLEDGE_WITHIN or self.too_late:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.acknowledged_after is not None:
            raise ApiError(400, 40060, "Interaction has already been acknowledged.")
        data = body.get("data") or {}
        if body["type"] in {_MESSAGE, _UPDATE}:
            check_message(data)
        interaction.acknowledged_after, interaction.callback = waited, body
        if body["type"] in {_MESSAGE, _DEFERRED}:
            flags = data.get("flags", 0) | (LOADING if body["type"] == _DEFERRED else 0)
            interaction.original = self._post(interaction, data | {"flags": flags})
            if body["type"] == _MESSAGE:
                self._has_shown(interaction, interaction.original)
        elif body["type"] in {_DEFERRED_UPDATE, _UPDATE}:
            interaction.original = interaction.message
            if body["type"] == _UPDATE:
                self._change(interaction, data)
        self._changes.happened()
        return self._said_of(interaction, body["type"])

    def follow_up(self, token: str, body: Payload) -> Message:
        """Take a further answer; the first one after a deferral takes the place of the waiting message."""
        interaction = self.of(token)
        if interaction.original is not None and interaction.original.flags & LOADING:
            self._change(interaction, body)
            return interaction.original
        check_message(body)
        message = self._post(interaction, body)
        interaction.follow_ups.append(message)
        self._changes.happened()
        return message

    def of(self, token: str) -> Interaction:
        """Return the acknowledged interaction of a token that still lives; raise ApiError."""
        interaction = self.by_token.get(token)
        if interaction is None or time.monotonic() - interaction.sent > TOKEN_LIVES:
            raise ApiError(401, 50027, "Invalid Webhook Token")
        if interaction.acknowledged_after is None:
            raise ApiError(404, 10015, "Unknown Webhook")
        return interaction

    def message(self, token: str, message_id: str) -> Message:
        """Return an answer by its id, or the first one, `@original`; raise ApiError."""
        interaction = self.of(token)
        for message in interaction.messages():
            if message_id == str(message.id) or (message_id == "@original" and message is interaction.original):
                return message
        raise ApiError(404, 10008, "Unknown Message")

    def edit(self, token: str, message_id: str, body: Payload) -> Message:
        """Change an answer."""
        interaction, message = self.of(token), self.message(token, message_id)
        check_message(body, flags=message.flags)
        if message is interaction.original:
            self._change(interaction, body)
        else:
            self._world.edit(message, body.get("content"), **_fields(body))
        return message

    def delete(self, token: str, message_id: str) -> None:
        """Delete an answer."""
        interaction, message = self.of(token), self.message(token, message_id)
        if not message.is_ephemeral:
            self._world.delete(message)
        if message is interaction.original:
            interaction.original = None
        else:
            interaction.follow_ups.remove(message)
        self._changes.happened()

    def _post(self, interaction: Interaction, body: Payload) -> Message:
        command = {"id": str(interaction.id), "type": 2, "user": user_payload(interaction.member.user)}
        fields = _fields(body) | {
            "type": 20,
            "application_id": str(self._world.me.id),
            "webhook_id": str(self._world.me.id),
            "interaction_metadata": command | {"authorizing_integration_owners": {}},
        }
        content = body.get("content") or ""
        world = self._world
        at = world.clock()
        message = Message(world.new_id(at), interaction.channel, world.me, content, at, fields=fields)
        world.send(message)
        return message

    def _change(self, interaction: Interaction, body: Payload) -> None:
        """Change the first answer; what ends the waiting is no edit to Discord."""
        message = interaction.original
        if message is None:
            raise ApiError(404, 10008, "Unknown Message")
        flags = message.flags & (LOADING | EPHEMERAL) | body.get("flags", message.flags)
        fields = _fields(body) | {"flags": flags & ~LOADING}
        if message.flags & LOADING:
            message.content = body.get("content") or ""
            self._world.edit(message, None, **fields)
        else:
            self._world.edit(message, body.get("content", message.content) or "", **fields)
        self._has_shown(interaction, message)
        self._changes.happened()

    def _has_shown(self, interaction: Interaction, message: Message) -> None:
        interaction.shown.append(message.text)
        if interaction.answered_after is None:
            interaction.answered_after = time.monotonic() - interaction.sent

    def _said_of(self, interaction: Interaction, kind: int) -> Payload:
        message = interaction.original
        said: Payload = {"id": str(interaction.id), "type": COMMAND}
        if message is None:
            return {"interaction": said}
        said |= {
            "response_message_id": str(message.id),
            "response_message_loading": bool(message.flags & LOADING),
            "response_message_ephemeral": message.is_ephemeral,
        }
        return {"interaction": said, "resource": {"type": kind, "message": message_payload(message, self._world.me.id)}}


def _fields(body: Payload) -> Payload:
    """Return what of a sent message is kept as it is."""
    kept = ("embeds", "components", "flags", "poll", "attachments", "message_reference", "nonce")
    return {name: body[name] for name in kept if body.get(name) is not None}


def _option(name: str, value: str | int | bool | float | Channel) -> Payload:
    if isinstance(value, Channel):
        return {"name": name, "type": _CHANNEL_OPTION, "value": str(value.id)}
    return {"name": name, "type": _OPTION_TYPES[type(value)], "value": value}
