"""Check the embedding model, the vectors that it has made, and the language model."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import numpy as np
from yarl import URL

from db.databases import Database
from db.metadata import get_metadata
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.reembed import HALF_EMBEDDED, MODEL_FACT, MODEL_SETTINGS
from ops.checks.database import read_only_session
from ops.checks.result import CheckResult, left_out, ok, wrong

WITHOUT_MODEL = "extractive: answers are quotations, there is no model to reach"

_SAMPLE = "Is all well?"
_UNIT_TOLERANCE = 0.01
_REPLY = timedelta(seconds=10)
_KEY_REFUSED = {401, 403}
_SERVER_ERROR = 500  # from this status on a server says that it does not work
_REEMBED = "python main_async.py re-embed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelToCheck:
    """What the settings say of the language model; `create` raises ChatModelError when it cannot be."""

    name: str
    base_url: str | None
    """Where its server is, the usual address of its kind of server included; None: there is no such server."""
    openai_api_key: str | None = field(repr=False)
    hf_token: str | None = field(repr=False)
    create: Callable[[], object] = field(repr=False)


async def embedding(embedder: Embedder) -> CheckResult:
    """Check that the model makes usable vectors of a text; raise EmbeddingModelError when it cannot be loaded."""
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


async def vectors(database: Database, embedder: Embedder) -> CheckResult:
    """Check that a memory was embedded with this model."""
    dimensions = await embedder.dimensions()
    async with read_only_session(database) as session:
        width = await store.embedding_width(await session.connection())
        model = await get_metadata(session, MODEL_FACT)
    if model == HALF_EMBEDDED:
        return wrong(f"Embedding this memory anew was stopped half-way: finish it with {_REEMBED}.")
    if model not in {None, embedder.name} or width != dimensions:
        return wrong(
            f"This memory was embedded with {model!r} ({width} dimensions), and EMBEDDING_MODEL says "
            f"{embedder.name!r} ({dimensions}): set {MODEL_SETTINGS} back, or embed everything anew with {_REEMBED}."
        )
    return ok(f"made by {model or 'no model yet'}, {width} dimensions")


async def language(model: ModelToCheck) -> CheckResult:
    """Check that the language model can be made, and that the server that it is on answers."""
    provider = model.name.partition(":")[0]
    if provider == "huggingface" and not (model.base_url or model.hf_token):
        return left_out(f"{model.name} is loaded at the start of the bot, which takes too long to try here")
    await asyncio.to_thread(model.create)
    if model.base_url is None:
        return ok(f"{model.name}: the settings can be used; where Hugging Face runs it was not asked")
    if provider == "openai":
        return await _check_server(model.name, URL(model.base_url) / "models", key=model.openai_api_key)
    return await _check_server(model.name, URL(model.base_url), key=None)


async def _check_server(name: str, url: URL, *, key: str | None) -> CheckResult:
    """Check that something answers at an address, and takes the key that it would be sent."""
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
    if status >= _SERVER_ERROR:
        return wrong(f"{shown} answers that it does not work (status {status}): look into the log of that server.")
    return ok(f"{name}: {shown} answers")
