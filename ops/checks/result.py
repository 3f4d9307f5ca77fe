"""What the doctor found, and what it means for the exit status."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

ALL_IS_WELL, SOMETHING_IS_WRONG = 0, 2


class State(StrEnum):
    """How a thing is; only what is wrong keeps all from being well."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Finding:
    """How a thing is, in words that end with what to do about it unless it is well."""

    state: State
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A finding under the name of the thing that was looked at."""

    name: str
    finding: Finding


def ok(words: str) -> Finding:
    """Return that a thing is well."""
    return Finding(State.OK, words)


def warning(words: str) -> Finding:
    """Return that a thing works, and would work better after what the words say."""
    return Finding(State.WARNING, words)


def wrong(words: str) -> Finding:
    """Return that a thing does not do its work."""
    return Finding(State.WRONG, words)


def left_out(words: str) -> Finding:
    """Return that a thing was not looked at, and why."""
    return Finding(State.LEFT_OUT, words)


def exit_status(lines: Iterable[Line]) -> int:
    """Return 0 when nothing is wrong, else 2."""
    found = {line.finding.state for line in lines}
    return SOMETHING_IS_WRONG if State.WRONG in found else ALL_IS_WELL
