"""Let nothing but the asker's own words leave for the web: a query has only words of the question, in its order."""

import re

from time_expressions.folding import folded

MOST_WORDS = 16
"""Words of one query."""

_WORD = re.compile(r"[^\W_]+(?:['\u2019.-][^\W_]+)*")
_MARKUP = re.compile(r"<[^<>\n]{0,200}>|https?://\S{1,2000}")


def words_in(question: str) -> list[str]:
    """Return the words of a question, without its mentions and addresses."""
    return _WORD.findall(_MARKUP.sub(" ", question))


def words_to_ask(words: str, question: str) -> str:
    """Return some words of a question as they stand in it; raise ValueError for any others.

    As the words keep their order and are never more than
    those of the question, whoever dictates them learns and tells nothing by them.
    """
    asked = words_in(question)
    wanted = _WORD.findall(words)
    if not wanted or len(wanted) > MOST_WORDS:
        raise ValueError(f"Write 1 to {MOST_WORDS} words of the question.")
    position = 0
    chosen = []
    for word in wanted:
        while position < len(asked) and folded(asked[position]) != folded(word):
            position += 1
        if position == len(asked):
            raise ValueError("Use only words of the question, in their order: no word of a message leaves this chat.")
        chosen.append(asked[position])
        position += 1
    return " ".join(chosen)
