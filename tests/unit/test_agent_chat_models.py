"""Which setting makes which chat model."""

import sys

import pytest

from agent.chat_models import create_chat_model
from agent.extractive import ExtractiveChatModel
from errors import ChatModelError


def test_the_default_needs_nothing() -> None:
    assert isinstance(create_chat_model("extractive"), ExtractiveChatModel)


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
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ChatModelError, match=r"extractive, huggingface:REPO, ollama:NAME or openai:NAME\.$"):
        create_chat_model(name)


@pytest.mark.parametrize("base_url", [None, "https://api.openai.com/v1"], ids=["by default", "by address"])
def test_openai_itself_wants_a_key(base_url: str | None) -> None:
    with pytest.raises(ChatModelError, match="OPENAI_API_KEY"):
        create_chat_model("openai:gpt-5-mini", base_url=base_url)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("openai:x", "langchain_openai"),
        ("ollama:x", "langchain_ollama"),
        ("huggingface:x", "langchain_huggingface"),
    ],
)
def test_a_missing_package_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ChatModelError, match=f"needs the package {package}"):
        create_chat_model(name, openai_api_key="key")
