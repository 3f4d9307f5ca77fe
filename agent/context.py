"""What a run of the agent knows and the model cannot change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from agent.time_scope import TimeScope
from agent.transcript import ShownMessages
from agent.types import Question
from memory.authors import Authors
from memory.counting.results import Matter, Tally
from memory.message import Message
from memory.names.known import KnownNames
from memory.question.parse import ParsedQuestion
from memory.search.results import RankedMessage, Scope, SearchResult
from time_expressions.window import Window


@runtime_checkable  # the tools' argument schemas check that the context holds one
class Recall(Protocol):
    """The part of `memory.search.Memory` that the agent uses.

    Every method raises DatabaseUnavailableError when no memory at all answers.
    """

    async def search(
        self,
        text: str,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        scope: Scope = Scope.BOTH,
        limit: int = 8,
    ) -> SearchResult:
        """Return the excerpts that fit the text, the best first."""
        ...

    async def compare_own_words(self, text: str, lines: Sequence[RankedMessage]) -> list[RankedMessage]:
        """Return lines, with the likeness of their own words where the text names their author."""
        ...

    async def list_messages(
        self,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
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
    ) -> Tally:
        """Return how much there is of a matter, by whom, and the first `limit` messages of it."""
        ...

    async def read_around(
        self, message_id: int, *, places: frozenset[int], before: int = 5, after: int = 5
    ) -> SearchResult:
        """Return a message with those just before and after it."""
        ...

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        """Return the discussions held in these places, in time order."""
        ...

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        """Return the names of the people and channels of these places, as far as they are known by now."""
        ...

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        """Return the present state of those messages that are still there."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The question, what it asks for, the memory that may answer it, and what has been done with that so far.

    The places to look in are those of `asked`: what the question named, and never more than the question may use.
    """

    question: Question
    asked: ParsedQuestion
    memory: Recall
    evidence: ShownMessages
    searches: TimeScope
