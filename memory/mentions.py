"""Give the mentions in a message the names that people read there, without losing whom or what they mean.

Discord writes custom emoji as `<:name:id>` and a mention as `<@id>`. What is kept of a mention has a name as well,
in the same form: `<@Ben:id>`, `<@&Potters:id>`, `<#help:id>`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

NameOf = Callable[[str, int], str | None]
"""Returns the name of what a mention means by its sign ("@", "@&" or "#") and id; None where it is not to be named."""

LONGEST = 100
"""Characters of a name that are kept; Discord's have as many at most."""

_RAW = re.compile(r"<(?P<sign>@[!&]?|#)(?P<id>\d{1,20})>")
_NAMED = re.compile(r"<(?P<sign>@[!&]?|#)(?P<name>[^<>\n]{1,100}):(?P<id>\d{1,20})>")
_MARKUP = re.compile(
    r"<(?:(?P<sign>@[!&]?|#)(?P<name>[^<>\n]{1,100}):\d{1,20}"
    r"|a?(?P<emoji>:\w{1,40}:)\d{1,20}"
    r"|(?P<command>/[^<>:\n]{1,100}):\d{1,20}"
    r"|t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?)>"
)
_NOT_IN_NAMES = re.compile(r"[<>\s\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]+|\|{2,}|(?<=])(?=\()")
"""What would end the mention, hide or turn around the words beside it, or make a link of them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def nobody(_sign: str, _mentioned_id: int) -> None:
    """Name nothing."""


def named(text: str, name_of: NameOf) -> str:
    """Return a text whose mentions have names, as far as `name_of` knows them; those that have one keep it."""

    def name(found: re.Match[str]) -> str:
        known = fitting(name_of(found["sign"].removesuffix("!"), int(found["id"])) or "")
        return f"<{found['sign']}{known}:{found['id']}>" if known else found[0]

    return _RAW.sub(name, text) if "<" in text else text


def people_without_names(text: str) -> set[int]:
    """Return the ids of the people whom a text mentions without a name."""
    return (
        {int(found["id"]) for found in _RAW.finditer(text) if found["sign"] in {"@", "@!"}} if "<@" in text else set()
    )


def has_bare(text: str) -> bool:
    """Return whether a text has a mention without a name."""
    return "<" in text and _RAW.search(text) is not None


def fitting(name: str) -> str:
    """Return a name as it fits into a mention and hides nothing of the text around it; empty when nothing is left."""
    return _NOT_IN_NAMES.sub(" ", name[: 2 * LONGEST]).strip(" |")[:LONGEST].strip(" |")


def names_in(mentions: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """Return the names of the people whom Discord lists as mentioned; what is no such person is left out."""
    names = {}
    for user in mentions:
        member = user.get("member")
        nick = member.get("nick") if isinstance(member, Mapping) else None
        known = [
            name for name in (nick, user.get("global_name"), user.get("username")) if isinstance(name, str) and name
        ]
        if known and str(user.get("id")).isdecimal():
            names[int(user["id"])] = known[0]
    return names


def in_discord(text: str) -> str:
    """Return a text as Discord renders it, for people and roles with the names that were kept.

    A channel goes back to its id alone: Discord names it to those who may see it, and to nobody else.
    """

    def rendered(found: re.Match[str]) -> str:
        return f"<#{found['id']}>" if found["sign"] == "#" else f"@{found['name']}"

    return _NAMED.sub(rendered, text) if "<" in text else text


def people_named(text: str) -> str:
    """Return a text in which people and roles are names and everything else that Discord renders is as it was kept."""
    if "<@" not in text:
        return text
    return _NAMED.sub(lambda found: found[0] if found["sign"] == "#" else f"@{found['name']}", text)


def readable(text: str, time_zone: tzinfo = UTC) -> str:
    """Return a text as it is read where nothing renders it: names, emoji as `:name:`, times on the clock of a zone."""

    def read(found: re.Match[str]) -> str:
        if found["sign"]:
            return f"{found['sign'][0]}{found['name']}"
        if found["time"]:
            return _moment(int(found["time"]), time_zone) or found[0]
        return found["emoji"] or found["command"]

    return _MARKUP.sub(read, text) if "<" in text else text


def _moment(seconds: int, time_zone: tzinfo) -> str:
    """Return a moment of Unix time with its weekday; empty where the calendar does not have it."""
    try:
        moment = (_EPOCH + timedelta(seconds=seconds)).astimezone(time_zone)
    except OverflowError:
        return ""
    return f"{moment:%A} {moment.day} {moment:%B %Y %H:%M}"
