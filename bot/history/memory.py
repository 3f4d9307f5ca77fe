"""What memory knows of what was read of Discord's history."""

from dataclasses import dataclass
from datetime import time

from memory.coverage.ledger import Ledger
from memory.coverage.writer import CoverageWriter
from memory.search.stored import StoredMessages

SWEEP_AT = time(4)
"""When a night's sweep begins by default, on the clock of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryMemory:
    """What memory knows of what was read: the ledger, who writes it, and what both memories hold.

    A night's sweep begins at `sweep_at` on the clock of the server.
    """

    ledger: Ledger
    writer: CoverageWriter
    stored: StoredMessages
    sweep_at: time = SWEEP_AT
