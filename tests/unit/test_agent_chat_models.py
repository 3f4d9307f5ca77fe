"""Which setting makes which chat model."""

import sys
from collections.abc import Callable

import pytest

from agent.config import ModelConfig
from agent.models.create import check_chat_model, create_chat_model
from errors import ChatModelError

Look = Callable[..., object]


def test_the_default_needs_nothing() -> None:
    check_chat_model(ModelConfig(name="extractive"))


@pytest.mark.parametrize("look", [check_chat_model, create_chat_model], ids=["at start", "when it is made"])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("gpt-5", id="no provider"),
        pytest.param("openai:", id="no model"),
        pytest.param("openai: ", id="a blank model"),
        pytest.param("martian:large", id="an unknown provider"),
        pytest.param("extractive:x", id="a model of the extractive one"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(name: str, look: Look) -> None:
    with pytest.raises(ChatModelError, match=r"extractive, huggingface:REPO, ollama:NAME or openai:NAME\.$"):
        look(ModelConfig(name=name))


@pytest.mark.parametrize("look", [check_chat_model, create_chat_model], ids=["at start", "when it is made"])
@pytest.mark.parametrize("base_url", [None, "https://api.openai.com/v1"], ids=["by default", "by address"])
def test_openai_itself_wants_a_key(base_url: str | None, look: Look) -> None:
    with pytest.raises(ChatModelError, match="OPENAI_API_KEY"):
        look(ModelConfig(name="openai:gpt-5-mini", base_url=base_url))


@pytest.mark.parametrize("look", [check_chat_model, create_chat_model], ids=["at start", "when it is made"])
@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("openai:x", "langchain_openai"),
        ("ollama:x", "langchain_ollama"),
        ("huggingface:x", "langchain_huggingface"),
    ],
)
def test_a_missing_package_is_named(name: str, package: str, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ChatModelError, match=f"needs the package {package}"):
        look(ModelConfig(name=name, openai_api_key="key"))
