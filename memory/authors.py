"""Say whose messages count."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memory.message import Message

LONGEST_NAME = 200
"""Characters of a name that are kept and compared; Discord's have 100 at most, an import may bring any number."""

_LONGEST_ID = 20  # digits


@dataclass(frozen=True, slots=True)
class Authors:
    """Whose messages count: those of these author ids, and those without an author id under these names.

    Empty means nobody. When `excluded`, the messages of all others count, and empty means everybody.
    """

    ids: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    excluded: bool = False

    def wrote(self, message: Message) -> bool:
        """Return whether the author of a message counts."""
        if message.author_id is None:
            return (kept_name(message.author_name) in self.names) is not self.excluded
        return (message.author_id in self.ids) is not self.excluded


def webhook_author_id(webhook_id: int, name: str) -> int:
    """Return the id of the person as whom a webhook speaks under a name: negative, as no id of Discord's is.

    A webhook has one id, whatever it calls itself, and proxies for people who share an account let one webhook speak
    for all of them. The id is minus the first 63 bits of SHA-256 of both (minus 1 in place of 0), so it is the same
    wherever and whenever it is made; two of a thousand people have the same one in one of 10^13 servers.
    """
    digest = hashlib.sha256(f"{webhook_id}\n{name}".encode("utf-8", "backslashreplace")).digest()
    return -(int.from_bytes(digest[:8], "big") >> 1 or 1)


def author_in(message: Mapping[str, Any]) -> int | None:
    """Return whose message an object of Discord's API is; None where it does not say so.

    An application that answers a command does so by a webhook of its own, as itself.
    """
    try:
        author_id = int(message["author"]["id"])
    except (KeyError, TypeError, ValueError):
        return None
    is_webhook = str(message.get("webhook_id")) == str(author_id) != str(message.get("application_id"))
    if not is_webhook or message.get("interaction_metadata"):
        return author_id
    return webhook_author_id(author_id, str(message["author"].get("username") or ""))


def bots_named(text: str) -> frozenset[int] | None:
    """Return the ids of bots that a setting lists; None for all. Raises ValueError for anything else."""
    word = text.strip().lower()
    if word in ("all", "none"):
        return None if word == "all" else frozenset()
    ids = [part for part in word.replace(",", " ").split() if part]
    if not ids or not all(part.isascii() and part.isdecimal() and len(part) <= _LONGEST_ID for part in ids):
        raise ValueError("write all, none, or the ids of bots with commas between them")
    return frozenset(map(int, ids))


def kept_name(name: str) -> str:
    """Return a name as far as it is kept and compared."""
    return name[:LONGEST_NAME]
