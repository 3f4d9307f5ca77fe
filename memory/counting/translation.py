"""Put a question for a number or a list that is asked in another language into English, as far as it is understood.

Word by word does not do: in German and Dutch the verb stands at the end, and in French, Spanish, Italian and Portuguese
the person may stand behind it. So the parts of the question are told apart and put into the order of English. What no
table knows stays as it is: names, and the words that messages have.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from memory.counting.languages import LANGUAGES, Phrase, longest_of, table_of
from memory.counting.words import words
from time_expressions.folding import FoldedText, Token

_MOST_WORDS = 40
_LONGEST = 400  # characters of a question that asks for no more than a number
_QUESTIONS = frozenset({"how many", "how often", "who", "when", "which", "show me", "where is"})
_VERBS = frozenset({"mentioned", "written", "posted", "sent", "shared", "uploaded", "talked", "active"})
_NOUNS = frozenset({"messages", "links", "pictures", "videos", "files", "PDF", "PDFs", "polls", "people"})
_ADVERBS = frozenset({"most", "first", "last"})
_PREPOSITIONS = frozenset({"to", "about", "from", "with"})
_MONTHS = words("january february march april may june july august september october november december")
_DAYS = words("monday tuesday wednesday thursday friday saturday sunday")
_WHOLE = words("yesterday today") | {
    "the day before yesterday",
    *(f"{which} {unit}" for which in ("last", "this") for unit in ("week", "month", "year")),
}
"""Phrases of time that stand by themselves."""

_TIMES = _MONTHS | _DAYS | _WHOLE
_UNITS = frozenset({"days", "weeks", "months", "hours"})
_AND = frozenset({"and", "or"})
_LEFT_OUT = frozenset("?!,.'-\u00bf\u00a1")


@dataclass(frozen=True, slots=True)
class _Word:
    """A word or phrase as it is written, and the English that it may stand for, the likeliest first."""

    written: str
    english: tuple[str, ...] = ()

    def means(self, *wanted: Iterable[str]) -> str:
        """Return the first of its meanings that is wanted; empty when none is."""
        return next((one for one in self.english for some in wanted if one in some), "")


@dataclass(slots=True)
class _Parts:
    """The parts of a question, in English where they are known."""

    question: str
    noun: str = ""
    verb: str = ""
    adverbs: list[str] = field(default_factory=list)
    is_passive: bool = False
    has_auxiliary: bool = False
    exist: bool = False
    before: list[str] = field(default_factory=list)
    """What stands before the auxiliary verb, or before the verb where there is none."""
    between: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    when: list[str] = field(default_factory=list)


def in_english(text: str) -> str | None:
    """Return a question for a number or a list in English when it is asked in another language; None for any other.

    Whether all of it was understood is for the grammar of English questions to say.
    """
    if len(text) > _LONGEST:
        return None
    tokens = [token for token in FoldedText(text).tokens if token.folded not in _LEFT_OUT]
    for language in LANGUAGES:
        words_of_it = _words_of(text, tokens, language)
        first = next(words_of_it, None)
        if first is None or not first.means(_QUESTIONS, {"the"}):
            continue
        said = [first, *words_of_it]
        if 1 < len(said) <= _MOST_WORDS and (english := _english(said)):
            return english
    return None


def _words_of(text: str, tokens: list[Token], language: str) -> Iterator[_Word]:
    """Yield the words of a text, those that are a phrase of the language together."""
    table, longest = table_of(language), longest_of(language)
    at = 0
    while at < len(tokens):
        size = next((size for size in range(longest, 0, -1) if _phrase(tokens, at, size) in table), 0)
        end = at + max(size, 1)
        end = end if size else _end_of_glued(tokens, at)
        written = text[tokens[at].start : tokens[end - 1].end]
        meanings = table[_phrase(tokens, at, size)] if size else ()
        if meanings != ("",):
            yield _Word(written, meanings)
        at = end


def _phrase(tokens: list[Token], at: int, size: int) -> Phrase:
    return tuple(token.folded for token in tokens[at : at + size]) if at + size <= len(tokens) else ()


def _end_of_glued(tokens: list[Token], at: int) -> int:
    """Return the token behind what is written in one piece: "<@123>", "#kiln-talk"."""
    end = at + 1
    while end < len(tokens) and tokens[end].glued:
        end += 1
    return end


def _english(said: list[_Word]) -> str:
    parts = _parts(said)
    build = {
        "how many": _of_noun,
        "which": _of_noun,
        "show me": _of_noun,
        "where is": _of_noun,
        "the": _of_noun,
        "how often": _how_often,
        "when": _when,
        "who": _who,
    }[parts.question]
    written = build(parts)
    return " ".join([*written, *parts.where, *parts.when]) if written else ""


def _parts(said: list[_Word]) -> _Parts:
    """Return the parts of a question."""
    parts = _Parts(said[0].means(_QUESTIONS, {"the"}))
    at = 1
    while at < len(said):
        taken = _time(said, at, parts) or _place(said, at, parts)
        if not taken:
            _sort(said[at], parts)
        at += max(taken, 1)
    return parts


def _sort(word: _Word, parts: _Parts) -> None:
    """Put a word to the part that it belongs to."""
    if not parts.noun and parts.question != "how often" and not parts.verb and (noun := word.means(_NOUNS)):
        parts.noun = noun
    elif word.means({"are there"}):
        parts.exist = True
    elif word.means({"was", "did"}) and not parts.verb:
        parts.is_passive = parts.is_passive or bool(word.means({"was"}))
        parts.has_auxiliary = True
    elif adverb := word.means(_ADVERBS):
        parts.adverbs.append(adverb)
    elif not parts.verb and (verb := word.means(_VERBS)):
        parts.verb = verb
    elif not parts.verb and (both := word.means({"talked most", "most active"})):
        parts.verb = both.replace("most", "").strip()
        parts.adverbs.append("most")
    elif word.means({"the"}) and not word.means(_NOUNS):
        return
    else:
        side = parts.after if parts.verb else parts.between if parts.has_auxiliary else parts.before
        side.append(word.means(_PREPOSITIONS, _NOUNS, _AND, {"I", "we", "anyone"}) or word.written)


def _time(said: list[_Word], at: int, parts: _Parts) -> int:
    """Take words of time: "im märz 2026", "vor 3 tagen", "la semana pasada"; return how many."""
    leads = 1 if said[at].means({"in", "on", "from", "the", "since"}) else 0
    end = at + leads
    found: list[str] = []
    while end < len(said) and (word := said[end].means(_TIMES) or _number(said[end])):
        found.append(word)
        end += 1
    if any(word in _TIMES for word in found):
        is_since = bool(leads) and bool(said[at].means({"since"}))
        is_day = found[0] in _DAYS or found[0].isdecimal()
        lead = "since" if is_since else "on" if is_day else "in"
        parts.when += found if found[0] in _WHOLE and not is_since else [lead, *found]
        return end - at
    return _stretch(said, at, parts)


def _stretch(said: list[_Word], at: int, parts: _Parts) -> int:
    """Take "vor 3 tagen", "3 giorni fa", "en los últimos 7 días"; return how many words."""
    if len(three := said[at : at + 3]) < 3:
        return 0
    first, second, third = three
    if (number := _number(second)) and (unit := third.means(_UNITS)) and (lead := first.means({"ago", "last"})):
        parts.when += [number, unit, "ago"] if lead == "ago" else ["in the last", number, unit]
    elif (number := _number(first)) and (unit := second.means(_UNITS)) and third.means({"ago"}):
        parts.when += [number, unit, "ago"]
    else:
        return 0
    return 3


def _number(word: _Word) -> str:
    return word.written if word.written.isdecimal() and len(word.written) <= 4 else ""


def _place(said: list[_Word], at: int, parts: _Parts) -> int:
    """Take "in #general" and "in <#123>"; return how many words."""
    lead = 1 if said[at].means({"in", "on", "from"}) else 0
    channel = said[at + lead] if at + lead < len(said) else None
    if channel is None or not channel.written.startswith(("#", "<#")):
        return 0
    parts.where += ["in", channel.written]
    return lead + 1


# ---- what is said in English


def _of_noun(parts: _Parts) -> list[str]:
    """Write "how many messages about glaze did Ben write", "which links were posted", "the PDF from Ana"."""
    noun = parts.noun
    if not noun:
        return []
    rest = [*parts.between, *parts.after]
    lead = [parts.question] if parts.question != "the" else ["the"]
    lead += [*(["the"] if parts.question in {"show me", "where is"} else []), *parts.adverbs]
    if not parts.verb:
        return [*lead, noun, *parts.before, *rest] if not parts.has_auxiliary or not rest or parts.exist else []
    about = parts.before if parts.before and parts.before[0] in _PREPOSITIONS else []
    who = rest if about or not parts.before else parts.before
    if parts.is_passive:
        return [*lead, noun, *parts.before, "were", parts.verb, *rest]
    if noun == "people":
        return [*lead, noun, parts.verb, *parts.before, *rest]
    if not who:
        return []
    person, others = _person(who) if who is rest else (who, rest)
    return [*lead, noun, *about, "did", *person, parts.verb, *others]


def _how_often(parts: _Parts) -> list[str]:
    """Write "how often was raku mentioned", "how often did Ben mention raku"."""
    if not parts.verb:
        return []
    if parts.is_passive:
        return ["how often was", *parts.before, *parts.between, *parts.after, parts.verb]
    return ["how often did", *_active(parts)]


def _when(parts: _Parts) -> list[str]:
    """Write "when was raku last mentioned", "when did Ben last mention raku", "when is Ben most active"."""
    if not parts.verb or not parts.adverbs:
        return []
    if parts.verb == "active" or parts.is_passive:
        return ["when was", *parts.before, *parts.between, *parts.after, *parts.adverbs, parts.verb]
    return ["when did", *_active(parts, parts.adverbs)]


def _who(parts: _Parts) -> list[str]:
    """Write "who talked most", "who has sent the PDF", "who mentioned raku first"."""
    if not parts.verb:
        return []
    rest = [*parts.before, *parts.between, *parts.after]
    if parts.verb == "active":
        return ["who is", *parts.adverbs, "active"]
    noun = ["most" if parts.noun != "PDF" and "most" in parts.adverbs else "the", parts.noun] if parts.noun else []
    adverbs = [adverb for adverb in parts.adverbs if adverb != "most" or not noun]
    return ["who", parts.verb, *noun, *rest, *adverbs]


def _active(parts: _Parts, adverbs: Iterable[str] = ()) -> list[str]:
    """Write "Ben mentioned raku", whatever the order in which they stand."""
    sides = [side for side in (parts.before, parts.between, parts.after) if side]
    if not sides:
        return []
    person, rest = (sides[0], sides[1]) if len(sides) > 1 else _person(sides[0])
    return [*person, *adverbs, parts.verb, *rest, *(word for side in sides[2:] for word in side)]


def _person(side: list[str]) -> tuple[list[str], list[str]]:
    """Return a name at the beginning, with those that "and" joins to it, and what is left."""
    end = 1
    while end + 1 < len(side) and side[end] in _AND:
        end += 2
    return side[:end], side[end:]
