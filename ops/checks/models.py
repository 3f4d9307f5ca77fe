"""Look at the embedding model and the language model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import numpy as np
from yarl import URL

from agent.models import EXTRACTIVE, OPENAI_URL
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.reembed import HALF_EMBEDDED, MODEL_FACT
from ops.checks.database import looking
from ops.checks.result import Finding, left_out, ok, wrong

_SAMPLE = "Is all well?"
_UNIT_TOLERANCE = 0.01
_REPLY = timedelta(seconds=10)
_OLLAMA_URL = "http://127.0.0.1:11434"
_KEY_REFUSED = {401, 403}
_ITS_FAULT = 500  # from this status on a server says that it does not work
_REEMBED = "python main_async.py re-embed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """What the settings say of the language model; `create` raises ChatModelError when it cannot be."""

    name: str
    base_url: str | None
    openai_api_key: str | None = field(repr=False)
    hf_token: str | None = field(repr=False)
    create: Callable[[], object] = field(repr=False)


async def embedding(embedder: Embedder) -> Finding:
    """Embed a text and tell what became of it; raise EmbeddingModelError when the model cannot be loaded."""
    await embedder.ready()
    dimensions = await embedder.dimensions()
    vector = (await embedder.embed([_SAMPLE]))[0]
    length = float(np.linalg.norm(vector))
    if vector.shape != (dimensions,) or not abs(length - 1) < _UNIT_TOLERANCE:  # which a NaN fails, too
        return wrong(
            f"{embedder.name} makes no usable vectors (shape {vector.shape}, length {length:g}): "
            "choose another EMBEDDING_MODEL."
        )
    return ok(f"{embedder.name} is loaded ({embedder.runs_on}) and makes vectors of {dimensions} dimensions")


async def vectors(database: Database, embedder: Embedder) -> Finding:
    """Tell whether a memory was embedded with this model."""
    dimensions = await embedder.dimensions()
    async with looking(database) as session:
        width = await store.embedding_width(await session.connection())
        model = await store.metadata(session, MODEL_FACT)
    if model == HALF_EMBEDDED:
        return wrong(f"Embedding this memory anew was stopped half-way: finish it with {_REEMBED}.")
    if model not in {None, embedder.name} or width != dimensions:
        return wrong(
            f"This memory was embedded with {model!r} ({width} dimensions), and EMBEDDING_MODEL says "
            f"{embedder.name!r} ({dimensions}): set it back, or embed everything anew with {_REEMBED}."
        )
    return ok(f"made by {model or 'no model yet'}, {width} dimensions")


async def language(model: LanguageModel) -> Finding:
    """Tell whether the language model can be made, and whether the server that it is on answers."""
    if model.name == EXTRACTIVE:
        return ok("extractive: answers are quotations, there is no model to reach")
    provider = model.name.partition(":")[0]
    if provider == "huggingface" and not (model.base_url or model.hf_token):
        return left_out(f"{model.name} is loaded at the start of the bot, which takes too long to try here")
    await asyncio.to_thread(model.create)
    url = model.base_url or {"openai": OPENAI_URL, "ollama": _OLLAMA_URL}.get(provider)
    if url is None:
        return ok(f"{model.name}: the settings can be used; where Hugging Face runs it was not asked")
    if provider == "openai":
        return await _answering(model.name, URL(url) / "models", key=model.openai_api_key)
    return await _answering(model.name, URL(url), key=None)


async def _answering(name: str, url: URL, *, key: str | None) -> Finding:
    """Tell whether something answers at an address, and takes the key that it would be sent."""
    shown = url.with_user(None)  # which takes the password away as well
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_REPLY.total_seconds())) as session,
            session.get(url, headers=headers, allow_redirects=False) as reply,
        ):
            status = reply.status
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return wrong(
            f"{name} does not answer at {shown} ({type(error).__name__}): "
            "start its server, or correct LLM_MODEL and LLM_BASE_URL."
        )
    if status in _KEY_REFUSED:
        return wrong(f"{shown} refuses the key of {name} (status {status}): correct OPENAI_API_KEY.")
    if status >= _ITS_FAULT:
        return wrong(f"{shown} answers that it does not work (status {status}): look into the log of that server.")
    return ok(f"{name}: {shown} answers")
