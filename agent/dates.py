"""Read the dates that a model writes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from memory.findings import FIRST_MOMENT, LAST_MOMENT, Window, showable

_LONGEST_DATE = 64  # characters


def read_window(start: str | None, end: str | None, time_zone: ZoneInfo) -> Window | None:
    """Return the half-open window between two ISO texts, None when both are missing or as far away as a date can be.

    What carries no offset is read on the clock of `time_zone`; a date alone is the start of that day. The year 9999 as
    end is what models write for no end. Raises ValueError, with a sentence for the model, for what is no date and for
    an end that is not after the start.
    """
    first, last = _moment(start, time_zone), _moment(end, time_zone)
    window = Window(None if first == FIRST_MOMENT else first, None if last == LAST_MOMENT else last)
    if window == Window():
        return None
    if window.start and window.end and window.start >= window.end:
        raise ValueError(
            f"end ({end}) must be after start ({start}); the end is not included, "
            "so for one whole day give the next day as end."
        )
    return window


def _moment(text: str | None, time_zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    if len(text) > _LONGEST_DATE:
        raise ValueError(f"{text[:_LONGEST_DATE]!r}... is not a date: write it like 2026-11-03 or 2026-11-03T14:00.")
    try:
        moment = datetime.fromisoformat(text.strip())
        return showable(moment if moment.tzinfo else moment.replace(tzinfo=time_zone)).astimezone(UTC)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a date: write it like 2026-11-03 or 2026-11-03T14:00.") from error
