"""Write what the fake Discord knows as Discord's API does."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tests.fake_discord.models import (
    CATEGORY,
    DM,
    FORUM,
    MEDIA,
    VIEW,
    Channel,
    Guild,
    Member,
    Message,
    Role,
    Thread,
    User,
    may_see,
    permissions_in,
)

HIDDEN_NAME = "___hidden___"
HIDDEN_FLAG = 1 << 17
"""What the gateway shows of a channel that the bot may not see."""

_MENTION = re.compile(r"<@!?(\d{1,20})>")

Payload = dict[str, Any]


def time_text(moment: datetime) -> str:
    """Return a time in the form of Discord's API."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).isoformat()


@lru_cache(maxsize=4096)
def user_payload(user: User) -> Payload:
    """Return an account; every caller gets the same dictionary."""
    return {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0",
        "global_name": user.display_name,
        "avatar": None,
        "bot": user.is_bot,
    }


def member_payload(member: Member, *, with_user: bool = True) -> Payload:
    """Return a member of a guild."""
    payload: Payload = {
        "nick": member.nick,
        "avatar": None,
        "roles": [str(role_id) for role_id in member.roles],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }
    return payload | {"user": user_payload(member.user)} if with_user else payload


def role_payload(role: Role) -> Payload:
    """Return a role."""
    tags: Payload = {} if role.bot_id is None else {"tags": {"bot_id": str(role.bot_id)}}
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.bot_id is not None,
        "mentionable": False,
        "flags": 0,
    } | tags


def channel_payload(channel: Channel) -> Payload:
    """Return a channel or thread in full; leaves out `guild_id` where there is none."""
    if isinstance(channel, Thread):
        return thread_payload(channel)
    if channel.kind == DM:
        recipient = channel.recipient
        people = [user_payload(recipient)] if recipient else []
        return {"id": str(channel.id), "type": DM, "recipients": people, "last_message_id": _id(channel)}
    payload: Payload = {
        "id": str(channel.id),
        "guild_id": str(channel.guild.id) if channel.guild else None,
        "type": channel.kind,
        "name": channel.name,
        "position": channel.position,
        "parent_id": str(channel.parent.id) if channel.parent else None,
        "permission_overwrites": [
            {"id": str(target), "type": kind, "allow": str(overwrite.allow), "deny": str(overwrite.deny)}
            for target, (kind, overwrite) in channel.overwrites.items()
        ],
        "nsfw": False,
        "flags": 0,
    }
    if channel.kind != CATEGORY:
        payload |= {"topic": None, "last_message_id": _id(channel), "rate_limit_per_user": 0}
    if channel.kind in {FORUM, MEDIA}:
        payload |= {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
        payload |= {"default_forum_layout": 0}
    return payload | channel.fields


def hidden_channel_payload(channel: Channel) -> Payload:
    """Return what the gateway shows of a channel that the bot may not see: its id, its type and its position."""
    assert channel.guild is not None
    guild_id = str(channel.guild.id)
    return {
        "id": str(channel.id),
        "guild_id": guild_id,
        "type": channel.kind,
        "name": HIDDEN_NAME,
        "position": channel.position,
        "parent_id": None,
        "topic": None,
        "last_message_id": None,
        "permission_overwrites": [{"id": guild_id, "type": 0, "allow": "0", "deny": str(VIEW)}],
        "nsfw": False,
        "flags": HIDDEN_FLAG,
    } | ({"available_tags": []} if channel.kind in {FORUM, MEDIA} else {})


def thread_payload(thread: Thread, *, member_id: int | None = None) -> Payload:
    """Return a thread, with the membership of a user who has joined it."""
    assert thread.guild is not None
    created = thread.created_at or datetime.now(UTC)
    payload: Payload = {
        "id": str(thread.id),
        "guild_id": str(thread.guild.id),
        "parent_id": str(thread.home.id),
        "owner_id": str(thread.owner_id),
        "type": thread.kind,
        "name": thread.name,
        "last_message_id": _id(thread),
        "message_count": len(thread.messages),
        "total_message_sent": len(thread.messages),
        "member_count": len(thread.members),
        "rate_limit_per_user": 0,
        "flags": 0,
        "applied_tags": [str(tag) for tag in thread.tags],
        "thread_metadata": {
            "archived": thread.archived,
            "auto_archive_duration": 10080,
            "archive_timestamp": time_text(thread.archived_at or created),
            "create_timestamp": time_text(created),
            "locked": thread.locked,
        }
        | ({"invitable": True} if thread.is_private else {}),
    } | thread.fields
    if member_id in thread.members:
        payload["member"] = thread_member_payload(thread, member_id)
    return payload


def thread_member_payload(thread: Thread, user_id: int) -> Payload:
    """Return the membership of a user in a thread."""
    joined_at = time_text(thread.members[user_id])
    return {"id": str(thread.id), "user_id": str(user_id), "join_timestamp": joined_at, "flags": 0}


def message_payload(message: Message, viewer_id: int) -> Payload:
    """Return a message as REST shows it, without its guild."""
    payload: Payload = {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "author": user_payload(message.author),
        "content": message.content,
        "timestamp": time_text(message.sent_at),
        "edited_timestamp": time_text(message.edited_at) if message.edited_at else None,
        "type": 0,
        "tts": False,
        "mention_everyone": False,
        "pinned": False,
        "mentions": _mentions(message),
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "components": [],
        "flags": 0,
    }
    if message.reactions:
        payload["reactions"] = [_reaction(emoji, users, viewer_id) for emoji, users in message.reactions.items()]
    payload.update(message.fields)
    return payload


def message_event(message: Message, viewer_id: int) -> Payload:
    """Return a message as the gateway shows it, with its guild and the member who wrote it."""
    payload = message_payload(message, viewer_id)
    guild = message.channel.guild
    if guild is not None:
        payload["guild_id"] = str(guild.id)
        author = guild.members.get(message.author.id)
        if author is not None and "webhook_id" not in payload:
            payload["member"] = member_payload(author, with_user=False)
    return payload


def without_content(payload: Payload) -> Payload:
    """Return what is left of a message for a bot without the message content intent."""
    return payload | {"content": "", "embeds": [], "attachments": [], "components": []}


def guild_payload(guild: Guild, me: Member) -> Payload:
    """Return a guild as REST shows it."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner.id),
        "icon": None,
        "splash": None,
        "banner": None,
        "description": None,
        "features": [],
        "emojis": [],
        "stickers": [],
        "preferred_locale": "en-US",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "roles": [role_payload(role) for role in guild.roles.values()],
    }


def guild_event(guild: Guild, me: Member) -> Payload:
    """Return a guild as GUILD_CREATE shows it to the bot: hidden channels without their names, visible threads.

    One that the bot was in before it connected is also said to be not `unavailable`.
    """
    channels = [
        channel_payload(channel) if may_see(me, channel) else hidden_channel_payload(channel)
        for channel in guild.channels.values()
    ]
    return guild_payload(guild, me) | {
        "joined_at": "2026-01-01T00:00:00+00:00",
        "large": len(guild.members) > 250,
        "member_count": len(guild.members),
        "members": [member_payload(me)],
        "channels": channels,
        "threads": active_threads(guild.threads.values(), me),
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def active_threads(threads: Iterable[Thread], me: Member) -> list[Payload]:
    """Return those threads that are not archived and that the bot sees."""
    return [
        thread_payload(thread, member_id=me.id) for thread in threads if not thread.archived and may_see(me, thread)
    ]


def interaction_channel(channel: Channel, member: Member | None) -> Payload:
    """Return the channel of an interaction: always in full, with what the member may do there."""
    permissions = permissions_in(member, channel) if member else 0
    return channel_payload(channel) | {"permissions": str(permissions)}


def _id(channel: Channel) -> str | None:
    return None if channel.last_message_id is None else str(channel.last_message_id)


def _mentions(message: Message) -> list[Payload]:
    guild = message.channel.guild
    if guild is None or "<@" not in message.content:
        return []
    ids = dict.fromkeys(int(found) for found in _MENTION.findall(message.content[:4000]))
    return [user_payload(guild.members[user_id].user) for user_id in ids if user_id in guild.members]


def _reaction(emoji: str, users: dict[int, None], viewer_id: int) -> Payload:
    return {
        "emoji": {"id": None, "name": emoji},
        "count": len(users),
        "count_details": {"burst": 0, "normal": len(users)},
        "me": viewer_id in users,
        "me_burst": False,
        "burst_colors": [],
    }
