"""Find the channels that a question is confined to: "in #deploys"."""

import re
from collections.abc import Iterable, Mapping

from memory.spans import Span


def may_name_channels(text: str) -> bool:
    """Tell whether it is worth looking for channels in a text."""
    return "#" in text


def channels_in(text: str, names: Mapping[str, frozenset[int]]) -> tuple[list[Span], frozenset[int]]:
    """Return where a text says in which channels to look, and the places that bear those names.

    A channel is named after "in", "from" or their like, or at the very beginning; "about #deploys" is a topic. What
    is none of the names is plain words, so that a channel which may not be read is as good as one that is not there.
    """
    bearers = {_as_written(name).casefold(): places for name, places in names.items() if name}
    if not bearers:
        return [], frozenset()
    channel = _any_of(bearers)
    phrases = list(re.finditer(_phrase(channel), text, re.IGNORECASE))
    found = [name[0] for phrase in phrases for name in re.finditer(channel, phrase[0], re.IGNORECASE)]
    return [phrase.span() for phrase in phrases], frozenset().union(*(bearers[name.casefold()] for name in found))


def _as_written(name: str) -> str:
    """Return what people type: "#deploys", or Discord's own "<#123>"."""
    return name if name.startswith("<#") else f"#{name}"


def _any_of(names: Iterable[str]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    return rf"(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])"


def _phrase(channel: str) -> str:
    leading_in = r"(?:\b(?:in|inside|within|on|from|at|of|across)\s+(?:the\s+)?(?:(?:channels?|threads?)\s+)?|^\s*)"
    another = rf"(?:(?:\s*,)?\s*(?:,|\band\b|\bor\b|&)\s*(?:in\s+)?(?:the\s+)?{channel})"
    return rf"{leading_in}{channel}{another}*(?:\s+(?:channels?|threads?)\b)?"
