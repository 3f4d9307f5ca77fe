"""Find what a sentence quotes, and check that a message has these words."""

import re
from collections.abc import Iterator, Sequence

from agent.proof.facts import MessageFacts
from agent.proof.spans import copied_form, has_copied

SHORTEST = 3
"""Words in quotation marks from which on they are somebody's, and no title or odd word."""

_QUOTED = re.compile(
    r"(?<![^\W_])\"(?P<straight>[^\s\"][^\"\n]{0,600})\"(?![^\W_])"
    r"|\u201c(?P<english>[^\u201c\u201d\n]{1,600})\u201d"
    r"|\u201e(?P<german>[^\u201c\u201d\u201e\n]{1,600})[\u201c\u201d]"
    r"|\u00ab(?P<french>[^\u00ab\u00bb\n]{1,600})\u00bb"
)


def quoted_in(text: str) -> Iterator[str]:
    """Yield what a text has in quotation marks, where it is as long as words that somebody said."""
    for found in _QUOTED.finditer(text):
        words = found[found.lastgroup or 0]
        if len(copied_form(words).split()) >= SHORTEST:
            yield words


def has_quotes(text: str, facts: Sequence[MessageFacts], *, others: Sequence[str] = ()) -> bool:
    """Return whether each quotation of a text stands in one message, or in one of some `others`' texts."""
    lines = [copied_form(known) for known in (*(fact.text for fact in facts), *others)]
    return all(any(has_copied(line, words) for line in lines) for words in quoted_in(text))
