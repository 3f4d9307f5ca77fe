"""Read numbers that are written in words."""

from collections.abc import Sequence

from time_expressions.tokens import Token

_ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_TEENS = "seventeen eighteen nineteen"
UNITS = {word: value for value, word in enumerate(f"{_ONES} {_TEENS}".split())}
TENS = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_IRREGULAR = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
ORDINALS = (
    _IRREGULAR
    | {f"{word}th": value for word, value in UNITS.items() if f"{word}th" not in ("oneth", "twoth", "threeth")}
    | {word.replace("ty", "tieth"): value for word, value in TENS.items()}
)
VAGUE = {"couple": 2, "few": 3, "several": 3}
LONGEST = 6


def cardinal(tokens: Sequence[Token], at: int) -> list[tuple[int, int]]:
    """Return each cardinal number that begins at a token, as its value and the position after it."""
    found: list[tuple[int, int]] = []
    words = _words(tokens, at)
    for length in range(1, len(words) + 1):
        value = _value([word for word, _ in words[:length]])
        if value is not None:
            found.append((value, words[length - 1][1]))
    return found


def ordinal(tokens: Sequence[Token], at: int) -> list[tuple[int, int]]:
    """Return each ordinal number below a hundred that begins at a token, as its value and the position after it."""
    words = _words(tokens, at)[:2]
    found: list[tuple[int, int]] = []
    if words and words[0][0] in ORDINALS:
        found.append((ORDINALS[words[0][0]], words[0][1]))
    if len(words) == 2 and words[0][0] in TENS and 0 < ORDINALS.get(words[1][0], 0) < 10:
        found.append((TENS[words[0][0]] + ORDINALS[words[1][0]], words[1][1]))
    return found


def year(tokens: Sequence[Token], at: int) -> list[tuple[int, int]]:
    """Return each year in words ("nineteen eighty six", "two thousand and five") that begins at a token."""
    words = _words(tokens, at)
    found = [(value, end) for value, end in cardinal(tokens, at) if 1000 <= value < 3000]
    for length in range(2, min(3, len(words)) + 1):
        century, rest = _value([words[0][0]]), _value([word for word, _ in words[1:length]])
        if century is not None and rest is not None and 16 <= century <= 20 and 10 <= rest < 100:
            found.append((100 * century + rest, words[length - 1][1]))
    return found


def goes_on(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a hyphen joins another number word to what ends here: "twenty-" in "twenty-seventh"."""
    joined = tokens[at : at + 2]
    if len(joined) < 2 or joined[0].text != "-" or not all(token.glued for token in joined):
        return False
    return joined[1].text in ORDINALS or joined[1].text in UNITS


def _words(tokens: Sequence[Token], at: int) -> list[tuple[str, int]]:
    """Return the number words from a token on, each with the position after it; hyphens between them are skipped."""
    words: list[tuple[str, int]] = []
    while at < len(tokens) and len(words) < LONGEST:
        if words and tokens[at].text == "-" and at + 1 < len(tokens) and tokens[at].glued and tokens[at + 1].glued:
            at += 1
        word = tokens[at].text
        if word not in UNITS and word not in TENS and word not in ORDINALS and word not in _LINKS:
            break
        words.append((word, at + 1))
        at += 1
    return words


_LINKS = ("hundred", "thousand", "and")


def _value(words: Sequence[str]) -> int | None:
    """Return the number that these words spell, None when they spell none."""
    if not words or words[-1] == "and" or words[0] in _LINKS:
        return None
    total, group, last = 0, 0, 10_000
    for word in words:
        if word == "and":
            last = 10_000 if last in (100, 1000) else 0
        elif word in ("hundred", "thousand"):
            scale = 100 if word == "hundred" else 1000
            if not 0 < group < 100:
                return None
            total, group, last = (total, group * 100, 100) if scale == 100 else (total + group * 1000, 0, 1000)
        else:
            value = UNITS.get(word) if word in UNITS else TENS.get(word)
            size = 1 if word in UNITS else 10
            room = 10 if last == 10 else 10_000 if last in (100, 1000, 10_000) else 0
            if value is None or value >= room or (last == 10 and (size != 1 or value == 0)):
                return None
            group, last = group + value, 10 if size == 10 else 1
    return total + group
