"""Find the topic of a question: what its phrases of time and place leave, unless that asks for talk as such."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from memory.stop_words import FUNCTION_WORDS
from time_expressions.folding import Span, Token, tokens_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TALK_WORDS = _words("""
    talk speak spoke spoken say said tell told discuss chat converse mention write wrote written post share state
    communicate exchange happen occur transpire miss
    summarise summarize sum recap recall remember remind list show describe explain refresh
    anything everything something nothing thing stuff topic subject matter theme point highlight
    conversation discussion session dialogue chatter message msg transcript
    summary overview gist rundown synopsis tl dr tldr digest news update fill catch
""")
"""Verbs of talking and of asking for a report, and nouns for talk as such; their endings may vary."""

_BESIDE_TALK = _words("""
    main key important interesting notable major big whole entire full complete quick short brief general different
    various several few part bit item sort kind type content detail
    channel thread word cover touch bring brought come came raise address go went gone express
    take took taken place give gave outline find look see read know hear heard get got let like want help
    provide date new last latest newest recent past previous first earliest oldest
""")
"""Words that say nothing of a topic beside those, and may be one themselves: the key points, and the key."""

_ABOUT_TALK = frozenset({"up", "on", "over", "place"})
"""What makes talk of "bring", "go" and "take": things come up, go on and take place."""

_NEWEST = _words("new news update updates last latest newest recent recently lately")
_OLDEST = _words("first earliest oldest")

MOST_SELECTED = 25
"""Messages of a selection that can be asked for."""

_NUMBERS = MappingProxyType(
    {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
)
_SHORTEST_ID = 10  # digits
_ONE = frozenset({"message", "post", "msg", "thing"})
_ENDINGS = ("s", "es", "d", "ed", "ing", "ies", "ied")


_LEADING = _words("""
    about across after around as at back before between by during for from in inside into of on over since through
    throughout till to until up upon via within
""")
"""Words that lead to a phrase of time or place, and go with it."""

_WORD = re.compile(r"\w+")
_LEFT_BEHIND = re.compile("['\u2019]s\\b", re.IGNORECASE)
_SPACE_BEFORE_MARK = re.compile(r" ([,.;:?!])")
_NOTHING_ENCLOSED = re.compile(r"\(\s*\)|\[\s*\]|\"\s*\"")
_COMMA_AT_THE_END = re.compile(r",(?=[?!.])")
_MARKS_IN_A_ROW = re.compile(r",(?:\s*,)+")


@dataclass(frozen=True, slots=True)
class Selection:
    """The newest messages, or the oldest, and how many of them; None when the question leaves that open."""

    newest: bool = True
    count: int | None = None


def has_topic(question: str, *, names: frozenset[str] = frozenset()) -> bool:
    """Return whether a question, without its time, asks for more than what was said, or what these speakers said.

    "What did we say about the logo?" has a topic, and so has "who has the key?"; "what did we talk about?" and
    "summarise the conversation" have none. `names` are the words, folded, by which it names speakers.
    """
    words = _content_words(question, names)
    return bool(words) and not _are_about_talk(words)


def selection_in(
    question: str, *, names: frozenset[str] = frozenset(), at_a_time: bool = False, confined: bool = False
) -> Selection | None:
    """Return which messages a question asks for that has no topic; None when it has one, or asks for a whole time.

    That is "the last 5 messages", "what is new?", "the first message ever", and without a time "catch me up" as well.
    `at_a_time` tells that it names a time, and `confined` that it names a channel or a speaker: then it may say nothing
    more.
    """
    words = [token.folded for token in tokens_of(question) if token.is_word]
    content = _content_words(question, names)
    if (content and not _are_about_talk(content)) or not (content or confined):
        return None
    oldest, newest = (not known.isdisjoint(words) for known in (_OLDEST, _NEWEST))
    count = next((_number(token.folded) for token in _counts(question)), None)
    if at_a_time and not (oldest or newest or count):
        return None
    if count is None and (oldest or newest) and not _ONE.isdisjoint(words):
        count = 1
    return Selection(newest=newest or not oldest, count=count)


def _counts(question: str) -> list[Token]:
    """Return the numbers of a question that stand by themselves: those of "11/12/2026", "4:30" and "2.5" do not."""
    tokens = tokens_of(question)
    return [token for at, token in enumerate(tokens) if _number(token.folded) and not _is_part(tokens[at : at + 3])]


def _is_part(tokens: Sequence[Token]) -> bool:
    """Return whether the first of three tokens is glued to what is before it, or by a sign to what is behind it."""
    return tokens[0].glued or (len(tokens) > 2 and tokens[1].glued and tokens[2].glued)


def _number(word: str) -> int:
    """Return how many messages a word asks for, a selection at most; 0 when it is no number."""
    if word.isascii() and word.isdecimal():
        return min(int(word), MOST_SELECTED) if len(word) < _SHORTEST_ID else 0
    return _NUMBERS.get(word, 0)


def _content_words(question: str, names: frozenset[str]) -> list[str]:
    """Return the words of a question, folded, that are no mere grammar, number or name of a speaker."""
    tokens = [token for token in tokens_of(question) if token.is_word]
    shouted = all(_is_shouted(token, question) for token in tokens)
    counts = {token.start for token in _counts(question)}
    return [
        token.folded
        for token in tokens
        if not (_is_function_word(token, question, shouted=shouted) or token.folded in names or token.start in counts)
    ]


def _are_about_talk(words: list[str]) -> bool:
    """Return whether words say that talk is asked for, and nothing else."""
    kinds = [_kind_of(word) for word in words]
    if "topic" in kinds:
        return False
    only_order = all(word in _NEWEST | _OLDEST for word in words)
    goes_on = not _ABOUT_TALK.isdisjoint(words) and not _ABOUT_TALK.issuperset(words)
    return "talk" in kinds or only_order or goes_on


def _kind_of(word: str) -> str:
    forms = set(_forms(word))
    if forms & _TALK_WORDS:
        return "talk"
    return "beside talk" if forms & _BESIDE_TALK or word in _ABOUT_TALK else "topic"


def _is_function_word(word: Token, question: str, *, shouted: bool) -> bool:
    if word.folded in _ABOUT_TALK or word.folded not in FUNCTION_WORDS:
        return False
    return shouted or len(word.folded) == 1 or not _is_shouted(word, question)  # "IT" and "US" are topics


def _is_shouted(word: Token, question: str) -> bool:
    return question[word.start : word.end].isupper()


def _forms(word: str) -> Iterator[str]:
    """Yield what a word may be without its ending: "chatting" may come from "chat", "sharing" from "share"."""
    yield word
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word:
            yield from (stem, f"{stem}e", f"{stem}y")
            if stem[-1:] == stem[-2:-1]:
                yield stem[:-1]


def remove_phrases(text: str, spans: Iterable[Span]) -> str:
    """Return a text without these stretches and the words that lead to them ("in", "since"), its spaces normalised."""
    rest, position = "", 0
    for start, end in sorted(spans):
        if end <= position:
            continue
        rest += _without_leading_in(text[position : max(start, position)]).rstrip() + " "
        position = end + len(_possessive(text, end))
    return normalise_spaces(rest + text[position:])


def normalise_spaces(text: str) -> str:
    """Return a text with single spaces, none before a mark, and no marks that lost their words."""
    single = _SPACE_BEFORE_MARK.sub(r"\1", " ".join(_NOTHING_ENCLOSED.sub(" ", text).split()))
    single = _COMMA_AT_THE_END.sub("", _MARKS_IN_A_ROW.sub(",", single))
    return single.lstrip(" ,.;:!?-").rstrip(" ,;:-")


def _without_leading_in(text: str) -> str:
    """Return a text without the words at its end that led to what followed: "in", "since the"."""
    end = cut = len(text)
    for found in reversed(list(_WORD.finditer(text))):
        word = found[0].lower()
        if text[found.end() : end].strip() or (word not in _LEADING and word != "the"):
            break
        end = found.start()
        if word in _LEADING:
            cut = end
    return text[:cut]


def _possessive(text: str, position: int) -> str:
    found = _LEFT_BEHIND.match(text, position)
    return found[0] if found else ""
