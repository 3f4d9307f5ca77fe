"""The ReAct loop around a chat model, which is loaded in a thread while questions may already come."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from agent.context import Recall
from agent.conversations import Earlier
from agent.draft import Draft
from agent.question import Reading
from agent.types import Question
from errors import ChatModelError, ModelUnavailableError
from util_async import shared

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agent.graph import Loop


class LanguageModel:
    """A chat model that writes answers; LangChain and the model's own packages are imported when it is loaded.

    It has one thread of its own: in there it is loaded, and one that runs in this process writes one text after the
    other, so that nothing else of the program waits for it.
    """

    def __init__(self, create: "Callable[[], BaseChatModel]", *, max_steps: int) -> None:
        self._create = create
        self._max_steps = max_steps
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="language-model")
        self._loop: Future[Loop] | None = None

    async def ready(self) -> None:
        """Wait until the model can be asked, and load it first if nobody has; raise ChatModelError when it cannot be.

        Whoever is cancelled meanwhile leaves the loading alone: it goes on for the next one.
        """
        await shared(self._loading())

    async def draft(
        self, question: Question, *, reading: Reading, memory: Recall, history: Sequence[Earlier] = ()
    ) -> Draft:
        """Let the model answer a question that has been read; raise ModelUnavailableError when it does not."""
        try:
            await self.ready()
        except ChatModelError as error:
            raise ModelUnavailableError(str(error)) from error
        from agent.graph import draft  # LangChain, which is loaded by now

        return await draft(self._loading().result(), question, reading=reading, memory=memory, history=history)

    def close(self) -> None:
        """Begin nothing more in the model's thread; what it is at ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _loading(self) -> "Future[Loop]":
        if self._loop is None:
            self._loop = self._thread.submit(self._load)
        return self._loop

    def _load(self) -> "Loop":
        from agent.graph import build_loop
        from agent.models_without_tools import SearchFirstChatModel

        model = self._create()
        if isinstance(model, SearchFirstChatModel):
            model.run_in(self._thread)
        return build_loop(model, max_steps=self._max_steps)
