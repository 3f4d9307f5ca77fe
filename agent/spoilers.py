"""Keep what somebody wrote as `||spoiler||` hidden where their words are repeated."""

import re
from collections.abc import Iterable

from agent.citations import split_code
from agent.markdown import hidden_spans

PLACEHOLDER = "(spoiler)"
"""What stands for a spoiler where nothing can hide it: in a code block, or in a terminal."""

_SHORTEST = 3  # letters of what is hidden in an answer too: "ok" is in every other sentence
_MOST_REPEATED = 100  # spoilers that one answer repeats; each costs another look through it
_MARKUP = re.compile(r"[|*_~`\\]{1,20}")


def without_spoilers(text: str, start: int = 0, end: int | None = None) -> str:
    """Return a stretch of a message with PLACEHOLDER for each spoiler, also one that the stretch cuts through."""
    stop = len(text) if end is None else end
    written: list[str] = []
    position = start
    for hidden_from, hidden_to in hidden_spans(text):
        if hidden_to <= position or hidden_from >= stop:
            continue
        written += [text[position : max(position, hidden_from)], PLACEHOLDER]
        position = min(stop, hidden_to)
    return "".join([*written, text[position:stop]])


def hidden_again(answer: str, messages: Iterable[str]) -> str:
    """Return an answer in which the words that these messages hide are hidden too, wherever it repeats them.

    In code, which cannot hide anything, PLACEHOLDER takes their place.
    """
    secrets = {
        line.strip()
        for text in messages
        for start, end in hidden_spans(text)
        for line in _secrets(text[start + 2 : end - 2])
    }
    small = _lower(answer)
    repeated = (secret for secret in secrets if len(secret) >= _SHORTEST and _lower(secret) in small)
    for secret in sorted(repeated, key=len, reverse=True)[:_MOST_REPEATED]:
        answer = _covered(answer, secret)
    return answer


def _secrets(hidden: str) -> Iterable[str]:
    """Yield the lines that are hidden, also without their markup, which whoever repeats them may leave out."""
    for line in hidden.replace("||", "\n").splitlines():
        yield line
        yield _MARKUP.sub("", line)


def _covered(answer: str, secret: str) -> str:
    """Return an answer whose code has PLACEHOLDER for a secret, and whose words have it as a spoiler."""
    written: list[str] = []
    position = 0
    for start, end in hidden_spans(answer):
        hidden = answer[start + 2 : end - 2].replace("||", "")  # bars that are paired in another way elsewhere
        written += [_covered_in_clear(answer[position:start], secret), f"||{hidden}||"]
        position = end
    written.append(_covered_in_clear(answer[position:], secret))
    return "".join(written)


def _covered_in_clear(text: str, secret: str) -> str:
    return "".join(_replaced(part, secret, PLACEHOLDER if is_code else "||{}||") for is_code, part in split_code(text))


def _replaced(text: str, secret: str, cover: str) -> str:
    small, wanted = _lower(text), _lower(secret)
    written: list[str] = []
    position = 0
    while (at := small.find(wanted, position)) >= 0:
        end = at + len(secret)
        is_word = not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum())
        written += [text[position:at], cover.format(text[at:end]) if is_word else text[at:end]]
        position = end
    return "".join([*written, text[position:]])


def _lower(text: str) -> str:
    """Return a text in small letters, as long as it was: some letters have small forms that are longer."""
    small = text.lower()
    return small if len(small) == len(text) else text
