"""Look at a whole file before it is read: what its dates and ids mean shows only over all of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from promotion.chunks import RawChunk
from promotion.day_order import DayOrder
from promotion.rounded_ids import IdSurvey

_IDS = ("message_id", "author_id", "channel_id", "thread_id", "guild_id", "reply_to")


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file as a whole tells."""

    day_first: bool = False
    rounding: str = ""
    """How its ids were rounded, as `promotion.rounded_ids` names it; empty when they were not."""


def survey(chunks: Iterable[RawChunk], *, day_first: bool | None) -> Survey:
    """Return what the chunks of a file tell; a choice of the operator's about days and months is right.

    Raises ValueError when the dates of the file can be read in two ways.
    """
    order, ids = DayOrder(), IdSurvey()
    for chunk in chunks:
        columns = {name: chunk.frame[name].tolist() for name in (*_IDS, "sent_at") if name in chunk.frame}
        order.add(columns.get("sent_at", []), columns.get("message_id", []))
        for name in _IDS:
            ids.add(name, columns.get(name, []))
    return Survey(order.decided(day_first), ids.rounding())
