"""Count how often the program waits for PostgreSQL, which a busy machine does not change."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import _cursor_base, generators


@dataclass
class RoundTrips:
    """How many times something was sent to PostgreSQL and its answer awaited: statements, BEGIN, COMMIT and pings."""

    count: int = 0


@contextmanager
def counted_round_trips() -> Generator[RoundTrips]:
    """Yield what counts the round trips of all connections of this process within the block.

    Each of them goes through one function of psycopg, which has no hook for it.
    """
    trips = RoundTrips()
    usual: Callable[[Any], Any] = generators.execute

    def execute(pgconn: Any) -> Any:
        trips.count += 1
        return usual(pgconn)

    for module in (generators, _cursor_base):
        setattr(module, "execute", execute)  # noqa: B010  # mypy knows it as a constant
    try:
        yield trips
    finally:
        for module in (generators, _cursor_base):
            setattr(module, "execute", usual)  # noqa: B010
