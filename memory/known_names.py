"""Know which people and channels have which names, and in which places."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from memory.folding import FoldedText
from memory.messages import Kind, Message
from memory.place_names import channel_of
from memory.topics import FUNCTION_WORDS

LONGEST_NAME = 64
"""Words and signs of a name; what is longer is known by its beginning alone."""

_MOST_READ = 400  # characters of a name; Discord's have 100 at most


@dataclass(frozen=True, slots=True)
class Named:
    """What one or more messages tell of names: who spoke in a place, and what its channel was called last.

    `author` is empty where nobody spoke whose words can be searched.
    """

    place_id: int
    channel_id: int
    channel: str
    author: str
    sent_at: datetime


def named_in(message: Message) -> Named:
    """Return what a message tells of names."""
    is_said = message.kind is Kind.MESSAGE and message.deleted_at is None
    author = message.author_name if is_said else ""
    channel = channel_of(message.channel_name)
    return Named(message.place_id, message.channel_id, channel, author, message.sent_at)


class Index:
    """The names that one memory knows. It only grows; whatever is gone goes when another index takes its place.

    Names are kept under what they are when they are compared, so that a question is looked up and nothing is searched.
    """

    def __init__(self) -> None:
        self._in_full: dict[str, list[str]] = {}
        self._shortened: dict[str, list[str]] = {}
        self._places_of_author: dict[str, set[int]] = {}
        self._longest: dict[str, int] = {}
        self._channels: dict[int, tuple[datetime, int, str]] = {}
        self._places_of_channel: dict[int, set[int]] = {}
        self._places_of_name: dict[str, set[int]] = {}

    def add(self, named: Named) -> None:
        """Take in what was learnt of names; in which order does not matter."""
        if named.author.strip():
            self._add_author(named.author, named.place_id)
        last = self._channels.get(named.place_id)
        if last is None or last[0] < named.sent_at:
            self._name_channel(named, last)

    def authors(self, key: str, places: frozenset[int]) -> frozenset[str]:
        """Return those who have spoken in these places and bear a name in full, or else are called so for short."""
        in_full = self._seen(self._in_full.get(key, ()), places)
        return in_full or self._seen(self._shortened.get(key, ()), places)

    def bears_in_full(self, key: str, places: frozenset[int]) -> bool:
        """Return whether somebody who has spoken in these places bears a name in full."""
        return bool(self._seen(self._in_full.get(key, ()), places))

    def channel_places(self, key: str, places: frozenset[int]) -> frozenset[int]:
        """Return those of the places whose channel has this name."""
        return places & self._places_of_name.get(key, frozenset())

    def mentioned_places(self, channel_id: int, places: frozenset[int]) -> frozenset[int]:
        """Return those of the places that are the channel or the thread with this id, or belong to it."""
        return (places & self._places_of_channel.get(channel_id, frozenset())) | (places & {channel_id})

    def channel_names(self, places: frozenset[int]) -> frozenset[str]:
        """Return the names of the channels of these places."""
        return frozenset(self._channels[place][2] for place in places if place in self._channels)

    def longest(self, first: str) -> int:
        """Return of how many words and signs the longest name is that begins with this one; 0 when none does."""
        return self._longest.get(first, 0)

    def _add_author(self, name: str, place: int) -> None:
        places = self._places_of_author.get(name)
        if places is not None:
            places.add(place)
            return
        self._places_of_author[name] = {place}
        in_full, *shorter = self._author_keys(name)
        self._in_full.setdefault(in_full, []).append(name)
        for key in shorter:
            self._shortened.setdefault(key, []).append(name)

    def _author_keys(self, name: str) -> list[str]:
        """Return a name as it is looked up: in full, without signs around it, and by its first word."""
        told = FoldedText(name[:_MOST_READ])
        words = [index for index, token in enumerate(told.tokens) if token.is_word]
        keys = [self._key(told, 0, len(told))]
        if words:
            first, last = words[0], words[-1]
            space = next((index for index in range(first + 1, last + 1) if told.is_apart(index)), last + 1)
            first_word = self._key(told, first, max(index for index in words if index < space) + 1)
            keys += [self._key(told, first, last + 1), *({first_word} - FUNCTION_WORDS)]
        return list(dict.fromkeys(keys))

    def _name_channel(self, named: Named, last: tuple[datetime, int, str] | None) -> None:
        place = named.place_id
        self._channels[place] = named.sent_at, named.channel_id, named.channel
        if last is None or last[1] != named.channel_id:
            self._places_of_channel.setdefault(named.channel_id, set()).add(place)
        if last is not None and last[2] == named.channel:
            return
        if last is not None:
            self._places_of_name[self._channel_key(last[2])].discard(place)
        self._places_of_name.setdefault(self._channel_key(named.channel), set()).add(place)

    def _channel_key(self, name: str) -> str:
        told = FoldedText(name[:_MOST_READ])
        return self._key(told, 0, len(told))

    def _key(self, told: FoldedText, first: int, after: int) -> str:
        after = min(after, first + LONGEST_NAME)
        begins_with = told.word(first)
        self._longest[begins_with] = max(self._longest.get(begins_with, 0), after - first)
        return told.key(first, after)

    def _seen(self, names: Iterable[str], places: frozenset[int]) -> frozenset[str]:
        return frozenset(name for name in names if not self._places_of_author[name].isdisjoint(places))


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names of the people and channels of some places; a name of any other place is as good as unknown.

    They are not `complete` while a memory has not told all of its names.
    """

    places: frozenset[int]
    indexes: tuple[Index, ...] = ()
    complete: bool = True
    _authors: dict[str, frozenset[str]] = field(default_factory=dict, repr=False)
    _channels: dict[str, frozenset[int]] = field(default_factory=dict, repr=False)

    def within(self, places: frozenset[int]) -> "KnownNames":
        """Return the names of some of the places alone."""
        return self if places == self.places else KnownNames(places & self.places, self.indexes, self.complete)

    def authors(self, key: str) -> frozenset[str]:
        """Return the names, as they are written, of those who are called so: in full, or else for short."""
        if key not in self._authors:
            in_full = [index for index in self.indexes if index.bears_in_full(key, self.places)]
            asked = in_full or self.indexes
            self._authors[key] = frozenset().union(*(index.authors(key, self.places) for index in asked))
        return self._authors[key]

    def spellings(self, name: str) -> frozenset[str]:
        """Return the names, as they are written, of those whom somebody calls so; the name itself is one of them."""
        told = FoldedText(name[:_MOST_READ])
        return self.authors(told.key(0, min(len(told), LONGEST_NAME))) | {name}

    def channel_places(self, key: str) -> frozenset[int]:
        """Return the places whose channel has this name."""
        if key not in self._channels:
            found = (index.channel_places(key, self.places) for index in self.indexes)
            self._channels[key] = frozenset().union(*found)
        return self._channels[key]

    def mentioned_places(self, channel_id: int) -> frozenset[int]:
        """Return the places that Discord's "<#123>" means: a channel with its threads, or a thread."""
        found = (index.mentioned_places(channel_id, self.places) for index in self.indexes)
        return frozenset({channel_id} & self.places).union(*found)

    def channel_names(self, places: frozenset[int]) -> tuple[str, ...]:
        """Return the names of the channels of some of the places, in order."""
        found = (index.channel_names(places & self.places) for index in self.indexes)
        return tuple(sorted(frozenset().union(*found)))

    def longest(self, first: str) -> int:
        """Return of how many words and signs the longest name may be that begins with this one."""
        return max((index.longest(first) for index in self.indexes), default=0)
