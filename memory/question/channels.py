"""Find the channels that a question is confined to: "in #deploys", "in the help channel"."""

from dataclasses import dataclass

from memory.names.known import KnownNames
from memory.names.words import BREAKS, NameText
from time_expressions.folding import FoldedText, Span

_IN = frozenset({"in", "inside", "within", "on", "from", "at", "of", "across", "to", "into"})
READS = frozenset({"summarise", "summarize", "summary", "recap", "tldr", "list", "show", "read", "scan", "search"})
"""Words that ask for all of a channel."""
_THE = frozenset({"me", "us", "the", "our", "channel", "channels", "thread", "threads", "forum", "post"})
_SIGNS = ("#", "\N{FULLWIDTH NUMBER SIGN}", "-", "_", "channel", "thread", "forum", " in ")
_CHANNELS = frozenset({"channel", "channels", "thread", "threads", "forum"})
_HERE = frozenset({"this", "current"})
_BUSY = frozenset({"active", "busy", "busiest", "lively", "liveliest", "quiet", "quietest"})
_IS = frozenset({"is", "was", "are", "were"})
_AND = frozenset({"and", "or", "&"})
_LONGEST_ID = 19  # digits of what PostgreSQL keeps as bigint
_LONGEST_UNKNOWN = 100  # characters of a name in the answer that it is unknown
_MOST_AROUND = 12  # signs and words of a channel, and "most active" behind it
_MOST_BEFORE = 3  # words between "in" and a channel: "in the help channel", "in our thread"


@dataclass(frozen=True, slots=True)
class NamedPlaces:
    """Where a text says in which channels to look, the places that it means, and what it names and nobody knows."""

    spans: tuple[Span, ...] = ()
    places: frozenset[int] = frozenset()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Channel:
    """A channel that a text names, up to before a token, and the places that it means; none when it is unknown."""

    first: int
    after: int
    places: frozenset[int]


def may_name_channels(text: str) -> bool:
    """Return whether it is worth looking for channels in a text."""
    folded = text.casefold()
    return any(sign in folded for sign in _SIGNS)


def channels_in(text: FoldedText, names: KnownNames, *, here: int) -> NamedPlaces:
    """Return in which channels a text, asked in the place `here`, says to look.

    A channel is named after "in", "from" or their like, or at the very beginning; "about #deploys" is a topic. What is
    written like a channel and is none of the names is unknown, so that a channel which may not be read is as good as
    one that is not there; an issue (#123) is plain words.
    """
    parts = NameText(text)
    spans: list[Span] = []
    places = frozenset[int]()
    unknown: list[str] = []
    at = 0
    while at < len(text):
        found = _channels_from(text, at, parts, names, here)
        if not found:
            at += 1
            continue
        after = _after_kind(text, found[-1].after)
        spans.append((text.tokens[at].start, text.tokens[after - 1].end))
        places = places.union(*(channel.places for channel in found))
        unknown += [_written(text, channel) for channel in found if not channel.places]
        at = after
    return NamedPlaces(tuple(spans), places, tuple(dict.fromkeys(unknown)))


def here_in(names: KnownNames, here: int) -> frozenset[int]:
    """Return the channel or thread in which a question is asked, if it may be read."""
    return frozenset({here} if names.is_readable(here) else ())


def _written(text: FoldedText, channel: _Channel) -> str:
    written = text.text[text.tokens[channel.first].start : text.tokens[channel.after - 1].end]
    return written[:_LONGEST_UNKNOWN]


def _channels_from(text: FoldedText, at: int, parts: NameText, names: KnownNames, here: int) -> list[_Channel]:
    """Return the channels, "#general and #deploys", for which the words from a token on make way; none when none do."""
    found: list[_Channel] = []
    for first in _first_tokens(text, at):
        channel = _channel_at(text, first, parts, names) or _here_at(text, first, here_in(names, here))
        if channel is not None and (channel.places or first or text.word(channel.after) == ":"):
            found = [channel]
            break
    while found and (following := _after_separator(text, found[-1].after)) is not None:
        another = _channel_at(text, following, parts, names)
        if another is None:
            break
        found.append(another)
    return found


def _first_tokens(text: FoldedText, at: int) -> list[int]:
    """Return the tokens at which a channel may stand for which the words from one on make way: "in the channel"."""
    leads = text.word(at) in _IN or text.word(at) in READS or _says_how_busy(text, at)
    if not leads or not text.is_apart(at + 1):
        return [at] if at == 0 else []
    found = [at + 1]
    while len(found) <= _MOST_BEFORE and text.word(found[-1]) in _THE and text.is_apart(found[-1] + 1):
        found.append(found[-1] + 1)
    return found


def _says_how_busy(text: FoldedText, at: int) -> bool:
    """Return whether a verb stands there, and a channel behind it: "how active was #deploys", "is #deploys busiest"."""
    if text.word(at) not in _IS or text.word(at + 1) not in {"#", "<"}:
        return False
    around = range(at - 1, min(len(text), at + _MOST_AROUND))
    return any(text.word(near) in _BUSY for near in around)


def _channel_at(text: FoldedText, at: int, parts: NameText, names: KnownNames) -> _Channel | None:
    """Return the channel that stands at a token: "#deploys", Discord's "<#123>", "kiln-talk", "help channel"."""
    if text.word(at) == "<" and text.word(at + 1) == "#":
        return _mentioned(text, at, names)
    if text.word(at) == "#":
        return _with_sign(text, at, parts, names)
    return _by_words(text, at, parts, names)


def _with_sign(text: FoldedText, at: int, parts: NameText, names: KnownNames) -> _Channel | None:
    """Return the channel of a "#", the longest that there is, and never less than what is written in one piece."""
    is_of_word = text.tokens[at].glued and text.tokens[at - 1].is_word  # "C#"
    first = _first_part(text, at + 1, parts)
    if is_of_word or first is None:
        return None
    glued = _end_of_glued(text, first, parts)
    found = None
    for after, key in parts.keys(first, names.most_channel_parts(parts.parts[first].words[0])):
        if after >= glued and (places := names.channel_places(key)):
            found = _Channel(at, after, places)
    if found is not None or all(word.isdecimal() for word in _words_until(parts, first, glued)):
        return found
    places = names.channel_places("".join(_words_until(parts, first, glued)))
    return _Channel(at, glued, places)


def _by_words(text: FoldedText, at: int, parts: NameText, names: KnownNames) -> _Channel | None:
    """Return the channel that is named without a "#": as "the help channel", or by a name of several words."""
    first = parts.part_at(at)
    if first is None:
        return None
    glued = _end_of_glued(text, first, parts)
    found = None
    for after, key in parts.keys(first, names.most_channel_parts(parts.parts[first].words[0])):
        is_called_so = text.word(after) in _CHANNELS and text.is_apart(after)
        is_name = " " in key and after >= glued and names.has_channel(key)
        if (is_called_so or is_name) and (places := names.channel_places(key)):
            found = _Channel(at, after, places)
    return found


def _first_part(text: FoldedText, at: int, parts: NameText) -> int | None:
    """Return the first part of a name that begins at a token with signs or at once; None when a space is before it."""
    while at < len(text) and not text.is_apart(at):
        if (part := parts.part_at(at)) is not None:
            return part
        if text.tokens[at].is_word or text.word(at) in BREAKS:
            return None
        at += 1
    return None


def _end_of_glued(text: FoldedText, part: int, parts: NameText) -> int:
    """Return the token behind the parts that are written in one piece from one on: "kiln-talk"."""
    after = parts.parts[part].after
    for following in parts.parts[part + 1 :]:
        between = range(after, following.first + 1)
        if any(text.is_apart(at) or text.word(at) in BREAKS | {"'", "."} for at in between):
            break
        after = following.after
    return after


def _words_until(parts: NameText, first: int, after: int) -> list[str]:
    words: list[str] = []
    for part in parts.parts[first:]:
        if part.after > after:
            break
        words += part.words
    return words


def _here_at(text: FoldedText, at: int, here: frozenset[int]) -> _Channel | None:
    """Return the channel in which a question is asked when "this channel" stands there."""
    if here and text.word(at) in _HERE and text.word(at + 1) in _CHANNELS and text.is_apart(at + 1):
        return _Channel(at, at + 1, here)
    return None


def _mentioned(text: FoldedText, at: int, names: KnownNames) -> _Channel | None:
    digits = text.word(at + 2)
    if text.word(at + 3) != ">" or not (digits.isdecimal() and digits.isascii()) or len(digits) > _LONGEST_ID:
        return None
    if any(text.is_apart(index) for index in range(at + 1, at + 4)):
        return None
    return _Channel(at, at + 4, names.mentioned_places(int(digits)))


def _after_kind(text: FoldedText, at: int) -> int:
    return at + (text.word(at) in _CHANNELS and text.is_apart(at))


def _after_separator(text: FoldedText, at: int) -> int | None:
    """Return where another channel may be named behind one: after a comma, "and", or both."""
    at = _after_kind(text, at)
    comma = text.word(at) == ","
    at += comma
    linked = text.word(at) in _AND
    if not comma and not linked:
        return None
    at += linked
    at += text.word(at) == "in"
    return at + (text.word(at) == "the")
