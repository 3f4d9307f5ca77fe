"""The words of time, and what each stands for."""

from time_expressions.meanings import Unit

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb febr",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon",
            "tuesday tue tues",
            "wednesday wed weds",
            "thursday thu thur thurs",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for name in names.split()
}
UNITS = {
    name: unit
    for unit, names in {
        Unit.SECOND: "second seconds sec secs",
        Unit.MINUTE: "minute minutes min mins",
        Unit.HOUR: "hour hours hr hrs h",
        Unit.DAY: "day days",
        Unit.WEEKEND: "weekend weekends",
        Unit.WEEK: "week weeks wk wks",
        Unit.FORTNIGHT: "fortnight fortnights",
        Unit.MONTH: "month months mth mths",
        Unit.QUARTER: "quarter quarters",
        Unit.YEAR: "year years yr yrs",
        Unit.DECADE: "decade decades",
        Unit.CENTURY: "century centuries",
    }.items()
    for name in names.split()
}
SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
PARTS_OF_DAY = {
    "morning": "morning",
    "noon": "noon",
    "midday": "noon",
    "lunchtime": "noon",
    "lunch": "noon",
    "afternoon": "afternoon",
    "evening": "evening",
    "night": "night",
    "midnight": "midnight",
}
DECADES = {
    name: value
    for value, name in enumerate(
        ["twenties", "thirties", "forties", "fifties", "sixties", "seventies", "eighties", "nineties"], 2
    )
}
