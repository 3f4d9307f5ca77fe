"""Name the chat models that are asked one after the other, and how each of them is spoken to."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.config import AgentConfig
from agent.prompt_plan import PromptPlan

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

TURN_PATIENCE = timedelta(seconds=10)
"""How long a question waits for its turn with a model, or for it to be loaded, while another one stands behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """A chat model of the chain: its name, what creates it, and whether it is told of tools and how much it is shown.

    `create` may take minutes, and raises ChatModelError. Without a `plan` that of the agent's settings holds.
    """

    name: str
    create: "Callable[[], BaseChatModel]"
    plan: PromptPlan | None = None

    def adapted(self, config: AgentConfig) -> AgentConfig:
        """Return the agent's settings as they are for this model."""
        if self.plan is None:
            return config
        return replace(config, with_tools=self.plan.with_tools, prompt_tokens=self.plan.tokens)
