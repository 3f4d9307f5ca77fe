"""Find the people whose words a question asks for: "what did Ana say?"."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

_SAYING = (
    r"(?:say|said|says|saying|tell|told|tells|mention|mentioned|mentions|write|wrote|writes|written|post|posted|posts|"
    r"talk|talked|talks|discuss|discussed|chat|chatted|share|shared|shares|comment|commented|comments|state|stated|"
    r"explain|explained|claim|claimed|suggest|suggested|ask|asked)\b"
)
_WORDS_OF = (
    r"(?:messages?|posts?|words?|comments?|remarks?|statements?|texts?|contributions?|opinions?|views?|thoughts?)\b"
)
_ADVERBS = "also|just|ever|actually|really|last|have|had|has"
_NO_NAMES = (
    "i|we|you|he|she|it|they|who|what|that|which|people|everyone|everybody|anyone|anybody|someone|somebody|things?|"
    f"stuff|to|and|me|us|is|are|was|were|be|been|being|{_ADVERBS}"
)
_ADVERB = rf"(?:(?:{_ADVERBS})\s+)?"
_HELPER = r"\b(?:did|does|do|has|have|had|was|were|is)\s+"
_MAY_NAME = re.compile(
    rf"(?<!\S)(?!(?:{_NO_NAMES})\b)\S+\s+{_ADVERB}{_SAYING}|\b{_SAYING}\s+by\b|\b{_WORDS_OF}|\baccording\s+to\b",
    re.IGNORECASE,
)


def may_name_speakers(text: str) -> bool:
    """Tell whether it is worth looking for speakers in a text: "what did we discuss?" names none."""
    return _MAY_NAME.search(text) is not None


def speakers_in(text: str, names: Iterable[str]) -> frozenset[str]:
    """Return those of the names whose bearers' words a text asks for, in any case, in full or by their first word.

    A name counts only where a word for saying belongs to it: "did Ana say", "Ana said", "Ana's messages", "according
    to Ana", "posted by Ana".
    """
    bearers = _bearers([name for name in names if name.strip()])
    if not bearers:
        return frozenset()
    name = _any_of(bearers)
    tied = "".join(f" {found[0]} " for found in re.finditer(_tied_to(name), text, re.IGNORECASE))
    return frozenset().union(*(bearers[found[0].casefold()] for found in re.finditer(name, tied, re.IGNORECASE)))


def _bearers(names: Sequence[str]) -> dict[str, set[str]]:
    """Return who is meant by each name: those who bear it in full, or else those whose name begins with it."""
    in_full, by_first_word = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for name in names:
        in_full[name.strip().casefold()].add(name)
        by_first_word[name.split()[0].casefold()].add(name)
    return {**by_first_word, **in_full}


def _any_of(names: Iterable[str]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    return rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)"


def _tied_to(name: str) -> str:
    """Return a pattern for names with the word for saying that belongs to them."""
    named = rf"{name}(?:(?:\s*,\s*|\s+)(?:(?:and|or)\s+)?{name})*"
    return "|".join(
        (
            rf"{_HELPER}{named}\s+{_ADVERB}{_SAYING}",
            rf"{named}\s+{_ADVERB}{_SAYING}",
            rf"{named}['\u2019]s?\s+(?:\w+\s+)?{_WORDS_OF}",
            rf"\baccording\s+to\s+{named}",
            rf"\b(?:{_SAYING}\s+by|{_WORDS_OF}\s+(?:by|from|of))\s+{named}",
        )
    )
