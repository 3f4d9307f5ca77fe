"""All overviews over one memory, and the commands by which a terminal asks for them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from memory.catch_ups import CatchUps
from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase
from overviews.catch_up import CatchUp
from overviews.decisions import DecisionList
from overviews.digest import Digest
from overviews.overview import Overview, Viewer
from overviews.search import MessageSearch
from overviews.timeline import Timeline
from overviews.unanswered import Unanswered
from overviews.who import NotListed, WhoKnows

Command = Callable[[Viewer, str], Awaitable[Overview]]
"""Makes an overview from the text behind a command; raises ValueError, in one sentence, for a text that it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overviews:
    """Makes overviews from both memories, `databases`, and from what search finds in them."""

    memory: MemoryReader
    databases: tuple[SearchableDatabase, SearchableDatabase]
    decisions: DecisionList | None = None
    """None where nobody can mark any."""
    not_listed: NotListed = frozenset
    """Knows who has chosen not to be listed."""
    catch_ups: CatchUps | None = None
    """Knows when each person caught up; None where that is not kept."""

    @property
    def catch_up(self) -> CatchUp:
        """What a person missed."""
        return CatchUp(memory=self.memory, databases=self.databases, catch_ups=self.catch_ups, decisions=self.decisions)

    @property
    def digest(self) -> Digest:
        """What happened in a week."""
        return Digest(memory=self.memory, databases=self.databases, decisions=self.decisions)

    @property
    def unanswered(self) -> Unanswered:
        """Which questions are open."""
        return Unanswered(memory=self.memory, databases=self.databases)

    @property
    def commands(self) -> Mapping[str, Command]:
        """The commands that need no Discord, by their names."""
        commands: dict[str, Command] = {
            "/search": self.search.find_typed,
            "/timeline": self.timeline.of_typed,
            "/who": self.who.of_typed,
            "/catchup": self.catch_up.command,
            "/unanswered": self.unanswered.command,
        }
        return commands if self.decisions is None else {**commands, "/decisions": self.decisions.command}

    @property
    def search(self) -> MessageSearch:
        """Searches messages."""
        return MessageSearch(self.memory)

    @property
    def timeline(self) -> Timeline:
        """Says what happened in some time."""
        return Timeline(self.memory, self.databases, self.decisions)

    @property
    def who(self) -> WhoKnows:
        """Finds who knows about a topic."""
        return WhoKnows(self.memory, self.databases, self.not_listed)
