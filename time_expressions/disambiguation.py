"""Decide whether a word names a time or something else: "may", "march", "the second", "at last"."""

from collections.abc import Sequence
from itertools import pairwise

from time_expressions.chart import Item
from time_expressions.meanings import Looks
from time_expressions.numerals import ORDINALS, TENS, UNITS
from time_expressions.tokens import Token
from time_expressions.vocabulary import MONTHS, PARTS_OF_DAY, WEEKDAYS

CLEAR_MONTHS = frozenset(["january", "february", "july", "september", "october", "november", "december"])
_NAMES_OF_PEOPLE = frozenset(["april", "may", "june", "august", "jan"])
_VERBS = frozenset(["may", "march"])
_WEAK_WEEKDAYS = frozenset(["mon", "wed", "thu", "sat", "sun"])

_BEFORE_TIMES = frozenset(
    [
        "in",
        "on",
        "since",
        "during",
        "until",
        "till",
        "til",
        "before",
        "after",
        "last",
        "past",
        "next",
        "early",
        "late",
        "mid",
        "earlier",
        "previous",
        "of",
        "around",
        "throughout",
    ]
)
_BEFORE_RANGES = frozenset(
    ["from", "between", "to", "and", "through", "thru", "-", "~", "or", "this", "by", "for", "the"]
)
_RANGE_WORDS = frozenset(["to", "till", "until", "through", "thru", "-", "and"])
_NOW = frozenset(["date", "now", "today", "present"])
_BEFORE_DATES = frozenset(
    [
        "on",
        "for",
        "since",
        "by",
        "before",
        "after",
        "from",
        "until",
        "till",
        "to",
        "of",
        "this",
        "next",
        "last",
        "between",
        "and",
        "dated",
        "around",
        "through",
    ]
)
FUNCTION_WORDS = frozenset(
    [
        "and",
        "or",
        "of",
        "at",
        "in",
        "to",
        "till",
        "until",
        "through",
        "with",
        "when",
        "what",
        "did",
        "do",
        "does",
        "we",
        "i",
        "you",
        "they",
        "he",
        "she",
        "it",
        "about",
        "from",
        "for",
        "on",
        "by",
        "was",
        "were",
        "is",
        "are",
        "has",
        "have",
        "had",
        "the",
        "that",
        "this",
        "afternoon",
        "morning",
        "evening",
        "night",
        "so",
        "but",
        "as",
        "because",
        "please",
        "if",
        "there",
        "anyone",
        "somebody",
        "who",
        "how",
        "why",
        "where",
    ]
)
_NEEDS_BEFORE = {
    "bare year": _BEFORE_DATES | {"in", "during", "year", "="},
    "slashed span": _BEFORE_DATES,
    "dashed span": frozenset({"on"}),
    "day of month": frozenset(["on", "since", "by", "before", "after", "until", "till", "from", "of"]),
    "bare half": frozenset(["in", "during", "since", "for", "from"]),
    "bare week": frozenset(["in", "during", "since", "for", "from", "until", "before", "after", "of"]),
    "day numbers": frozenset[str](),
    "hour range": frozenset[str](),
    "day before": frozenset[str](),
    "the unit": frozenset[str](),
}
"""What must stand before the readings that plain numbers and words have too; nothing particular where it is empty."""

_THINGS_SAID = frozenset(
    [
        "messages", "message", "posts", "post", "chats", "chat", "conversations", "conversation", "discussions",
        "everything", "anything", "something", "stuff", "things", "links", "link", "pictures", "picture", "photos",
        "photo", "images", "image", "files", "screenshots", "videos", "notes", "news", "answers", "questions", "polls",
        "announcements", "memes", "decisions", "updates", "highlights", "summary", "logs", "history", "quotes", "texts",
        "attachments", "documents", "events", "minutes", "comments", "replies", "threads", "talk", "discussion", "best",
    ]
)  # fmt: skip
"""What is from a month and not from a person of that name: "messages from April"."""

_JOINS = frozenset(["-", "~", "and", "or", "/", ",", "to", "through", "thru", "until", "till", "+"])
_JOINS_TO_FRAMES = frozenset(["of", "in", ",", "from", "the"])
_HYPHENS = frozenset("-\N{HYPHEN}\N{NON-BREAKING HYPHEN}")
"""What joins the halves of a compound; a longer dash parts clauses: "one last year—nothing like it"."""

_NOT_ONE = frozenset(["every", "each", "any", "per", "no"])


_AHEAD = frozenset(
    [
        "will", "won't", "shall", "gonna", "plan", "plans", "planned", "planning", "upcoming", "scheduled", "schedule",
        "forecast", "we'll", "i'll", "you'll", "they'll", "he'll", "she'll", "it'll", "rsvp", "wanna", "tomorrow",
    ]
)  # fmt: skip
_ARE = frozenset(["are", "is", "am", "we're", "i'm", "they're", "you're", "who's", "what's", "he's", "she's"])
_MODALS = frozenset(["should", "can", "could", "may", "do", "does", "is", "are", "let's", "wants", "want"])
_WAS = frozenset(
    [
        "did", "was", "were", "had", "said", "happened", "went", "talked", "discussed", "wrote", "posted", "mentioned",
        "decided", "asked", "been", "didn't", "wasn't", "weren't", "told", "spoke", "shared", "sent",
    ]
)  # fmt: skip


def direction_of(tokens: Sequence[Token]) -> Looks | None:
    """Return which way a text looks by its verbs: "what are we doing ..." and "who did ...", None where none tells.

    Plans are ahead whatever else is said: of "what did we plan for this weekend?" the weekend is to come.
    """
    words = [token.text for token in tokens]
    if not _AHEAD.isdisjoint(words) or any(pair == ("going", "to") for pair in pairwise(words)):
        return Looks.AHEAD
    if not _WAS.isdisjoint(words):
        return Looks.BACK
    for at, word in enumerate(words):
        if word in _ARE and any(later.endswith("ing") and len(later) > 4 for later in words[at + 1 : at + 4]):
            return Looks.AHEAD
    return Looks.AHEAD if words and words[0] in _MODALS else None


def is_month(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a month's name means the month."""
    name = tokens[at].text.removesuffix("'s")
    before, behind = _text(tokens, at - 1), _text(tokens, at + 1)
    if name in CLEAR_MONTHS or _beside_number(tokens, at) or _points_behind(tokens, at + 1, ("year",)):
        return True
    if behind in _RANGE_WORDS and (
        _month_elsewhere(tokens, at) or (before == "from" and _text(tokens, at + 2) in _NOW)
    ):
        return True
    if before in _BEFORE_TIMES:
        return name not in _VERBS or before not in ("on", "of", "past", "before", "after") or _ends(tokens, at)
    if before in ("from", "of") and _ends(tokens, at) and _is_no_person(tokens, at):
        return True
    if before in _BEFORE_RANGES:
        return _month_elsewhere(tokens, at) or (
            before in ("this", "by", "for", "the") and _is_capital_or_ends(tokens, at)
        )
    return name not in _NAMES_OF_PEOPLE | _VERBS and len(name) > 3 and tokens[at].written[0].isupper()


def _is_no_person(tokens: Sequence[Token], at: int) -> bool:
    """Return whether "from" before a name leads to a month: by what is from it, or because nobody has that name."""
    nobody = tokens[at].text not in _NAMES_OF_PEOPLE and tokens[at].written[0].isupper()
    return nobody or _text(tokens, at - 2) in _THINGS_SAID


def is_weekday(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a weekday's name, or its abbreviation, means the day."""
    name, written = tokens[at].text, tokens[at].written
    if name not in _WEAK_WEEKDAYS or _weekday_beside(tokens, at):
        return True
    if _text(tokens, at - 1) in _BEFORE_DATES | {"last", "next", "this", "past"}:
        return name not in ("sat", "sun") or _text(tokens, at - 1) not in ("the", "to", "of", "and")
    if _text(tokens, at + 1) in PARTS_OF_DAY:
        return name != "sun" or written[0].isupper()
    if _points_behind(tokens, at + 1, ("week",)):
        return name in ("mon", "thu") or written[0].isupper()
    return written[0].isupper() and at + 1 < len(tokens) and (tokens[at + 1].is_number or _text(tokens, at + 1) == "at")


def _weekday_beside(tokens: Sequence[Token], at: int) -> bool:
    """Return whether another weekday stands before or behind, in a range or a list."""
    for step in (-1, 1):
        place, passed = at + step, 0
        while _text(tokens, place) in _JOINS and passed < 2:
            place, passed = place + step, passed + 1
        if passed and _text(tokens, place) in WEEKDAYS:
            return True
    return False


def _points_behind(tokens: Sequence[Token], at: int, units: tuple[str, ...]) -> bool:
    """Return whether "last year", "two years ago" or the like follows, with one of these units."""
    words = [token.text.removesuffix("'s") for token in tokens[at : at + 5]]
    if words and words[0] in _JOINS_TO_FRAMES:
        words = words[1:]
    if len(words) > 1 and words[0] in ("last", "this", "next", "previous") and words[1] in units:
        return True
    ago = next((place for place, word in enumerate(words) if word in ("ago", "back") or word == "before"), 0)
    return ago > 1 and words[ago - 1].removesuffix("s") in units and ago <= 3


def stands(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether what the grammar found is meant as a time, by the words around it."""
    before, last = _text(tokens, item.start - 1), tokens[item.end - 1].text
    if before in _NOT_ONE or _is_part_of_a_number(item, tokens):
        return False
    if last in ("after", "before") and item.end < len(tokens) and tokens[item.end].is_word:
        return False  # "on 1/1/2016 and after my work item is done"
    if _is_half_of_a_compound(item, tokens):
        return False
    if item.category == "last time" and item.end < len(tokens) and tokens[item.end].is_word:
        return False  # "the last time I checked"
    introductions = _NEEDS_BEFORE.get(item.category)
    if introductions is None:
        return True
    opens = item.category == "slashed span" and item.start == 0 and _text(tokens, item.end) != "of"
    introduced = not introductions or before in introductions or opens
    return introduced and not _content_behind(tokens, item.end)


def _is_half_of_a_compound(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether a hyphen joins the next word to it: "this quarter-inch cable"."""
    joined = tokens[item.end : item.end + 2]
    return (
        len(joined) == 2
        and joined[0].written in _HYPHENS
        and joined[1].is_word
        and all(token.glued for token in joined)
    )


def _is_part_of_a_number(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether digits are cut out of a longer number, a sum of money or a version."""
    if not tokens[item.start].is_number:
        return _glued_number(tokens, item.end) and tokens[item.end - 1].is_number
    before = _text(tokens, item.start - 1)
    continued = (
        before in (".", ",", "/", "-") and _text(tokens, item.start - 2).isdecimal() and tokens[item.start].glued
    )
    return continued or before in ("$", "#", "v", "version") or _glued_number(tokens, item.end)


def _beside_number(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a day or a year stands beside a month's name."""
    behind = at + 1
    while _text(tokens, behind) in (",", ".", "/", "-", "of", "the", "in"):
        behind += 1
    name, follows = tokens[at].text, _text(tokens, behind)
    if follows.isdecimal() or _is_ordinal(follows) or _text(tokens, behind + 1) == "thousand":
        return not (name in _VERBS and _text(tokens, at + 1) in ("of", "the", "in") and not follows.isdecimal())
    earlier = at - 1
    while _text(tokens, earlier) in ("of", "/", "-", "the", ","):
        earlier -= 1
    stands_before = _text(tokens, earlier)
    numbered = stands_before.isdecimal() or _is_ordinal(stands_before) or stands_before in ("st", "nd", "rd", "th")
    return numbered and (name not in _VERBS or not _content_or_verb_behind(tokens, at + 1))


def _is_ordinal(word: str) -> bool:
    return word in ORDINALS or word in TENS or UNITS.get(word, 0) >= 10


def _month_elsewhere(tokens: Sequence[Token], at: int) -> bool:
    """Return whether another month is near enough to be the other end of a range."""
    reach = 2 if tokens[at].text in _VERBS else 6
    return any(
        token.text in MONTHS and place != at
        for place, token in enumerate(tokens[max(0, at - reach) : at + reach + 1], start=max(0, at - reach))
    )


def _is_capital_or_ends(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].written[0].isupper() and _ends(tokens, at) if tokens[at].text in _VERBS else _ends(tokens, at)


def _ends(tokens: Sequence[Token], at: int) -> bool:
    """Return whether nothing follows that would make a verb or a name of a month."""
    return not _content_behind(tokens, at + 1)


def _content_behind(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a noun or a verb follows: "the 2nd option", "2000 users"."""
    if at >= len(tokens):
        return False
    return (tokens[at].is_word and tokens[at].text not in FUNCTION_WORDS) or tokens[at].text in ("%", "_")


_NO_VERB_BEHIND = frozenset(["at", "in", "to", "and", "till", "until"])
_NO_VERB_BEHIND_MAY = _NO_VERB_BEHIND | {"about", "for", "on", "regarding", "concerning"}
"""What may not follow the verb: something "may be about" it, and nothing "may about" it; people do "march on"."""


def _content_or_verb_behind(tokens: Sequence[Token], at: int) -> bool:
    no_verb = _NO_VERB_BEHIND_MAY if _text(tokens, at - 1) == "may" else _NO_VERB_BEHIND
    return at < len(tokens) and tokens[at].is_word and tokens[at].text not in no_verb


def _glued_number(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a sign and more digits follow without a space."""
    if at >= len(tokens) or tokens[at].text not in (".", "/", "-"):
        return False
    return at + 1 < len(tokens) and tokens[at].glued and tokens[at + 1].glued and tokens[at + 1].is_number


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""
