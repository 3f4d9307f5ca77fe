"""The interface through which questions are parsed and answered; `memory.search.memory.Memory` implements it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Protocol, Self, runtime_checkable

from memory.authors import Authors
from memory.counting.results import Activity, Matter, Tally
from memory.filters import Guild
from memory.holding import Holding
from memory.message import Message, MessageKey
from memory.names.known import KnownNames
from memory.search.results import RankedMessage, Scope, SearchResult
from time_expressions.window import Window


@runtime_checkable  # the argument schemas of the agent's tools check that the context holds one
class MemoryReader(Protocol):
    """What a question is parsed and answered with.

    Every method takes the places that may be read, and finds nothing in none. Each raises DatabaseUnavailableError when
    no database that it asks answers; when one of two does, the result names the other as unreachable.
    """

    def in_guild(self, guild: Guild) -> Self:
        """Return this memory as far as a guild may know of it."""
        ...

    def in_conversations(self, conversations: frozenset[int]) -> Self:
        """Return this memory as far as it was said in some channels, with all of their threads, or threads."""
        ...

    def as_of(self, moment: datetime) -> Self:
        """Return this memory without what was said after a moment, and with edited messages as they were then."""
        ...

    def before_edits(self) -> Self:
        """Return this memory with edited messages as they were sent."""
        ...

    async def search(
        self,
        text: str,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 8,
        with_context: bool = True,
    ) -> SearchResult:
        """Return the excerpts that fit the text, the best first; without context each is a message alone."""
        ...

    async def compare_own_words(
        self, text: str, lines: Sequence[RankedMessage], *, only: Collection[MessageKey] | None = None
    ) -> list[RankedMessage]:
        """Return lines, with the likeness of the words of all or `only` some of them where the text names an author."""
        ...

    async def unsaid_words(
        self, words: Collection[str], *, places: frozenset[int], windows: Sequence[Window] = ()
    ) -> frozenset[str]:
        """Return those of some words, folded, that no message has, nor the name of whoever wrote one."""
        ...

    async def list_messages(
        self,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 50,
        newest: bool = False,
    ) -> SearchResult:
        """Return the first messages of the windows, or the newest, in time order."""
        ...

    async def tally(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        newest_first: bool = True,
        limit: int = 3,
        last: int = 0,
    ) -> Tally:
        """Return how many messages, links or files match, by whom, and the first `limit` of their messages."""
        ...

    async def activity(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
    ) -> Activity:
        """Return when there was how much of a matter, by quarters of an hour."""
        ...

    async def read_around(
        self, message_id: int, *, places: frozenset[int], before: int = 5, after: int = 5
    ) -> SearchResult:
        """Return a message with those just before and after it; nothing when it may not be read or is not stored."""
        ...

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        """Return the discussions held in these places, in time order."""
        ...

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        """Return the names of the people and channels of these places, as far as they are known by now."""
        ...

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        """Return the current state of those messages that are stored, not deleted, and may be read."""
        ...
