"""Find where phrases stand in a text."""

from collections.abc import Sequence

from time_expressions.folding import Span


def find_phrases(text: str, phrases: Sequence[str]) -> list[Span]:
    """Return where each of these phrases, which come in the order of the text, stands in it.

    Phrases that are said once and meant twice stand in the same place; one that is not there stands at the end.
    """
    spans: list[Span] = []
    cursor = 0
    for phrase in phrases:
        start = _find_whole(text, phrase, cursor)
        start = _find_whole(text, phrase, 0) if start < 0 else start
        spans.append((len(text), len(text)) if start < 0 else (start, start + len(phrase)))
        cursor = cursor if start < 0 else spans[-1][1]
    return spans


def _find_whole(text: str, phrase: str, start: int) -> int:
    """Return where a phrase stands that is no part of longer words, from `start` on; -1 where it does not."""
    while (start := text.find(phrase, start)) >= 0:
        if not _is_in_word(text[start - 1 : start]) and not _is_in_word(text[start + len(phrase) :][:1]):
            return start
        start += 1
    return -1


def _is_in_word(letter: str) -> bool:
    return letter.isalnum() or letter == "_"
