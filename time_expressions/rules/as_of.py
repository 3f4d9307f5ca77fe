"""Rules for the moment of which the state is asked: "as of 3 May", "as it stood on Friday", "Stand 3. Mai"."""

from time_expressions.calendar import on, resolved
from time_expressions.chart import Grammar
from time_expressions.meanings import NO_TIME, NoTime, Partial, Reading, Span

GRAMMAR = Grammar()
rule = GRAMMAR.rule


@rule("as of", "as of|at|on <any>", "as it|they|things|matters? stood|were on|at|in|by? <any>", "stood on|at|by <any>")
@rule("as of", "stand vom? <foreign span>", "etat <foreign span>", "a fecha de|del? <foreign span>")
@rule("as of", "a la fecha de|del <foreign span>", "a la date du? <foreign span>")
def as_of(reading: Reading, span: Span) -> Span | NoTime:
    """Read "as of 3 May": all that was said to the end of that day; what is not over yet leaves nothing out."""
    end = span.moment or span.end
    return NO_TIME if end is None or end >= reading.now else Span(None, end, span.grain, as_of=True)


@rule("foreign span", "<foreign day>")
def foreign_day(reading: Reading, date: Partial) -> Span | None:
    """Take a date of another language."""
    return resolved(reading, date)


@rule("foreign span", "<dd> ~. <foreign month>", "<dd> ~. <foreign month> <yyyy>")
def foreign_day_beyond_doubt(reading: Reading, day: int, month: int, year: int | None = None) -> Span | None:
    """Read "3. Mai": behind such words it is a date, whatever the month's name means in English."""
    return resolved(reading, Partial(year, month, day)) if on(year or 2000, month, day) else None
