"""Decide whether a time is part of the name of something: "Easter eggs", "the Monday meeting"."""

from collections.abc import Sequence

from time_expressions.chart import Item
from time_expressions.disambiguation import FUNCTION_WORDS
from time_expressions.rules.named_days import NAMES
from time_expressions.tokens import QUOTES, Token
from time_expressions.vocabulary import MONTHS, PARTS_OF_DAY, SEASONS, WEEKDAYS

_ENDS_OF_ADDRESSES = frozenset(
    ["com", "org", "net", "io", "app", "dev", "ai", "co", "de", "fr", "uk", "eu", "me", "tv", "gg", "ly", "js", "py"]
)
_ABOUT = frozenset(["about", "regarding", "concerning", "re", "re:"])
_DETERMINERS = frozenset(
    ["the", "a", "an", "our", "my", "your", "his", "her", "their", "its", "that", "any", "some", "which", "whose", "no"]
)
_POINTING = frozenset(["last", "this", "next", "past", "previous", "coming", "following"])
_BEFORE_TIMES = frozenset(
    [
        "on", "in", "at", "over", "during", "since", "before", "after", "until", "till", "by", "from", "between", "to",
        "around", "through", "throughout", "for", "of", "early", "late", "mid", "-", "and", "or",
    ]
)  # fmt: skip
_ATEVENTS = frozenset(["in", "at", "during", "from", "after", "before", "since", "until"])
EVENTS = frozenset(
    [
        "meeting", "call", "standup", "sync", "session", "discussion", "chat", "talk", "conversation", "stream",
        "workshop", "retro", "retrospective", "review", "demo", "lecture", "class", "seminar", "webinar", "interview",
        "huddle", "planning", "game", "match", "raid", "show", "episode", "rehearsal", "practice", "training", "lesson",
    ]
)  # fmt: skip
"""What is held on a day, so that what was said in it was said on that day."""

_NO_NOUNS = FUNCTION_WORDS | frozenset(
    [
        "regarding", "concerning", "re", "via", "exactly", "again", "only", "too", "also", "then", "here", "already",
        "maybe", "thanks", "pls", "plz", "guys", "folks", "everyone", "everybody", "while", "since", "over", "into",
        "against", "without", "within", "after", "before", "during", "until", "till", "around", "versus", "vs", "not",
        "can", "could", "would", "will", "should", "shall", "may", "might", "must", "than", "them", "us", "me", "him",
        "her", "its", "my", "our", "your", "their", "his", "these", "those", "which", "whom", "whose", "am", "be",
        "been", "being", "got", "get", "went", "said", "say", "says", "asked", "happened", "or", "last", "next", "a",
        "an", "all", "any", "some", "each", "every", "both", "first", "onwards", "onward", "on", "off", "up", "out",
        "ago", "later", "earlier", "till", "thru", "instead", "except", "including", "like", "concerned", "go", "went",
        "did", "didn't", "don't", "haven't", "wasn't", "i'm", "i've", "we're", "it's", "that's", "today", "yesterday",
        "tomorrow", "tonight", "now", "noon", "midnight", "time", "onwards", "sometime", "anything", "something",
        "nothing", "someone", "anybody", "nobody", "people", "just", "even", "still", "yet", "ever", "never", "once",
        "possibly", "probably", "actually", "ok", "okay", "btw", "lol", "right", "correct", "eh", "huh", "yes",
    ]
)  # fmt: skip
"""Words after a time that make no name of it."""

_AFTER_SEASONS = frozenset(
    [
        "boot", "break", "camp", "cleaning", "clothes", "coat", "collection", "damage", "guards", "guy", "guys",
        "internship", "jacket", "job", "olympics", "onion", "onions", "roll", "rolls", "sale", "sales", "school",
        "solstice", "tires", "tyres", "wars", "games", "equinox", "reading", "fashion", "jam", "detection",
    ]
)  # fmt: skip
_STRETCHES = frozenset(["holidays", "holiday", "break", "months", "semester", "term", "season", "vacation", "weeks"])
_AFTER_HOLIDAYS = frozenset(
    [
        "island", "islands", "egg", "eggs", "bunny", "tree", "trees", "card", "cards", "party", "parties", "market",
        "markets", "song", "songs", "carol", "carols", "movie", "movies", "film", "gift", "gifts", "present",
        "presents", "costume", "costumes", "deals", "deal", "sale", "sales", "special", "decorations", "lights",
        "cookies", "jumper", "sweater", "pudding", "cracker", "crackers", "parade", "bonus", "candy", "basket",
    ]
)  # fmt: skip
_WORKS = frozenset(["movie", "film", "series", "song", "show", "band", "book", "game", "album", "comic", "novel"])
_BEFORE_WEEKDAYS = frozenset(
    ["blue", "manic", "taco", "casual", "throwback", "meatless", "ruby", "bloody", "freaky", "giving", "super", "fat"]
)


def is_topic(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether the words of a time are in the name of something, or quoted, and so are what is asked about."""
    if _is_in_an_address(item, tokens) or _is_quoted(item, tokens):
        return True
    words = [token.text for token in tokens[item.start : item.end]]
    before, behind = _text(tokens, item.start - 1), item.end
    if words[0] in WEEKDAYS and before in _BEFORE_WEEKDAYS:
        return True
    if is_for_a_holiday(item, tokens) or _is_called_a_work(item, tokens):
        return True
    if behind >= len(tokens) or not tokens[behind].is_word:
        return False
    follower = tokens[behind].text
    if words[-1].endswith("'s") and " ".join(words) not in NAMES:
        return follower not in _NO_NOUNS and is_introduced_by_about(item, tokens)
    if words[0] in MONTHS and words[-1] in ("4th", "fourth", "th") and follower == "be":
        return True
    return follower not in _NO_NOUNS and _names(item, words, before, follower, tokens)


def is_for_a_holiday(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether something is for a holiday, not on it: "what did we buy for Christmas"."""
    words = " ".join(token.text for token in tokens[item.start : item.end] if token.text not in _DETERMINERS)
    return words in NAMES and _text(tokens, item.start - 1) == "for"


def _is_called_a_work(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether it is called a film or the like: "Wednesday (the series)"."""
    behind = [token.text for token in tokens[item.end : item.end + 3] if token.text != "("]
    return behind[:1] == ["the"] and len(behind) > 1 and behind[1] in _WORKS


def is_introduced_by_about(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether "about" or the like stands before an item, with no more than an article between."""
    at = item.start - 1
    while _text(tokens, at) in _DETERMINERS:
        at -= 1
    return _text(tokens, at) in _ABOUT


def _names(item: Item, words: list[str], before: str, follower: str, tokens: Sequence[Token]) -> bool:
    """Return whether an item and the noun behind it are the name of one thing."""
    bare = [word for word in words if word not in _DETERMINERS]
    if not bare or not _POINTING.isdisjoint(bare) or "ago" in bare:
        return False
    name = " ".join(bare)
    determined = words[0] in _DETERMINERS or before in _DETERMINERS or "the" in words[:2]
    introduced = before in _BEFORE_TIMES and not determined
    if name in NAMES:
        return not introduced or follower in _AFTER_HOLIDAYS
    if bare[-1] in SEASONS:
        return follower in _AFTER_SEASONS or (determined and follower not in _STRETCHES)
    if bare[0] in WEEKDAYS and _is_day_alone(bare):
        return not introduced and not (determined and follower in EVENTS and _is_at_event(item, tokens))
    if len(bare) == 1 and bare[0] in MONTHS:
        return not introduced or follower == "madness"
    if item.category == "part span" and bare[0] in ("in", "during") and bare[-1] in PARTS_OF_DAY:
        return tokens[item.end].written.islower()
    numbered = bare[0] in ("q", "quarter", "week", "wk") and len(bare) == _NAME_AND_NUMBER
    if bare == ["weekend"] or numbered or bare[-1] == "quarter":
        return not introduced
    return False


def _is_day_alone(bare: list[str]) -> bool:
    """Return whether this is a weekday, with no more than a part of the day or "the 13th"."""
    return all(word in PARTS_OF_DAY or word.isdecimal() or word in ("st", "nd", "rd", "th", "'s") for word in bare[1:])


def _is_at_event(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether something was said in what bears the name: "in the Monday meeting"."""
    at = item.start - 1
    while _text(tokens, at) in _DETERMINERS:
        at -= 1
    return _text(tokens, at) in _ATEVENTS


def _is_in_an_address(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether this is a piece of "monday.com", "#friday" or "@wednesday"."""
    if _text(tokens, item.start - 1) in ("#", "@", "_") and tokens[item.start].glued and tokens[item.start].is_word:
        return True
    end = item.end - 1 if tokens[item.end - 1].text == "." else item.end
    behind = tokens[end : end + 2]
    if len(behind) == 2 and behind[0].glued and behind[1].glued and behind[0].text in (".", "_"):
        return behind[0].text == "_" or behind[1].text in _ENDS_OF_ADDRESSES
    return False


def _is_quoted(item: Item, tokens: Sequence[Token]) -> bool:
    """Return whether double quotes stand around it, and not around the whole text."""
    openings = [at for at, token in enumerate(tokens[: item.start]) if token.text in QUOTES]
    closings = [at for at, token in enumerate(tokens[item.end :], start=item.end) if token.text in QUOTES]
    if len(openings) % 2 == 0 or not closings:
        return False
    return openings[-1] > 0 or closings[0] < len(tokens) - _MARKS_AT_THE_END


_MARKS_AT_THE_END = 2
_NAME_AND_NUMBER = 2  # words: "week 45"


def _text(tokens: Sequence[Token], at: int) -> str:
    return tokens[at].text if 0 <= at < len(tokens) else ""
