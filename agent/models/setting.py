"""Read which chat models a setting names: one, or several with commas between them, each perhaps with its address."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from agent.config import ModelConfig
from agent.models.create import EXTRACTIVE
from errors import ChatModelError

MOST_MODELS = 5
"""More are no help: each is asked only when those before it fail, and a question has one time limit for all."""


def models_of(config: ModelConfig) -> tuple[ModelConfig, ...]:
    """Return the models that `config.name` lists, in order; none for "extractive" alone, which may end the list.

    `openai:NAME@http://HOST/v1` is on a server of its own, which is not sent the key: that is for OpenAI itself or the
    one server of `base_url`. Raises ChatModelError for a list that cannot be meant.
    """
    names = [name.strip() for name in config.name.split(",")]
    if EXTRACTIVE in names[:-1]:
        raise ChatModelError("LLM_MODEL names a model after extractive, which always answers: put extractive last.")
    if names[-1] == EXTRACTIVE:
        names.pop()
    if len(names) > MOST_MODELS:
        raise ChatModelError(f"LLM_MODEL names {len(names)} models: name {MOST_MODELS} at most.")
    models = tuple(_on_its_server(replace(config, name=name)) for name in names)
    if len({(model.name, model.base_url) for model in models}) < len(models):
        raise ChatModelError("LLM_MODEL names a model twice: name each one once.")
    _refuse_one_address_for_several_kinds(config, names)
    return models


def shown_names(models: Sequence[ModelConfig]) -> tuple[str, ...]:
    """Return what each model is called towards people: its name, and its host where two have the same name."""
    names = [model.name for model in models]
    return tuple(
        model.name
        if names.count(model.name) == 1
        else f"{model.name} at {urlsplit(model.base_url or '').netloc or '-'}"
        for model in models
    )


def _on_its_server(config: ModelConfig) -> ModelConfig:
    """Return a model with the address that stands behind its name, if one does."""
    for scheme in ("http://", "https://"):
        name, sign, rest = config.name.partition(f"@{scheme}")
        if sign:
            if "@" in rest or not rest.strip("/"):
                raise ChatModelError(
                    f"LLM_MODEL={name!r} has no plain address behind its name: write it as NAME@http://HOST:PORT/v1, "
                    "without a name or password."
                )
            return replace(config, name=name, base_url=f"{scheme}{rest}", openai_api_key=None, hf_token=None)
    return config


def _refuse_one_address_for_several_kinds(config: ModelConfig, names: Sequence[str]) -> None:
    kinds = {name.partition(":")[0] for name in names if "@http" not in name}
    if config.base_url and len(kinds) > 1:
        raise ChatModelError(
            "LLM_BASE_URL is one server, and LLM_MODEL names models of several kinds: "
            "write the address behind each name, such as openai:NAME@http://127.0.0.1:8000/v1."
        )
