"""Decide whether the messages of other bots are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memory.authors import author_in


@dataclass(frozen=True, slots=True)
class OtherBots:
    """The bots whose messages are kept, by their ids; None keeps those of all.

    What a webhook says counts as a person's: it may be the proxy of one.
    """

    ids: frozenset[int] | None = None

    def keeps(self, message: Mapping[str, Any]) -> bool:
        """Return whether a message is kept, by the `author` and the webhook in an object of Discord's API."""
        author = message.get("author")
        if self.ids is None or not isinstance(author, Mapping) or not author.get("bot"):
            return True
        author_id = author_in(message)
        return author_id is None or author_id < 0 or author_id in self.ids


ALL_BOTS = OtherBots()
