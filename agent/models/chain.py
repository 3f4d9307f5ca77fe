"""Name the chat models that are asked one after the other, and how each of them is spoken to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.config import AgentConfig
from agent.models.usage import Price, Usage
from agent.prompt_plan import PromptPlan

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

TURN_PATIENCE = timedelta(seconds=10)
"""How long a question waits for its turn with a model, or for it to be loaded, while another one stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A chat model of the chain: its name, what creates it, and whether it is told of tools and how much it is shown.

    `create` may take minutes, and raises ChatModelError. Without a `plan` that of the agent's settings holds. Its
    `price`, if known, tells what answers cost.
    """

    name: str
    create: "Callable[[], BaseChatModel]"
    plan: PromptPlan | None = None
    price: Price | None = None

    def adapted(self, config: AgentConfig) -> AgentConfig:
        """Return the agent's settings as they are for this model."""
        if self.plan is None:
            return config
        return replace(config, with_tools=self.plan.with_tools, prompt_tokens=self.plan.tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """How a model of the chain is: whether it is loaded, for how many seconds it is left alone, and its use."""

    name: str
    is_loaded: bool
    rests_for: float
    is_on_trial: bool
    """Whether it has failed so often that it is tried with one question at a time."""
    day: Usage
    total: Usage
    has_price: bool
