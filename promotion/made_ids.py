"""Make ids for what came without: the same for the same input, and none that Discord gives."""

import hashlib

_UPPER_HALF = 1 << 62  # Discord's ids reach it in 2049, ours of terminals in 2101; and bigint takes no more bits


def made_id(kind: str, *parts: str) -> int:
    """Return a positive id of 63 bits, the same on every machine and in every run, for something of a kind."""
    whole = "".join(f"{len(part)}:{part}" for part in parts)  # else ("ab", "c") and ("a", "bc") would be one
    digest = hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=8, person=kind.encode())
    return _UPPER_HALF | int.from_bytes(digest.digest(), "big") >> 2
