"""Load a chat model and run it in a thread of its own; questions wait in its queue."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.config import AgentConfig
from agent.drafts import Candour, DraftView
from agent.fairness import FairQueue, Person, TellPlace
from agent.models.breaker import Breaker
from agent.models.chain import ModelState, NamedModel
from agent.models.run import ModelRun
from agent.models.usage import Usage, UsageLog
from errors import ChatModelError, ModelUnavailableError
from util_async import shared

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.context import Context
    from agent.conversations import Earlier
    from agent.graph import Loop
    from agent.opening import Opening
    from agent.types import Answer

_REST = timedelta(minutes=5)
"""How long a model that did not write a question out in time is not asked to."""


class LanguageModel:
    """A chat model that writes answers; LangChain and the model's own packages are imported when it is loaded.

    It has one thread of its own: in there it is loaded, and one that runs in this process writes one answer after the
    other, so that nothing else of the program waits for it. Questions wait in its queue until it is loaded, and then
    for their turn.
    """

    def __init__(self, model: NamedModel, *, config: AgentConfig) -> None:
        self.name = model.name
        self._create = model.create
        self._config = config = model.adapted(config)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model")
        self._loading: Future[Loop] | None = None
        self._is_local = False
        self._prompt_version = ""
        self._candour = Candour()
        self._chat: BaseChatModel | None = None
        self._condense_after = 0.0  # of the event loop's clock
        self._queue = FairQueue(0, longest=config.most_waiting)
        self.breaker = Breaker()
        self._used = UsageLog(model.price)

    async def ready(self) -> None:
        """Wait until the model can be asked, and load it first if nobody has; raise ChatModelError when it cannot be.

        Whoever is cancelled meanwhile leaves the loading alone: it goes on for the next one.
        """
        await shared(self._load_once())

    @property
    def prompt_tokens(self) -> int:
        """About how many tokens its prompts have at first."""
        return self._config.prompt_tokens

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

    def new_run(self, *, within: timedelta, is_last: bool) -> ModelRun:
        """Return the limits of a run that begins now; in half of it one that is not the last begins."""
        seconds = within.total_seconds()
        first = self._config.first_timeout
        return ModelRun(
            until=asyncio.get_running_loop().time() + seconds,
            first=first.total_seconds() if first else seconds if is_last else seconds / 2,
            stall=self._config.stall_timeout.total_seconds(),
        )

    def note(self, run: ModelRun, *, seconds: float, answered: bool) -> Usage:
        """Add a run to what the model was used for, and return what it took."""
        return self._used.note(run, seconds=seconds, answered=answered)

    @property
    def state(self) -> ModelState:
        """How it is now."""
        return ModelState(
            name=self.name,
            is_loaded=self.is_loaded,
            rests_for=self.breaker.seconds_left,
            is_on_trial=not self.breaker.is_open,
            day=self._used.of_a_day(),
            total=replace(self._used.total),
            has_price=self._used.price is not None,
        )

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

    async def condense(self, prompt: str, *, within: timedelta) -> str:
        """Return what the model writes at once to a short prompt, outside of every answer and its queue.

        It is not waited for: one that is not loaded, runs in this process, or took too long of late is not asked.
        Raises ModelUnavailableError when it does not write in time.
        """
        now = asyncio.get_running_loop().time()
        if self._chat is None or self._is_local or now < self._condense_after:
            raise ModelUnavailableError("the model writes no questions out now")
        try:
            async with asyncio.timeout(within.total_seconds()):
                return (await self._chat.ainvoke(prompt)).text
        except Exception as error:  # providers share no base class; this is where their errors enter
            self._condense_after = now + _REST.total_seconds()
            raise ModelUnavailableError(f"the model wrote no question out ({type(error).__name__})") from error

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
        from agent.models.without_tools import SearchFirstChatModel

        model = self._create()
        if isinstance(model, SearchFirstChatModel):
            model.run_in(self._thread)
            self._is_local = True
        self._prompt_version = prompt_version()
        self._chat = model.model_copy(update={"disable_streaming": True})
        with_tools = self._config.with_tools and not self._is_local
        return build_loop(model, max_steps=self._config.max_steps, with_tools=with_tools)
