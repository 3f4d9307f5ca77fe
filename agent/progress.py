"""What whoever waits for an answer may be told of it before it is there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from agent.types import Answer
from time_expressions.window import Window


class StepKind(StrEnum):
    """What is being done for an answer."""

    WAITING = "waiting"  # for others' questions
    SEARCHING = "searching"
    LISTING = "listing"
    READING_AROUND = "reading around"
    COUNTING = "counting"
    WRITING = "writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on the way to an answer.

    `channels` are the names of those that it concerns, only of places that the question may use; none where it concerns
    all of them. No `windows` are all time. `count` is of messages; `place_in_queue` begins at 1.
    """

    kind: StepKind
    channels: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    count: int | None = None
    place_in_queue: int | None = None


class Watcher(Protocol):
    """Is told of the steps and of the beginning of an answer; its methods return at once."""

    def step(self, step: Step) -> None:
        """Take note of what is being done now."""

    def draft(self, answer: Answer) -> None:
        """Take note of the beginning of an answer, whose marks hold; each draft holds those before it."""


class _Unwatched:
    """Nobody waits to be told."""

    def step(self, step: Step) -> None:
        """Ignore a step."""

    def draft(self, answer: Answer) -> None:
        """Ignore a draft."""


UNWATCHED: Watcher = _Unwatched()
"""Where nobody shows how far an answer is."""
