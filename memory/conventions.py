"""What words of time mean where people disagree."""

from dataclasses import dataclass, field
from types import MappingProxyType

Hours = tuple[int, int]
"""The first hour of a part of the day and the one that it ends before; past 24 is the next morning."""


def _hours(**parts: Hours) -> MappingProxyType[str, Hours]:
    return MappingProxyType(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """One way to settle what English leaves open; the defaults are those of people who talk of what was said.

    - `range_end_included`: "from May 8th to June 9th" takes in the whole of June 9th.
    - `last_weekday_is_nearest`: "last Wednesday", said on a Thursday, was yesterday, and not the week before.
    - `rolling_includes_today`: "the last three days" go on until the end of today.
    - `bounds_stay_in_day`: "Thursday before 5pm" begins with that Thursday.
    - `month_first`: "4/5" is the 5th of April; where that cannot be, the other order is meant anyhow.
    - `parts`: the hours of the parts of a day.
    """

    range_end_included: bool = True
    last_weekday_is_nearest: bool = True
    rolling_includes_today: bool = True
    bounds_stay_in_day: bool = True
    month_first: bool = True
    parts: MappingProxyType[str, Hours] = field(
        default_factory=lambda: _hours(
            morning=(4, 12), noon=(11, 14), afternoon=(12, 18), evening=(17, 22), night=(20, 28), midnight=(23, 25)
        )
    )


OURS = Conventions()
"""What Backscroll takes people to mean."""
