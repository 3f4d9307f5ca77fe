"""What words of time mean where people disagree."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from time_expressions.zones import is_in_the_united_states

Hours = tuple[int, int]
"""The first hour of a part of the day and the one that it ends before; past 24 is the next morning."""


def _hours(**parts: Hours) -> MappingProxyType[str, Hours]:
    return MappingProxyType(parts)


class DateOrder(StrEnum):
    """Which of two numbers is the day: "10/11" is 10 November or October 11th."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


_MONTH_FIRST_LANGUAGES = frozenset({"hu", "ja", "ko", "lt", "zh"})
_MONTH_FIRST_LOCALES = frozenset({"en-US"})
"""Where a day follows its month in digits (CLDR, skeleton "Md"), among the locales that Discord has."""


def date_order(*, locale: str | None, time_zone: ZoneInfo, setting: DateOrder | None) -> DateOrder:
    """Return the order in which an asker writes days and months in digits.

    What the deployment sets holds for everybody in it, for whoever sets it knows better than a guess. Without it the
    locale decides that Discord has for the asker ("en-US", "de"), and without that the time zone: month first in the
    United States, day first elsewhere.
    """
    if setting is not None:
        return setting
    if locale:
        language = locale.partition("-")[0]
        month_first = locale in _MONTH_FIRST_LOCALES or language in _MONTH_FIRST_LANGUAGES
    else:
        month_first = is_in_the_united_states(time_zone)
    return DateOrder.MONTH_FIRST if month_first else DateOrder.DAY_FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """One way to settle what English leaves open; the defaults are those of people who talk of what was said.

    - `range_end_included`: "from May 8th to June 9th" takes in the whole of June 9th.
    - `last_weekday_is_nearest`: "last Wednesday", said on a Thursday, was yesterday, and not the week before.
    - `rolling_includes_today`: "the last three days" go on until the end of today.
    - `bounds_stay_in_day`: "Thursday before 5pm" begins with that Thursday.
    - `bare_hours_are_afternoon`: "Tuesday at 3" and "between 2 and 4 on Tuesday" are after noon, when people are awake.
    - `zones_count`: "5pm EST" is that hour there, and not on the asker's clock.
    - `month_first`: "4/5" is the 5th of April; where that cannot be, the other order is meant anyhow.
    - `parts`: the hours of the parts of a day.
    """

    range_end_included: bool = True
    last_weekday_is_nearest: bool = True
    rolling_includes_today: bool = True
    bounds_stay_in_day: bool = True
    bare_hours_are_afternoon: bool = True
    zones_count: bool = True
    month_first: bool = True
    parts: MappingProxyType[str, Hours] = field(
        default_factory=lambda: _hours(
            morning=(4, 12), noon=(11, 14), afternoon=(12, 18), evening=(17, 22), night=(20, 28), midnight=(23, 25)
        )
    )

    def in_order(self, order: DateOrder) -> "Conventions":
        """Return the same conventions with days and months in this order."""
        return replace(self, month_first=order is DateOrder.MONTH_FIRST)


OURS = Conventions()
"""What Backscroll takes people to mean."""
