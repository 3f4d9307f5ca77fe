"""What a question asks to be counted, listed or put in order."""

from dataclasses import dataclass
from enum import StrEnum

from memory.counting.results import Unit
from memory.counting.words import Sought


class Wanted(StrEnum):
    """What a question wants to know of the messages, links or files that it is about."""

    NUMBER = "how many there are"
    PEOPLE = "how many people they are by"
    MOST = "who has most of them"
    FIRST = "which was first"
    LAST = "which was last"
    ENDS = "which was first and which was last"
    LIST = "each of them"
    ACTIVITY = "when there were how many"
    KNOWERS = "who knows about something"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountRequest:
    """What to count or to list.

    `terms` are words that a message must have, in the form of a web search: all of them, "phrases" as they are.
    `attribute` is a word that a link or the name of a file must have, or the message around it ("youtube links").
    `by` is whose they are, as it is typed, empty for anybody's; `by_asker` when the asker's own are meant. When it is
    not `certain` that a list is wanted, nothing found means that something else was meant.
    Activity is asked for by a `unit`, None where any will do, and for the `busiest` ones alone or for all.
    """

    wanted: Wanted
    sought: Sought = Sought.MESSAGES
    terms: str = ""
    attribute: str = ""
    by: str = ""
    by_asker: bool = False
    certain: bool = True
    unit: Unit | None = None
    busiest: bool = False
