"""Translate a message as DiscordChatExporter writes it into Discord's own message object."""

from collections.abc import Mapping, Sequence
from typing import Any

_TYPES_BY_FIELD = {"poll_question_text": "poll_result", "rule_name": "auto_moderation_message"}
"""Fields that only one type of embed has; the program leaves out the type itself."""
_DEEPEST = 4  # forwards within forwards; Discord allows none


def as_discord(message: Mapping[str, Any], *, depth: int = 0) -> dict[str, Any]:
    """Return what `memory.words` and `memory.mentions` read of a message; raise TypeError for text that is none.

    Whatever is called the same in both, such as a poll of a later version, is left as it is.
    """
    author, forwarded = _map(message.get("author")), _map(message.get("forwardedMessage"))
    is_forward = bool(forwarded) and depth < _DEEPEST
    return {
        **message,
        "author": {"bot": author.get("isBot")} if author else None,
        "attachments": [_file(file) for file in _maps(message.get("attachments"))],
        "embeds": [_embed(embed) for embed in _maps(message.get("embeds"))],
        "sticker_items": _maps(message.get("stickers")),
        "mentions": [_user(user) for user in _maps(message.get("mentions"))],
        "message_snapshots": [{"message": as_discord(forwarded, depth=depth + 1)}] if is_forward else [],
    }


def _file(file: Mapping[str, Any]) -> dict[str, Any]:
    return {**file, "filename": file.get("fileName"), "size": file.get("fileSizeBytes")}


def _embed(embed: Mapping[str, Any]) -> dict[str, Any]:
    names = (field.get("name") for field in _maps(embed.get("fields")))
    known = (_TYPES_BY_FIELD.get(name) for name in names if isinstance(name, str))
    return {"type": next((kind for kind in known if kind), "rich"), **embed}


def _user(user: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": user.get("id"), "username": user.get("name"), "member": {"nick": user.get("nickname")}}


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, Sequence) else []
