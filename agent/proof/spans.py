"""Check the words that marks say they copied, and keep each mark at the message that has them."""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from agent.citations import rewritten
from agent.marks import Cited, Mark, marks_in
from agent.transcript import line_of
from memory.message import Message
from time_expressions.folding import folded

SHORTEST_MOVED = 3
"""Words that a mark with a wrong number has to bring to be moved to the one message that has them."""

_WORDS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
"""Words, and each letter by itself of scripts that write no spaces between them."""

_ELLIPSIS = re.compile(r"\.{3,}|\u2026|\[\u2026\]|\[\.{3}\]|\(\.{3}\)")


def with_held_marks(
    text: str, messages: Mapping[int, Message], *, time_zone: ZoneInfo, names: Collection[str] = ()
) -> str:
    """Return an answer in which every mark is plain, `[n]`, and the words that it copied stand in message n.

    A mark whose words stand in exactly one other of the `messages`, which are those that were shown, is moved there. A
    mark that does not hold is taken out, and the words that were copied always are. What stands in one of the `names`
    is no mark.
    """
    lines = {number: copied_form(line_of(message, time_zone)) for number, message in messages.items()}

    def numbers_of(mark: Mark) -> list[int]:
        return [number for cited in mark.cited for number in _held(cited, lines, is_bare=mark.is_bare)]

    return rewritten(text, numbers_of, names=names)


def open_end(text: str, *, names: Collection[str] = ()) -> int:
    """Return where the first mark begins that may still go on, of an answer that is being written; or its length."""
    for mark in marks_in(text, names=names):
        if not mark.is_whole:
            return mark.start
    bracket = text.rfind("[")
    return bracket if bracket >= 0 and "]" not in text[bracket:] else len(text)


def _held(cited: Cited, lines: Mapping[int, str], *, is_bare: bool) -> list[int]:
    """Return the number of the message that a citation stands for, none when it does not hold."""
    copied = [words for words in cited.copied if copied_form(words).strip()]
    is_long = sum(len(copied_form(words).split()) for words in copied) >= SHORTEST_MOVED
    if is_bare and not is_long:
        return []
    line = lines.get(cited.number)
    if line is not None and all(has_copied(line, words) for words in copied):
        return [cited.number]
    if is_bare or not is_long:
        return []
    having = [number for number, other in lines.items() if all(has_copied(other, words) for words in copied)]
    return having if len(having) == 1 else []


def has_copied(line: str, words: str) -> bool:
    """Return whether words stand in a line, which is in its `copied_form`, where an ellipsis may leave some out."""
    position = 0
    for part in _ELLIPSIS.split(words):
        sought = copied_form(part)
        if not sought.strip():
            continue
        at = line.find(sought, position)
        if at < 0:
            return False
        position = at + len(sought) - 1  # the space between two words belongs to both
    return True


@lru_cache(maxsize=1000)
def copied_form(text: str) -> str:
    """Return the words of a text, each between two spaces: without width, case, accents, signs and Markdown."""
    return f" {' '.join(_WORDS.findall(folded(text)))} "
