"""What whoever waits for an answer may be told of it before it is there."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from agent.types import Answer
from time_expressions.window import Window

Told = TypeVar("Told")

logger = logging.getLogger(__name__)


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


class Watched:
    """Tells a watcher, and is never stopped by what it raises; remembers what the drafts have shown."""

    def __init__(self, watcher: Watcher = UNWATCHED) -> None:
        self._watcher = watcher
        self._has_failed = False
        self.shown = ""
        """The text of the last draft."""

    @property
    def is_watched(self) -> bool:
        """Whether anybody sees what is told."""
        return self._watcher is not UNWATCHED

    def step(self, step: Step) -> None:
        """Tell what is being done now."""
        self._tell(self._watcher.step, step)

    def place(self, place: int) -> None:
        """Tell of a place in a queue."""
        self.step(Step(kind=StepKind.WAITING, place_in_queue=place))

    def draft(self, answer: Answer) -> None:
        """Show the beginning of the answer."""
        self.shown = answer.text
        self._tell(self._watcher.draft, answer)

    def _tell(self, tell: Callable[[Told], None], told: Told) -> None:
        try:
            tell(told)
        except Exception:
            if not self._has_failed:
                logger.exception("an answer goes on without a word to whoever waits for it")
            self._has_failed = True
