"""Decide by the name of a model whether it is told of tools, and how long its prompts may be."""

import re
from dataclasses import dataclass
from typing import Literal

ToolsSetting = Literal["auto", "on", "off"]

SMALL = 3.0
"""Billions of parameters below which models call tools wrongly or never, and lose their way in long prompts."""

LONG_PROMPT = 6000
SHORT_PROMPT = 1200
"""Tokens: what a processor of two cores reads in under half a minute."""

SHORTEST_PROMPT = 800
"""With fewer tokens no message would be shown beside the instructions."""

_SIZE = re.compile(r"(?<![\w.])(?P<size>\d{1,4}(?:\.\d{1,3})?)(?P<unit>[bm])(?![a-z0-9])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """Whether a model is told of tools, and how many tokens its prompt should have at first."""

    with_tools: bool
    tokens: int


def billions_in(name: str) -> float | None:
    """Return how many billions of parameters a model has by its name ("qwen2.5:0.5b"); None when that says nothing."""
    sizes = [float(found["size"]) / (1 if found["unit"] in "bB" else 1000) for found in _SIZE.finditer(name)]
    return max(sizes, default=None)


def prompt_plan(name: str, *, tools: ToolsSetting = "auto", tokens: int | None = None) -> PromptPlan:
    """Return the plan for a model of this name; whoever knows better sets `tools` and `tokens`."""
    size = billions_in(name)
    with_tools = tools == "on" if tools != "auto" else size is None or size >= SMALL
    return PromptPlan(with_tools, tokens or (LONG_PROMPT if with_tools else SHORT_PROMPT))
