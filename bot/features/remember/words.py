"""What /remember answers."""

from agent.markdown import inline
from bot.history.progress import Outcome, Progress, bar, describe, failures
from bot.history.running import Reading

_LONGEST_LINE = 120  # characters; ten such lines and the rest fit into a message

ONLY_ADMINISTRATORS = "Only administrators of this server can have its past read."
NOTHING_READ = "Nothing of the past has been read since I was started. `/remember backfill` begins."
NOTHING_RUNS = "Nothing is being read just now."
NO_MEMORY = "I am not set up to read the past."
BEGINNINGS = {
    Outcome.RUNNING: "I am reading what was said here before, the last month of every channel first.",
    Outcome.FINISHED: "I have read what was said here before.",
    Outcome.STOPPED: "I have stopped reading. What was read is kept, and `/remember backfill` goes on where it was.",
}
ELSEWHERE = "I keep this up to date for some minutes; later `/remember status` tells how far I am."


def no_time(text: str) -> str:
    """Return what to answer to a time that is none."""
    return f"I do not know what time {inline(text)} is. Write it as in 2026-05-01 or last May."


def report(reading: Reading, *, is_kept_up: bool = False) -> str:
    """Return how far a reading is; `is_kept_up` says that it is shown again and again."""
    progress = reading.progress
    if reading.failure:
        return "\n".join([reading.failure, *_numbers(progress)])
    passed_over = [inline(line, longest=_LONGEST_LINE) for line in failures(progress.passed_over)]
    lines = [BEGINNINGS[progress.outcome], *_numbers(progress), *passed_over]
    return "\n".join(lines + [ELSEWHERE] * (is_kept_up and progress.outcome is Outcome.RUNNING))


def _numbers(progress: Progress) -> list[str]:
    drawn = bar(progress)
    return [*([f"`{drawn}`"] if drawn else []), f"{describe(progress)}."]
