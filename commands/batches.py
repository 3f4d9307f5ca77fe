"""List the batches of long-term memory, and take one out again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import JustifyMethod

from commands.startup import opened_memory
from promotion.batches import Listed, list_batches
from settings import Settings
from terminal.columns import in_columns
from terminal.progress import shown_while
from terminal.screen import show

_LISTED: dict[str, JustifyMethod] = {
    "batch": "right",
    "source": "left",
    "begun at": "left",
    "added": "right",
    "changed": "right",
    "state": "left",
}
_TIME = "%Y-%m-%d %H:%M"


async def print_batches(settings: Settings) -> None:
    """Print the batches that were promoted, undone ones included."""
    async with opened_memory(settings) as (_, long_term):
        batches = await shown_while(list_batches(long_term, timeout=settings.db_timeout), "Counting")
    zone = ZoneInfo(settings.time_zone)
    lines = [_line(one, zone) for one in batches]
    show(in_columns(_LISTED, lines) if lines else "Nothing was promoted yet.")


def _line(one: Listed, zone: ZoneInfo) -> Sequence[str]:
    state = "stopped half-way: run it again" if one.finished_at is None else "whole"
    if one.undone_at is not None:
        state = f"undone at {one.undone_at.astimezone(zone):{_TIME}}"
    begun_at = f"{one.started_at.astimezone(zone):{_TIME}}"
    return f"{one.promotion_id}", one.source, begun_at, f"{one.added:,}", f"{one.changed:,}", state


async def undo_batch(settings: Settings, promotion_id: int) -> None:
    """Remove what a batch has added, and put back what it has changed."""
    from commands.vectors import open_embedder_for
    from promotion.undoing import undo

    async with opened_memory(settings) as (_, long_term), open_embedder_for(settings, long_term) as embedder:
        undoing = undo(long_term, promotion_id, embedder=embedder, now=datetime.now(UTC), timeout=settings.db_timeout)
        undone = await shown_while(undoing, f"Undoing batch {promotion_id}")
    show(f"Batch {promotion_id} is undone: {undone.removed:,} messages removed, {undone.put_back:,} put back.")
