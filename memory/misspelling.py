"""Take a word that no message has for the word of the messages that it was most likely meant to be."""

from collections.abc import Collection, Mapping, Sequence

from memory.folding import tokens_of, words_of
from memory.messages import Message
from memory.rarity import Weighed

SHORTEST = 5
"""Letters of a word that may be misspelt: shorter ones are too like each other."""

ALIKE = 85
"""Per cent of the letters of two words that are alike and in order: one letter of seven may be another, or missing."""

_MOST_WRONG = 3  # words of a question
_MOST_WORDS = 5000  # of the messages


def corrections(words: Sequence[Weighed], messages: Collection[Message]) -> dict[str, str]:
    """Return, for words of a question that none of the messages has, the nearest word of theirs if there is one."""
    wrong = [one.keyword.text for one in words if not one.is_known and _may_be_misspelt(one.keyword.text)]
    if not wrong:
        return {}
    said = dict.fromkeys(word for message in messages for word in words_of(message.content) if _may_be_misspelt(word))
    known = list(said)[:_MOST_WORDS]
    near = {word: _nearest(word, known) for word in wrong[:_MOST_WRONG]}
    return {word: nearest for word, nearest in near.items() if nearest}


def _nearest(word: str, known: Sequence[str]) -> str | None:
    from rapidfuzz import fuzz, process  # loaded when the first unknown word is met

    found = process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=ALIKE)
    return found[0] if found else None


def corrected(text: str, meant: Mapping[str, str]) -> str:
    """Return a text with other words in place of some, which are given folded."""
    for token in reversed(tokens_of(text)):
        if token.folded in meant:
            text = f"{text[: token.start]}{meant[token.folded]}{text[token.end :]}"
    return text


def _may_be_misspelt(word: str) -> bool:
    return SHORTEST <= len(word) <= 2 * SHORTEST * SHORTEST and word.isalpha()
