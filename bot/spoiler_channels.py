"""Know which channels are marked as spoilers, which discord.py does not keep for most kinds of channel."""

from collections.abc import Mapping
from typing import Any

_SPOILER = 1 << 21  # a flag of channels


class SpoilerChannels:
    """The channels whose contents Discord shows only to those who choose to see them."""

    def __init__(self) -> None:
        self._ids: set[int] = set()

    def among(self, channel_ids: frozenset[int]) -> frozenset[int]:
        """Return those of some channels that are marked."""
        return channel_ids & self._ids

    def note(self, event: str, data: Mapping[str, Any]) -> None:
        """Learn from an event of the gateway what it says about channels."""
        if event == "GUILD_CREATE":
            for channel in data.get("channels") or ():
                self._note(channel)
        elif event in {"CHANNEL_CREATE", "CHANNEL_UPDATE"}:
            self._note(data)

    def _note(self, channel: Mapping[str, Any]) -> None:
        channel_id = int(channel["id"])
        if int(channel.get("flags") or 0) & _SPOILER:
            self._ids.add(channel_id)
        else:
            self._ids.discard(channel_id)
