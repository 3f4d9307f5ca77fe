"""Read words of time that are misspelt or written together: "yesteday", "thrusday", "lastweek", "2daysago".

Only what is no word otherwise is taken for a misspelling, and never in quotes, in code, or in a name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from time_expressions.chart import Grammar
from time_expressions.disambiguation import FUNCTION_WORDS
from time_expressions.numerals import ORDINALS, TENS, VAGUE
from time_expressions.numerals import UNITS as NUMBERS
from time_expressions.tokens import QUOTES, Token
from time_expressions.vocabulary import MONTHS, PARTS_OF_DAY, SEASONS, UNITS, WEEKDAYS

_TWO_AWAY = frozenset(
    ["yesterday", "tomorrow", "wednesday", "thursday", "saturday", "january", "february", "september", "november",
     "december"]
)  # fmt: skip
"""Words that are still known with two letters wrong; in those below one may be wrong, or two changed places."""

_ONE_AWAY = frozenset(
    [
        "monday", "tuesday", "friday", "sunday", "april", "august", "october", "tonight", "weekend", "weekends",
        "months", "morning", "afternoon", "evening", "midnight", "christmas", "halloween", "thanksgiving", "fortnight",
        "minutes",
    ]
)  # fmt: skip
_NAMES = frozenset([*WEEKDAYS, *MONTHS, "christmas", "halloween", "thanksgiving"])

_BESIDE_UNITS = frozenset(["last", "next", "past"])
_UNITS = frozenset(["week", "weeks", "month", "months", "hour", "hours", "year", "years", "days", "night"])
_MISSPELT_ALONE = {
    "yday": "yesterday", "yest": "yesterday", "ystd": "yesterday", "tmrw": "tomorrow", "tmr": "tomorrow",
    "tonite": "tonight", "2nite": "tonight", "nite": "night", "wknd": "weekend", "wkend": "weekend",
    "wkends": "weekends", "wknds": "weekends", "tuesd": "tuesday", "wensday": "wednesday", "febuary": "february",
}  # fmt: skip
"""Short forms that people write."""

_MISSPELT_AGO = frozenset(["agao", "aog", "agp", "agoo", "agi", "agho", "agon"])

_OTHER_WORDS = frozenset(
    [
        "abril", "aftergood", "afternose", "afternote", "alts", "angust", "antenoon", "apoil", "aprile",
        "aprilo", "apris", "apryl", "atril", "augusta", "auguste", "augusti", "augusto", "augustu", "avril",
        "chrisma", "chrismal", "christman", "christmann", "dabs", "dads", "dams", "data", "dates", "deceiver",
        "decemb", "decembre", "decender", "decenter", "deciembre", "deemer", "dember", "desember", "dezember",
        "dezembro", "dicembre", "eveling", "eventing", "februar", "februari", "ferrary", "forenight", "foreright",
        "forthright", "frida", "fridag", "fridah", "hallowed", "hallowell", "helloween", "hoes", "hors", "jaguary",
        "januar", "januari", "mcknight", "meek", "midflight", "midweight", "mindsight", "minuets", "minuses",
        "minute", "minuted", "minuten", "minuter", "minutos", "minuts", "misdight", "mislight", "moaning", "monda",
        "mondai", "mondal", "mondry", "mongay", "montay", "montes", "month", "montis", "monts", "montys", "mooning",
        "morling", "mornin", "morsing", "moths", "mourning", "mouth", "mouths", "nember", "nigh", "noemer",
        "nonmember", "novelder", "noveller", "novembre", "novembro", "noviembre", "octobre", "oktober", "outubro",
        "pats", "salt", "samuray", "sanday", "satura", "saturada", "saturado", "saturae", "saturna", "saturnal",
        "septembre", "septemvir", "septiembre", "septimer", "setembre", "setembro", "settembre", "slat", "slats",
        "sonday", "spat", "sturdy", "sunay", "sunda", "sundae", "sundal", "sundar", "sundry", "sunjay", "sunray",
        "sunway", "taps", "thisday", "thursby", "thurstan", "todorow", "vening", "wake", "weak", "weakend", "weakens",
        "weds", "wee", "weed", "weekday", "weekdays", "weekender", "weeknd", "weep", "weld", "werkend", "werkende",
        "yeah", "yeas", "yeti",
    ]
)  # fmt: skip
"""Words of several languages, and names, that are as near to a word of time as its misspellings are.

They were found by comparing the words of time with large lists of words of thirteen languages (wordfreq, and the
dictionaries of english-words).
"""

_LONGEST = 12
_SHORTEST = 5
_JOINED = frozenset(
    [
        *(name for name in WEEKDAYS if len(name) > 5), *(name for name in MONTHS if len(name) > 4), *PARTS_OF_DAY,
        "last", "this", "next", "past", "ago", "yesterday", "today", "tomorrow", "week", "weeks", "weekend", "month",
        "months", "year", "years", "day", "days", "hour", "hours", "minute", "minutes", "mins", "min", "hrs", "wks",
        "yrs", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    ]
)  # fmt: skip
_POINTING = frozenset(["last", "this", "next", "past", "ago", "yesterday", "today", "tomorrow"])
_MOST_JOINED = 4
_LONGEST_JOINED = 30


def spelt_out(tokens: Sequence[Token], grammar: Grammar) -> list[Token]:
    """Return the tokens with the words of time that were meant; other words stay as they are."""
    tokens = _without_joints(tokens)
    known = _known(grammar)
    quoted = _in_quotes(tokens)
    found: list[Token] = []
    for at, token in enumerate(tokens):
        stem = token.text.removesuffix("'s").removesuffix("s")
        is_known = not token.is_word or token.text in _OTHER_WORDS or token.text in known or stem in known
        if (is_known and not _is_weekend(tokens, at)) or at in quoted or _is_name(tokens, at):
            found.append(token)
        elif parts := _parts(token):
            found += parts
        else:
            found.append(replace(token, text=_meant(tokens, at) or token.text))
    return found


@lru_cache(maxsize=1)
def _known(grammar: Grammar) -> frozenset[str]:
    """Return the words that have a meaning as they are."""
    words = (grammar.by_word, WEEKDAYS, MONTHS, UNITS, PARTS_OF_DAY, SEASONS, NUMBERS, TENS, ORDINALS, VAGUE)
    return FUNCTION_WORDS.union(*words) - frozenset(_MISSPELT_ALONE)


def _without_joints(tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens without the hyphens of "last-week" and "monday_morning"."""
    return [token for at, token in enumerate(tokens) if not _is_joint(tokens, at)]


def _is_joint(tokens: Sequence[Token], at: int) -> bool:
    if tokens[at].text not in ("-", "_") or not 0 < at < len(tokens) - 1:
        return False
    before, behind = tokens[at - 1].text, tokens[at + 1].text
    if not tokens[at].glued or not tokens[at + 1].glued or (at > 1 and tokens[at - 1].glued):
        return False
    points = before in _BESIDE_UNITS | {"this"} and (behind in UNITS or behind in WEEKDAYS)
    return points or (before in WEEKDAYS and behind in PARTS_OF_DAY)


def _is_weekend(tokens: Sequence[Token], at: int) -> bool:
    """Return whether "weeknd", which is a name too, is meant for the weekend: "last weeknd"."""
    pointed = at > 0 and tokens[at - 1].text in _BESIDE_UNITS | {"this"}
    return tokens[at].text == "weeknd" and pointed and tokens[at].written.islower()


def _in_quotes(tokens: Sequence[Token]) -> frozenset[int]:
    """Return which tokens stand between double quotes."""
    within, quoted = False, set[int]()
    for at, token in enumerate(tokens):
        if token.text in QUOTES:
            within = not within
        elif within:
            quoted.add(at)
    return frozenset(quoted) if not within else frozenset()


def _is_name(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a sign makes a name of a word: "#monady", "@sundy", "sundy_bot", "sundy.io"."""
    before = tokens[at - 1].text if at else ""
    behind = tokens[at + 1 : at + 3]
    marked = bool(behind) and behind[0].glued and behind[0].text in ("_", "@", "#")
    addressed = len(behind) == 2 and behind[0].text == "." and all(token.glued for token in behind)
    return marked or addressed or (before in ("#", "@", "_", "/", ".") and tokens[at].glued)


def _meant(tokens: Sequence[Token], at: int) -> str | None:
    """Return the word of time that a word is a misspelling of."""
    token = tokens[at]
    if token.text in _MISSPELT_ALONE:
        return _MISSPELT_ALONE[token.text]
    if token.text in _MISSPELT_AGO and at and tokens[at - 1].text in UNITS:
        return "ago"
    if not _SHORTEST <= len(token.text) <= _LONGEST:
        return _meant_beside_others(tokens, at)
    meant = _nearest(token.text)
    capital = token.written[0].isupper() and at > 0
    return meant if meant is None or meant in _NAMES or not capital else None


def _meant_beside_others(tokens: Sequence[Token], at: int) -> str | None:
    """Return the short word that is meant where the next one speaks for it: "lsat week", "last wek"."""
    before, behind = (tokens[place].text if 0 <= place < len(tokens) else "" for place in (at - 1, at + 1))
    word = tokens[at].text
    if len(word) not in (3, 4):
        return None
    if behind in UNITS or behind in WEEKDAYS or behind in MONTHS:
        return next((right for right in sorted(_BESIDE_UNITS) if sorted(word) == sorted(right)), None)
    if before in _BESIDE_UNITS or before.isdecimal() or before in NUMBERS:
        return next((right for right in sorted(_UNITS) if _is_one_away(word, right)), None)
    return None


@lru_cache(maxsize=2048)
def _nearest(word: str) -> str | None:
    """Return the one word of time that is nearest to a word, if it is near enough."""
    from rapidfuzz.distance import OSA  # loaded when the first unknown word is met

    near: dict[str, int] = {}
    for right in _TWO_AWAY | _ONE_AWAY:
        most = 2 if right in _TWO_AWAY else 1
        if word[0] == right[0] or word[:2] == right[1::-1]:
            distance = OSA.distance(word, right, score_cutoff=most)
            if distance <= most:
                near[right] = distance
    least = min(near.values(), default=0)
    nearest = [right for right, distance in near.items() if distance == least]
    return nearest[0] if len(nearest) == 1 else None


def _is_one_away(word: str, right: str) -> bool:
    from rapidfuzz.distance import OSA

    return word[0] == right[0] and OSA.distance(word, right, score_cutoff=1) == 1


def _parts(token: Token) -> list[Token]:
    """Return the words that are written together in a token, none where it is one word."""
    if len(token.text) != len(token.written) or len(token.text) > _LONGEST_JOINED:
        return []
    for words in _split(token.text, _MOST_JOINED):
        if len(words) > 1 and _is_phrase(words):
            return list(_cut(token, words))
    return []


def _split(text: str, most: int) -> Iterator[tuple[str, ...]]:
    """Yield the ways to cut a text into at most so many words of time."""
    if not text:
        yield ()
    if not text or not most:
        return
    for end in range(3, len(text) + 1):
        if text[:end] in _JOINED:
            yield from ((text[:end], *rest) for rest in _split(text[end:], most - 1))


def _is_phrase(words: Sequence[str]) -> bool:
    return not _POINTING.isdisjoint(words) or (words[0] in WEEKDAYS and words[1] in PARTS_OF_DAY)


def _cut(token: Token, words: Sequence[str]) -> Iterator[Token]:
    at = 0
    for word in words:
        glued = token.glued if not at else True
        start = token.start + at
        yield Token(word, token.written[at : at + len(word)], start, start + len(word), glued)
        at += len(word)
