"""Say in a line how a language model is, and what it was used for."""

import math

from agent.models.chain import ModelState
from agent.models.usage import Usage

UNUSED = "not asked yet"
LOADING = "is being loaded"


def state_line(state: ModelState) -> str:
    """Return how a model is: the last 24 hours, and all since the start where that is more."""
    parts = [_standing(state), _used(state.day, "in 24 hours", has_price=state.has_price)]
    if (state.total.answers, state.total.failures) != (state.day.answers, state.day.failures):
        parts.append(_used(state.total, "since the start", has_price=state.has_price))
    return f"{state.name}: {'; '.join(filter(None, parts))}"


def _standing(state: ModelState) -> str:
    if state.rests_for > 0:
        return f"fails, and is asked again in {math.ceil(state.rests_for)} s"
    if state.is_on_trial:
        return "fails, and is tried with the next question"
    if not state.is_loaded:
        return LOADING
    return "" if state.total.answers or state.total.failures else UNUSED


def _used(usage: Usage, when: str, *, has_price: bool) -> str:
    if not usage.answers and not usage.failures:
        return ""
    counts = [f"{usage.answers:,} answered, {usage.failures:,} not {when}"]
    if usage.seconds_per_answer is not None:
        counts.append(f"{usage.seconds_per_answer:.1f} s each")
    if usage.tokens_read or usage.tokens_written:
        counts.append(f"{usage.tokens_read:,} tokens read and {usage.tokens_written:,} written")
    if has_price:
        counts.append(f"cost {usage.cost:,.4f}")
    return ", ".join(counts)
