"""The agent's settings as values, which a script builds from those of a deployment."""

from dataclasses import dataclass, field
from datetime import timedelta

from agent.prompt_plan import SHORT_PROMPT

WIKIPEDIA, WEB = "wikipedia", "web"
WEB_SITES = (WIKIPEDIA, WEB)
"""What can be searched beside memory: Wikipedia, and the web by a search engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """How long a question may take, how often the model may speak, how much of the past it sees, and how many may wait.

    `timeout` bounds the whole run of all models and the wait for one to be loaded. A model may take `first_timeout`
    until it begins to write, by default half of what is left where another one stands behind it, and `stall_timeout`
    from one piece to the next. `quotes_timeout` bounds the reading of the question and the search for quotations
    without a model. `per_person` questions of one person may be open in one
    guild, one of them under way and the others behind it. Of all people `at_once` may be with the model, and
    `reading_at_once` be looked up in memory without it; `most_waiting` more wait for either. A question waits for
    `longest_wait` in all: with the rest an answer has to come before Discord's interactions end, after 15 minutes.
    The model is told of tools `with_tools`, and shown so much of what was found that its prompt has about
    `prompt_tokens` at first. It may take `follow_up_timeout` to write a question out that goes on from earlier ones,
    and is not asked to when that is no time. Drafts of an answer are `draft_every` apart. Traces have texts of people
    only with `trace_texts`; with `debug_answers` each answer ends with the id of its trace.
    """

    max_steps: int = 6
    timeout: timedelta = timedelta(seconds=60)
    first_timeout: timedelta | None = None
    stall_timeout: timedelta = timedelta(seconds=20)
    quotes_timeout: timedelta = timedelta(seconds=30)
    history_tokens: int = 2000
    with_tools: bool = True
    prompt_tokens: int = 6000
    follow_up_timeout: timedelta = timedelta(0)
    per_person: int = 4
    at_once: int = 16
    reading_at_once: int = 4
    most_waiting: int = 256
    longest_wait: timedelta = timedelta(minutes=5)
    draft_every: timedelta = timedelta(milliseconds=500)
    trace_texts: bool = False
    debug_answers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Which chat model answers, where its server is, and how much it may write.

    `name` is "extractive" for none, or a provider and a model ("openai:NAME"). `timeout` bounds one request. Its first
    prompt has up to `prompt_tokens`, and each further one a tool's output more.
    """

    name: str
    base_url: str | None = None
    openai_api_key: str | None = field(default=None, repr=False)
    hf_token: str | None = field(default=None, repr=False)
    max_tokens: int = 1024
    prompt_tokens: int = SHORT_PROMPT
    timeout: timedelta = timedelta(seconds=60)
