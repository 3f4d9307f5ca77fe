"""Viewers of overviews, for tests."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from memory.filters import EVERY_GUILD
from overviews.overview import Line, Overview, Viewer
from tests.builders import minute


def viewer(*places: int, now: datetime | None = None, **changes: Any) -> Viewer:
    """Return somebody who owns the memory of these places, a week after the tests' first moment."""
    fields: dict[str, Any] = {
        "guild": EVERY_GUILD,
        "places": frozenset(places),
        "person_id": 1,
        "channel_id": 1,
        "now": now or minute(7 * 24 * 60),
        "time_zone": ZoneInfo("UTC"),
    }
    return Viewer(**{**fields, **changes})


def lines_of(overview: Overview) -> list[Line]:
    """Return all lines of an overview, in their order."""
    return [line for section in overview.sections for line in section.lines]


def ids_of(overview: Overview) -> list[int]:
    """Return the ids of the messages of an overview, in their order."""
    return [line.message.message_id for line in lines_of(overview) if line.message is not None]


def words_of(overview: Overview) -> list[str]:
    """Return the words of the lines of an overview, each with the id of its message."""
    return [f"{line.words} {line.message.message_id if line.message else ''}".strip() for line in lines_of(overview)]
