"""Find the words and numbers of time among the tokens."""

from collections.abc import Iterator, Sequence

from time_expressions import numerals
from time_expressions.chart import Item
from time_expressions.disambiguation import is_month, is_weekday
from time_expressions.tokens import Token
from time_expressions.vocabulary import DECADES, MONTHS, PARTS_OF_DAY, SEASONS, UNITS, WEEKDAYS


def lexical_items(tokens: Sequence[Token]) -> list[Item]:
    """Return what single words and numbers stand for."""
    return [item for at in range(len(tokens)) for item in _items_at(tokens, at)]


def _items_at(tokens: Sequence[Token], at: int) -> Iterator[Item]:
    token = tokens[at]
    text = token.text.removesuffix("'s") if token.text.endswith("'s") else token.text
    for category, words in (
        ("month", MONTHS),
        ("weekday", WEEKDAYS),
        ("unit", UNITS),
        ("season", SEASONS),
        ("part", PARTS_OF_DAY),
        ("decade", DECADES),
    ):
        if text in words and _is_meant(category, tokens, at):
            yield Item(category, at, at + 1, words[text])
    if token.text.endswith("s") and token.text in UNITS:
        yield Item("several units", at, at + 1, UNITS[token.text])
    if token.text.endswith("s") and token.text[:-1] in WEEKDAYS and len(token.text) > 6:
        yield Item("weekdays", at, at + 1, WEEKDAYS[token.text[:-1]])
    yield from _digits(tokens, at) if token.is_number else _number_words(tokens, at)


def _is_meant(category: str, tokens: Sequence[Token], at: int) -> bool:
    if category == "month":
        return is_month(tokens, at)
    return category != "weekday" or is_weekday(tokens, at)


_BY_LENGTH = {1: "one digit", 2: "two digits", 3: "three digits"}


def _digits(tokens: Sequence[Token], at: int) -> Iterator[Item]:
    """Read digits: as a number, and by their length as a year, or a day or month."""
    text = tokens[at].text
    suffix = tokens[at + 1] if at + 1 < len(tokens) and tokens[at + 1].glued else None
    if suffix is not None and suffix.text in ("st", "nd", "rd", "th") and len(text) <= 3:
        yield Item("nth", at, at + 2, int(text))
        yield Item("digit nth", at, at + 2, int(text))
        return
    yield Item("digits", at, at + 1, text)
    if len(text) in _BY_LENGTH:
        yield Item(_BY_LENGTH[len(text)], at, at + 1, int(text))
    if len(text) <= 4:
        yield Item("count", at, at + 1, int(text))
    if len(text) <= 2:
        yield Item("dd", at, at + 1, int(text))
    if len(text) == 4 and 1000 <= int(text) < 3000:
        yield Item("yyyy", at, at + 1, int(text))
    if len(text) == 8:
        yield Item("yyyymmdd", at, at + 1, text)


def _number_words(tokens: Sequence[Token], at: int) -> Iterator[Item]:
    """Read number words; a number in words can be a day of a month where it follows the month."""
    for value, end in numerals.cardinal(tokens, at):
        if numerals.goes_on(tokens, end):
            continue
        yield Item("count", at, end, value)
        yield Item("count word", at, end, value)
    for value, end in numerals.ordinal(tokens, at):
        yield Item("nth", at, end, value)
        yield Item("nth word", at, end, value)
    for value, end in numerals.year(tokens, at):
        yield Item("year word", at, end, value)
