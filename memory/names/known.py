"""Know which people and channels have which names, and in which places."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from memory.authors import Authors, kept_name
from memory.message import Kind, Message
from memory.names.near import Beginnings, nearest_names
from memory.names.places import channel_of, title_in
from memory.names.words import name_keys, sign_key, whole_key, whole_words
from time_expressions.folding import FoldedText, folded

_NEARLY = 75  # per cent of the letters of two names that are alike and in order
_MOST_NEAR = 20  # names that are looked at, of which some may have spoken elsewhere

MOST_PARTS = 16
"""Words or signs of a name in a text; what is longer is known by its beginning alone."""

Person = int | str
"""An author id, or the folded name of somebody whose messages say none."""


@dataclass(frozen=True, slots=True)
class Named:
    """What one or more messages tell of names: who spoke in a place, and what its channel was called last.

    `author` is empty where nobody spoke whose words can be searched; `sent_at` is the time of the last message.
    """

    place_id: int
    channel_id: int
    channel: str
    author: str
    sent_at: datetime
    author_id: int | None = None
    in_public_thread: bool = False

    @property
    def access_id(self) -> int:
        """The channel or private thread whose readers may know of it, as `Message.access_id`."""
        return self.channel_id if self.in_public_thread else self.place_id


def named_in(message: Message) -> Named:
    """Return what a message tells of names."""
    is_said = message.kind is Kind.MESSAGE and message.deleted_at is None
    return Named(
        message.place_id,
        message.channel_id,
        kept_name(message.channel_name),
        kept_name(message.author_name) if is_said else "",
        message.sent_at,
        message.author_id if is_said else None,
        message.in_public_thread,
    )


class Index:
    """The names that one memory knows. It only grows; whatever is gone goes when another index takes its place.

    Names are kept under all keys by which somebody may call their bearers, so that a question is looked up and nothing
    is searched. A name is known in the places where its bearer spoke under it.
    """

    def __init__(self) -> None:
        self._bearers: dict[str, list[tuple[Person, str]]] = {}
        self._places_of_name: dict[tuple[Person, str], dict[int, datetime]] = {}
        self._names_of: dict[Person, list[str]] = {}
        self._most_parts: dict[str, int] = {}
        self._most_signs: dict[str, int] = {}
        self._spoken_in: set[int] = set()
        self._channels = _Channels()
        self._beginnings = Beginnings()

    def add(self, named: Named) -> None:
        """Take in what was learnt of names; in which order does not matter."""
        if named.author.strip() or (named.author and named.author_id is not None):
            self._add_author(named)
        self._channels.add(named)

    def open_threads(self, parents: Mapping[int, int]) -> None:
        """Let whoever may read a channel know the names in its public threads, which come with their channels."""
        self._channels.open_threads(parents)
        closed = {thread: channel for thread, channel in parents.items() if thread in self._spoken_in}
        for places in self._places_of_name.values() if closed else ():
            for thread in places.keys() & closed.keys():
                channel = closed[thread]
                places[channel] = max(places.get(channel, places[thread]), places[thread])

    def people(self, key: str, places: frozenset[int]) -> frozenset[Person]:
        """Return those who bear a name that has this key, and have spoken under it in these places."""
        return frozenset(
            person
            for person, name in self._bearers.get(key, ())
            if not places.isdisjoint(self._places_of_name[person, name])
        )

    @property
    def keys(self) -> Collection[str]:
        """The keys of all names of people, wherever they have spoken."""
        return self._bearers.keys()

    def has_spoken(self, person: Person, places: frozenset[int]) -> bool:
        """Return whether somebody has spoken in these places."""
        return any(True for _ in self.spellings(person, places))

    def spellings(self, person: Person, places: frozenset[int]) -> Iterator[str]:
        """Yield the names that somebody bore in these places."""
        for name in self._names_of.get(person, ()):
            if not places.isdisjoint(self._places_of_name[person, name]):
                yield name

    def names(self, person: Person, places: frozenset[int]) -> Iterator[tuple[datetime, str]]:
        """Yield the names that somebody bore in these places, each with the last time, in no order."""
        for name in self._names_of.get(person, ()):
            where = self._places_of_name[person, name]
            times = [when for place, when in where.items() if place in places]
            if times:
                yield max(times), name

    def most_parts(self, first: str) -> int:
        """Return of how many parts the longest name may be that begins with this word; 0 when none does."""
        return self._most_parts.get(first, 0)

    def most_signs(self, first: str) -> int:
        """Return of how many signs the longest name of signs alone is that begins with this one."""
        return self._most_signs.get(first, 0)

    def keys_like(self, words: str) -> Iterator[str]:
        """Yield the keys of names of people, wherever they spoke, that begin like some words and are about as long."""
        return self._beginnings.like(words)

    @property
    def channels(self) -> "_Channels":
        """The names of channels."""
        return self._channels

    def _add_author(self, named: Named) -> None:
        person = folded(named.author) if named.author_id is None else named.author_id
        bearer = person, named.author
        places = self._places_of_name.get(bearer)
        if places is None:
            places = self._places_of_name[bearer] = {}
            self._names_of.setdefault(person, []).append(named.author)
            for key in _author_keys(named.author, self._most_parts, self._most_signs):
                self._bearers.setdefault(key, []).append(bearer)
                self._beginnings.add(key)
        self._spoken_in.add(named.access_id)
        if places.get(named.access_id, named.sent_at) <= named.sent_at:
            places[named.access_id] = named.sent_at


@lru_cache(maxsize=2048)
def _keys_of(name: str) -> tuple[str, ...]:
    """Return the keys of a name, which come at once for that of a channel with many threads."""
    return tuple(name_keys(name))


def _author_keys(name: str, most_parts: dict[str, int], most_signs: dict[str, int]) -> list[str]:
    """Return the keys of a name, and note how long a text has to be looked at for them."""
    if keys := _keys_of(name):
        for key in keys:
            first, *others = key.split(" ")
            most_parts[first] = min(MOST_PARTS, max(most_parts.get(first, 0), 1 + len(others)))
        return list(keys)
    signs = FoldedText(name)
    if len(signs):
        most_signs[signs.word(0)] = min(MOST_PARTS, max(most_signs.get(signs.word(0), 0), len(signs)))
    return [key] if (key := sign_key(name)) else []


class _Channels:
    """The names that channels bear and bore, and which places belong to a channel."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[datetime, int, str]] = {}
        self._access_ids: dict[int, int] = {}
        self._places_of_channel: dict[int, set[int]] = {}
        self._names: set[tuple[int, str]] = set()
        self._places_of_key: dict[str, set[tuple[int, str]]] = {}
        self.most_parts: dict[str, int] = {}
        self._beginnings = Beginnings()

    def add(self, named: Named) -> None:
        place = named.place_id
        last = self._newest.get(place)
        # A message that does not say where it was sent takes no name away.
        if last is None or (named.channel and (last[0] < named.sent_at or not last[2])):
            self._newest[place] = named.sent_at, named.channel_id, named.channel
        if named.in_public_thread or place not in self._access_ids:
            self._access_ids[place] = named.access_id
        self._places_of_channel.setdefault(named.channel_id, set()).add(place)
        if (place, named.channel) in self._names:
            return
        self._names.add((place, named.channel))
        for name in _channel_names(named.channel):
            for key in _author_keys(name, self.most_parts, {}):
                self._places_of_key.setdefault(key, set()).add((place, name))
                self._beginnings.add(key)

    def open_threads(self, parents: Mapping[int, int]) -> None:
        """Let threads be read by whoever may read their channels."""
        for thread in self._access_ids.keys() & parents.keys():
            self._access_ids[thread] = parents[thread]
            self._places_of_channel.setdefault(parents[thread], set()).add(thread)

    def is_readable(self, place: int, places: frozenset[int]) -> bool:
        """Return whether whoever may read `places` may read this channel or thread."""
        return self._access_ids.get(place, place) in places

    def called(self, key: str, places: frozenset[int]) -> Iterator[tuple[int, bool, bool]]:
        """Yield channels and threads that have or had a name with this key, whether it is the whole and the newest."""
        for place, name in self._places_of_key.get(key, ()):
            if self.is_readable(place, places):
                whole = whole_key(name)
                is_newest = name in _channel_names(self._newest[place][2])
                yield place, key in {whole, whole.replace(" ", "")} or not whole, is_newest

    def keys_like(self, words: str) -> Iterator[str]:
        """Yield the keys of names of channels, whoever may read them, that begin like some words."""
        return self._beginnings.like(words)

    def mentioned(self, channel_id: int, places: frozenset[int]) -> frozenset[int]:
        """Return the channel or the thread with this id, and the threads that belong to it, as far as readable."""
        candidates = {channel_id, *self._places_of_channel.get(channel_id, ())}
        return frozenset(place for place in candidates if self.is_readable(place, places))

    def access_ids(self, conversations: Iterable[int]) -> frozenset[int]:
        """Return the ids of which a reader needs one for each of some channels and threads."""
        return frozenset(self._access_ids[place] for place in conversations if place in self._access_ids)

    def names(self, conversations: frozenset[int]) -> frozenset[str]:
        """Return the names of the channels of some channels and threads."""
        return frozenset(channel_of(self._newest[place][2]) for place in conversations if place in self._newest)

    def newest(self, place: int) -> str | None:
        """Return what a place is called by itself, a thread by its title; None where that is not known."""
        known = self._newest.get(place)
        if known is None:
            return None
        _, channel_id, name = known
        return title_in(name) or (name if channel_id == place else None)


def _channel_names(name: str) -> frozenset[str]:
    """Return by what a place is named: a thread by its channel, by its title and by both."""
    return frozenset({name, channel_of(name), title_in(name)} - {""})


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names of the people and channels of some places; a name of any other place is as good as unknown.

    The places are ids as `Message.access_id` gives them; the channels and threads that are called something, the
    conversations, have the ids of themselves.

    They are not `complete` while a memory has not told all of its names.
    """

    places: frozenset[int]
    indexes: tuple[Index, ...] = ()
    complete: bool = True
    _people: dict[str, frozenset[Person]] = field(default_factory=dict, repr=False)
    _channels: dict[str, frozenset[int]] = field(default_factory=dict, repr=False)

    def within(self, places: frozenset[int]) -> "KnownNames":
        """Return the names of some of the places alone."""
        return self if places == self.places else KnownNames(places & self.places, self.indexes, self.complete)

    def people(self, key: str) -> frozenset[Person]:
        """Return all who are called so, by their whole name or by a word of it (`memory.name_words`)."""
        if key not in self._people:
            found = (index.people(key, self.places) for index in self.indexes)
            self._people[key] = frozenset().union(*found)
        return self._people[key]

    def near_person(self, words: str) -> str | None:
        """Return the only name, as it is written, that folded words may misspell; None when two people may be meant."""
        keys = (key for index in self.indexes for key in index.keys_like(words))
        near = [key for key in nearest_names(words, keys) if self.people(key)]
        people = frozenset[Person]().union(*map(self.people, near))
        if len({self.name_of(person) for person in people}) != 1:
            return None
        written = (word for person in people for name in self.names_of(person) for word in (name, *whole_words(name)))
        return next((word for word in written if whole_key(word) == near[0]), near[0])

    def near_channel(self, name: str) -> str | None:
        """Return the name of the only channel or thread that a name may misspell, None when there is none."""
        words = whole_key(name)
        keys = (key for index in self.indexes for key in index.channels.keys_like(words))
        near = (self.channel_places(key) for key in nearest_names(words, keys) if self.has_channel(key))
        called = {self.channel_name(place) for places in near for place in places}
        return called.pop() if len(called) == 1 else None

    def people_called_nearly(self, word: str) -> tuple[str, ...]:
        """Return the words, folded, by which people are called and that are like another word, the likest first."""
        from rapidfuzz import fuzz, process  # loaded when the first unknown name is met

        alike: dict[str, float] = {}
        for index in self.indexes:
            found = process.extract(word, index.keys, scorer=fuzz.ratio, score_cutoff=_NEARLY, limit=_MOST_NEAR)
            alike |= {key: ratio for key, ratio, _ in found if " " not in key and self.people(key)}
        return tuple(sorted(alike, key=lambda key: (-alike[key], key)))

    def has_spoken(self, author_id: int) -> bool:
        """Return whether somebody with this id has spoken in these places."""
        return any(index.has_spoken(author_id, self.places) for index in self.indexes)

    def authors(self, people: Iterable[Person], *, excluded: bool = False) -> Authors:
        """Return the authors that some people are, or all others; those without an id are known by all spellings."""
        listed = list(people)
        names = frozenset[str]().union(*(self.names_of(person) for person in listed if isinstance(person, str)))
        return Authors(frozenset(person for person in listed if isinstance(person, int)), names, excluded)

    def name_of(self, person: Person) -> str | None:
        """Return the newest name of somebody in these places; None when they have not spoken there."""
        return max(self._all_names(person), default=(None, None))[1]

    def names_of(self, person: Person) -> frozenset[str]:
        """Return all names that somebody bore in these places."""
        return frozenset(name for index in self.indexes for name in index.spellings(person, self.places))

    def most_parts(self, first: str) -> int:
        """Return of how many parts the longest name of a person may be that begins with this word."""
        return max((index.most_parts(first) for index in self.indexes), default=0)

    def most_signs(self, first: str) -> int:
        """Return of how many signs the longest name of signs alone may be that begins with this one."""
        return max((index.most_signs(first) for index in self.indexes), default=0)

    def channel_places(self, key: str) -> frozenset[int]:
        """Return the channels and threads that are called so.

        A whole name comes before a word of one, and a name of today before one of former times.
        """
        if key not in self._channels:
            found = [one for index in self.indexes for one in index.channels.called(key, self.places)]
            best = max(((whole, newest) for _, whole, newest in found), default=None)
            self._channels[key] = frozenset(place for place, *rank in found if tuple(rank) == best)
        return self._channels[key]

    def has_channel(self, key: str) -> bool:
        """Return whether the whole name of a channel of these places has this key."""
        found = (one for index in self.indexes for one in index.channels.called(key, self.places))
        return any(whole for _, whole, _ in found)

    def mentioned_places(self, channel_id: int) -> frozenset[int]:
        """Return what Discord's "<#123>" means: a channel with its threads, or a thread."""
        found = (index.channels.mentioned(channel_id, self.places) for index in self.indexes)
        return frozenset({channel_id} & self.places).union(*found)

    def access_ids(self, conversations: frozenset[int]) -> frozenset[int]:
        """Return those of the places without which some channels and threads cannot be read."""
        found = (index.channels.access_ids(conversations) for index in self.indexes)
        return frozenset(conversations).union(*found) & self.places

    def is_readable(self, conversation: int) -> bool:
        """Return whether a channel or thread is in one of the places, as far as that is known."""
        return conversation in self.places or any(
            index.channels.is_readable(conversation, self.places) for index in self.indexes
        )

    def channel_names(self, conversations: frozenset[int]) -> tuple[str, ...]:
        """Return the names of the channels of some channels and threads, in order."""
        readable = frozenset(filter(self.is_readable, conversations))
        found = (index.channels.names(readable) for index in self.indexes)
        return tuple(sorted(frozenset().union(*found)))

    def channel_name(self, conversation: int) -> str | None:
        """Return what a channel or thread is called, a thread by its title; None where that is not known."""
        found = (
            (index.channels.newest(conversation) for index in self.indexes) if self.is_readable(conversation) else ()
        )
        return next((name for name in found if name), None)

    def most_channel_parts(self, first: str) -> int:
        """Return of how many parts the longest name of a channel may be that begins with this word."""
        return max((index.channels.most_parts.get(first, 0) for index in self.indexes), default=0)

    def _all_names(self, person: Person) -> Iterator[tuple[datetime, str]]:
        return (one for index in self.indexes for one in index.names(person, self.places))
