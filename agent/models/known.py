"""Ask the servers of models whether they have the model that a setting names."""

import asyncio
import logging
import re
from collections.abc import Coroutine
from datetime import timedelta
from urllib.parse import urlsplit

from agent.config import ModelConfig
from agent.models.create import OPENAI_URL, is_openai
from errors import ChatModelError

PATIENCE = timedelta(seconds=10)
"""How long a server may take to tell, with all that it is asked."""

_SAYS_NO = re.compile(r"not found|not exist|not a valid|unknown|invalid|no such|not available", re.IGNORECASE)

logger = logging.getLogger(__name__)


def refuse_unknown_model(config: ModelConfig, *, patience: timedelta = PATIENCE) -> None:
    """Raise ChatModelError when the server that a model is on says that it does not have it.

    A server that is away, refuses the key or does not tell its models is none of that: the log has it as a warning,
    for the model may answer later. Other providers are not asked. This blocks, so call it in a thread.
    """
    name, base_url = config.name, config.base_url
    provider, _, model = name.partition(":")
    model = model.strip()
    if provider == "ollama":
        where, remedy = _shown(base_url) or "Ollama", f"run ollama pull {model}, or correct LLM_MODEL"
        has_it = _told(_ollama_has(model, base_url), name, where, patience)
    elif provider == "openai":
        where, remedy = _shown(base_url or OPENAI_URL), "correct LLM_MODEL"
        has_it = _told(_openai_has(model, base_url or OPENAI_URL, config.openai_api_key), name, where, patience)
    else:
        return
    if not has_it:
        raise ChatModelError(f"LLM_MODEL={name!r} is unknown: {where} does not have this model: {remedy}.")


def _told(asking: Coroutine[None, None, bool], name: str, where: str, patience: timedelta) -> bool:
    """Return what a server tells; True, with a warning in the log, when it tells nothing."""

    async def ask() -> bool:
        async with asyncio.timeout(patience.total_seconds()):
            return await asking

    try:
        return asyncio.run(ask())
    except Exception as error:  # noqa: BLE001  # providers share no base class, and a start must not end for any
        logger.warning(
            "%s did not tell whether it has %s (%s): until the model answers, questions get quotations.",
            where,
            name,
            type(error).__name__,
        )
        return True


async def _ollama_has(model: str, base_url: str | None) -> bool:
    from ollama import AsyncClient

    async with AsyncClient(host=base_url) as client:
        listed = await client.list()
    names = {listed_model.model.casefold() for listed_model in listed.models if listed_model.model}
    name = model.casefold()
    return name in names or f"{name}:latest" in names


async def _openai_has(model: str, url: str, key: str | None) -> bool:
    """Return whether a server takes the name of a model; llama.cpp takes names that it does not list."""
    from openai import APIStatusError, AsyncOpenAI

    async with AsyncOpenAI(base_url=url, api_key=key or "none", max_retries=0) as client:
        listed = {listed_model.id async for listed_model in client.models.list()}
        if model in listed or not listed:
            return True
        if is_openai(url):
            return False
        try:
            await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": "Hello"}], max_tokens=1
            )
        except APIStatusError as error:
            return not ("model" in error.message.lower() and _SAYS_NO.search(error.message))
    return True


def _shown(url: str | None) -> str:
    """Return an address without the name and password that may be in it."""
    if not url:
        return ""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
