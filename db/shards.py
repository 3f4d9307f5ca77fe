"""Name the shards of Discord that one process runs, where several share the databases."""

import math
import re
from dataclasses import dataclass
from typing import Self

_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?/(\d{1,5})", re.ASCII)
_WRITTEN = "write it as 0-3/8, which are shards 0 to 3 of 8"


@dataclass(frozen=True, slots=True)
class ShardRange:
    """Shards `first` to `last`, both counted, of `count`; Discord gives shard s the guilds with (id >> 22) % count = s.

    Direct messages come to shard 0.
    """

    first: int
    last: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the range of a text such as 0-3/8 or 2/8; raise ValueError with one clause that says how to write."""
        found = _RANGE.fullmatch("".join(text.split()))
        if found is None:
            raise ValueError(_WRITTEN)
        first, count = int(found[1]), int(found[3])
        last = first if found[2] is None else int(found[2])
        if not first <= last < count:
            raise ValueError(
                f"{text.strip()} names no shards: they are numbered from 0 to the count less 1; {_WRITTEN}"
            )
        return cls(first, last, count)

    def __str__(self) -> str:
        numbers = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{numbers}/{self.count}"

    @property
    def suffix(self) -> str:
        """What the name of a session ends in, so that the sessions of two processes never bear the same name."""
        return "-shards-" + str(self).replace("/", "-of-")

    @property
    def ids(self) -> list[int]:
        """The numbers of the shards."""
        return list(range(self.first, self.last + 1))

    def has_guild(self, guild_id: int) -> bool:
        """Return whether a guild belongs to one of these shards."""
        return (guild_id >> 22) % self.count in self.ids

    def overlaps(self, other: "ShardRange | None") -> bool:
        """Return whether some guild belongs to both; None stands for all shards, however many there are."""
        if other is None:
            return True
        # A number with these two remainders exists where they agree on the common divisor (Chinese remainder theorem).
        common = math.gcd(self.count, other.count)
        return not {shard % common for shard in self.ids}.isdisjoint({shard % common for shard in other.ids})


ONE_SHARD = ShardRange(0, 0, 1)
"""The single connection that is enough for a small bot."""
