"""Find the channels that a question is confined to: "in #deploys"."""

from dataclasses import dataclass

from memory.folding import FoldedText
from memory.known_names import KnownNames
from memory.spans import Span

_IN = frozenset({"in", "inside", "within", "on", "from", "at", "of", "across"})
_CHANNELS = frozenset({"channel", "channels", "thread", "threads"})
_AND = frozenset({"and", "or", "&"})
_LONGEST_ID = 19  # digits of what PostgreSQL keeps as bigint


@dataclass(frozen=True, slots=True)
class _Channel:
    """A channel that a text names, from its sign to behind its name, and the places that it means."""

    end: int
    places: frozenset[int]


def may_name_channels(text: str) -> bool:
    """Tell whether it is worth looking for channels in a text."""
    return "#" in text or "\N{FULLWIDTH NUMBER SIGN}" in text


def channels_in(text: FoldedText, names: KnownNames) -> tuple[list[Span], frozenset[int]]:
    """Return where a text says in which channels to look, and the places that bear those names.

    A channel is named after "in", "from" or their like, or at the very beginning; "about #deploys" is a topic. What
    is none of the names is plain words, so that a channel which may not be read is as good as one that is not there.
    """
    spans: list[Span] = []
    places = frozenset[int]()
    at = 0
    while at < len(text):
        first = _after_leading_in(text, at)
        channel = None if first is None else _channel_at(text, first, names)
        if channel is None:
            at += 1
            continue
        after, meant = _with_others(text, channel, names)
        spans.append((text.tokens[at].start, text.tokens[after - 1].end))
        places, at = places | meant, after
    return spans, places


def _after_leading_in(text: FoldedText, at: int) -> int | None:
    """Return where a channel may stand for which the words from a token on make way: "in the channel"."""
    if text.word(at) not in _IN or not text.is_apart(at + 1):
        return at if at == 0 else None
    at += 1
    at += text.word(at) == "the" and text.is_apart(at + 1)
    return at + (text.word(at) in _CHANNELS and text.is_apart(at + 1))


def _channel_at(text: FoldedText, at: int, names: KnownNames) -> _Channel | None:
    """Return the channel with the longest name that is written from a token on: "#deploys", or Discord's "<#123>"."""
    if text.word(at) == "<" and text.word(at + 1) == "#":
        return _mentioned(text, at, names)
    if text.word(at) != "#" or at + 1 >= len(text) or text.is_apart(at + 1):
        return None
    first = at + 1
    for end in range(min(len(text), first + names.longest(text.word(first))), first, -1):
        goes_on = text.word(end) == "-" and not text.is_apart(end)
        if not goes_on and (places := names.channel_places(text.key(first, end))):
            return _Channel(end, places)
    return None


def _mentioned(text: FoldedText, at: int, names: KnownNames) -> _Channel | None:
    digits = text.word(at + 2)
    if text.word(at + 3) != ">" or not (digits.isdecimal() and digits.isascii()) or len(digits) > _LONGEST_ID:
        return None
    if any(text.is_apart(index) for index in range(at + 1, at + 4)):
        return None
    places = names.mentioned_places(int(digits))
    return _Channel(at + 4, places) if places else None


def _with_others(text: FoldedText, first: _Channel, names: KnownNames) -> tuple[int, frozenset[int]]:
    """Return where a list of channels, "#general and #deploys", ends, and the places of all."""
    end, places = first.end, first.places
    while (at := _after_separator(text, end)) is not None and (another := _channel_at(text, at, names)) is not None:
        end, places = another.end, places | another.places
    is_called_so = text.word(end) in _CHANNELS and text.is_apart(end)
    return end + is_called_so, places


def _after_separator(text: FoldedText, at: int) -> int | None:
    """Return where another channel may be named behind one: after a comma, "and", or both."""
    comma = text.word(at) == ","
    at += comma
    linked = text.word(at) in _AND
    if not comma and not linked:
        return None
    at += linked
    at += text.word(at) == "in"
    return at + (text.word(at) == "the")
