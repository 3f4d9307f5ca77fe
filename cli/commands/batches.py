"""List the batches of long-term memory, and take one out again."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import JustifyMethod

from cli.commands.startup import opened_memory
from cli.console import in_columns, show, shown_while
from cli.script import script_run
from ops.promotion.history import BatchSummary, list_batches
from settings import Settings

_LISTED: dict[str, JustifyMethod] = {
    "batch": "right",
    "source": "left",
    "begun at": "left",
    "added": "right",
    "changed": "right",
    "state": "left",
}


_TIME = "%Y-%m-%d %H:%M"


def print_batches() -> None:
    """Print the batches that were promoted, undone ones included."""
    with script_run("db_save") as settings:
        asyncio.run(_print_batches(settings))


async def _print_batches(settings: Settings) -> None:
    async with opened_memory(settings.database) as (_, long_term):
        batches = await shown_while(list_batches(long_term, timeout=settings.db_timeout), "Counting")
    zone = ZoneInfo(settings.time_zone)
    lines = [_line(one, zone) for one in batches]
    show(in_columns(_LISTED, lines) if lines else "Nothing was promoted yet.")


def _line(one: BatchSummary, zone: ZoneInfo) -> Sequence[str]:
    state = "stopped half-way: run it again" if one.finished_at is None else "whole"
    if one.undone_at is not None:
        state = f"undone at {one.undone_at.astimezone(zone):{_TIME}}"
    begun_at = f"{one.started_at.astimezone(zone):{_TIME}}"
    return f"{one.promotion_id}", one.source, begun_at, f"{one.added:,}", f"{one.changed:,}", state


def undo_batch(promotion_id: int) -> None:
    """Take a batch out of long-term memory again."""
    with script_run("db_save") as settings:
        asyncio.run(_undo_batch(settings, promotion_id))


async def _undo_batch(settings: Settings, promotion_id: int) -> None:
    """Remove what a batch has added, and put back what it has changed."""
    from cli.commands.startup import open_embedder_for
    from ops.promotion.undo import undo

    async with opened_memory(settings.database) as (_, long_term), open_embedder_for(settings, long_term) as embedder:
        undoing = undo(long_term, promotion_id, embedder=embedder, now=datetime.now(UTC), timeout=settings.db_timeout)
        undone = await shown_while(undoing, f"Undoing batch {promotion_id}")
    show(f"Batch {promotion_id} is undone: {undone.removed:,} messages removed, {undone.put_back:,} put back.")
