"""Ask the questions, one after the other, on databases of the bench's own that hold a chat each."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from agent.agent import Agent
from agent.config import AgentConfig, ModelConfig
from agent.conversations import Conversations
from agent.models.chain import NamedModel
from agent.models.create import EXTRACTIVE, check_chat_model, create_chat_model
from agent.types import Answer, Outcome, Question
from bench.answers.cases import Case, Chat
from bench.answers.scoring import Scored, Usage, scored
from bench.answers.scripted import RULES, Scripted
from bench.loading import SESSION, Databases, memory_of, tidy
from bench.models import shared_model
from bench.processes import PATIENCE, Workplace, open_workplace
from bench.servers import AddressOf, open_new_database, open_server
from bench.vectors import RememberingEmbedder, open_remembering_embedder
from cli.console import progress_bar
from db.config import SHORT_TERM_LAYOUT
from db.databases import SHORT_TERM
from errors import ChatModelError
from memory.capture.import_csv import import_csv
from memory.capture.recorder import open_recorder
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD
from memory.index.reembed import prepare
from memory.search.memory import Memory

SCRIPTED = "scripted"

_UTC = ZoneInfo("UTC")
_FIRST_ASKER = 1  # everybody asks once, so that no conversation goes on but those that should
_BATCH = 100  # messages that are embedded and written at once
_A_MINUTE = timedelta(minutes=1)  # between a question and the one that follows it
_SPARE = timedelta(seconds=30)  # for what is done beside the model

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long one answer may take, and all of them; what is not asked then is left for the next time."""

    answer: timedelta
    together: timedelta


@dataclass
class Recorder(BaseCallbackHandler):
    """Keeps what a model was given and wrote in answer to one question."""

    prompts: list[list[BaseMessage]] = field(default_factory=list)
    written: list[AIMessage] = field(default_factory=list)

    def on_chat_model_start(self, serialized: Any, messages: list[list[BaseMessage]], **kwargs: Any) -> None:
        """Keep a prompt."""
        self.prompts += messages

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Keep what was written."""
        for generation in response.generations[0]:
            if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
                self.written.append(generation.message)

    def clear(self) -> None:
        """Begin with the next question."""
        self.prompts.clear()
        self.written.clear()

    def usage(self, seconds: float) -> Usage:
        """Return what the answer took."""
        counts = [message.usage_metadata for message in self.written if message.usage_metadata]
        return Usage(
            seconds=seconds,
            calls=len(self.prompts),
            tokens_in=sum(count["input_tokens"] for count in counts) if counts else None,
            tokens_out=sum(count["output_tokens"] for count in counts) if counts else None,
        )

    @property
    def raw(self) -> list[str]:
        """What the model wrote, call by call; the tools that it called are named."""
        return [
            message.text + "".join(f" <{call['name']} {call['args']}>" for call in message.tool_calls)
            for message in self.written
        ]


def check_model(name: str, config: ModelConfig) -> None:
    """Raise ChatModelError for a name that stands for no model."""
    scheme, _, rule = name.partition(":")
    if scheme != SCRIPTED:
        check_chat_model(replace(config, name=name))
    elif rule not in RULES:
        raise ChatModelError(f"--model {name!r} is not known: write scripted:{', scripted:'.join(RULES)}.")


def create_model(name: str, config: ModelConfig) -> BaseChatModel | None:
    """Return the model of a name; None for no model. Raises ChatModelError when it cannot be had."""
    scheme, _, rule = name.partition(":")
    if scheme == SCRIPTED:
        return Scripted(name_of_rule=rule)
    return None if name == EXTRACTIVE else create_chat_model(replace(config, name=name))


Done = Callable[[Scored, Recorder], None]
"""Hears of each answer, with what the model was given and wrote."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A chat, the memory that holds it and nothing else, and the conversations about it."""

    chat: Chat
    memory: Memory
    conversations: Conversations
    places: frozenset[int]

    def agent(self, create: Callable[[], BaseChatModel] | None, config: AgentConfig) -> Agent:
        """Return an agent over this memory."""
        models = [] if create is None else [NamedModel(name="asked", create=create)]
        return Agent(models, memory=self.memory, conversations=self.conversations, config=config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How models are created and asked: the agent's settings may be others for each."""

    limits: Limits
    model_config: ModelConfig
    agent_config: Callable[[str], AgentConfig]

    def agent_for(self, model: str) -> AgentConfig:
        """Return the agent's settings for a model."""
        limit = self.limits.answer
        return replace(self.agent_config(model), timeout=limit, longest_wait=limit + _SPARE)


async def ask_all(
    models: Sequence[str],
    chats: Sequence[Chat],
    cases: Sequence[Case],
    *,
    setup: Setup,
    is_done: Callable[[str, Case], bool],
    done: Done,
) -> int:
    """Ask every model each question that is not done yet; return how many had to be left when the time was over."""
    wanted = [(case, model) for case in cases for model in models if not is_done(model, case)]
    names = {case.chat for case, _ in wanted}
    async with _all_loaded([chat for chat in chats if chat.name in names]) as loaded:
        return await ask_loaded(wanted, loaded, setup=setup, done=done)


async def ask_loaded(
    wanted: Sequence[tuple[Case, str]], loaded: Mapping[str, Loaded], *, setup: Setup, done: Done
) -> int:
    """Ask models questions about chats, in order; return how many had to be left when the time was over."""
    deadline = time.monotonic() + setup.limits.together.total_seconds()
    quotes = setup.agent_for(EXTRACTIVE)
    with ExitStack() as stack:
        quoting = {name: stack.enter_context(closing(chat.agent(None, quotes))) for name, chat in loaded.items()}
        asked = {
            model: stack.enter_context(_asking(model, loaded, setup))
            for model in dict.fromkeys(model for _, model in wanted)
        }
        for number, (case, model) in enumerate(wanted):
            if time.monotonic() >= deadline:
                return len(wanted) - number
            question = _question(case, loaded[case.chat], asker=_asker(model, case))
            if case.before:  # the turn before is the same for all models
                await quoting[case.chat].ask(replace(question, text=case.before, now=question.now - _A_MINUTE))
            recorder, agents = asked[model]
            await agents[case.chat].ready()
            recorder.clear()
            begun = time.monotonic()
            answer = await _answer(agents[case.chat], question, setup.limits)
            usage = recorder.usage(time.monotonic() - begun)
            done(scored(model, case, answer, usage, raw=recorder.raw), recorder)
    return 0


@contextmanager
def _asking(name: str, loaded: Mapping[str, Loaded], setup: Setup) -> Iterator[tuple[Recorder, dict[str, Agent]]]:
    """Yield what records the calls of one model, and its agents, one for each chat."""
    recorder = Recorder()
    model = create_model(name, setup.model_config)
    if model is not None:
        model.callbacks = [recorder]
    create = None if model is None else lambda: model
    config = setup.agent_for(name)
    with ExitStack() as stack:
        agents = {
            chat_name: stack.enter_context(closing(chat.agent(create, config))) for chat_name, chat in loaded.items()
        }
        yield recorder, agents


async def _answer(agent: Agent, question: Question, limits: Limits) -> Answer:
    """Return an answer; one that does not come in time is a failure."""
    try:
        async with asyncio.timeout((limits.answer + 3 * _SPARE).total_seconds()):
            return await agent.ask(question)
    except TimeoutError:
        logger.warning("no answer to %r in time", question.text)
        return Answer(text="No answer came in time.", outcome=Outcome.FAILED)


def _asker(model: str, case: Case) -> int:
    """Return an asker of a question's own, so that nobody else's conversation goes on."""
    return _FIRST_ASKER + crc32(f"{model} {case.key}".encode())


def _question(case: Case, loaded: Loaded, *, asker: int) -> Question:
    return Question(
        text=case.text,
        channel_id=min(loaded.places),
        guild=EVERY_GUILD,
        asker_id=asker,
        asker_name="visitor",
        places=loaded.places,
        now=loaded.chat.now,
        time_zone=_UTC,
    )


@asynccontextmanager
async def _all_loaded(chats: Sequence[Chat]) -> AsyncGenerator[dict[str, Loaded]]:
    """Yield chats, each in a memory of its own, by name."""
    with open_workplace() as place:
        async with (
            open_server(place, on_timescale=False) as address_of,
            open_remembering_embedder(shared_model()) as embedder,
            AsyncExitStack() as stack,
        ):
            yield {
                chat.name: await stack.enter_async_context(_one_loaded(chat, place, address_of, embedder))
                for chat in chats
            }


@asynccontextmanager
async def _one_loaded(
    chat: Chat, place: Workplace, address_of: AddressOf, embedder: RememberingEmbedder
) -> AsyncGenerator[Loaded]:
    async with (
        open_new_database(address_of, name=SHORT_TERM, layout=SHORT_TERM_LAYOUT) as short,
        open_new_database(address_of) as long,
    ):
        for database in (short, long):
            await prepare(database, embedder)
        yield await load(chat, (short, long), embedder, folder=place.folder)


async def load(chat: Chat, databases: Databases, embedder: Embedder, *, folder: Path) -> Loaded:
    """Bring a chat into two empty memories as a running program does; its journal is written in a folder."""
    await _store(chat, databases, embedder, folder)
    memory = memory_of(databases, embedder)
    await memory.load_names()
    places = frozenset(await memory.all_places()) - chat.hidden
    return Loaded(chat, memory, Conversations(databases[1].sessions), places)


async def _store(chat: Chat, databases: Databases, embedder: Embedder, folder: Path) -> None:
    async with open_recorder(
        session=SESSION,
        journal_path=folder / f"{chat.name}.csv",
        not_added_path=folder / f"{chat.name}_not_added.csv",
        sessions=databases[0].sessions,
        embedder=embedder,
        batch=_BATCH,
    ) as recorder:
        with progress_bar(f"Storing {chat.name}") as report:
            for path in chat.paths:
                await import_csv(path, recorder, report=report)
            for message in chat.messages:
                await recorder.record(message)
            if not await recorder.settle(timeout=PATIENCE):
                raise RuntimeError(f"{chat.name} was not stored within {PATIENCE}")
    await tidy(databases[0])
