"""What one question may take of one model, and what it has taken."""

from dataclasses import dataclass, field

NO_END = float("inf")


@dataclass(slots=True, kw_only=True)
class ModelRun:
    """The limits of a run on the clock of the event loop, and its counts, which add up over the turns of the model.

    It ends `until` a time. The first piece of what the model writes may take `first` seconds, each further one `stall`.
    """

    until: float = NO_END
    first: float | None = None
    stall: float | None = None
    turns: int = 0
    attempts: int = 0
    tokens_read: int = 0
    tokens_written: int = 0
    first_piece: float | None = None
    """Seconds until the model began to write in its last turn; None while it has not, or does not write in pieces."""
    lacks: list[str] = field(default_factory=list)
    """What the model, or its server, turned out to lack."""
