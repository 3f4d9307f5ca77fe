"""Search messages by text, author, channel, time and what they hold, and list them with how well each matches."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from memory.authors import Authors
from memory.holding import Holding
from memory.names.known import KnownNames
from memory.names.words import whole_key
from memory.question.speakers import authors_called
from memory.search.interface import MemoryReader
from memory.search.results import RankedMessage, SearchResult
from memory.search.terms import Weighed, all_stems, stems_in
from overviews.overview import Line, Overview, Section, Viewer
from overviews.times import spoken, windows_in
from overviews.wanted import Order, WantedWords, wanted_words

MOST_FOUND = 200
"""Messages that a search lists; of more it says that there are more."""

LEAST_ALIKE = 0.5
"""Likeness to what is searched for from which a message is listed that has none of the words."""

NOTHING = "I found nothing about that in the channels that I may use here."
ASK_FOR_SOMETHING = "Say what to search for: words, or a filter such as from, in, has or when."
BY_WORDS_ALONE = "Only words were compared: the model that compares meanings is still being loaded."
UNREACHABLE = "{} memory did not answer, so messages may be missing."
READ_AS = "No message has “{}”; I searched for “{}”."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search asks for; no authors are everybody, no conversations all channels and threads.

    Without a text it lists messages, the newest first.
    """

    text: str = ""
    authors: Authors | None = None
    conversations: frozenset[int] | None = None
    holding: frozenset[Holding] = frozenset()
    when: str = ""
    order: Order = Order.BEST

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing in particular."""
        return not (self.text.strip() or self.authors or self.conversations is not None or self.holding or self.when)


@dataclass(frozen=True, slots=True)
class Match:
    """A message that was found, and its share of what was searched for, from 0 to 1; None where nothing was compared.

    The share is that of the words searched for which the message or its author's name has, weighed by how rare they
    are, or else the likeness of meaning, whichever is greater. So 100 % are all of the words, which anybody can check,
    and the order of a list is that of its shares; the fused score of the search, a distance from the mean of what was
    found, only sorts what has the same share.
    """

    line: RankedMessage
    share: float | None = None


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """Searches both memories for whoever may read some places of them."""

    memory: MemoryReader

    async def find(self, viewer: Viewer, wanted: Wanted) -> Overview:
        """Return what is found; raise ValueError, in one sentence, for a search that asks for nothing or no time.

        Raises DatabaseUnavailableError when no memory answers.
        """
        if wanted.is_empty:
            raise ValueError(ASK_FOR_SOMETHING)
        windows = await windows_in(wanted.when, viewer)
        memory = self.memory.in_guild(viewer.guild)
        if wanted.conversations is not None:
            memory = memory.in_conversations(wanted.conversations)
        text = wanted.text.strip()
        if text:
            found = await memory.search(
                text,
                places=viewer.places,
                windows=windows,
                authors=wanted.authors,
                holding=wanted.holding,
                limit=MOST_FOUND + 1,
                with_context=False,
            )
            matches = await asyncio.to_thread(matches_of, found)
        else:
            found = await memory.list_messages(
                places=viewer.places,
                windows=windows,
                authors=wanted.authors,
                holding=wanted.holding,
                limit=MOST_FOUND + 1,
                newest=True,
            )
            matches = _newest_first(Match(line) for line in _lines(found))
        newest_first = wanted.order is Order.NEWEST
        notes = [*_notes(found), *([f"searched {spoken(windows, viewer)}"] if windows else [])]
        return _overview(matches, text, newest_first=newest_first, notes=notes)

    async def find_typed(self, viewer: Viewer, typed: str) -> Overview:
        """Return what is found by words with filters among them, see `overviews.wanted`; raise ValueError as `find`."""
        words = wanted_words(typed)
        names = await self.memory.in_guild(viewer.guild).known_names(places=viewer.places)
        return await self.find(viewer, _resolved(words, names))


def matches_of(found: SearchResult) -> list[Match]:
    """Return the hits of a search that have any of its words, or are alike enough, those with most of it first.

    It takes a tenth of a second for some hundreds of them, so it is to be called beside the event loop.
    """
    matches = [match for line in _lines(found) if line.hit and (match := _match(line, found.words)) is not None]
    return sorted(matches, key=lambda match: (-(match.share or 0.0), -match.line.score, -match.line.message.message_id))


def share_of(line: RankedMessage, words: Sequence[Weighed]) -> float:
    """Return how much of what was searched for a message has, see `Match`."""
    return max(_share_of_words(line, words), min(1.0, line.alike or 0.0))


def _match(line: RankedMessage, words: Sequence[Weighed]) -> Match | None:
    of_words, alike = _share_of_words(line, words), line.alike or 0.0
    return Match(line, max(of_words, min(1.0, alike))) if of_words > 0 or alike >= LEAST_ALIKE else None


def _share_of_words(line: RankedMessage, words: Sequence[Weighed]) -> float:
    stems = stems_in(line.message) | all_stems(line.message.author_name)
    weight = sum(word.weight for word in words)
    having = sum(word.weight for word in words if not word.keyword.stems.isdisjoint(stems))
    return having / weight if weight else 0.0


def _lines(found: SearchResult) -> list[RankedMessage]:
    return list(chain.from_iterable(excerpt.lines for excerpt in found.excerpts))


def _overview(matches: list[Match], text: str, *, newest_first: bool, notes: Sequence[str]) -> Overview:
    is_more = len(matches) > MOST_FOUND
    shown = matches[:MOST_FOUND]
    if newest_first:
        shown = _newest_first(shown)
    which = "the newest" if not text else "the best"
    amount = f"more than {MOST_FOUND} messages, {which} {MOST_FOUND} of them" if is_more else _amount(len(shown))
    lines = tuple(
        Line(words="" if match.share is None else f"{match.share:.0%}", message=match.line.message) for match in shown
    )
    title = f"Search for {text}: {amount}" if text else f"Search: {amount}"
    return Overview(title=title, sections=(Section(lines=lines),), notes=tuple(notes), empty=NOTHING)


def _newest_first(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (match.line.message.sent_at, match.line.message.message_id), reverse=True)


def _amount(number: int) -> str:
    return f"{number} message{'' if number == 1 else 's'}"


def _notes(found: SearchResult) -> list[str]:
    notes = [READ_AS.format(*pair) for pair in found.read_as]
    if found.by_words_alone:
        notes.append(BY_WORDS_ALONE)
    if found.unreachable:
        notes.append(UNREACHABLE.format(" and ".join(found.unreachable)))
    return notes


def _resolved(words: WantedWords, names: KnownNames) -> Wanted:
    """Return a search with the people and channels that its words name; raise ValueError for those nobody knows."""
    return Wanted(
        text=words.text,
        authors=_authors(words.people, names) if words.people else None,
        conversations=_conversations(words.channels, names) if words.channels else None,
        holding=words.holding,
        when=words.when,
        order=words.order or Order.BEST,
    )


def _authors(people: Sequence[str], names: KnownNames) -> Authors:
    found = [authors_called([name], names) for name in people]
    for name, authors in zip(people, found, strict=True):
        if not authors.ids and not authors.names:
            raise ValueError(f"I know nobody called {name}: check how the name is written.")
    return Authors(
        frozenset().union(*(authors.ids for authors in found)), frozenset().union(*(authors.names for authors in found))
    )


def _conversations(channels: Sequence[str], names: KnownNames) -> frozenset[int]:
    found = {name: _places_called(name, names) for name in channels}
    for name, places in found.items():
        if not places:
            raise ValueError(f"I know no channel called {name}: check how the name is written.")
    return frozenset().union(*found.values())


def _places_called(name: str, names: KnownNames) -> frozenset[int]:
    key = whole_key(name.lstrip("#"))
    return names.channel_places(key) or names.channel_places(key.replace(" ", ""))
