"""Read the numbers of a text: in digits and words, with thousands, units and scales; versions stay as they are."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from agent.proof.number_words import (
    ARTICLES,
    LANGUAGES,
    LONGEST_PHRASE,
    NOT_CLAIMED,
    ORDINALS,
    SCALES,
    UNITS,
    Unit,
    first_words,
    phrases,
)
from time_expressions.tokens import Token

_GROUP = 3  # digits between two separators of thousands
_MOST_PARTS = 8  # of one number
_MOST_DIGITS = 15
_ORDINAL_ENDS = frozenset(["st", "nd", "rd", "th", "er", "ere", "eme", "re", "e"])
_AND = frozenset(["and", "und", "et", "y"])
_SEPARATORS = frozenset([".", ",", "'", "\u2019"])
_HOUR = 3600.0  # "an hour" is 60 minutes, and "once a week" no number
_BEFORE = frozenset(["€", "$", "£", "%"])


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it may be meant: "1.200" is 1200 or 1.2; a version such as "0.4.1" has no value.

    It stands in the tokens from `first` to before `end`. It is `claimed` unless its word is one such as "one".
    """

    text: str
    values: frozenset[float]
    first: int
    end: int
    unit: Unit | None = None
    is_claimed: bool = True

    def is_same(self, other: "Number") -> bool:
        """Return whether both may be the same number of the same thing: 90 minutes are 1.5 hours."""
        if not self.values or not other.values:
            return self.text == other.text
        if self.unit is None or other.unit is None:
            if self.unit != other.unit and (self.text in ORDINALS or other.text in ORDINALS):
                return False  # "the first 4 MB" is no 1 MB
            return not self.values.isdisjoint(other.values)
        if self.unit[0] != other.unit[0]:
            return False
        ours, theirs = self.unit[1], other.unit[1]
        return any(math.isclose(mine * ours, value * theirs) for mine in self.values for value in other.values)


def number(value: float) -> Number:
    """Return a number that stands in no text."""
    return Number(str(value), frozenset([value]), 0, 0)


def numbers_in(tokens: Sequence[Token], languages: Collection[str], *, taken: Collection[int] = ()) -> Iterator[Number]:
    """Yield the numbers of a text in order, but for those of `taken` tokens; words are read in these languages."""
    at = 0
    while at < len(tokens):
        found = None
        if at not in taken:
            found = _in_digits(tokens, at) if tokens[at].is_number else _in_words(tokens, at, languages)
        if found is None:
            at += 1
            continue
        yield found
        at = found.end


def _in_digits(tokens: Sequence[Token], at: int) -> Number | None:
    parts, separators, end = [tokens[at].text], [], at + 1
    while len(parts) < _MOST_PARTS and (after := _next_part(tokens, end, parts[-1])):
        separators.append(after[0])
        parts.append(tokens[after[1]].text)
        end = after[1] + 1
    if len("".join(parts)) > _MOST_DIGITS:
        text = "".join(token.text for token in tokens[at:end])
        return Number(text, frozenset(), at, end)
    if end < len(tokens) and tokens[end].glued and tokens[end].text in _ORDINAL_ENDS:
        end += 1
    values = _values(parts, separators)
    text = "".join(token.text for token in tokens[at:end])
    return _with_unit(tokens, Number(text, values, at, end), at)


def _next_part(tokens: Sequence[Token], at: int, before: str) -> tuple[str, int] | None:
    """Return the separator and the position of digits that go on with a number."""
    if at + 1 < len(tokens) and tokens[at].text in _SEPARATORS and tokens[at].glued and tokens[at + 1].glued:
        return (tokens[at].text, at + 1) if tokens[at + 1].is_number else None
    if at < len(tokens) and tokens[at].is_number and len(tokens[at].text) == _GROUP and len(before) <= _GROUP:
        is_apart = not tokens[at].glued and tokens[at].start == tokens[at - 1].end + 1
        return (" ", at) if is_apart else None
    return None


def _values(parts: Sequence[str], separators: Sequence[str]) -> frozenset[float]:
    """Return what digits and their separators may mean; nothing for a version, an address or a date."""
    whole = float("".join(parts))
    if not separators:
        return frozenset([whole])
    is_grouped = all(len(part) == _GROUP for part in parts[1:]) and len(parts[0]) <= _GROUP
    values: set[float] = set()
    if is_grouped and len(set(separators)) == 1:
        values.add(whole)
    if separators[-1] in ".,":
        front_grouped = all(len(part) == _GROUP for part in parts[1:-1])
        has_one = separators.count(separators[-1]) == 1
        if has_one and front_grouped:
            values.add(float(f"{''.join(parts[:-1])}.{parts[-1]}"))
    return frozenset(values)


def _in_words(tokens: Sequence[Token], at: int, languages: Collection[str]) -> Number | None:
    best: Number | None = None
    for language in languages:
        found = _below_a_hundred(tokens, at, language) or _bare_scale(tokens, at, language)
        if found and (best is None or found.end > best.end or (found.end == best.end and found.is_claimed)):
            best = found
    if best is None:
        return None
    found = _with_unit(tokens, best, at)
    is_article = best.text in ARTICLES and found.values == best.values
    return None if is_article and (found.unit is None or found.unit[1] > _HOUR) else found


def _bare_scale(tokens: Sequence[Token], at: int, language: str) -> Number | None:
    """Return "hundert" or "mil", which need no number before them."""
    word = tokens[at].text
    if word not in {"hundert", "tausend", "cent", "mille", "cien", "mil", "hundred", "thousand"} or not language:
        return None
    return Number(word, frozenset([float(SCALES[word])]), at, at + 1, is_claimed=False)


def _below_a_hundred(tokens: Sequence[Token], at: int, language: str) -> Number | None:
    if tokens[at].text not in first_words(language):  # as of most words
        return None
    known = phrases(language)
    words: list[str] = []
    ends: list[int] = []
    position = at
    while position < len(tokens) and len(words) < LONGEST_PHRASE:
        if words and tokens[position].text == "-" and tokens[position].glued:
            position += 1
            continue
        words.append(tokens[position].text)
        position += 1
        ends.append(position)
    for length in range(len(words), 0, -1):
        value = known.get(tuple(words[:length]))
        if value is not None:
            text = " ".join(words[:length])
            return Number(text, frozenset([float(value)]), at, ends[length - 1], is_claimed=text not in NOT_CLAIMED)
    return None


def _with_unit(tokens: Sequence[Token], found: Number, at: int) -> Number:
    """Return a number with the scales and the unit that stand around it."""
    values, end = _scaled(tokens, found)
    is_claimed = found.is_claimed or end > found.end
    unit = UNITS.get(tokens[at - 1].text) if at and tokens[at - 1].text in _BEFORE else None
    behind = end + 1 if end + 1 < len(tokens) and tokens[end].text == "-" and tokens[end].glued else end
    if unit is None and behind < len(tokens) and (unit := UNITS.get(tokens[behind].text)):
        end = behind + 1
    return Number(found.text, values, found.first, end, unit, is_claimed)


def _scaled(tokens: Sequence[Token], found: Number) -> tuple[frozenset[float], int]:
    """Return a number with the scales behind it and what is added to them, and its end: "two hundred and fifty"."""
    groups, end, total = set(found.values), found.end, 0.0
    for _ in range(_MOST_PARTS):
        scale = SCALES.get(tokens[end].text) if end < len(tokens) and _is_scale(tokens[end]) else None
        if scale is None:
            break
        end += 1
        groups = {value * scale for value in groups}
        rest = end + 1 if end < len(tokens) and tokens[end].text in _AND else end
        more = _first_phrase(tokens, rest) if rest < len(tokens) else None
        if scale >= SCALES["thousand"]:
            total += max(groups, default=0.0) if more else 0.0
            groups = {0.0} if more else groups
        if more:
            groups, end = {value + next(iter(more.values)) for value in groups}, more.end
    return frozenset(total + value for value in groups), end


def _is_scale(token: Token) -> bool:
    return token.text in SCALES and (token.text != "k" or token.glued)


def _first_phrase(tokens: Sequence[Token], at: int) -> Number | None:
    found = (_below_a_hundred(tokens, at, language) for language in LANGUAGES)
    return next((phrase for phrase in found if phrase and phrase.is_claimed), None)
