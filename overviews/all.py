"""All overviews over one memory, and the commands by which a terminal asks for them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from memory.search.interface import MemoryReader
from memory.search_session import SearchableDatabase
from overviews.decisions import DecisionList
from overviews.overview import Overview, Viewer

Command = Callable[[Viewer, str], Awaitable[Overview]]
"""Makes an overview from the text behind a command; raises ValueError, in one sentence, for a text that it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overviews:
    """Makes overviews from both memories, `databases`, and from what search finds in them."""

    memory: MemoryReader
    databases: tuple[SearchableDatabase, SearchableDatabase]
    decisions: DecisionList | None = None
    """None where nobody can mark any."""

    @property
    def commands(self) -> Mapping[str, Command]:
        """The commands that need no Discord, by their names."""
        return {} if self.decisions is None else {"/decisions": self.decisions.command}
