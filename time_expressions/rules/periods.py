"""Rules for stretches that are longer than a day: years, quarters, seasons, weeks of a month, weekends, thirds."""

from dataclasses import replace
from datetime import date, timedelta

from time_expressions.calendar import first_week_of, full_year, grain_of, thirds, unit_span, unit_start, year_span
from time_expressions.chart import Grammar
from time_expressions.meanings import MONTHS_IN, Amount, Edge, Grain, Reading, Span, Unit, add_months

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_EDGES = {
    "beginning": Edge.START, "start": Edge.START, "early": Edge.START, "middle": Edge.MIDDLE, "mid": Edge.MIDDLE,
    "end": Edge.END, "late": Edge.END, "close": Edge.END,
}  # fmt: skip

_TO_SATURDAY = (-2, -3, 3, 2, 1, 0, -1)
"""Days from each weekday to the Saturday of the weekend that is nearest to it."""

# ---- years and more


@rule("span", "the? calendar? year of? <year>", "calendar year <year>", "cy <year>", "fy <year>")
def year_named(reading: Reading, year: int) -> Span:
    """Read "the year 2008"."""
    return year_span(reading, year)


@rule("span", "cy ~<two digits>")
def short_year(reading: Reading, short: int) -> Span:
    """Read "cy18"."""
    return year_span(reading, full_year(short, reading.today))


@rule("bare year", "<yyyy>", "the year <yyyy>", "<year word>")
def year_alone(reading: Reading, year: int) -> Span | None:
    """Read "2014", where more speaks for its being a year."""
    return year_span(reading, year) if 1900 <= year < 2100 else None


@rule("span", "the? <yyyy> ~s", "the? <yyyy> ~' ~s", "the? <yyyy> s")
def decade(reading: Reading, year: int) -> Span | None:
    """Read "the 1990s"."""
    return year_span(reading, year, 100 if year % 100 == 0 and year < 1900 else 10) if year % 10 == 0 else None


@rule("span", "the <two digits> ~' ~s", "the? <two digits> ~s", "in <two digits> s")
def short_decade(reading: Reading, short: int) -> Span | None:
    """Read "the 90s"."""
    return year_span(reading, full_year(short, reading.today), 10) if short % 10 == 0 and short >= 20 else None


@rule("span", "the <decade>", "in the? <decade>")
def decade_in_words(reading: Reading, tens: int) -> Span:
    """Read "the nineties"."""
    return year_span(reading, full_year(10 * tens, reading.today), 10)


@rule("span", "the? <nth> ~-? century")
def century(reading: Reading, nth: int) -> Span | None:
    """Read "the 21st century"."""
    return year_span(reading, 100 * (nth - 1), 100) if 11 <= nth <= 30 else None


# ---- quarters, halves and seasons


@rule("quarter", "q ~<count>", "the? <nth> quarter", "quarter <count>")
def quarter(_: Reading, number: int) -> int | None:
    """Read "Q3"."""
    return number if 1 <= number <= 4 else None


@rule("span", "<quarter> ,|-|of|in|/? <year>", "<year> ,|-|/? <quarter>", "<quarter> ~' ~<two digits>")
def quarter_of_year(reading: Reading, first: int, second: int) -> Span:
    """Read "Q3 2019"."""
    number, year = min(first, second), max(first, second)
    return _quarter(reading, year if year > 99 else full_year(year, reading.today), number)


@rule("span", "<quarter>")
def quarter_alone(reading: Reading, number: int) -> Span:
    """Read "Q3", the latest that has begun."""
    this = _quarter(reading, reading.today.year, number)
    has_begun = this.start is not None and this.start <= reading.now
    return this if has_begun else _quarter(reading, reading.today.year - 1, number)


@rule("span", "<quarter> of <stretch>")
def quarter_of_span(reading: Reading, number: int, span: Span) -> Span | None:
    """Read "the first quarter of last year"."""
    return _quarter(reading, span.start.year, number) if span.grain is Grain.YEAR and span.start else None


@rule("span", "the? first half of <stretch>")
def first_half(reading: Reading, span: Span) -> Span | None:
    """Read "the first half of 2019"."""
    return _half(reading, span, first=True)


@rule("span", "h ~<count> ,|of|in? <year>")
def numbered_half(reading: Reading, number: int, year: int) -> Span | None:
    """Read "H1 2024"."""
    return _half(reading, year_span(reading, year), first=number == 1) if number in (1, 2) else None


@rule("bare half", "h ~<count>", "the <nth> half")
def half_alone(reading: Reading, number: int) -> Span | None:
    """Read "H1", the latest that has begun."""
    this = numbered_half(reading, number, reading.today.year)
    has_begun = this is None or this.start is None or this.start <= reading.now
    return this if has_begun else numbered_half(reading, number, reading.today.year - 1)


@rule("span", "the? second|other|latter half of <stretch>")
def second_half(reading: Reading, span: Span) -> Span | None:
    """Read "the second half of May"."""
    return _half(reading, span, first=False)


@rule("span", "<season> ,|of|in? <year>", "<season> <year part>")
def season_of_year(reading: Reading, month: int, year: int) -> Span:
    """Read "summer 2019"; a winter has the year that it begins in."""
    return _season(reading, year, month)


@rule(
    "span",
    "the|this|last|past|previous|during|in|over [last|past|previous|this] <season>",
    "[this|last|past|previous|next] <season>",
)
def season_from_now(reading: Reading, word: str, month: int) -> Span:
    """Read "last summer": the latest that is over; "this summer" is the one of this year."""
    years = (reading.today.year + 1, reading.today.year, reading.today.year - 1, reading.today.year - 2)
    seasons = [_season(reading, year, month) for year in years]
    if word in ("last", "past", "previous"):
        return next(season for season in seasons if season.end is not None and season.end <= reading.now)
    if word == "next":
        return [season for season in seasons if season.start is not None and season.start > reading.now][-1]
    return next(season for season in seasons if season.start is not None and season.start.year <= reading.today.year)


@rule("span", "the? <season> before last")
def season_before_last(reading: Reading, month: int) -> Span | None:
    """Read "the summer before last"."""
    last = season_from_now(reading, "last", month)
    return _season(reading, last.start.year - 1, month) if last.start else None


@rule("span", "in|during|since|over the? <season>")
@rule("bare season", "the? <season>")
def season_alone(reading: Reading, month: int) -> Span:
    """Read "in the summer", the latest that has begun."""
    seasons = [_season(reading, reading.today.year - away, month) for away in (0, 1)]
    return next(season for season in seasons if season.start is not None and season.start <= reading.now)


# ---- weeks and weekends


@rule("week span", "the? week of|from|beginning|starting|commencing on? <day like>", "w / c <day like>")
@rule("week span", "the? week beginning|starting|commencing|of|from <bare month>")
def week_of(reading: Reading, day: Span) -> Span | None:
    """Read "the week of April 10th"."""
    return unit_span(reading, day.start.date(), Unit.WEEK) if day.start else None


@rule("day like", "<day>", "<day of month>", "<slashed span>", "<weekday span>")
def day_like(_: Reading, day: Span) -> Span:
    """Take a day, however little speaks for it."""
    return day


@rule("week span", "the? weekend [before|after] <day like>")
def weekend_beside(reading: Reading, word: str, day: Span) -> Span | None:
    """Read "the weekend before Christmas": the last that is over by then, or the first that begins after."""
    if day.start is None:
        return None
    named = day.start.date()
    away = (5 - named.weekday()) % 7  # to the next Saturday; 6 on a Sunday, which is in a weekend itself
    saturday = named + timedelta(days=away - (14 if away == 6 else 7) if word == "before" else away or 7)
    return reading.days(saturday, saturday + timedelta(days=2), Grain.WEEK)


@rule("week span", "the? weekend of <day like>", "<holiday> weekend")
def weekend_of(reading: Reading, day: Span) -> Span | None:
    """Read "the weekend of Halloween": the nearest one, with the day itself where it stands beside it."""
    if day.start is None:
        return None
    named = day.start.date()
    saturday = named + timedelta(days=_TO_SATURDAY[named.weekday()])
    first, after = min(saturday, named), max(saturday + timedelta(days=2), named + timedelta(days=1))
    beside = (after - first).days <= 3
    return reading.days(first if beside else saturday, after if beside else saturday + timedelta(days=2), Grain.WEEK)


@rule("week span", "the weekend", "over|on|at the? weekend", "[at] weekend")
@rule("bare weekend", "weekend")
def weekend_alone(reading: Reading, _: str = "") -> Span:
    """Read "over the weekend": the latest that has begun."""
    this = unit_span(reading, reading.today, Unit.WEEKEND)
    has_begun = this.start is not None and this.start <= reading.now
    return this if has_begun else unit_span(reading, reading.today, Unit.WEEKEND, away=-1)


@rule("week span", "in|for|during? the? week|wk number? <count>", "calendar week <count>")
def week_number(reading: Reading, number: int) -> Span | None:
    """Read "week 27" of this year (ISO 8601)."""
    return _iso_week(reading, reading.today.year, number)


@rule("week span", "in|for|during? the? week|wk number? <count> ,|of|in? <year>")
@rule("week span", "in|for|during? the? week <count> of <stretch>")
def week_number_of(reading: Reading, number: int, year: int | Span) -> Span | None:
    """Read "week 27 of last year"."""
    if isinstance(year, Span):
        return _iso_week(reading, year.start.year, number) if year.start and year.grain is Grain.YEAR else None
    return _iso_week(reading, year, number)


@rule("week span", "<yyyy> ~-? ~w ~<count>", "<yyyy> - w ~<count>")
def iso_week(reading: Reading, year: int, number: int) -> Span | None:
    """Read "2026-W45" (ISO 8601)."""
    return _iso_week(reading, year, number)


@rule("week span", "w|kw|cw ~<count> ,|/|of|in? <year>", "kw|cw <count> ,|/|of|in? <year>", "week|wk <count> / <year>")
def week_by_letter_of_year(reading: Reading, number: int, year: int) -> Span | None:
    """Read "W45 2026", "KW 45/2026"."""
    return _iso_week(reading, year, number)


@rule("bare week", "w|kw|cw ~<count>", "kw|cw <count>")
def week_by_letter(reading: Reading, number: int) -> Span | None:
    """Read "W45", the latest that has begun."""
    return week_number(reading, number)


@rule("day", "<yyyy> ~- ~w ~<dd> ~- ~<one digit>", "<yyyy> ~w ~<dd> ~- ~<one digit>")
def day_of_iso_week(reading: Reading, year: int, number: int, weekday: int) -> Span:
    """Read "2026-W45-3", a Wednesday (ISO 8601)."""
    day = date.fromisocalendar(year, number, weekday)
    return reading.days(day, day + timedelta(days=1))


@rule("day", "<yyyy> ~- ~<three digits>", "day <count> of <year>")
def day_of_year(reading: Reading, *numbers: int) -> Span | None:
    """Read "2026-315", an ordinal date (ISO 8601)."""
    year, number = max(numbers), min(numbers)
    day = date(year, 1, 1) + timedelta(days=number - 1)
    return reading.days(day, day + timedelta(days=1)) if number and day.year == year else None


@rule("range", "weeks|week|wk|wks <count> -|to|~|through|until <count> ,|of|in? <year>")
def weeks_of_year(reading: Reading, first: int, last: int, year: int) -> Span | None:
    """Read "weeks 44 to 46 of 2025"."""
    start, end = _iso_week(reading, year, first), _iso_week(reading, year, last)
    return Span(start.start, end.end, Grain.WEEK) if start and end and first < last else None


@rule("range", "weeks|week|wk|wks <count> -|to|~|through|until <count>", "w ~<count> -|to|~|through|until w? ~<count>")
def weeks(reading: Reading, first: int, last: int) -> Span | None:
    """Read "weeks 44 to 46" of this year."""
    return weeks_of_year(reading, first, last, reading.today.year)


@rule("week span", "the? <nth> week of|in <stretch>")
def nth_week_of(reading: Reading, nth: int, span: Span) -> Span | None:
    """Read "the third week of January": weeks belong where most of their days are."""
    if span.start is None or span.grain < Grain.MONTH or nth > 53:
        return None
    return unit_span(reading, first_week_of(span.start.date()) + timedelta(weeks=nth - 1), Unit.WEEK)


@rule("week span", "the? last|final week of|in <stretch>")
def last_week_of(reading: Reading, span: Span) -> Span | None:
    """Read "the last week of July"."""
    if span.end is None or span.grain < Grain.MONTH:
        return None
    return unit_span(reading, first_week_of(span.end.date()) - timedelta(weeks=1), Unit.WEEK)


@rule("week span", "the? [first|second|third|fourth] weekend of|in? <stretch>", "the? [last] weekend of|in <stretch>")
def nth_weekend_of(reading: Reading, word: str, span: Span) -> Span | None:
    """Read "the first weekend of May", by its Saturday."""
    if span.start is None or span.end is None or span.grain < Grain.MONTH:
        return None
    first = span.start.date() + timedelta(days=(5 - span.start.weekday()) % 7)
    nth = ("first", "second", "third", "fourth").index(word) if word != "last" else (span.end.date() - first).days // 7
    last = first + timedelta(weeks=nth)
    last -= timedelta(weeks=1) if last >= span.end.date() else timedelta()
    return unit_span(reading, last, Unit.WEEKEND)


# ---- parts of a stretch


@rule("span", "the? [first|last|final] <amount> of|in <stretch>")
def first_amount_of(reading: Reading, word: str, amount: Amount, span: Span) -> Span | None:
    """Read "the first ten days of last year"."""
    if span.start is None or span.end is None or span.grain < Grain.DAY or amount.unit is Unit.BUSINESS_DAY:
        return None
    if word == "first":
        return Span(span.start, min(span.end, reading.shifted(span.start, amount, 1)), grain_of(amount.unit))
    return Span(max(span.start, reading.shifted(span.end, amount, -1)), span.end, grain_of(amount.unit))


@rule("span", "the? <nth> <long unit> of <stretch>")
def nth_unit_of(reading: Reading, nth: int, unit: Unit, span: Span) -> Span | None:
    """Read "the third month of 2019"."""
    if span.start is None or span.end is None or unit not in MONTHS_IN:
        return None
    first = add_months(unit_start(span.start.date(), unit), (nth - 1) * MONTHS_IN[unit])
    inside = reading.midnight(first) < span.end and span.grain > grain_of(unit)
    return unit_span(reading, first, unit) if inside else None


@rule("span", "the? [last|final] <long unit> of <stretch>")
def last_unit_of(reading: Reading, _: str, unit: Unit, span: Span) -> Span | None:
    """Read "the last month of 2019"."""
    if span.end is None or span.grain <= grain_of(unit):
        return None
    return unit_span(reading, span.end.date() - timedelta(days=1), unit)


@rule("span", "the? very? [beginning|start|middle|end|close] of <stretch>")
def edge_of(reading: Reading, word: str, stretch: Span) -> Span | None:
    """Read "the end of June": a third of it, or that moment where a moment is wanted."""
    if stretch.start is None or stretch.end is None or stretch.grain < Grain.WEEK or stretch.edge:
        return None
    return thirds(reading, stretch, _EDGES[word])


@rule("span", "[early|mid|late] -|in? the? <stretch>", "the? [early|late] part of <stretch>")
def part_of_stretch(reading: Reading, word: str, stretch: Span) -> Span | None:
    """Read "mid-November", "early 2019"."""
    third = edge_of(reading, word, stretch)
    return replace(third, edge=None, moment=None) if isinstance(third, Span) else None


@rule("stretch", "<span>", "<bare month>", "<bare year>", "<week span>")
def stretch(_: Reading, span: Span) -> Span:
    """Take what has a beginning and an end."""
    return span


@rule("stretch", "the last|past <long unit>")
def last_stretch(reading: Reading, unit: Unit) -> Span:
    """Take the month or year before, as in "the 20th of the last month"."""
    return unit_span(reading, reading.today, unit, away=-1)


@rule("stretch", "the? <week unit>", "the? <long unit>")
def this_stretch(reading: Reading, unit: Unit) -> Span:
    """Take the week, month or year that goes on."""
    return unit_span(reading, reading.today, unit)


@rule("span", "the? eoy", "the? eom", "the? [eow]")
def end_by_letters(reading: Reading, word: str = "") -> Span:
    """Read "EOY"."""
    unit = Unit.WEEK if word else Unit.YEAR
    return thirds(reading, unit_span(reading, reading.today, unit), Edge.END)


def _quarter(reading: Reading, year: int, number: int) -> Span:
    return unit_span(reading, date(year, 3 * number - 2, 1), Unit.QUARTER)


def _season(reading: Reading, year: int, month: int) -> Span:
    """Return a season by the months of meteorologists in the northern half of the world."""
    first = date(year, month, 1)
    return reading.days(first, add_months(first, 3), Grain.MONTH)


def _half(reading: Reading, span: Span, *, first: bool) -> Span | None:
    if span.start is None or span.end is None or span.grain < Grain.WEEK:
        return None
    start, after = span.start.date(), span.end.date()
    if span.grain is Grain.YEAR:
        middle = add_months(start, 6)
    elif span.grain is Grain.MONTH:
        middle = start + timedelta(days=15)
    else:
        middle = start + (after - start) // 2
    return reading.days(start, middle, span.grain) if first else reading.days(middle, after, span.grain)


def _iso_week(reading: Reading, year: int, number: int) -> Span | None:
    if not 1 <= number <= 53:
        return None
    try:
        return unit_span(reading, date.fromisocalendar(year, number, 1), Unit.WEEK)
    except ValueError:  # a year of 52 weeks
        return None
