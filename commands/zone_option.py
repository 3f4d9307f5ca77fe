"""Understand the option --time-zone, which several scripts have."""

from zoneinfo import ZoneInfo

from errors import SettingsError
from memory.zone_names import find_zone


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone that --time-zone names; raise SettingsError when there is none of that name."""
    try:
        return find_zone(name)
    except ValueError as error:
        raise SettingsError(f"--time-zone: {error}") from error
