"""Create the chat model that a setting names, and run it in a thread of its own."""

import asyncio
import importlib.util
import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agent.config import AgentConfig, ModelConfig
from agent.drafts import Candour, DraftView
from agent.fairness import FairQueue, Person, TellPlace
from errors import ChatModelError, ModelUnavailableError
from util_async import shared

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.context import Context
    from agent.conversations import Earlier
    from agent.graph import Loop
    from agent.opening import Opening
    from agent.types import Answer


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


EXTRACTIVE = "extractive"
"""The setting for no language model: answers are quotations."""

OPENAI_URL = "https://api.openai.com/v1"
_TEMPERATURE = 0.2  # answers repeat what was said: little is to be made up
_RETRIES = 1  # a dropped connection is worth one more try; the run's time limit bounds both


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
    from pydantic import SecretStr

    chat_model = ChatOpenAI(
        model=model,
        base_url=url,
        api_key=SecretStr(config.openai_api_key or "none"),  # the client insists on one
        timeout=config.timeout.total_seconds(),
        max_retries=_RETRIES,
    )
    if is_openai(url):
        chat_model.max_tokens = config.max_tokens
    else:  # the client would send max_completion_tokens, which other servers ignore
        chat_model.extra_body = {"max_tokens": config.max_tokens}
    return chat_model


def _ollama(model: str, config: ModelConfig) -> "BaseChatModel":
    from langchain_ollama import ChatOllama

    return ChatOllama(
        model=model,
        base_url=config.base_url,
        num_predict=config.max_tokens,
        temperature=_TEMPERATURE,
        client_kwargs={"timeout": config.timeout.total_seconds()},
    )


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
    return ChatHuggingFace(llm=endpoint)


def _local_pipeline(model: str, config: ModelConfig) -> "BaseChatModel":
    """Return a model that runs in this process; it emits no tool calls, so the search comes first."""
    _refuse_missing_folder(model)
    from langchain_huggingface import ChatHuggingFace, HuggingFacePipeline

    from agent.models_without_tools import SearchFirstChatModel

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


class LanguageModel:
    """A chat model that writes answers; LangChain and the model's own packages are imported when it is loaded.

    It has one thread of its own: in there it is loaded, and one that runs in this process writes one answer after the
    other, so that nothing else of the program waits for it. Questions wait in its queue until it is loaded, and then
    for their turn.
    """

    def __init__(self, create: "Callable[[], BaseChatModel]", *, config: AgentConfig) -> None:
        self._create = create
        self._config = config
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model")
        self._loading: Future[Loop] | None = None
        self._is_local = False
        self._prompt_version = ""
        self._candour = Candour()
        self._queue = FairQueue(0, longest=config.most_waiting)

    async def ready(self) -> None:
        """Wait until the model can be asked, and load it first if nobody has; raise ChatModelError when it cannot be.

        Whoever is cancelled meanwhile leaves the loading alone: it goes on for the next one.
        """
        await shared(self._load_once())

    @property
    def is_loaded(self) -> bool:
        """Whether the model can be asked now, or never."""
        return self._loading is not None and self._loading.done()

    def turn(self, person: Person, *, patience: timedelta, tell: TellPlace) -> AbstractAsyncContextManager[None]:
        """Wait for a turn with the model and have it for the length of the block; raise BusyError when none comes.

        A model that is being loaded is not waited for longer than an answer of it may take.
        """
        self._load_once()
        shortest = patience if self.is_loaded else min(patience, self._config.timeout)
        return self._queue.turn(person, patience=shortest, tell=tell)

    async def write_answer(
        self,
        context: "Context",
        opening: "Opening",
        *,
        history: "Sequence[Earlier]" = (),
        show: "Callable[[Answer], None] | None" = None,
    ) -> str:
        """Let the model answer a question from what was found; raise ModelUnavailableError when it does not.

        Drafts of the answer are shown through `show`.
        """
        try:
            await self.ready()
        except ChatModelError as error:
            raise ModelUnavailableError(str(error)) from error
        from agent.graph import write_answer  # LangChain, which is loaded by now

        view = DraftView(show, self._config.draft_every) if show else None
        return await write_answer(
            self._load_once().result(), context, opening, history=history, candour=self._candour, view=view
        )

    @property
    def prompt_version(self) -> str:
        """The fingerprint of what the model is told; empty while it is not loaded, when it was told nothing."""
        return self._prompt_version

    def close(self) -> None:
        """Begin nothing more in the model's thread; what it is at ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _load_once(self) -> "Future[Loop]":
        if self._loading is None:
            self._loading = self._thread.submit(self._load)
            waiting = asyncio.wrap_future(self._loading)
            waiting.add_done_callback(self._open)
        return self._loading

    def _open(self, loading: "asyncio.Future[Loop]") -> None:
        """Let questions through, also to a model that cannot be loaded: it fails, and they are answered without it."""
        if not loading.cancelled():
            loading.exception()  # whoever waits gets it from the thread's own future
        if self._is_local:
            self._queue.open(1)
        else:
            self._queue.open(self._config.at_once, spare=self._config.at_once)

    def _load(self) -> "Loop":
        from agent.graph import build_loop, prompt_version
        from agent.models_without_tools import SearchFirstChatModel

        model = self._create()
        if isinstance(model, SearchFirstChatModel):
            model.run_in(self._thread)
            self._is_local = True
        self._prompt_version = prompt_version()
        return build_loop(model, max_steps=self._config.max_steps)
