"""What is counted in both memories, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from memory.counting.words import Sought
from memory.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is counted: messages, or the links or files in them.

    `terms` are words that a message must have, in the form of a web search. `attribute` is a word that the link or the
    name of the file must have, or else the message around it. Empty ones ask for nothing.
    """

    sought: Sought = Sought.MESSAGES
    terms: str = ""
    attribute: str = ""


class Unit(StrEnum):
    """The stretches of a clock and a calendar by which messages are counted."""

    HOUR = "hour of the day"
    WEEKDAY = "weekday"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Example:
    """A message that was counted, with the links or the names of the files that were counted in it."""

    message: Message
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What one person has of what was counted, and the newest message of it; None where the list of people is long."""

    messages: int
    items: int
    newest: Example | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was counted, by whom, most first, and some of the messages: the first, and the last in the same order.

    `unreachable` are the memories that did not answer. It is not `exact` when so much stands in both memories that some
    of it may have been counted twice.
    """

    messages: int = 0
    items: int = 0
    shares: tuple[Share, ...] = ()
    examples: tuple[Example, ...] = ()
    last: tuple[Example, ...] = ()
    unreachable: tuple[str, ...] = ()
    exact: bool = True

    @property
    def shown(self) -> list[Example]:
        """All messages of it that may be shown."""
        newest = [share.newest for share in self.shares if share.newest is not None]
        return [*self.examples, *self.last, *newest]

    def showing(self, messages: Mapping[int, Message]) -> Self:
        """Return the same amounts with these messages, by id, in place of those that are shown; others are left out."""
        return replace(
            self,
            shares=tuple(replace(share, newest=_showing(share.newest, messages)) for share in self.shares),
            examples=tuple(shown for example in self.examples if (shown := _showing(example, messages))),
            last=tuple(shown for example in self.last if (shown := _showing(example, messages))),
        )


def _showing(example: Example | None, messages: Mapping[int, Message]) -> Example | None:
    message = None if example is None else messages.get(example.message.message_id)
    return None if example is None or message is None else Example(message, example.items)


@dataclass(frozen=True, slots=True)
class Activity:
    """How much was counted in each quarter of an hour, by its first moment in UTC; quarters with nothing are left out.

    It is not `exact` when so much stands in both memories that some of it may have been counted twice, or when there
    are more quarters than are told apart, of which these are the newest.
    """

    quarters: Mapping[datetime, int] = field(default_factory=dict)
    unreachable: tuple[str, ...] = ()
    exact: bool = True

    @property
    def amount(self) -> int:
        """How much there is in all of them."""
        return sum(self.quarters.values())
