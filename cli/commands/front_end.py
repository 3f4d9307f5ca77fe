"""Where a session talks, and how."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from time_expressions.conventions import DateOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """The terminal or else Discord, with what the command line chooses for this run."""

    in_terminal: bool
    speaker: str
    """Under which name somebody speaks in the terminal."""
    time_zone: ZoneInfo | None
    """Of this run; None: that of the settings, and of whoever speaks."""
    date_order: DateOrder | None
    heartbeat: Path | None
    """The file to touch while Discord is connected."""
