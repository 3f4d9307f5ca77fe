"""Stand-ins for what the tests own: a model that speaks its lines, and a memory made of a list."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self, cast
from zlib import crc32

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from agent.conversations import ConversationKey, Conversations, Turn
from errors import DatabaseUnavailableError
from memory.authors import Authors
from memory.counting.results import Activity, Example, Matter, Share, Tally
from memory.discussions import joined
from memory.filters import UNBOUNDED, Bounds, Guild
from memory.former_texts import as_it_was
from memory.holding import Holding, holds
from memory.message import Kind, Message, MessageKey, Revision
from memory.names.known import Index, KnownNames, named_in
from memory.search.occurrence import words_in_none
from memory.search.results import Excerpt, RankedMessage, Scope, SearchResult, by_place
from time_expressions.window import FIRST_MOMENT, Window

HANGS = "the model never answers"

Utterance = AIMessage | Exception | str | Callable[[], AIMessage]

Piece = str | AIMessageChunk | asyncio.Event | Exception
"""What a streaming model does next: it writes, waits, or fails."""


def says(text: str) -> AIMessage:
    """Return the model's final words."""
    return AIMessage(text)


def calls(name: str, **arguments: object) -> AIMessage:
    """Return the model's wish to call a tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{name}", "type": "tool_call"}])


class ScriptedModel(BaseChatModel):
    """A chat model that speaks its lines in order, and keeps what it heard.

    A line that is an error is raised; one that is a function is called when its turn has come.
    The line HANGS makes it wait until it is cancelled; `hung` is set as soon as it does.
    """

    _lines: list[Utterance] = PrivateAttr()
    _heard: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _tools: list[Any] = PrivateAttr(default_factory=list)
    _hung: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    def __init__(self, lines: Iterable[Utterance]) -> None:
        super().__init__()
        self._lines = list(lines)

    @property
    def heard(self) -> list[list[BaseMessage]]:
        return self._heard

    @property
    def tools(self) -> list[Any]:
        return self._tools

    @property
    def hung(self) -> asyncio.Event:
        return self._hung

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[LanguageModelInput, AIMessage]:
        self._tools = list(tools)
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._speak(messages, self._lines.pop(0))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        line = self._lines.pop(0)
        if line == HANGS:
            self._hung.set()
            await asyncio.Event().wait()
        return self._speak(messages, line)

    def _speak(self, messages: list[BaseMessage], line: Utterance) -> ChatResult:
        self._heard.append(list(messages))
        if isinstance(line, Exception):
            raise line
        if callable(line):
            line = line()
        message = line if isinstance(line, AIMessage) else AIMessage(line)
        return ChatResult(generations=[ChatGeneration(message=message.model_copy(deep=True))])


class StreamingModel(ScriptedModel):
    """A scripted model that writes its lines in pieces of a few letters.

    A line that is a list has these pieces: an event in it is waited for, and an error raised. `closed` is set when
    somebody stops reading before the end.
    """

    def __init__(self, lines: Iterable[Utterance | list[Piece]]) -> None:
        super().__init__(cast("Iterable[Utterance]", lines))

    _closed: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    @property
    def closed(self) -> asyncio.Event:
        return self._closed

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        line = self._lines.pop(0)
        self._heard.append(list(messages))
        try:
            for piece in pieces_of(line):
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                    continue
                if isinstance(piece, Exception):
                    raise piece
                message = AIMessageChunk(content=piece) if isinstance(piece, str) else piece
                chunk = ChatGenerationChunk(message=message)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        except (GeneratorExit, asyncio.CancelledError):
            self._closed.set()
            raise


def pieces_of(line: Utterance | list[Piece]) -> list[Piece]:
    """Return what a streaming model does for one line."""
    if isinstance(line, list):
        return line
    if isinstance(line, Exception):
        return [line]
    message = line if isinstance(line, AIMessage) else AIMessage(line if isinstance(line, str) else line().text)
    text = message.text
    return [*(text[start : start + 5] for start in range(0, len(text), 5)), *map(_called, message.tool_calls)]


def _called(call: ToolCall) -> AIMessageChunk:
    piece = tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=0)
    return AIMessageChunk(content="", tool_call_chunks=[piece])


def said(content: str, **fields: Any) -> Message:
    """Return a message of Ana's in #general (channel 1), unless the fields say otherwise."""
    defaults: dict[str, Any] = {
        "message_id": 2**40 + crc32(content.encode()),
        "sent_at": datetime(2026, 11, 3, 13, 2, tzinfo=UTC),
        "session": "demo_2026-11-03_1",
        "channel_id": 1,
        "channel_name": "general",
        "author_name": "ana",
    }
    return Message(**{**defaults, **fields}, content=content)


class FakeConversations(Conversations):
    """Conversations in a list each; the database may be down for reading, or for writing."""

    def __init__(self, *, reads: bool = True, writes: bool = True) -> None:
        self.turns: dict[ConversationKey, list[Turn]] = {}
        self._reads = reads
        self._writes = writes

    async def recall(self, key: ConversationKey) -> list[Turn]:
        _refuse_unless(self._reads)
        return list(self.turns.get(key, ()))

    async def append(self, key: ConversationKey, turn: Turn) -> None:
        _refuse_unless(self._writes)
        self.turns.setdefault(key, []).append(turn)


def _refuse_unless(answers: bool) -> None:
    if not answers:
        raise DatabaseUnavailableError("PostgreSQL did not answer") from ConnectionRefusedError()


@dataclass
class FakeMemory:
    """A memory that finds messages by the share of the query's words that they hold.

    `messages` are those of short-term memory, `saved` those that long-term memory holds alone. `asked` records each
    search with its scope; `failures` answers are refused first (-1: all of them). `held` are its discussions, in place
    of those of the messages; `tallied` is what it counts in place of the messages that have all of the words.
    `tests.conformance` compares it with the real memory.
    """

    messages: list[Message] = field(default_factory=list)
    saved: list[Message] = field(default_factory=list)
    unreachable: tuple[str, ...] = ()
    failures: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    held: Sequence[Window] = ()
    tallied: Tally | None = None
    bounds: Bounds = UNBOUNDED
    whole: "FakeMemory | None" = None
    """The memory that this one is a part of."""
    revisions: list[Revision] = field(default_factory=list)

    async def search(
        self,
        text: str,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 8,
        with_context: bool = True,
    ) -> SearchResult:
        self._answer(text=text, places=places, windows=windows, authors=authors, scope=scope)
        found = [one for one in self._found(places, windows, authors, scope) if holds(one, holding)]
        lines = [_line(message, text) for message in found]
        best = sorted((line for line in lines if line.score > 0), key=lambda line: -line.score)
        return SearchResult(tuple(Excerpt((line,)) for line in best[:limit]), self.unreachable)

    async def unsaid_words(
        self, words: Collection[str], *, places: frozenset[int], windows: Sequence[Window] = ()
    ) -> frozenset[str]:
        self._answer(words=list(words), places=places, windows=windows)
        return words_in_none(list(words), self._found(places, windows))

    async def list_messages(
        self,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        holding: frozenset[Holding] = frozenset(),
        scope: Scope = Scope.BOTH,
        limit: int = 50,
        newest: bool = False,
    ) -> SearchResult:
        self._answer(places=places, windows=windows, authors=authors, scope=scope)
        found = [one for one in self._found(places, windows, authors, scope) if holds(one, holding)]
        lines = [RankedMessage(message, hit=True) for message in found]
        return SearchResult(tuple(by_place(lines[-limit:] if newest else lines[:limit])), self.unreachable)

    async def compare_own_words(
        self, text: str, lines: Sequence[RankedMessage], *, only: Collection[MessageKey] | None = None
    ) -> list[RankedMessage]:
        return list(lines)

    async def tally(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        newest_first: bool = True,
        limit: int = 3,
        last: int = 0,
    ) -> Tally:
        self._answer(matter=matter, places=places, windows=windows, authors=authors)
        if self.tallied is not None:
            return self.tallied
        wanted = _words(matter.terms)
        found = [one for one in self._found(places, windows, authors) if wanted <= _words(one.content)]
        people = {one.author_name: one for one in found}
        shares = [
            Share(sum(one.author_name == name for one in found), 0, Example(newest)) for name, newest in people.items()
        ]
        ordered = sorted(found, key=lambda one: one.sent_at, reverse=newest_first)
        return Tally(
            messages=len(found),
            shares=tuple(sorted(shares, key=lambda share: -share.messages)),
            examples=tuple(Example(one) for one in ordered[:limit]),
            last=tuple(Example(one) for one in ordered[max(len(ordered) - last, 0) :]),
            unreachable=self.unreachable,
        )

    async def activity(
        self,
        matter: Matter,
        *,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
    ) -> Activity:
        self._answer(matter=matter, places=places, windows=windows, authors=authors)
        wanted = _words(matter.terms)
        found = [one for one in self._found(places, windows, authors) if wanted <= _words(one.content)]
        starts = [one.sent_at.replace(minute=one.sent_at.minute // 15 * 15, second=0, microsecond=0) for one in found]
        return Activity({start: starts.count(start) for start in starts}, self.unreachable)

    async def read_around(
        self, message_id: int, *, places: frozenset[int], before: int = 5, after: int = 5
    ) -> SearchResult:
        self._answer(message_id=message_id, places=places)
        message = next((one for one in self._readable(places) if one.message_id == message_id), None)
        if message is None:
            return SearchResult()
        found = {one.message_id: one for one in (*self._found(frozenset({message.place_id})), message)}
        around = sorted(found.values(), key=lambda one: one.sent_at)
        at = around.index(message)
        near = around[max(0, at - before) : at + after + 1]
        return SearchResult(tuple(by_place(RankedMessage(one, hit=one.message_id == message_id) for one in near)))

    async def discussions(self, *, places: frozenset[int]) -> list[Window]:
        self._tell()
        said = self._found(places)
        return list(self.held) or joined((one.place_id, one.sent_at, one.sent_at) for one in said)

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        self._tell()
        index = Index()
        for message in (*self.saved, *self.messages):
            index.add(named_in(message))
        return KnownNames(places, (index,))

    async def lookup(self, message_ids: Iterable[int], *, places: frozenset[int]) -> dict[int, Message]:
        self._answer(message_ids=list(message_ids), places=places)
        present = {message.message_id: message for message in self._readable(places)}
        return {one: present[one] for one in self.asked[-1]["message_ids"] if one in present}

    def in_guild(self, guild: Guild) -> Self:
        return self._part(replace(self.bounds, guild=guild))

    def in_conversations(self, conversations: frozenset[int]) -> Self:
        return self._part(replace(self.bounds, conversations=conversations))

    def as_of(self, moment: datetime) -> Self:
        return self._part(replace(self.bounds, sent_before=moment, version_of=moment))

    def before_edits(self) -> Self:
        return self._part(replace(self.bounds, version_of=FIRST_MOMENT))

    def _part(self, bounds: Bounds) -> Self:
        part = copy(self)
        part.bounds, part.whole = bounds, self._whole
        return part

    @property
    def _whole(self) -> "FakeMemory":
        return self.whole or self

    def _answer(self, **asked: Any) -> None:
        self.asked.append(asked)
        if self._whole.failures:
            self._whole.failures -= 1
            raise DatabaseUnavailableError("PostgreSQL did not answer")

    def _tell(self) -> None:
        """Refuse to tell what a question is read with while searches fail; it is not counted as one of them."""
        if self._whole.failures:
            raise DatabaseUnavailableError("PostgreSQL did not answer")

    def _found(
        self,
        places: frozenset[int],
        windows: Sequence[Window] = (),
        authors: Authors | None = None,
        scope: Scope = Scope.BOTH,
    ) -> list[Message]:
        """Return the messages that people sent each other, as far as they pass, in time order."""
        return [
            message
            for message in self._readable(places, scope)
            if message.kind is Kind.MESSAGE
            and (not windows or any(message.sent_at in window for window in windows))
            and (authors is None or authors.wrote(message))
        ]

    def _readable(self, places: frozenset[int], scope: Scope = Scope.BOTH) -> list[Message]:
        """Return what may be shown to somebody who may read these places, in time order."""
        short, long = [] if scope is Scope.LONG else self.messages, [] if scope is Scope.SHORT else self.saved
        stored = (one for one in (*long, *short) if one.access_id in places and self.bounds.admits(one))
        live = (one for one in stored if one.deleted_at is None and one.kind is not Kind.ANSWER)
        as_they_were = filter(None, map(self._version, live))
        return sorted(as_they_were, key=lambda one: one.sent_at)

    def _version(self, message: Message) -> Message | None:
        """Return a message as it was at the moment that this memory is read as of; None when that may not be shown."""
        moment = self.bounds.version_of
        if moment is None or message.edited_at is None or message.edited_at <= moment:
            return message
        return as_it_was(message, self.revisions, moment=moment)


def _line(message: Message, text: str) -> RankedMessage:
    wanted = _words(text)
    share = len(wanted & _words(message.content)) / max(1, len(wanted))
    return RankedMessage(message, hit=True, similarity=share, lexical=share, score=share)


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3}
