"""What a database knows of a move that fills it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the target knows of the move that fills it: from where, up to which message, and what is left to do."""

    source: str
    time: str = "-infinity"
    message_id: int = -(2**63)
    messages: int = 0
    copied: bool = False


def is_half_filled(noted: str | None) -> bool:
    """Tell from MOVE_FACT whether a move into this database was stopped before its end."""
    return noted is not None and not Note(**json.loads(noted)).copied
