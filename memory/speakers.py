"""Find the people whose words a question asks for: "what did Ana say?"."""

from dataclasses import dataclass

from memory.folding import FoldedText
from memory.known_names import KnownNames


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SAYING = _words("""
    say said says saying tell told tells mention mentioned mentions write wrote writes written post posted posts
    talk talked talks discuss discussed chat chatted share shared shares comment commented comments state stated
    explain explained claim claimed suggest suggested ask asked
""")
_WORDS_OF = _words("""
    message messages post posts word words comment comments remark remarks statement statements text texts contribution
    contributions opinion opinions view views thought thoughts
""")
_ADVERBS = _words("also just ever actually really last have had has")
_NO_NAMES = _ADVERBS | _words("""
    i we you he she it they who what that which people everyone everybody anyone anybody someone somebody thing things
    stuff to and me us is are was were be been being
""")
_AND, _FROM = frozenset({"and", "or"}), frozenset({"by", "from", "of"})


@dataclass(frozen=True, slots=True)
class Speakers:
    """The authors whose words a question asks for, and the words, folded, by which it calls them."""

    authors: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


NOBODY = Speakers()


@dataclass(frozen=True, slots=True)
class _Listed:
    """Names that follow each other, "Ana, Ben and Cleo", as they are looked up, with where they stand."""

    start: int
    end: int
    keys: tuple[str, ...]


def may_name_speakers(text: FoldedText) -> bool:
    """Tell whether it is worth looking for speakers in a text: "what did we discuss?" names none."""
    return any(_may_be_said_by_somebody(text, at) for at in range(len(text)))


def speakers_in(text: FoldedText, names: KnownNames) -> Speakers:
    """Return those of the names whose bearers' words a text asks for, however they are typed, in full or for short.

    A name counts only where a word for saying belongs to it: "did Ana say", "Ana said", "Ana's messages", "according
    to Ana", "posted by Ana". Of names that begin at the same word the longest counts, and nothing is tried twice.
    """
    asked_for = [some for some in _lists(text, names) if _is_asked_for(text, some)]
    words = (text.tokens[at].folded for some in asked_for for at in range(some.start, some.end))
    keys = frozenset(key for some in asked_for for key in some.keys)
    return Speakers(frozenset().union(*map(names.authors, keys)), frozenset(words))


def _may_be_said_by_somebody(text: FoldedText, at: int) -> bool:
    word = text.word(at)
    if word in _WORDS_OF or (word == "according" and text.word(at + 1) == "to"):
        return True
    if word not in _SAYING:
        return False
    before = at - 2 if text.word(at - 1) in _ADVERBS else at - 1
    return text.word(at + 1) == "by" or (text.is_apart(at) and before >= 0 and text.word(before) not in _NO_NAMES)


def _lists(text: FoldedText, names: KnownNames) -> list[_Listed]:
    """Return the names in a text, those that follow each other as one."""
    lists: list[_Listed] = []
    at = 0
    while at < len(text):
        start, end, keys = at, at, list[str]()
        while found := _name_at(text, at, names):
            end, key = found
            keys.append(key)
            at = _after_separator(text, end)
        if keys:
            lists.append(_Listed(start, end, tuple(keys)))
        at = max(end, start + 1)
    return lists


def _name_at(text: FoldedText, at: int, names: KnownNames) -> tuple[int, str] | None:
    """Return where the longest name that begins at a token ends, and under what it is looked up."""
    for end in range(min(len(text), at + names.longest(text.word(at))), at, -1):
        is_word_of_english = end == at + 1 and text.word(at) in _NO_NAMES
        if not is_word_of_english and names.authors(key := text.key(at, end)):
            return end, key
    return _name_at(text, at + 1, names) if text.word(at) == "@" and text.word(at + 1) != "@" else None


def _after_separator(text: FoldedText, at: int) -> int:
    """Return where another name may follow one that ends at a token: behind a comma, "and", or just a space."""
    if text.word(at) == ",":
        at += 1
    elif not text.is_apart(at):
        return len(text)
    return at + (text.word(at) in _AND and text.is_apart(at))


def _is_asked_for(text: FoldedText, names: _Listed) -> bool:
    return _is_followed_by_saying(text, names.end) or _has_words(text, names.end) or _is_led_to(text, names.start)


def _is_followed_by_saying(text: FoldedText, at: int) -> bool:
    """Return whether "said" or "also said" stands there."""
    if text.word(at) in _SAYING and text.is_apart(at):
        return True
    return text.word(at) in _ADVERBS and text.is_apart(at) and text.word(at + 1) in _SAYING and text.is_apart(at + 1)


def _has_words(text: FoldedText, at: int) -> bool:
    """Return whether "'s messages" or "'s last messages" stands there."""
    if text.word(at) != "'":
        return False
    at += 1
    at += text.word(at) == "s" and not text.is_apart(at)
    if not text.is_apart(at):
        return False
    return text.word(at) in _WORDS_OF or (
        text.tokens[at].is_word and text.word(at + 1) in _WORDS_OF and text.is_apart(at + 1)
    )


def _is_led_to(text: FoldedText, at: int) -> bool:
    """Return whether "according to", "posted by" or "messages from" stands before it."""
    if not text.is_apart(at):
        return False
    before, leading = text.word(at - 1), text.word(at - 2)
    if before == "to":
        return leading == "according"
    return (before == "by" and leading in _SAYING) or (before in _FROM and leading in _WORDS_OF)
