"""Look at a whole file before it is read: what its dates and ids mean shows only over all of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from errors import InputFileError
from promotion.chunks import RawChunk
from promotion.day_order import DayOrder
from promotion.opening import Location
from promotion.rounded_ids import IdSurvey

_IDS = ("message_id", "author_id", "channel_id", "thread_id", "guild_id", "reply_to")


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file as a whole tells."""

    day_first: bool = False
    rounding: str = ""
    """How its ids were rounded, as `promotion.rounded_ids` names it; empty when they were not."""
    has_ids: bool = False
    """Whether any message has an id."""


def survey(chunks: Iterable[RawChunk], *, day_first: bool | None) -> Survey:
    """Return what the chunks of a file tell; a choice of the operator's about days and months is right.

    Raises ValueError when the dates of the file can be read in two ways.
    """
    order, ids, has_ids = DayOrder(), IdSurvey(), False
    for chunk in chunks:
        columns = {name: chunk.frame[name].tolist() for name in (*_IDS, "sent_at") if name in chunk.frame}
        order.add(columns.get("sent_at", []), columns.get("message_id", []))
        has_ids = has_ids or any(columns.get("message_id", []))
        for name in _IDS:
            ids.add(name, columns.get(name, []))
    return Survey(order.decided(day_first), ids.rounding(), has_ids)


def survey_file(path: Location, chunks: Iterator[RawChunk], *, day_first: bool | None) -> Survey:
    """Return what the chunks of a file tell, as far as it can be read.

    Raises InputFileError, with what to do, when the dates of the file can be read in two ways.
    """
    try:
        return survey(_readable(chunks), day_first=day_first)
    except ValueError as error:
        raise InputFileError(
            f"{error} in {path}, and nothing else in it says which: run this again with --day-first or with "
            "--month-first."
        ) from error


def _readable(chunks: Iterator[RawChunk]) -> Iterator[RawChunk]:
    """Yield chunks until the file is damaged: that is said when it is read in earnest."""
    try:
        yield from chunks
    except InputFileError:
        return
