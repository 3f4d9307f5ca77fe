"""Rules for dates with the names of months in other languages: "mar 3 de noviembre", "Di, 3. November", "3 mars 2026".

Only whole dates are read: a weekday's abbreviation is a month in another language ("mar"), and both are words.
"""

from collections.abc import Iterator, Sequence

from time_expressions.calendar import on, resolved
from time_expressions.chart import Grammar, Item
from time_expressions.meanings import NO_TIME, NoTime, Partial, Reading, Span
from time_expressions.tokens import Token

GRAMMAR = Grammar()
rule = GRAMMAR.rule

_LONG = (
    "enero janvier januar janner gennaio janeiro januari", "febrero fevrier februar febbraio fevereiro februari",
    "marzo marz maart", "abril avril aprile april", "mayo maggio maio", "junio juin juni giugno junho",
    "julio juillet juli luglio julho", "agosto aout augustus august",
    "septiembre setiembre septembre september settembre setembro", "octubre octobre oktober ottobre outubro",
    "noviembre novembre november novembro", "diciembre decembre dezember dicembre dezembro december",
)  # fmt: skip
_SHORT = (
    "ene janv jan gen", "feb fev fevr", "mar mrz mars marco", "abr avr apr", "may mai mag mei", "jun giu",
    "jul juil lug", "ago aug", "sep sept set", "oct okt ott out", "nov", "dic dec dez",
)  # fmt: skip
_ENGLISH_TOO = frozenset(["jan", "gen", "mar", "mars", "marco", "may", "mag", "ago", "set", "out", "mei", "mai"])
"""Short names that are words, or names, of English: only "de" before them makes a month of them."""

_WEEKDAYS = (
    "lunes lundi montag lunedi maandag segunda lun seg",
    "martes mardi dienstag martedi dinsdag terca mar ter",
    "miercoles mercredi mittwoch mercoledi woensdag quarta mie mer qua",
    "jueves jeudi donnerstag giovedi donderdag quinta jue jeu gio qui",
    "viernes vendredi freitag venerdi vrijdag sexta vie ven sex",
    "sabado samedi samstag sonnabend sabato zaterdag sab sam",
    "domingo dimanche sonntag domenica zondag dom dim",
)
_OF_TWO_LETTERS = ("mo ma", "di", "mi wo", "do", "fr vr", "sa za", "so zo")
"""Abbreviations of German and Dutch, which English has as words: they count as capitals alone."""


def _numbered(names: Sequence[str], first: int) -> dict[str, int]:
    return {name: number for number, of_number in enumerate(names, start=first) for name in of_number.split()}


_CLEAR_MONTHS = _numbered(_LONG, 1) | {
    name: number for name, number in _numbered(_SHORT, 1).items() if name not in _ENGLISH_TOO
}
_ALL_MONTHS = _CLEAR_MONTHS | _numbered(_SHORT, 1)
_DAYS = _numbered(_WEEKDAYS, 0)
_SHORT_DAYS = _numbered(_OF_TWO_LETTERS, 0)


def foreign_items(tokens: Sequence[Token]) -> Iterator[Item]:
    """Yield the names of months and weekdays of other languages among the tokens."""
    for at, token in enumerate(tokens):
        if token.text in _CLEAR_MONTHS:
            yield Item("clear foreign month", at, at + 1, _CLEAR_MONTHS[token.text])
        if token.text in _ALL_MONTHS:
            yield Item("foreign month", at, at + 1, _ALL_MONTHS[token.text])
        if token.text in _DAYS:
            yield Item("foreign weekday", at, at + 1, _DAYS[token.text])
        if token.text in _SHORT_DAYS and token.written[0].isupper():
            yield Item("foreign weekday", at, at + 1, _SHORT_DAYS[token.text])


@rule("foreign date", "<dd> ~.|º|° de|d'|di <foreign month>", "<dd> de|di <foreign month>")
@rule("foreign date", "<dd> ~. <clear foreign month>", "<dd> <clear foreign month>", "le|du|au <dd> <foreign month>")
@rule("foreign date", "1 ~er|re <foreign month>")
def day_month(_: Reading, *numbers: int) -> Partial | NoTime:
    """Read "3 de noviembre", "3. November"."""
    month, day = numbers[-1], numbers[0] if len(numbers) > 1 else 1
    return Partial(None, month, day) if on(2000, month, day) else NO_TIME


@rule("dated", "<foreign date> ~.? de|del? <yyyy>", "<foreign date> , <yyyy>", "<dd> <foreign month> <yyyy>")
def day_month_year(_: Reading, *given: Partial | NoTime | int) -> Partial | NoTime:
    """Read "3 de noviembre de 2026"."""
    date, year = given[0], given[-1]
    if isinstance(date, int) and isinstance(given[1], int):
        date = Partial(None, given[1], date)
    if not isinstance(date, Partial) or not isinstance(year, int):
        return NO_TIME
    month, day = date.month or 1, date.day or 1
    return Partial(year, month, day) if on(year, month, day) else NO_TIME


@rule("dated", "<foreign date>")
def without_year(_: Reading, date: Partial | NoTime) -> Partial | NoTime:
    """Take a date without its year."""
    return date


@rule("dated", "<foreign weekday> ~.? ,? el|le|il|den|dem|o? <dated>", "<foreign weekday> - feira ,? o? <dated>")
def weekday_before_date(_: Reading, __: int, date: Partial | NoTime) -> Partial | NoTime:
    """Read "mar 3 de noviembre": the date counts."""
    return date


@rule("foreign day", "<dated>")
def date_as_day(_: Reading, date: Partial | NoTime) -> Partial | None:
    """Take a date that the calendar has for a day."""
    return date if isinstance(date, Partial) else None


@rule("date", "<foreign day>")
def foreign_date(_: Reading, date: Partial) -> Partial:
    """Take a date of another language where one may stand."""
    return date


@rule("date", "el|le|il|am|op <foreign weekday> ~.? ,? <dd>")
def weekday_and_day(_: Reading, weekday: int, day: int) -> Partial | None:
    """Read "el mar 3": a Tuesday, and not in March."""
    return Partial(day=day, weekday=weekday) if 1 <= day <= 31 else None


@rule("no time", "<dated>")
def no_such_date(_: Reading, date: Partial | NoTime) -> NoTime | None:
    """Read "31 de noviembre"."""
    return date if isinstance(date, NoTime) else None


@rule("range", "del|du|vom|dal|de|von <dd> ~.? al|au|bis|a|ao|zum <dated>", "<dd> ~.? - <dated>")
def from_day_to_date(reading: Reading, first: int, last: Partial | NoTime) -> Span | None:
    """Read "del 3 al 5 de noviembre"."""
    if not isinstance(last, Partial) or last.day is None or not 1 <= first < last.day:
        return None
    end = resolved(reading, last)
    if end is None or end.start is None or end.end is None:
        return None
    return reading.days(end.start.date().replace(day=first), end.end.date())
