"""Keep what somebody wrote as `||spoiler||` hidden where their message is quoted."""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from agent.citations import WORD_JOINER

PLACEHOLDER = "(spoiler)"
"""What stands for a spoiler where nothing can hide it: in a code block, or in a text whose Markdown is escaped."""

# As Discord reads a message: whichever of these begins first. A code fence that is never closed is no code.
_TOKEN = re.compile(
    r"\\[^\w\s]"
    r"|(?P<code>(?<!`)(?P<ticks>`+)(?!`).*?[^`](?P=ticks)(?!`))"
    r"|\|\|(?P<hidden>.+?)\|\|",
    re.DOTALL,
)
_SHORTEST = 3  # letters of what is hidden in an answer too: "ok" is in every other sentence
_MOST_REPEATED = 100  # spoilers that one answer repeats; each costs another look through it
_BARS = re.compile(r"\|(?=\|)")


class _Kind(Enum):
    PLAIN = auto()
    CODE = auto()
    SPOILER = auto()


class _Part(NamedTuple):
    kind: _Kind
    start: int
    end: int


def masked(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a stretch of a message in which each spoiler is hidden, also one that the stretch cuts through.

    A spoiler is closed on every line of its own, so that the lines can be quoted one by one. Other bars are made
    harmless: with those of another quotation they could turn around what is hidden.
    """
    return _rewritten(text, start, end, spoiler=_closed)


def without_spoilers(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a stretch of a message with PLACEHOLDER for each spoiler; other bars are made harmless."""
    return _rewritten(text, start, end, spoiler=lambda _: PLACEHOLDER)


def without_masks(text: str) -> str:
    """Return words, such as a name, in which no bars hide anything."""
    return _BARS.sub(f"|{WORD_JOINER}", text)


def hidden_again(answer: str, messages: Iterable[str]) -> str:
    """Return an answer in which the words that these messages hide are hidden too, wherever it repeats them.

    In code, which cannot hide anything, PLACEHOLDER takes their place.
    """
    secrets = {
        line.strip()
        for text in messages
        for part in _parts(text)
        if part.kind is _Kind.SPOILER
        for line in text[part.start + 2 : part.end - 2].splitlines()
    }
    small = _lower(answer)
    repeated = (secret for secret in secrets if len(secret) >= _SHORTEST and _lower(secret) in small)
    for secret in sorted(repeated, key=len, reverse=True)[:_MOST_REPEATED]:
        answer = "".join(_covered(answer[part.start : part.end], part.kind, secret) for part in _parts(answer))
    return answer


def _covered(text: str, kind: _Kind, secret: str) -> str:
    if kind is _Kind.SPOILER:
        return text
    small, wanted = _lower(text), _lower(secret)
    written: list[str] = []
    position = 0
    while (at := small.find(wanted, position)) >= 0:
        end = at + len(secret)
        is_word = not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())
        cover = PLACEHOLDER if kind is _Kind.CODE else f"||{text[at:end]}||"
        written += [text[position:at], cover if is_word else text[at:end]]
        position = end
    return "".join([*written, text[position:]])


def _lower(text: str) -> str:
    """Return a text in small letters, as long as it was: some letters have small forms that are longer."""
    small = text.lower()
    return small if len(small) == len(text) else text


def _rewritten(text: str, start: int, end: int | None, *, spoiler: Callable[[str], str]) -> str:
    stop = len(text) if end is None else end
    written: list[str] = []
    for part in _parts(text):
        first, last = max(part.start, start), min(part.end, stop)
        if first >= last:
            continue
        if part.kind is _Kind.SPOILER:
            written.append(spoiler(text[max(first, part.start + 2) : min(last, part.end - 2)]))
        elif part.kind is _Kind.CODE and (first, last) == (part.start, part.end) and _stays_code(text[first:last]):
            written.append(text[first:last])
        else:
            written.append(without_masks(text[first:last]))
    return "".join(written)


def _parts(text: str) -> Iterator[_Part]:
    """Yield the parts of a text in order; a spoiler with its bars, and its code and escapes in it."""
    end = 0
    for token in _TOKEN.finditer(text):
        if token["code"] is None and token["hidden"] is None:
            continue  # what is escaped begins nothing
        yield _Part(_Kind.PLAIN, end, token.start())
        yield _Part(_Kind.CODE if token["code"] else _Kind.SPOILER, token.start(), token.end())
        end = token.end()
    yield _Part(_Kind.PLAIN, end, len(text))


def _stays_code(code: str) -> bool:
    """Tell whether a quotation keeps this as code: a block, or what stands on one line."""
    return code.startswith("```") or "\n" not in code


def _closed(hidden: str) -> str:
    return "\n".join(f"||{line.rstrip(chr(92))}||" if line.strip() else line for line in hidden.split("\n"))
