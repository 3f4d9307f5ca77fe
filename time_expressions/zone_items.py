"""Find the names of time zones among the tokens: "EST", "UTC+2", "London time", "+02:00"."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from time_expressions.chart import Item
from time_expressions.tokens import Token
from time_expressions.zones import zone_of_city

_HOURS = {
    "gmt": 0, "utc": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2,
    "eest": 3, "msk": 3, "sast": 2, "wat": 1, "cat": 2, "eat": 3, "trt": 3, "idt": 3, "gst": 4, "pkt": 5, "ist": 5.5,
    "npt": 5.75, "wib": 7, "wita": 8, "hkt": 8, "sgt": 8, "myt": 8, "pht": 8, "awst": 8, "jst": 9, "kst": 9,
    "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "brt": -3, "art": -3, "clt": -4,
    "nst": -3.5, "ndt": -2.5, "ast": -4, "adt": -3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
    "pst": -8, "pdt": -7, "akst": -9, "akdt": -8, "hst": -10,
}  # fmt: skip
"""Abbreviations with a fixed distance from UTC: "EST" is Eastern standard time in summer too, "EDT" is the other.

Some mean several zones ("CST", "IST", "BST"). The one in which the asker lives is meant before this one, which is
that of most people who write it.
"""

_REGIONS = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles",
    "eastern": "America/New_York", "central": "America/Chicago", "mountain": "America/Denver",
    "pacific": "America/Los_Angeles", "us eastern": "America/New_York", "us central": "America/Chicago",
    "us mountain": "America/Denver", "us pacific": "America/Los_Angeles", "alaska": "America/Anchorage",
    "atlantic": "America/Halifax", "hawaii": "Pacific/Honolulu", "uk": "Europe/London", "british": "Europe/London",
    "irish": "Europe/Dublin", "english": "Europe/London", "french": "Europe/Paris", "german": "Europe/Berlin",
    "spanish": "Europe/Madrid", "italian": "Europe/Rome", "dutch": "Europe/Amsterdam", "swiss": "Europe/Zurich",
    "european": "Europe/Berlin", "central european": "Europe/Berlin", "eastern european": "Europe/Helsinki",
    "western european": "Europe/Lisbon", "indian": "Asia/Kolkata", "india": "Asia/Kolkata", "mumbai": "Asia/Kolkata",
    "delhi": "Asia/Kolkata", "new delhi": "Asia/Kolkata", "bangalore": "Asia/Kolkata", "japan": "Asia/Tokyo",
    "japanese": "Asia/Tokyo", "korean": "Asia/Seoul", "korea": "Asia/Seoul", "china": "Asia/Shanghai",
    "chinese": "Asia/Shanghai", "beijing": "Asia/Shanghai", "israel": "Asia/Jerusalem",
    "california": "America/Los_Angeles", "san francisco": "America/Los_Angeles",
    "seattle": "America/Los_Angeles", "la": "America/Los_Angeles",
    "las vegas": "America/Los_Angeles", "texas": "America/Chicago", "dallas": "America/Chicago",
    "houston": "America/Chicago", "boston": "America/New_York", "washington": "America/New_York",
    "miami": "America/New_York", "nyc": "America/New_York", "ny": "America/New_York", "atlanta": "America/New_York",
    "montreal": "America/Toronto", "munich": "Europe/Berlin", "hamburg": "Europe/Berlin", "frankfurt": "Europe/Berlin",
    "barcelona": "Europe/Madrid", "milan": "Europe/Rome", "geneva": "Europe/Zurich", "edinburgh": "Europe/London",
    "manchester": "Europe/London", "rio": "America/Sao_Paulo", "brasilia": "America/Sao_Paulo",
    "cape town": "Africa/Johannesburg", "saint petersburg": "Europe/Moscow", "osaka": "Asia/Tokyo",
    "hanoi": "Asia/Bangkok", "abu dhabi": "Asia/Dubai", "canberra": "Australia/Sydney",
    "wellington": "Pacific/Auckland",
}  # fmt: skip
"""What people call the time of a place, beside the cities that zones are named after; it has its daylight rules."""

_STANDARD = {"eastern": "est", "central": "cst", "mountain": "mst", "pacific": "pst", "alaska": "akst"}
_FIXED = {"standard": "st", "daylight": "dt"}
_NO_PLACES = frozenset({"easter", "center", "midway", "my", "our", "local", "same", "this", "that", "last", "next"})
_LONGEST_PLACE = 3  # words
_FARTHEST = timedelta(hours=14)  # from UTC, of all zones


def zone_items(tokens: Sequence[Token], own: tzinfo) -> Iterator[Item]:
    """Yield the names of zones; `own` is the zone of the asker, whose abbreviations mean it first."""
    for at, token in enumerate(tokens):
        if token.text in ("utc", "gmt") and (shifted := _shifted(tokens, at)):
            end, zone = shifted
            yield from (Item(kind, at, end, zone) for kind in ("zone", "clear zone"))
        elif zone_of := _abbreviated(token.text, own):
            yield Item("zone", at, at + 1, zone_of)
            if token.written.isupper() and len(token.text) > 1:
                yield Item("clear zone", at, at + 1, zone_of)
        elif token.text in _STANDARD and token.written[0].isupper():
            yield Item("zone", at, at + 1, ZoneInfo(_REGIONS[token.text]))
        elif token.text == "time" and at and (place := _place_before(tokens, at)):
            start, zone = place
            yield from (Item(kind, start, at + 1, zone) for kind in ("zone", "clear zone"))
        if token.text in ("+", "-") and (offset := _offset(tokens, at)):
            yield Item("offset", at, *offset)


def _abbreviated(text: str, own: tzinfo) -> tzinfo | None:
    if text in ("et", "ct", "mt", "pt"):
        return ZoneInfo(_REGIONS[text])
    if text not in _HOURS:
        return None
    for month in (1, 7):
        here = datetime(2026, month, 1, tzinfo=own)
        if here.tzname() == text.upper():
            return timezone(here.utcoffset() or timedelta())
    return timezone(timedelta(hours=_HOURS[text]))


def _shifted(tokens: Sequence[Token], at: int) -> tuple[int, tzinfo] | None:
    """Return where "UTC+2" or "GMT-05:30" ends, and the zone that it is."""
    if at + 2 >= len(tokens) or tokens[at + 1].text not in ("+", "-") or not tokens[at + 2].is_number:
        return None
    offset = _offset(tokens, at + 1)
    if offset is None and len(tokens[at + 2].text) <= 2:
        offset = _zone(at + 3, tokens[at + 1].text, int(tokens[at + 2].text), 0)
    return offset


def _offset(tokens: Sequence[Token], at: int) -> tuple[int, tzinfo] | None:
    """Return where "+02:00" or "+0200" ends, and the zone that it is."""
    numbers = tokens[at + 1 : at + 4]
    if not numbers or not numbers[0].is_number or not numbers[0].glued:
        return None
    if len(numbers[0].text) == 4:
        return _zone(at + 2, tokens[at].text, int(numbers[0].text[:2]), int(numbers[0].text[2:]))
    if len(numbers) == 3 and numbers[1].text == ":" and numbers[2].is_number and len(numbers[2].text) == 2:
        return _zone(at + 4, tokens[at].text, int(numbers[0].text), int(numbers[2].text))
    return None


def _zone(end: int, sign: str, hours: int, minutes: int) -> tuple[int, tzinfo] | None:
    if hours > 24 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes)
    return (end, timezone(-offset if sign == "-" else offset)) if offset <= _FARTHEST else None


def _place_before(tokens: Sequence[Token], at: int) -> tuple[int, tzinfo] | None:
    """Return where the name of a place before "time" begins, and the zone of that place."""
    if tokens[at - 1].text in _FIXED and at > 1 and tokens[at - 2].text in _STANDARD:
        name = _STANDARD[tokens[at - 2].text][:-2] + _FIXED[tokens[at - 1].text]
        return at - 2, timezone(timedelta(hours=_HOURS[name]))
    for length in range(min(_LONGEST_PLACE, at), 0, -1):
        words = tokens[at - length : at]
        if not all(word.is_word for word in words) or (length == 1 and words[0].text in _NO_PLACES):
            continue
        name = " ".join(word.text for word in words)
        key = _REGIONS.get(name) or zone_of_city(name)
        if key:
            return at - length, UTC if key == "UTC" else ZoneInfo(key)
    return None
