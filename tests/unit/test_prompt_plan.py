"""How much a model is shown, by its name."""

import pytest

from agent.prompt_plan import LONG_PROMPT, SHORT_PROMPT, PromptPlan, ToolsSetting, billions_in, prompt_plan


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        ("ollama:qwen2.5:0.5b", 0.5),
        ("openai:Qwen2.5-Coder-1.5B-Instruct", 1.5),
        ("huggingface:HuggingFaceTB/SmolLM2-135M-Instruct", 0.135),
        ("ollama:llama3.2:1b-instruct-q4_K_M", 1.0),
        ("ollama:llama3.3:70b", 70.0),
        ("openai:gpt-4o-mini", None),
        ("ollama:mixtral:8x7b", None),
        ("openai:small", None),
        ("ollama:model-4bit", None),
        ("extractive", None),
    ],
)
def test_the_size_of_a_model_is_read_from_its_name(name: str, billions: float | None) -> None:
    assert billions_in(name) == billions


@pytest.mark.parametrize(
    ("name", "tools", "tokens", "plan"),
    [
        pytest.param("ollama:qwen2.5:0.5b", "auto", None, PromptPlan(False, SHORT_PROMPT), id="a small one"),
        pytest.param("ollama:llama3.3:70b", "auto", None, PromptPlan(True, LONG_PROMPT), id="a large one"),
        pytest.param("openai:gpt-4o", "auto", None, PromptPlan(True, LONG_PROMPT), id="one of no known size"),
        pytest.param("openai:small", "off", None, PromptPlan(False, SHORT_PROMPT), id="one that is known to be small"),
        pytest.param("ollama:qwen2.5:0.5b", "on", None, PromptPlan(True, LONG_PROMPT), id="one that shall have tools"),
        pytest.param("openai:small", "off", 3000, PromptPlan(False, 3000), id="one on a fast machine"),
    ],
)
def test_small_models_are_told_of_no_tools_and_shown_less(
    name: str, tools: ToolsSetting, tokens: int | None, plan: PromptPlan
) -> None:
    assert prompt_plan(name, tools=tools, tokens=tokens) == plan
