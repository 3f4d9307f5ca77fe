"""List what was decided in some time, for overviews of that time."""

from datetime import datetime

from memory.decisions import standing_at
from overviews.decisions import DecisionList
from overviews.overview import Line, Viewer


async def decided_lines(
    decisions: DecisionList | None, viewer: Viewer, *, start: datetime, end: datetime, limit: int
) -> tuple[Line, ...]:
    """Return a line for each decision that was said or marked in a time and counts at its end, the newest first.

    It is one of those that the viewer may read. Raises DatabaseUnavailableError.
    """
    if decisions is None:
        return ()
    marked = await decisions.readable(viewer)
    messages = {known.decision.message_id: known.message for known in marked}
    standing = [found for found in standing_at([known.decision for known in marked], end) if found.replaced_by is None]
    lately = [
        found.decision
        for found in standing
        if any(start <= moment < end for moment in (found.decision.sent_at, found.decision.marked_at))
    ]
    newest = sorted(lately, key=lambda decision: decision.marked_at, reverse=True)[:limit]
    return tuple(Line(words=decision.title, message=messages[decision.message_id]) for decision in newest)
