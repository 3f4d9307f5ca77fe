"""Understand the options --day-first and --month-first, and the setting that they take the place of."""

from memory.conventions import DateOrder
from settings import Settings


def chosen_order(settings: Settings, *, day_first: bool | None) -> DateOrder | None:
    """Return the order of days and months that a run or the deployment has chosen; None when neither has."""
    if day_first is not None:
        return DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
    return DateOrder(settings.date_order) if settings.date_order else None
