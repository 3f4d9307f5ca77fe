"""Find IANA time zones by what people write and type."""

import reprlib
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from time_expressions.folding import folded

_NO_PLACES = frozenset({"Factory", "localtime"})  # what a system has beside the zones themselves
_NO_CONTINENTS = frozenset({"Etc", "US", "Canada", "Mexico", "Brazil", "Chile"})  # groups of older names
_COMMON = (
    "UTC", "Europe/London", "Europe/Lisbon", "Europe/Paris", "Europe/Berlin", "Europe/Madrid", "Europe/Rome",
    "Europe/Warsaw", "Europe/Kyiv", "Europe/Istanbul", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "America/Toronto", "America/Mexico_City", "America/Sao_Paulo", "Africa/Lagos",
    "Africa/Johannesburg", "Asia/Dubai", "Asia/Kolkata", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo",
    "Australia/Sydney",
)  # fmt: skip
"""Where most people live: offered first, before anything is typed too."""

_AMERICAN = ("US/", "America/Indiana/", "America/Kentucky/", "America/North_Dakota/")
_AMERICAN_ALIASES = frozenset(
    {
        "America/Fort_Wayne", "America/Indianapolis", "America/Louisville", "America/Shiprock", "America/Atka",
        "Navajo", "EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "EST", "MST", "HST",
    }
)  # fmt: skip
"""Older names of American zones, which the table of countries leaves out."""

_LIKENESS = 0.7  # of 1; below it a name reads as something else
_NEAREST = 3
_LONGEST = 64  # characters; comparing takes time, and no name is as long


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones; the first call reads hundreds of files, so make it in a worker thread."""
    return frozenset(available_timezones() - _NO_PLACES)


def find_zone(text: str) -> ZoneInfo:
    """Return the time zone with this name, or with this city where only one has it; case and accents are free.

    Raises ValueError, with a sentence for whoever wrote the text, when there is none.
    """
    wanted = _folded(text)
    names = [name for name in zone_names() if _folded(name) == wanted]
    names = names or [name for name in zone_names() if _city(_folded(name)) == wanted]
    if len(names) == 1:
        return ZoneInfo(names[0])
    raise ValueError(_unknown(text))


def zone_of_city(name: str) -> str | None:
    """Return the name of the time zone of a city, None when no zone, or more than one, is named after it."""
    return _cities().get(_folded(name))


@cache
def _cities() -> dict[str, str]:
    """Return the zones that one city alone gives its name to, by that name as it is compared."""
    zones: dict[str, list[str]] = {}
    for name in files("tzdata").joinpath("zones").read_text(encoding="utf-8").split():
        if "/" in name and name.partition("/")[0] not in _NO_CONTINENTS:
            zones.setdefault(_city(_folded(name)), []).append(name)
    return {city: names[0] for city, names in zones.items() if len(names) == 1}


def is_in_the_united_states(zone: ZoneInfo) -> bool:
    """Return whether a time zone is one of the United States."""
    return zone.key.startswith(_AMERICAN) or zone.key in _AMERICAN_ALIASES | _american()


@cache
def _american() -> frozenset[str]:
    """Return the zones that the time zone database lists for the United States, in its table of countries."""
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return frozenset(row[2] for row in rows if row[0] == "US")


def matching(text: str, *, limit: int) -> list[str]:
    """Return the names that hold a text, those first whose city begins with it or holds it."""
    wanted = _folded(text)
    if not wanted:
        return [name for name in _COMMON if name in zone_names()][:limit]
    names = [name for name in zone_names() if wanted in _folded(name)]
    return sorted(names, key=lambda name: _rank(name, wanted))[:limit]


def _rank(name: str, wanted: str) -> tuple[bool, int, bool, str]:
    at = _city(_folded(name)).find(wanted)
    return at < 0, at, name not in _COMMON, name


def _unknown(text: str) -> str:
    near = matching(text, limit=_NEAREST) or _alike(text) if 0 < len(_folded(text)) <= _LONGEST else []
    names = " or ".join(near) or "a name such as Europe/Paris"
    return f"There is no time zone {reprlib.repr(text)}: write {names}."


def _alike(text: str) -> list[str]:
    """Return the names whose city a text may be a misspelling of, or put on the wrong continent, likeliest first."""
    wanted = _city(_folded(text))
    likeness = {name: SequenceMatcher(None, wanted, _city(_folded(name))).ratio() for name in zone_names()}
    likely = [name for name in likeness if likeness[name] >= _LIKENESS]
    return sorted(likely, key=lambda name: (-likeness[name], name not in _COMMON, name))[:_NEAREST]


def _folded(text: str) -> str:
    """Return a text as names are compared: without accents, case, and the difference of blank and underscore."""
    return "_".join(folded(text).replace("_", " ").split())


def _city(name: str) -> str:
    return name.rpartition("/")[2]
