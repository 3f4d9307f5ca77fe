"""Show the copied words of a mark where the answer stands in them, and the sentence before says only what was asked.

Small models write `The database was chosen [1 "is PostgreSQL 17"]`, or nothing but the mark.
"""

import re
from collections.abc import Callable, Collection

from agent.marks import Mark, marks_in
from memory.search.terms import all_stems, keywords_of
from time_expressions.folding import words_of

LONGEST_SHOWN = 200
"""Characters of copied words that are shown: the twelve that are asked for have fewer."""

_SENTENCE_END = re.compile(r"[.!?\n]\s")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])[ ](?=[^a-z])")


def with_copied_answers(
    text: str, *, question: str, is_copied: Callable[[int, str], bool], names: Collection[str] = ()
) -> str:
    """Return an answer with the copied words of such marks in quotes before them, where they say more than was asked.

    The marks stay as they are. Words that the message of their number does not have, by `is_copied`, are not shown, for
    another mark of the sentence may hold; nor are those of a mark right behind another one.
    """
    known = all_stems(question)
    numbers = frozenset(words_of(question))
    parts: list[str] = []
    position = 0
    for mark in marks_in(text, names=names):
        said = text[position : mark.start]
        copied = "" if position and not said.strip() else _copied(mark, is_copied)
        parts.append(said)
        if copied and not _is_new(_sentence(said), known, numbers) and _is_new(copied, known, numbers):
            parts.append(_introduced(said, copied))
        parts.append(text[mark.start : mark.end])
        position = mark.end
    return "".join((*parts, text[position:]))


def _copied(mark: Mark, is_copied: Callable[[int, str], bool]) -> str:
    """Return the words that a mark copied first, on one line; empty when they are too long to be shown."""
    number, copied = next(((cited.number, words) for cited in mark.cited for words in cited.copied), (0, ""))
    if not is_copied(number, copied):
        return ""
    words = " ".join(copied.replace('"', "'").split())
    return words if len(words) <= LONGEST_SHOWN else ""


def _sentence(said: str) -> str:
    """Return what stands between the last end of a sentence and the end of a text."""
    ends = [found.end() for found in _SENTENCE_END.finditer(said)]
    return said[ends[-1] :] if ends else said


def _is_new(text: str, known: frozenset[str], numbers: frozenset[str]) -> bool:
    """Return whether a text has a telling word or a number that the question has not."""
    if any(keyword.stems.isdisjoint(known) for keyword in keywords_of(text)):
        return True
    return any(word not in numbers for word in words_of(text) if any(letter.isdigit() for letter in word))


def _introduced(said: str, copied: str) -> str:
    """Return copied words as they are put behind what introduces them; each sentence has quotes of its own."""
    copied = _BETWEEN_SENTENCES.sub('" "', copied)
    if not any(letter.isalnum() for letter in _sentence(said)):
        return f'"{copied}" '
    return f' "{copied}"' if said.rstrip().endswith(":") else f': "{copied}"'
