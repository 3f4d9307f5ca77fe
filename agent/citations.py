"""Check the `[n]` marks of an answer and number them in the order of first citation.

An escaped bracket is no mark's: `agent.escaping` writes the words of others with such brackets alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from agent.answers import Source
from memory.messages import Message

_CODE = re.compile(
    r"(?P<code>(?<!`)(`{3,})(?!`).*?(?:(?<!`)\2(?!`)|\Z)"  # a fence; one that is never closed reaches to the end
    r"|(?<!`)(`{1,2})(?!`)(?:(?!\n).)+?(?<!`)\3(?!`))"
    r"|\\[^0-9A-Za-z\s]",
    re.DOTALL,
)
_MARK = re.compile(
    r"(?P<space>(?:(?<![ \t])[ \t]+)?)(?<!\\)\[(?P<numbers>[1-9]\d{0,8}(?:\s*,\s*[1-9]\d{0,8})*)\](?:\([^()\s]*\))?"
)
_NUMBER = re.compile(r"\d+")


def cited_numbers(text: str) -> list[int]:
    """Return the numbers that an answer cites outside code, each once, in order."""
    numbers = (int(number) for mark in _marks(text) for number in _NUMBER.findall(mark["numbers"]))
    return list(dict.fromkeys(numbers))


def with_sources(text: str, messages: Mapping[int, Message]) -> tuple[str, tuple[Source, ...]]:
    """Return the text with its marks renumbered from 1, and what they stand for.

    `messages` holds, by the number in the text, each message that may be cited; every other mark is dropped.
    """
    order: dict[int, int] = {}
    for number in cited_numbers(text):
        if number in messages:
            order[number] = len(order) + 1

    def renumbered(mark: re.Match[str]) -> str:
        known = [order[int(number)] for number in _NUMBER.findall(mark["numbers"]) if int(number) in order]
        marks = "".join(f"[{number}]" for number in dict.fromkeys(known))
        return f"{mark['space']}{marks}" if marks else ""

    sources = tuple(Source(order[number], messages[number]) for number in order)
    return _outside_code(text, lambda part: _MARK.sub(renumbered, part)), sources


def without_marks(text: str) -> str:
    """Return an answer without its marks, which mean nothing once the run that numbered them is over."""
    return with_sources(text, {})[0]


def split_code(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a text in order, each with whether it is code; an escaped backtick begins none."""
    end = 0
    for code in _CODE.finditer(text):
        if code["code"] is None:
            continue
        yield False, text[end : code.start()]
        yield True, code[0]
        end = code.end()
    yield False, text[end:]


def _marks(text: str) -> Iterator[re.Match[str]]:
    for is_code, part in split_code(text):
        if not is_code:
            yield from _MARK.finditer(part)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if is_code else change(part) for is_code, part in split_code(text))
