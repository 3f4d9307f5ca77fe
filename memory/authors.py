"""Say whose messages count."""

from dataclasses import dataclass

from memory.message import Message

LONGEST_NAME = 200
"""Characters of a name that are kept and compared; Discord's have 100 at most, an import may bring any number."""


@dataclass(frozen=True, slots=True)
class Authors:
    """Whose messages count: those of these author ids, and those without an author id under these names.

    Empty means nobody. When `excluded`, the messages of all others count, and empty means everybody.
    """

    ids: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    excluded: bool = False

    def wrote(self, message: Message) -> bool:
        """Return whether the author of a message counts."""
        if message.author_id is None:
            return (kept_name(message.author_name) in self.names) is not self.excluded
        return (message.author_id in self.ids) is not self.excluded


def kept_name(name: str) -> str:
    """Return a name as far as it is kept and compared."""
    return name[:LONGEST_NAME]
