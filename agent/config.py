"""The agent's settings as values; a script makes them from what a deployment sets."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """How long a question may take, how often the model may speak, how much of the past it sees, and how many may wait.

    `timeout` bounds the model's whole run and the wait for it, `quotes_timeout` the reading of the question and the
    search for quotations without a model. `per_person` questions of one person may be open at once, answered and
    waiting, and `at_once` of all people may be with the model.
    """

    max_steps: int = 6
    timeout: timedelta = timedelta(seconds=60)
    quotes_timeout: timedelta = timedelta(seconds=30)
    history_tokens: int = 2000
    per_person: int = 4
    at_once: int = 16
