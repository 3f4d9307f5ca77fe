"""Find the words of a question that somebody must have written just so: names, identifiers, words in quotation marks.

Other rare words may be the asker's own for what the chat calls something else, and tell too little by themselves; so
do dates and small numbers, which nobody may have written in digits.
"""

import re
from collections.abc import Mapping

from memory.search.terms import is_english, keywords_of
from time_expressions.folding import folded

MOST_TELLING = 8
"""Words of a question that are looked for in every message."""

_LONGEST_QUESTION = 2000  # characters that are read
_LONGEST = 40  # letters of a word: what is longer is an address or a scream
_SHORTEST_NUMBER = 5  # digits of an order or a bug: smaller numbers are years, counts and prices

_WORD = re.compile(r"\w+(?:\.\w+)*")  # "0.4" is one
_QUOTED = re.compile(r'"[^"\n]{1,200}"|\u201c[^\u201d\n]{1,200}\u201d|\u00ab[^\u00bb\n]{1,200}\u00bb')
_BEFORE_SENTENCE = frozenset(".!?:\n\"'\u201c\u00ab([*_>-")

_TIMES = """
    monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec am pm utc gmt
"""
_OF_TIME = frozenset(_TIMES.split())


def telling_words(question: str) -> Mapping[str, str]:
    """Return the words of a question that somebody must have written, folded, each with how the asker writes it."""
    text = question[:_LONGEST_QUESTION]
    keywords = {keyword.text for keyword in keywords_of(text)} - _OF_TIME
    words = [found for found in _WORD.finditer(text) if len(found[0]) <= _LONGEST]
    capitals_tell = is_english(text) and not _is_shouted([found[0] for found in words])
    quoted = [found.span() for found in _QUOTED.finditer(text)]
    telling: dict[str, str] = {}
    for found in words:
        is_name = capitals_tell and found[0][0].isupper() and not _begins_sentence(text, found.start())
        is_quoted = any(start < found.start() < end for start, end in quoted)
        if folded(found[0]) in keywords and (is_name or is_quoted or _is_identifier(found[0])):
            telling.setdefault(folded(found[0]), found[0])
    return dict(list(telling.items())[:MOST_TELLING])


def _is_shouted(words: list[str]) -> bool:
    """Return whether capitals say nothing, since every word has one."""
    return len(words) > 1 and all(word[0].isupper() for word in words if not word[0].isdigit())


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t")
    return not before or before[-1] in _BEFORE_SENTENCE


def _is_identifier(word: str) -> bool:
    """Return whether a word is a version, a code or a long number: "0.4", "rc1", "max_retries", not "35mm" or "2nd"."""
    if word.isdigit():
        return len(word) >= _SHORTEST_NUMBER
    if word[0].isdigit():
        return "." in word and word.replace(".", "").isdigit()
    is_mixed = any(letter.isupper() for letter in word[1:]) and not word.isupper()
    return is_mixed or "_" in word.strip("_") or any(letter.isdigit() for letter in word)
