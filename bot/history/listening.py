"""Note for the ledger what is heard: all of every place that the bot sees, as long as it listens without a break."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from memory.coverage.writer import CoverageWriter
from memory.message import Message

CERTAIN_AFTER = timedelta(minutes=2)
"""After so long all that was sent has been heard, or the connection is known to be lost: Discord asks for a heartbeat
every 41 seconds, and discord.py waits 60 for the answer."""


class Listening:
    """Knows to which places the bot listens, and from which id on."""

    def __init__(self, coverage: CoverageWriter) -> None:
        self._coverage = coverage
        self._from: dict[int, int] = {}
        self._from_in: dict[int, int] = {}
        self._places: dict[int, set[int]] = defaultdict(set)
        self._paused: set[int] = set()

    def began(self, guild_id: int, *, from_id: int) -> None:
        """Note that the bot listens to a guild from an id on, after a break."""
        self.paused(guild_id)
        for place_id in self._places.pop(guild_id, ()):
            self._from_in.pop(place_id, None)
        self._paused.discard(guild_id)
        self._from[guild_id] = from_id

    def paused(self, guild_id: int) -> None:
        """Note that the connection is lost, and nothing more is certain, unless it is resumed."""
        self._coverage.stop_listening(self._places.get(guild_id, set()))
        self._paused.add(guild_id)

    def resumed(self, guild_id: int) -> None:
        """Note that the connection goes on, and all that was missed meanwhile was heard."""
        self._paused.discard(guild_id)
        self.see(guild_id, self._places.get(guild_id, set()).copy())

    def see(self, guild_id: int, places: Iterable[int]) -> None:
        """Note that the bot sees these places, silent as they may be."""
        if guild_id not in self._from or guild_id in self._paused:
            return
        for place_id in places:
            self._places[guild_id].add(place_id)
            from_id = self._from_in.get(place_id, self._from[guild_id])
            self._coverage.listen({place_id: guild_id}, from_id=from_id)

    def sees(self, guild_id: int, place_id: int) -> bool:
        """Return whether the bot is known to see a place."""
        return place_id in self._places.get(guild_id, ())

    def heard(self, message: Message) -> None:
        """Note that a message is recorded; a thread that wakes up was silent since the bot listens."""
        if message.guild_id is not None:
            self.see(message.guild_id, [message.place_id])
            self._coverage.heard(message.place_id, message.message_id)

    def hidden(self, guild_id: int, places: Iterable[int]) -> None:
        """Note that the bot sees these places no more."""
        gone = self._places.get(guild_id, set()).intersection(places)
        self._coverage.stop_listening(gone)
        self._places[guild_id] -= gone

    def opened(self, guild_id: int, place_id: int, *, from_id: int) -> None:
        """Note that the bot sees a place from an id on, which it did not see before."""
        self._from_in[place_id] = from_id
        self.see(guild_id, [place_id])

    def certain_until(self, now: datetime) -> None:
        """Note that whatever was said some while ago was heard, wherever the bot listens."""
        self._coverage.heard_up_to(now - CERTAIN_AFTER)
