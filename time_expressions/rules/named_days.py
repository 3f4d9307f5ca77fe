"""Rules for days that have a name: Easter, Halloween, Labor Day, Eid."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache

import holidays
from dateutil.easter import easter
from holidays.constants import PUBLIC, UNOFFICIAL

from time_expressions.chart import Grammar, Item
from time_expressions.meanings import Grain, Reading, Span, Unit
from time_expressions.tokens import Token

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_FIXED = {
    "new year": (1, 1), "new years": (1, 1), "new year's": (1, 1), "new year day": (1, 1), "new years day": (1, 1),
    "new year's day": (1, 1), "new years eve": (12, 31), "new year's eve": (12, 31), "new year eve": (12, 31),
    "epiphany": (1, 6), "groundhog day": (2, 2), "valentine's day": (2, 14), "valentines day": (2, 14),
    "valentine's": (2, 14), "saint valentine's day": (2, 14), "saint patrick's day": (3, 17),
    "st patrick's day": (3, 17), "st patricks day": (3, 17), "st . patrick's day": (3, 17), "pi day": (3, 14),
    "women's day": (3, 8), "international women's day": (3, 8), "april fools": (4, 1), "april fools day": (4, 1),
    "april fool's day": (4, 1), "april fools' day": (4, 1), "earth day": (4, 22), "may day": (5, 1),
    "labour day": (5, 1), "workers day": (5, 1), "international workers' day": (5, 1), "workers' day": (5, 1),
    "international workers day": (5, 1), "star wars day": (5, 4), "cinco de mayo": (5, 5), "juneteenth": (6, 19),
    "bastille day": (7, 14), "halloween": (10, 31), "all hallows eve": (10, 31), "all saints day": (11, 1),
    "all saints' day": (11, 1), "all souls day": (11, 2), "guy fawkes night": (11, 5), "bonfire night": (11, 5),
    "singles day": (11, 11), "armistice day": (11, 11), "remembrance day": (11, 11), "veterans day": (11, 11),
    "christmas": (12, 25), "xmas": (12, 25), "christmas day": (12, 25), "christmas eve": (12, 24),
    "xmas eve": (12, 24), "boxing day": (12, 26), "st nicholas day": (12, 6), "independence day": (7, 4),
    "german unity day": (10, 3), "canada day": (7, 1), "australia day": (1, 26),
}  # fmt: skip
"""Days that every year has on the same date, which no library of holidays lists by these names."""

_FROM_EASTER = {
    "mardi gras": -47, "shrove tuesday": -47, "ash wednesday": -46, "palm sunday": -7, "maundy thursday": -3,
    "good friday": -2, "holy saturday": -1, "easter": 0, "easter sunday": 0, "easter monday": 1, "ascension day": 39,
    "pentecost": 49, "whit sunday": 49, "whitsun": 49, "whit monday": 50, "corpus christi": 60,
}  # fmt: skip

_BY_RULE = {
    "martin luther king day": "Martin Luther King Jr. Day", "mlk day": "Martin Luther King Jr. Day",
    "presidents day": "Washington's Birthday", "presidents' day": "Washington's Birthday",
    "mother's day": "Mother's Day", "mothers day": "Mother's Day", "memorial day": "Memorial Day",
    "father's day": "Father's Day", "fathers day": "Father's Day", "labor day": "Labor Day",
    "columbus day": "Columbus Day", "thanksgiving": "Thanksgiving Day", "thanksgiving day": "Thanksgiving Day",
}  # fmt: skip
"""Days that the law of the United States moves, by the names which the library has for them."""

_AFTER_THANKSGIVING = {"black friday": 1, "cyber monday": 4, "thanksgiving eve": -1}

_ELSEWHERE = {
    "eid": ("TR", "Eid al-Fitr"), "eid al fitr": ("TR", "Eid al-Fitr"), "eid al - fitr": ("TR", "Eid al-Fitr"),
    "eid ul fitr": ("TR", "Eid al-Fitr"), "eid al adha": ("TR", "Eid al-Adha"),
    "eid al - adha": ("TR", "Eid al-Adha"), "diwali": ("SG", "Diwali"), "deepavali": ("SG", "Diwali"),
    "chinese new year": ("SG", "Chinese New Year"), "lunar new year": ("SG", "Chinese New Year"),
    "rosh hashanah": ("IL", "Rosh Hashanah"), "yom kippur": ("IL", "Yom Kippur"), "passover": ("IL", "Pesach"),
}  # fmt: skip
"""Days of other calendars: a country that keeps them, and their name there."""

_LONGEST_NAME = 5
_YEARS_AWAY = {"this": 0, "last": -1, "next": 1}


def holiday_items(tokens: list[Token]) -> Iterable[Item]:
    """Return the names of days among the tokens."""
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + _LONGEST_NAME, len(tokens)) + 1):
            name = " ".join(token.text for token in tokens[start:end])
            if (key := name.replace(".", "").replace("  ", " ").strip()) in NAMES and name == name.strip("."):
                yield Item("holiday name", start, end, key)


@rule("holiday", "the? <holiday name>")
def latest_holiday(reading: Reading, name: str) -> Span | None:
    """Read "Halloween", the latest one."""
    return _latest(reading, name, reading.today)


@rule("holiday", "<holiday name> ,|of|in? <year>", "<year> <holiday name>")
def holiday_of_year(reading: Reading, first: str | int, second: str | int) -> Span | None:
    """Read "Black Friday 2010"."""
    name, year = (first, second) if isinstance(first, str) else (second, first)
    return _in_year(reading, str(name), int(year))


@rule("holiday", "<holiday name> [this|last|next] <long unit>")
@rule("holiday", "[this|last|next] <long unit> <holiday name>")
def holiday_of_this_or_last_year(reading: Reading, *given: object) -> Span | None:
    """Read "Christmas last year", "last year's Christmas"."""
    if Unit.YEAR not in given:
        return None
    away = next(_YEARS_AWAY[word] for word in given if word in _YEARS_AWAY)
    name = next(word for word in given if word in NAMES)
    return _in_year(reading, str(name), reading.today.year + away)


@rule("holiday", "<holiday name> of <span>")
def holiday_of_span(reading: Reading, name: str, span: Span) -> Span | None:
    """Read "Independence Day of last year"."""
    return _in_year(reading, name, span.start.year) if span.start and span.grain is Grain.YEAR else None


@rule("holiday", "the? [last|previous|past|this|next] <holiday name>")
def holiday_from_now(reading: Reading, word: str, name: str) -> Span | None:
    """Read "last Easter", the latest before today."""
    if word in ("this", "next"):
        year = reading.today.year
        this = _in_year(reading, name, year)
        over = this is not None and this.start is not None and this.start <= reading.now
        return _in_year(reading, name, year + 1) if over and word == "next" else this
    return _latest(reading, name, reading.today - timedelta(days=1))


@rule("day", "<holiday>")
def holiday_as_day(_: Reading, day: Span) -> Span:
    """Take a holiday for a day."""
    return day


def _latest(reading: Reading, name: str, until: date) -> Span | None:
    days = [day for year in (until.year, until.year - 1) if (day := day_named(name, year)) and day <= until]
    return reading.days(days[0], days[0] + timedelta(days=1)) if days else None


def _in_year(reading: Reading, name: str, year: int) -> Span | None:
    day = day_named(name, year)
    return reading.days(day, day + timedelta(days=1)) if day else None


def day_named(name: str, year: int) -> date | None:
    """Return the day of that name in a year, None when the library does not know it that far away."""
    for names, day_of in _SOURCES:
        if name in names:
            return day_of(name, year)
    return None


def _thanksgiving(name: str, year: int) -> date | None:
    day = _listed("US", "Thanksgiving Day", year)
    return day + timedelta(days=_AFTER_THANKSGIVING[name]) if day else None


@cache
def _listed(country: str, name: str, year: int) -> date | None:
    """Return the first day in a year that a country's list gives this name, whatever stands around it."""
    categories = (PUBLIC, UNOFFICIAL) if country == "US" else (PUBLIC,)
    days = holidays.country_holidays(country, years=year, categories=categories, language="en_US", observed=False)
    return next((day for day, names in sorted(days.items()) if name in names and "Eve" not in names), None)


_SOURCES: tuple[tuple[Iterable[str], Callable[[str, int], date | None]], ...] = (
    (_FIXED, lambda name, year: date(year, *_FIXED[name])),
    (_FROM_EASTER, lambda name, year: easter(year) + timedelta(days=_FROM_EASTER[name])),
    (_BY_RULE, lambda name, year: _listed("US", _BY_RULE[name], year)),
    (_AFTER_THANKSGIVING, _thanksgiving),
    (_ELSEWHERE, lambda name, year: _listed(*_ELSEWHERE[name], year)),
)
NAMES = frozenset().union(*(names for names, _ in _SOURCES))
