"""Create the chat model that a setting names."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.config import ModelConfig
from errors import ChatModelError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


EXTRACTIVE = "extractive"
"""The setting for no language model: answers are quotations."""

OPENAI_URL = "https://api.openai.com/v1"
_TEMPERATURE = 0.2  # answers repeat what was said: little is to be made up
_LEAST_CONTEXT = 4096  # tokens: what Ollama takes by itself
_CONNECT = 5.0  # seconds; a server that is there answers a connection at once, however long it thinks


def check_chat_model(config: ModelConfig) -> None:
    """Raise ChatModelError when a name, a key or a package is missing; nothing is loaded for it.

    Whether the model's server has it, `refuse_unknown_model` asks.
    """
    if config.name == EXTRACTIVE:
        return
    provider, model = _split(config.name)
    if provider.create is _openai:
        _refuse_without_key(model, config.base_url or OPENAI_URL, config.openai_api_key)
    if importlib.util.find_spec(provider.package) is None:
        raise _missing_package(config.name, provider.package)
    if provider.create is _huggingface:
        _refuse_missing_folder(model)


def create_chat_model(config: ModelConfig) -> "BaseChatModel":
    """Return the model that a name other than `extractive` stands for; every request to it ends within its time limit.

    `ollama:NAME` and `openai:NAME` talk to a server (for `openai:` any compatible one,
    at `base_url`). `huggingface:REPO` talks to an endpoint when there is a token or a `base_url`; otherwise it
    loads the model into this process, which can take minutes, so call this before the event loop is busy. Raises
    ChatModelError for a name, key, package or model that is missing.
    """
    name = config.name
    provider, model = _split(name)
    try:
        return provider.create(model, config)
    except ImportError as error:
        raise _missing_package(name, error.name) from error
    except ValueError as error:  # pydantic's validation errors are ValueErrors too
        raise ChatModelError(f"LLM_MODEL={name!r} cannot be used: check its name and LLM_BASE_URL.") from error


def _split(name: str) -> "tuple[_Provider, str]":
    """Return the provider and the model that a setting names; raise ChatModelError when it names none."""
    provider, _, model = name.partition(":")
    if provider not in _PROVIDERS or not model.strip():
        raise ChatModelError(
            f"LLM_MODEL={name!r} is not known: write extractive, huggingface:REPO, ollama:NAME or openai:NAME."
        )
    return _PROVIDERS[provider], model.strip()


def _missing_package(name: str, package: str | None) -> ChatModelError:
    return ChatModelError(f"LLM_MODEL={name!r} needs the package {package}: run pip install -r requirements.txt.")


def _refuse_without_key(model: str, url: str, key: str | None) -> None:
    if is_openai(url) and not key:
        raise ChatModelError(
            f"LLM_MODEL='openai:{model}' needs OPENAI_API_KEY, or LLM_BASE_URL for a server of your own."
        )


def _refuse_missing_folder(model: str) -> None:
    """Refuse a path without a model before the packages are imported that would say so after many seconds."""
    path = Path(model)
    if path.is_absolute() and not (path / "config.json").is_file():
        raise _not_loaded(model)


def _not_loaded(model: str) -> ChatModelError:
    return ChatModelError(
        f"The model {model!r} cannot be loaded: check its name, or set HF_TOKEN to use it at Hugging Face."
    )


def is_openai(url: str) -> bool:
    """Return whether an address is that of OpenAI itself."""
    return urlsplit(url).hostname == urlsplit(OPENAI_URL).hostname


# The packages of the providers are imported where they are used: one of them takes seconds to load.


def _openai(model: str, config: ModelConfig) -> "BaseChatModel":
    url = config.base_url or OPENAI_URL
    _refuse_without_key(model, url, config.openai_api_key)
    from langchain_openai import ChatOpenAI
    from openai import Timeout
    from pydantic import SecretStr

    chat_model = ChatOpenAI(
        model=model,
        base_url=url,
        api_key=SecretStr(config.openai_api_key or "none"),  # the client insists on one
        timeout=Timeout(config.timeout.total_seconds(), connect=_CONNECT),
        max_retries=0,  # agent.models.asking tries again, for every provider, within the run's time
    )
    if is_openai(url):
        chat_model.max_tokens = config.max_tokens
    else:  # the client would send max_completion_tokens, which other servers ignore
        chat_model.extra_body = {"max_tokens": config.max_tokens}
        chat_model.stream_usage = True  # a server that refuses it is asked without
        chat_model.temperature = _TEMPERATURE  # llama.cpp's own is 0.8, with which small models repeat the example
    return chat_model


def _ollama(model: str, config: ModelConfig) -> "BaseChatModel":
    from httpx import Timeout
    from langchain_ollama import ChatOllama

    return ChatOllama(
        model=model,
        base_url=config.base_url,
        num_predict=config.max_tokens,
        num_ctx=_context_tokens(config),
        temperature=_TEMPERATURE,
        client_kwargs={"timeout": Timeout(config.timeout.total_seconds(), connect=_CONNECT)},
    )


def _context_tokens(config: ModelConfig) -> int:
    """Return how many tokens a model has to keep: a first prompt, as much again of further searches, and its answer.

    Ollama cuts the beginning of a longer prompt off, which is our instructions, and says nothing.
    """
    return max(_LEAST_CONTEXT, 2 * config.prompt_tokens + config.max_tokens)


def _huggingface(model: str, config: ModelConfig) -> "BaseChatModel":
    return (_endpoint if config.hf_token or config.base_url else _local_pipeline)(model, config)


def _endpoint(model: str, config: ModelConfig) -> "BaseChatModel":
    from langchain_huggingface import ChatHuggingFace, HuggingFaceEndpoint

    # As an endpoint_url, a server of one's own is not sent the token.
    where: dict[str, Any] = {"endpoint_url": config.base_url} if config.base_url else {"repo_id": model}
    endpoint = HuggingFaceEndpoint(
        **where,
        task="conversational",
        huggingfacehub_api_token=config.hf_token,
        max_new_tokens=config.max_tokens,
        temperature=_TEMPERATURE,
        timeout=max(1, round(config.timeout.total_seconds())),
    )
    return ChatHuggingFace(llm=endpoint, stream_usage=True)  # a server that refuses it is asked without


def _local_pipeline(model: str, config: ModelConfig) -> "BaseChatModel":
    """Return a model that runs in this process; it emits no tool calls, so the search comes first."""
    _refuse_missing_folder(model)
    from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

    from agent.models.without_tools import SearchFirstChatModel

    try:
        pipeline = HuggingFacePipeline.from_model_id(
            model_id=model,
            task="text-generation",
            # A worker thread cannot be cancelled: `max_time` makes it end by itself.
            pipeline_kwargs={
                "max_new_tokens": config.max_tokens,
                "max_time": config.timeout.total_seconds(),
                "return_full_text": False,
            },
        )
        writer = ChatHuggingFace(llm=pipeline)
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_loaded(model) from error
    if not writer.tokenizer.chat_template:
        raise ChatModelError(f"The model {model!r} is not made for chat: choose an instruct model.")
    return SearchFirstChatModel(writer=writer)


@dataclass(frozen=True, slots=True)
class _Provider:
    """What makes a provider's models, and the package that it needs for it."""

    package: str
    create: "Callable[[str, ModelConfig], BaseChatModel]"


_PROVIDERS = {
    "openai": _Provider("langchain_openai", _openai),
    "ollama": _Provider("langchain_ollama", _ollama),
    "huggingface": _Provider("langchain_huggingface", _huggingface),
}
