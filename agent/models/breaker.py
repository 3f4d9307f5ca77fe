"""Leave a model alone for a while that has failed several times in a row, and then try it with one question.

Our own: pybreaker counts calls of functions and knows no async ones without Tornado, and purgatory calls a block. A
question here waits in queues before it is known whether the model was asked at all, servers say how long to wait, and
/status asks how it stands.
"""

import time
from collections.abc import Callable
from datetime import timedelta

FAILURES = 3
"""In a row, after which a model is left alone."""

REST = timedelta(minutes=1)
"""How long at first; twice as long after each trial that fails, up to LONGEST_REST."""

LONGEST_REST = timedelta(minutes=10)


class Breaker:
    """Says whether a model may be asked; whoever was let through tells how it went.

    `clock` tells the time in seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._rest = REST
        self._closed_until: float | None = None
        self._is_tried = False

    @property
    def seconds_left(self) -> float:
        """For how long no question is let through; 0 when one may be."""
        return 0.0 if self._closed_until is None else max(0.0, self._closed_until - self._clock())

    @property
    def is_open(self) -> bool:
        """Whether all questions are let through."""
        return self._closed_until is None

    def lets_through(self) -> bool:
        """Return whether a question may be asked now; after a rest it is one until that has ended."""
        if self._closed_until is None:
            return True
        if self._is_tried or self.seconds_left > 0:
            return False
        self._is_tried = True
        return True

    def succeeded(self) -> None:
        """Take note of an answer: everything is let through again."""
        self._failures, self._rest, self._closed_until, self._is_tried = 0, REST, None, False

    def failed(self, *, retry_after: timedelta | None = None) -> None:
        """Take note of a failure; a server that says when to come again is left alone for so long at least."""
        self._failures += 1
        if self._is_tried:
            self._rest = min(2 * self._rest, LONGEST_REST)
        rests = [self._rest] if self._is_tried or self._failures >= FAILURES else []
        if retry_after is not None:
            rests.append(min(retry_after, LONGEST_REST))
        self._is_tried = False
        if rests:
            self._closed_until = self._clock() + max(rests).total_seconds()

    def left(self) -> None:
        """Take note that a question which was let through has ended without asking the model, or was withdrawn."""
        self._is_tried = False
