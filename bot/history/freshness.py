"""Know which messages are as Discord has them: heard or read again since the bot listens without a break."""

from collections import defaultdict

from memory.coverage.intervals import LARGEST_ID, Interval, is_covered, merge
from memory.message import Message


class Freshness:
    """What was heard or read again of each place since the bot began to listen to its guild.

    Whoever listens hears of every edit and deletion, so what was read once stays fresh until the bot has to begin to
    listen anew.
    """

    def __init__(self) -> None:
        self._from: dict[int, int] = {}
        self._from_in: dict[tuple[int, int], int] = {}
        self._read: dict[int, dict[int, list[Interval]]] = defaultdict(dict)

    def began(self, guild_id: int, *, from_id: int) -> None:
        """Note that the bot listens to a guild from an id on, and knows no more how older messages are."""
        self._from[guild_id] = from_id
        self._read.pop(guild_id, None)
        self._from_in = {key: opened for key, opened in self._from_in.items() if key[0] != guild_id}

    def opened(self, guild_id: int, place_id: int, *, from_id: int) -> None:
        """Note that a place which the bot did not see is listened to from an id on."""
        self._from_in[guild_id, place_id] = from_id
        self._read[guild_id].pop(place_id, None)

    def note_read(self, guild_id: int, place_id: int, interval: Interval) -> None:
        """Note that the messages of an interval are as Discord has them."""
        places = self._read[guild_id]
        places[place_id] = merge([*places.get(place_id, ()), interval])

    def fresh_of(self, guild_id: int, place_id: int) -> list[Interval]:
        """Return the ids of a place whose messages are as Discord has them."""
        listened_from = self._from.get(guild_id)
        if listened_from is None:
            return []
        heard = Interval(self._from_in.get((guild_id, place_id), listened_from), LARGEST_ID)
        return merge([*self._read[guild_id].get(place_id, ()), heard])

    def is_fresh(self, message: Message) -> bool:
        """Return whether a message is as Discord has it; one that is in no guild is never asked about again."""
        if message.guild_id is None:
            return True
        this = Interval(message.message_id, message.message_id)
        return is_covered(this, self.fresh_of(message.guild_id, message.place_id))
