"""Make ids for what came without: the same for the same input, and none that Discord gives."""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable

_UPPER_HALF = 1 << 62  # Discord's ids reach it in 2049, ours of terminals in 2101; and bigint takes no more bits


_MOST_REMEMBERED = 100_000  # different ones; those that are the same stand near each other

FIRST_DERIVED_ID = _UPPER_HALF
"""The least id that is made; all from here on are."""


def derived_id(kind: str, *parts: str) -> int:
    """Return a positive id of 63 bits, the same on every machine and in every run, for something of a kind."""
    whole = "".join(f"{len(part)}:{part}" for part in parts)  # else ("ab", "c") and ("a", "bc") would be one
    digest = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8, person=kind.encode())
    return _UPPER_HALF | int.from_bytes(digest.digest(), "big") >> 2


class Occurrences:
    """Numbers messages of a file that are the same in all that an id is made from; it remembers the last ones."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, dict[Hashable, int]] = OrderedDict()

    def number(self, said: tuple[str, ...], row: Hashable | None) -> int:
        """Return which of several such messages this is; the same row is the same one again, None is always another."""
        key = derived_id("said", *said)
        alike = self._known.setdefault(key, {})
        self._known.move_to_end(key)
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return alike.setdefault(("a further one", len(alike)) if row is None else row, len(alike))
