"""The rate limits of the fake Discord: enforced, told of in headers, and counted."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zlib import crc32


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in a time, given in seconds, which begins with the first of them."""

    requests: int
    seconds: float


HISTORY = "GET /channels/{channel_id}/messages"

RATES: Mapping[str, Rate] = {
    HISTORY: Rate(5, 5),
    "POST /channels/{channel_id}/messages": Rate(5, 5),
    "PATCH /channels/{channel_id}/messages/{message_id}": Rate(5, 5),
    "DELETE /channels/{channel_id}/messages/{message_id}": Rate(5, 1),
    "PUT /channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me": Rate(1, 0.25),
    "POST /webhooks/{application_id}/{token}": Rate(5, 2),
    "PATCH /webhooks/{application_id}/{token}/messages/{message_id}": Rate(5, 2),
}
"""Per channel or other major parameter; found by experiment by others, Discord publishes none."""

USUAL = Rate(10, 1)
GLOBAL = Rate(50, 1)

OUTSIDE = ("/interactions/", "/webhooks/")
"""What the global limit does not count."""


@dataclass(slots=True)
class _Window:
    began: float = -math.inf
    used: int = 0

    def left(self, rate: Rate, now: float) -> int:
        """Return how many requests are left, in a new window when the last one is over."""
        if now >= self.began + rate.seconds:
            self.began, self.used = now, 0
        return rate.requests - self.used

    def resets_in(self, rate: Rate, now: float) -> float:
        return max(0.0, self.began + rate.seconds - now)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say of a request: the headers of its answer and, when it is refused, for how many seconds."""

    headers: dict[str, str]
    retry_after: float | None = None
    is_global: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that came too early."""

    route: str
    major: str
    is_global: bool


@dataclass(slots=True)
class Limits:
    """Counts requests in windows of time; `refused` has all that came too early, which a good client never causes."""

    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    usual: Rate | None = USUAL
    per_client: Rate | None = GLOBAL
    clock: Callable[[], float] = time.monotonic
    refused: list[Refusal] = field(default_factory=list)
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _all: _Window = field(default_factory=_Window)

    def judge(self, route: str, major: str) -> Verdict:
        """Count a request of a route such as GET /channels/{channel_id}/messages, or refuse it."""
        now = self.clock()
        rate = self.rates.get(route, self.usual)
        counts = self.per_client is not None and not route.partition(" ")[2].startswith(OUTSIDE)
        if self.per_client is not None and counts and self._all.left(self.per_client, now) <= 0:
            self.refused.append(Refusal(route, major, is_global=True))
            return Verdict({"X-RateLimit-Global": "true"}, self._all.resets_in(self.per_client, now), is_global=True)
        headers: dict[str, str] = {}
        if rate is not None:
            window = self._windows.setdefault((route, major), _Window())
            left = window.left(rate, now)
            headers = _headers(route, rate, left - 1, window.resets_in(rate, now))
            if left <= 0:
                self.refused.append(Refusal(route, major, is_global=False))
                return Verdict(headers, window.resets_in(rate, now))
            window.used += 1
        if counts:
            self._all.used += 1
        return Verdict(headers)


def unlimited() -> Limits:
    """Return limits that refuse nothing, for tests about something else."""
    return Limits(rates={}, usual=None, per_client=None)


def _headers(route: str, rate: Rate, remaining: int, resets_in: float) -> dict[str, str]:
    after = math.ceil(resets_in * 1000) / 1000
    return {
        "X-RateLimit-Limit": str(rate.requests),
        "X-RateLimit-Remaining": str(max(0, remaining)),
        "X-RateLimit-Reset": f"{time.time() + after:.3f}",
        "X-RateLimit-Reset-After": f"{after:.3f}",
        "X-RateLimit-Bucket": f"{crc32(route.encode()):08x}",
    }
