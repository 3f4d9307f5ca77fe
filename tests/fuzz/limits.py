"""What the handling of a text may take, and what no error may say."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS_PER_KILOBYTE = 0.1
_FLOOR = 1.0  # seconds: a garbage collection, a module that is loaded, a processor that others use as well


@contextmanager
def in_time(size: int) -> Iterator[None]:
    """Fail when the context computes longer than a text of so many characters may take; waiting does not count."""
    start = time.thread_time()
    yield
    taken, allowed = time.thread_time() - start, _FLOOR + SECONDS_PER_KILOBYTE * size / 1000
    assert taken <= allowed, f"{size} characters took {taken:.2f} s of computing instead of {allowed:.2f} s"
