"""Choose the messages that answer a question by themselves, or that stand for a stretch of time."""

import re
from collections.abc import Iterable

from agent.quotes import LENGTH
from memory.findings import Line
from memory.folding import folded, words_of
from memory.messages import Kind, Message
from memory.topics import asks_for_talk_alone

ALIKE_ENOUGH = 0.45
"""Likeness to the question from which a message is quoted: cosine similarity plus what shared words add."""

ALL_WORDS_ADD = 0.3
"""What having all the telling words of a question adds to a message's likeness, and half of them half as much.

Only words that the message has itself count: its lexical score is that of the messages before it as well.
"""

ENOUGH_WORDS = 0.5
"""Share of the telling words that a message needs to be quoted when nobody knows how alike it is."""

OUTSHONE_BY = 0.6
"""Share of the best fused score that a quotation needs: what falls further short was found for want of better."""

MOST_QUOTES = 3
"""More is a list of search results, no answer."""

MOST_SPREAD = 5
"""Quotations that stand for a stretch of time: enough for its turns, few enough to read."""

NumberedLine = tuple[int, Line]

_STEM = 5  # letters (Can et al., "Information retrieval on Turkish texts", 2008)
_WORD = re.compile(r"\w+(?:\.\w+)*")  # "0.4" is one


def best_lines(lines: Iterable[NumberedLine], *, topic: str, question: str) -> list[NumberedLine]:
    """Return up to MOST_QUOTES lines that answer a question, the best first; none when none is relevant.

    `topic` is what was searched for: the question without its time and place.
    """
    said = [(number, line) for number, line in lines if line.hit and _is_said(line.message, question)]
    authors = _stems(" ".join(line.message.author_name for _, line in said))
    asked = _telling_stems(topic)
    hits = [one for one in said if _is_relevant(one[1], asked, authors)]
    best_first = sorted(hits, key=lambda one: -one[1].score)
    best = best_first[0][1].score if best_first else 0.0
    needed = min(best, best * OUTSHONE_BY)  # scores are distances from the mean, and may be below it
    return _without_repeats(one for one in best_first if one[1].score >= needed)[:MOST_QUOTES]


def spread_lines(lines: Iterable[NumberedLine], *, question: str) -> list[NumberedLine]:
    """Return up to MOST_SPREAD lines that stand for a stretch of time, in time order.

    The lines, which come in time order, are parted into as many runs of one length; of each the wordiest is taken.
    """
    said = _without_repeats(one for one in lines if _is_said(one[1].message, question))
    runs = min(MOST_SPREAD, len(said))
    parts = (said[run * len(said) // runs : (run + 1) * len(said) // runs] for run in range(runs))
    return [max(part, key=_wordiness) for part in parts]


def _is_relevant(line: Line, asked: frozenset[str], authors: frozenset[str]) -> bool:
    """Tell whether a line is about what is asked, and not just by somebody whom the question names.

    A vector stands for who said a message too, so that all that Ana says is like a question about Ana.
    """
    telling = asked - authors
    shared = len(telling & _stems(line.message.content)) / len(telling) if telling else 0.0
    if telling and not shared and asked & _stems(line.message.author_name):
        return False
    if line.similarity is None:
        return shared >= ENOUGH_WORDS
    return line.similarity + ALL_WORDS_ADD * shared >= ALIKE_ENOUGH


def _telling_stems(text: str) -> frozenset[str]:
    """Return the stems of the words that say what a text is about: "did", "about" and "said" do not."""
    return _stems(" ".join(word for word in _words(text) if not asks_for_talk_alone(word)))


def _stems(text: str) -> frozenset[str]:
    """Return words cut to a few letters, which does for the endings of most languages."""
    return frozenset(folded(word)[:_STEM] for word in _words(text))


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _is_said(message: Message, question: str) -> bool:
    """Tell whether a message is somebody's, and not the question itself."""
    return message.kind == Kind.MESSAGE and message.content.strip() != question.strip()


def _wordiness(numbered: NumberedLine) -> int:
    """Return how many different words a line has; beyond what a quotation shows, more of them count for nothing."""
    return len(set(words_of(numbered[1].message.content[:LENGTH])))


def _without_repeats(lines: Iterable[NumberedLine]) -> list[NumberedLine]:
    first: dict[tuple[str, str], NumberedLine] = {}
    for number, line in lines:
        first.setdefault((line.message.author_name, line.message.content), (number, line))
    return list(first.values())
