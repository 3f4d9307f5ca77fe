"""Whatever a model writes, people read what the messages prove, or the messages themselves."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from agent import quotation
from agent.agent import Agent
from agent.config import AgentConfig
from agent.conversations import ConversationKey, Turn
from agent.models.without_tools import SearchFirstChatModel
from agent.prompts import TEMPLATES
from agent.spoilers import split_code
from agent.tools import arguments
from agent.tools.search import search_messages
from agent.types import Answer, Outcome
from memory.message import Message
from memory.search.results import SearchResult
from tests.agents import DEPLOY, LUNCH, agent, chat, of, question
from tests.fakes import FakeConversations, FakeMemory, ScriptedModel, Utterance, calls, said, says

QUOTE = '- **ana** in #general, Tue 3 Nov 2026 14:02: "the deploy is on friday" [1]'
KEY = ConversationKey(1, 7, private=False)
CODE = said("the door code is 4711")
OUR_WORDS = " ".join(TEMPLATES[0].split()[8:22])


def heard(model: ScriptedModel) -> str:
    """Return all that a model was told before it last spoke."""
    return "\n".join(message.text for message in model.heard[-1])


def is_marked_quotation(answer: Answer) -> bool:
    return (
        answer.text == QUOTE and len(answer.sources) == 1 and any("quotes from memory" in one for one in answer.notes)
    )


# ---- an answer that proves nothing


@pytest.mark.parametrize(
    "invention",
    [
        pytest.param("The deploy is on Monday; Ben said so.", id="without a mark"),
        pytest.param("The deploy is on Monday [7].", id="with a mark that was not shown"),
        pytest.param("The deploy is on Monday `[1]`.", id="with a mark in code"),
        pytest.param("[1].", id="of nothing but a mark"),
        pytest.param("<message id=1>ben: the deploy is on monday</message> [1]", id="as a message of its own"),
        pytest.param("<messages-0123abcd>\n[1] ben: on monday\n</messages-0123abcd>", id="as a fence of its own"),
        pytest.param("[1] 2026-11-03 14:02 #general ben: the deploy is on monday", id="as a line of a fence"),
        pytest.param("```\n[1] 2026-11-03 14:02 #general ben: on monday [1]\n```\nYes [1].", id="as lines in code"),
        pytest.param('<tool_call>{"name": "search_messages", "arg', id="a call that is cut off"),
        pytest.param('<tool_call>{"name": "run_sql", "arguments": {}}</tool_call> [1]', id="a call of no tool"),
        pytest.param('[TOOL_CALLS] [{"name": "search_messages"', id="a call of Mistral's that is cut off"),
        pytest.param('<|python_tag|>search_messages.call(query="deploy") [1]', id="a call of Llama's"),
        pytest.param("<function=search_messages [1]", id="a function that is cut off"),
        pytest.param('search_messages(query="deploy") [1]', id="a call in Python"),
        pytest.param('{"name": "search_messages", "query": "deploy"} [1]', id="a call without arguments"),
        pytest.param("On Friday [1].<|im_start|>user\nthanks", id="the next turn of its template"),
        pytest.param("On Friday [1].\n<think>or is it?", id="reasoning that begins later and never ends"),
        pytest.param(f"On Friday [1]. {OUR_WORDS} [1]", id="what it was told by us"),
        pytest.param(f"On Friday [1]. **{OUR_WORDS.upper().replace(' ', '_')}** [1]", id="the same in another dress"),
        pytest.param(f"On Friday [1]. {search_messages.description[:90]} [1]", id="what it was told of a tool"),
    ],
)
async def test_an_answer_that_proves_nothing_is_replaced_by_marked_quotations(invention: str) -> None:
    asked, _ = agent(says(invention))

    assert is_marked_quotation(await asked.ask(question()))


async def test_a_model_that_calls_no_tool_answers_from_what_was_searched_for_it() -> None:
    asked, model = agent(says("On Friday [1]."))

    answer = await asked.ask(question())

    assert (answer.text, [source.message for source in answer.sources]) == ("On Friday [1].", [DEPLOY])
    call, result = model.heard[0][-2:]
    assert isinstance(call, AIMessage)
    assert isinstance(result, ToolMessage)
    assert [one["id"] for one in call.tool_calls] == [result.tool_call_id]
    assert "ana: the deploy is on friday" in result.text


async def test_an_honest_refusal_is_not_replaced_by_what_does_not_answer_either() -> None:
    asked, _ = agent(says("The messages do not say who won, but I believe it was Ana."))

    answer = await asked.ask(question("who won the cup?"))

    assert (answer.outcome, answer.sources, answer.notes) == (Outcome.NOTHING_FOUND, (), ())


@pytest.mark.parametrize("greeting", ["hello", "Hi!", "thanks"])
@pytest.mark.parametrize("has_model", [True, False], ids=["a model", "no model"])
async def test_a_greeting_is_told_what_can_be_asked(greeting: str, has_model: bool) -> None:
    asked = agent(says("Hello! How can I help you today?"))[0] if has_model else Agent((), memory=chat())

    answer = await asked.ask(question(greeting))

    assert answer.text.startswith("Ask me about something that was said")
    assert answer.notes == ()


async def test_a_message_deleted_while_the_model_thought_leaves_no_words_behind() -> None:
    memory = chat()

    def answers_too_late() -> AIMessage:
        memory.messages.remove(DEPLOY)
        return says("The deploy is on friday [1].")

    asked, _ = agent(answers_too_late, memory=memory)

    assert "friday" not in (await asked.ask(question())).text


async def test_a_message_deleted_while_it_was_searched_for_is_not_quoted() -> None:
    class Deleting(FakeMemory):
        async def search(self, *args: Any, **kwargs: Any) -> SearchResult:
            found = await super().search(*args, **kwargs)
            self.messages.remove(DEPLOY)
            return found

    answer = await Agent((), memory=Deleting([DEPLOY, LUNCH])).ask(question())

    assert (answer.outcome, answer.sources) == (Outcome.NOTHING_FOUND, ())


@pytest.mark.parametrize("mark", ["\\[1\\]", "[message 1]", "[#1]", "【1】", "【1†source】"])
async def test_a_mark_of_another_form_is_checked_like_any(mark: str) -> None:
    asked, _ = agent(says(f"On Friday {mark}."))

    answer = await asked.ask(question())

    assert answer.text == "On Friday [1]."
    assert len(answer.sources) == 1


PIECES = [
    *("<think>", "</think>", "<|channel|>final<|message|>", "<|im_end|>", "```", "`", "\n", " ", "||", "\\"),
    *("<tool_call>", "</tool_call>", '{"name": "search_messages", "arguments": {"query": "x"}}', '{"name": '),
    *("<messages-1>", "</messages-1>", "[1] 2026-11-03 14:02 #general ana: x", "[1]", "[7]", "[1, 7]", "on friday"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
async def test_whatever_a_model_writes_people_read_proven_words_or_quotations(written: str) -> None:
    asked, _ = agent(*[says(written)] * 2, config=AgentConfig(max_steps=2))

    answer = await asked.ask(question())

    assert answer.sources
    if answer.outcome == "answered":
        spoken = "".join(part for is_code, part in split_code(answer.text) if not is_code)
        assert not [
            one for one in ("<messages", "<tool_call", "<|", "#general", '"search_messages"') if one in answer.text
        ]
        assert not [one for one in ("think>", "[7]") if one in spoken]
    else:
        assert answer.text == QUOTE


# ---- tool calls that are written as text


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "search_messages", "arguments": {"query": "lunch noon"}}\n</tool_call>',
        'I look.\n```json\n{"name": "search_messages", "arguments": {"query": "lunch noon"}}\n```',
        '{"name": "search_messages", "parameters": {"query": "lunch noon"}}',
        '{"type": "function", "function": {"name": "search_messages", "arguments": "{\\"query\\": \\"lunch noon\\"}"}}',
        '[TOOL_CALLS] [{"name": "search_messages", "arguments": {"query": "lunch noon"}}]',
        '<|python_tag|>{"name": "search_messages", "parameters": {"query": "lunch noon"}}',
        '<function=search_messages>{"query": "lunch noon"}</function>',
        "<function=search_messages>\n<parameter=query>\nlunch noon\n</parameter>\n</function>",
        '<think>{"name": "x"}</think>{"name": "search_messages", "arguments": {"query": "lunch noon"}}',
    ],
)
async def test_a_tool_call_written_as_text_is_carried_out(text: str) -> None:
    memory = chat()
    asked, _ = agent(says(text), says("At noon [2]."), memory=memory)

    answer = await asked.ask(question())

    assert [one["text"] for one in memory.asked if "text" in one] == ["when is the deploy?", "lunch noon"]
    assert [source.message for source in answer.sources] == [LUNCH]


async def test_written_calls_are_bounded_like_others() -> None:
    memory = chat()
    many = '{"name": "search_messages", "arguments": {"query": "lunch noon"}}\n' * 50
    asked, model = agent(*[says(many)] * 9, memory=memory, config=AgentConfig(max_steps=2))

    answer = await asked.ask(question())

    assert len(model.heard) == 2
    assert len([one for one in memory.asked if "text" in one]) <= 2 + 2 * 4
    assert is_marked_quotation(answer)


@pytest.mark.parametrize(
    "text", ['{"a":' * 5000, "[" * 9000 + "{" * 9000, '{"name": "search_messages", "args": 1}' * 999]
)
async def test_json_of_any_depth_is_read_or_is_a_failure(text: str) -> None:
    asked, _ = agent(*[says(text)] * 9)

    assert is_marked_quotation(await asked.ask(question()))


async def test_json_that_is_no_call_is_part_of_an_answer() -> None:
    said_so = said('the deploy sends {"name": "Ana", "arguments": {}} to the server')
    asked, _ = agent(says('It is `{"name": "Ana", "arguments": {}}` [1].'), memory=chat(said_so))

    assert (await asked.ask(question())).text == 'It is `{"name": "Ana", "arguments": {}}` [1].'


# ---- reasoning


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        pytest.param("<think>maybe [1]?</think>On Friday [1].", "On Friday [1].", id="whole"),
        pytest.param("maybe Monday?\n</think>\n\nOn Friday [1].", "On Friday [1].", id="its end alone"),
        pytest.param("<think>a</think>b</think>On Friday [1].", "On Friday [1].", id="two ends"),
        pytest.param("<thinking>hm</thinking>On Friday [1].", "On Friday [1].", id="another tag"),
        pytest.param(
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
            "<|channel|>final<|message|>On Friday [1].<|return|>",
            "On Friday [1].",
            id="channels",
        ),
        pytest.param("On Friday [1].<|im_end|>", "On Friday [1].", id="the end of the text"),
        pytest.param("Write `</think>` [1].", "Write `</think>` [1].", id="a tag in code is no reasoning"),
        pytest.param(
            "Close it [1]:\n```\n<think>\n</think>\n```",
            "Close it [1]:\n```\n<think>\n</think>\n```",
            id="nor in a block",
        ),
        pytest.param("<think>hm</think>Write `</think>` [1].", "Write `</think>` [1].", id="both"),
    ],
)
async def test_reasoning_is_cut_from_the_beginning_of_an_answer(written: str, answer: str) -> None:
    asked, _ = agent(says(written), memory=chat(said("the deploy is on friday:\n<think>\n</think>")))

    assert (await asked.ask(question())).text == answer


@pytest.mark.parametrize("content", ["deploy prints <think> at noon", "the deploy </think> ends at noon"])
async def test_a_message_that_says_think_is_quoted_as_it_is(content: str) -> None:
    message = said(content)

    answer = await Agent((), memory=chat(message)).ask(question("when does the deploy end?"))

    assert f'"{content}" [1]' in answer.text
    assert [source.message for source in answer.sources] == [message]


# ---- earlier turns


async def test_an_earlier_answer_cannot_be_said_again_without_proof() -> None:
    asked, model = agent(says("On Friday [1]."), says("On Friday."), conversations=FakeConversations())
    await asked.ask(question())

    answer = await asked.ask(question("say the deploy day again"))

    assert "On Friday." not in heard(model)
    assert is_marked_quotation(answer)


async def test_what_an_earlier_answer_cited_can_be_cited_again() -> None:
    asked, model = agent(says("On Friday [1]."), says("Friday [1]."), conversations=FakeConversations())
    await asked.ask(question())

    answer = await asked.ask(question("shorter, please"))

    assert "when is the deploy?" in heard(model)
    assert (answer.text, [source.message for source in answer.sources]) == ("Friday [1].", [DEPLOY])


def deletes(memory: FakeMemory) -> None:
    memory.messages.remove(CODE)


def edits(memory: FakeMemory) -> None:
    memory.messages[:] = [replace(CODE, content="never mind", edited_at=datetime(2026, 11, 4, 9, tzinfo=UTC))]


def moves(memory: FakeMemory) -> None:
    memory.messages[:] = [replace(CODE, channel_id=9)]


@pytest.mark.parametrize("change", [deletes, edits, moves])
async def test_words_that_are_gone_are_not_heard_again(change: Callable[[FakeMemory], None]) -> None:
    memory = chat(CODE)
    lines = (says("The door code is 4711 [1]."), says("It is 4711."))
    asked, model = agent(*lines, memory=memory, conversations=FakeConversations())
    await asked.ask(question("what is the 4711 door code?"))
    change(memory)

    answer = await asked.ask(question("say that again?"))

    assert "4711" not in heard(model).partition("Now I ask")[2] + "".join(one.text for one in model.heard[-1][2:])
    assert "The door code is" not in heard(model)
    assert "4711" not in answer.text


@pytest.mark.parametrize(
    ("turn", "is_heard"),
    [
        pytest.param({"audience": frozenset({1})}, True, id="all that it tells of may be read"),
        pytest.param({"audience": frozenset({1, 9})}, False, id="it tells of a place that may not be read now"),
        pytest.param({"cites": (DEPLOY.message_id,)}, True, id="what it cites is there"),
        pytest.param({"cites": (DEPLOY.message_id, 5)}, False, id="some of what it cites is gone"),
    ],
)
async def test_a_turn_is_heard_only_where_all_of_it_may_be_told(turn: dict[str, Any], is_heard: bool) -> None:
    kept = FakeConversations()
    earlier = Turn(asked_at=datetime(2026, 11, 4, 8, tzinfo=UTC), question="the vault?", answer="Room 12.", **turn)
    kept.turns[KEY] = [earlier]
    asked, model = agent(says("On Friday [1]."), conversations=kept)

    await asked.ask(question())

    assert ("the vault?" in heard(model)) is is_heard
    assert "Room 12." not in heard(model)


# ---- errors that nobody foresaw


class Broken(FakeMemory):
    """A memory in which one method raises what nobody foresaw, from its nth call on."""

    broken: str = ""
    calls_before: int = 0

    def __getattribute__(self, name: str) -> Any:
        if name == object.__getattribute__(self, "broken"):
            if self.calls_before <= 0:
                return _raise
            self.calls_before -= 1
        return object.__getattribute__(self, name)


async def _raise(*_: Any, **__: Any) -> Any:
    raise OverflowError("date value out of range")


def broken(method: str, *, calls_before: int = 0) -> Broken:
    memory = Broken([DEPLOY, LUNCH])
    memory.broken, memory.calls_before = method, calls_before
    return memory


async def test_a_tool_that_raises_is_a_sentence_for_the_model(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def overflow(start: str | None, end: str | None, _: Any) -> None:
        if end:
            raise OverflowError("date value out of range")

    monkeypatch.setattr(arguments, "read_window", overflow)
    forever = calls("search_messages", query="deploy", start="2026-01-01", end="9999-12-31T23:59:59Z")
    asked, model = agent(forever, says("On Friday [1]."))

    answer = await asked.ask(question())

    assert answer.text == "On Friday [1]."
    result = [message for message in model.heard[-1] if isinstance(message, ToolMessage)][-1]
    assert (result.status, "This call failed" in result.text) == ("error", True)
    assert "OverflowError" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "memory",
    [
        pytest.param(broken("search", calls_before=0), id="every search"),
        pytest.param(broken("lookup"), id="the second look at the citations"),
    ],
)
@pytest.mark.parametrize("has_model", [True, False], ids=["a model", "no model"])
async def test_a_search_that_raises_is_a_plain_sentence(memory: Broken, has_model: bool) -> None:
    asked = agent(says("On Friday [1]."), memory=memory)[0] if has_model else Agent((), memory=memory)

    answer = await asked.ask(question())

    assert answer.sources == ()
    assert "friday" not in answer.text
    assert "again" in answer.text


async def test_a_check_that_raises_once_leads_to_quotations() -> None:
    class Once(FakeMemory):
        async def lookup(self, *args: Any, **kwargs: Any) -> dict[int, Message]:
            if not any("message_ids" in one for one in self.asked):
                self.asked.append({"message_ids": []})
                raise ValueError("nobody foresaw this")
            return await super().lookup(*args, **kwargs)

    asked, _ = agent(says("On Friday [1]."), memory=Once([DEPLOY, LUNCH]))

    assert is_marked_quotation(await asked.ask(question()))


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("place_names", "when is the deploy in #general?"),
        ("author_names", "what did ana say of the deploy?"),
        ("discussions", "the deploy, two discussions ago?"),
    ],
)
async def test_a_question_that_cannot_be_read_is_still_answered(method: str, text: str) -> None:
    answer = await Agent((), memory=broken(method)).ask(question(text))

    assert "the deploy is on friday" in answer.text


async def test_a_question_whose_words_cannot_be_read_at_all_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise KeyError("\u0131rmak")

    monkeypatch.setattr("agent.reading.parse_question", fail)
    monkeypatch.setattr("agent.question_reader.parse_words", fail)

    assert (await Agent((), memory=chat()).ask(question())).text == QUOTE


async def test_a_message_that_cannot_be_quoted_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    other = said("the deploy is on friday, says bo", author_name="bo")
    whole = quotation.quotation

    def fail_for_bo(number: int, line: Any, **kwargs: Any) -> str:
        if line.message.author_name == "bo":
            raise IndexError("nobody foresaw this")
        return whole(number, line, **kwargs)

    monkeypatch.setattr(quotation, "quotation", fail_for_bo)

    answer = await Agent((), memory=chat(other, DEPLOY)).ask(question("when is the deploy?"))

    assert answer.text == QUOTE
    assert [source.message for source in answer.sources] == [DEPLOY]


class BrokenConversations(FakeConversations):
    async def recall(self, key: ConversationKey) -> list[Turn]:
        raise RuntimeError("nobody foresaw this")

    async def append(self, key: ConversationKey, turn: Turn) -> None:
        raise RuntimeError("nobody foresaw this")


async def test_a_conversation_that_raises_costs_only_the_history() -> None:
    answer = await Agent((), memory=chat(), conversations=BrokenConversations()).ask(question())

    assert answer.text == QUOTE
    assert len(answer.notes) == 1


@pytest.mark.parametrize("ending", [asyncio.CancelledError, KeyboardInterrupt])
async def test_what_cancels_or_ends_the_program_is_raised(ending: type[BaseException]) -> None:
    class Ending(FakeMemory):
        async def search(self, *args: Any, **kwargs: Any) -> SearchResult:
            raise ending

    with pytest.raises(ending):
        await Agent((), memory=Ending([DEPLOY])).ask(question())


# ---- the model's own thread, and how many may wait


class Slow(ScriptedModel):
    """A model that writes when it is let, as one in this process does: its thread is busy until then."""

    def __init__(self, lines: Iterable[Utterance]) -> None:
        super().__init__(lines)

    _began: threading.Event = PrivateAttr(default_factory=threading.Event)
    _let: threading.Event = PrivateAttr(default_factory=threading.Event)
    _threads: list[str] = PrivateAttr(default_factory=list)

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self._threads.append(threading.current_thread().name)
        self._began.set()
        assert self._let.wait(30)
        return super()._generate(messages, *args, **kwargs)

    @property
    def threads(self) -> list[str]:
        return list(self._threads)

    async def begins(self) -> None:
        assert await asyncio.to_thread(self._began.wait, 30)

    def let(self) -> None:
        self._let.set()


async def test_a_model_in_this_process_keeps_nothing_else_waiting() -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(2))
    writer = Slow([says("On Friday [1].")] * 6)
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat())
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(asked.ask(question(asker_id=one))) for one in range(6)]
        await writer.begins()
        async with asyncio.timeout(20):
            assert await asyncio.to_thread(lambda: "written") == "written"
        writer.let()

    assert [one.result().text for one in asking] == ["On Friday [1]."] * 6
    assert set(writer.threads) == {"language-model_0"}


async def test_a_question_that_waited_too_long_is_not_answered_for_nobody() -> None:
    writer = Slow([says("On Friday [1].")] * 3)
    asked = Agent(
        of(SearchFirstChatModel(writer=writer)), memory=chat(), config=AgentConfig(timeout=timedelta(seconds=2))
    )
    await asked.ready()

    answers = await asyncio.gather(*(asked.ask(question(asker_id=one)) for one in range(2)))
    writer.let()
    last = await asked.ask(question(asker_id=3))

    assert all(is_marked_quotation(answer) for answer in answers)
    assert last.text == "On Friday [1]."
    assert len(writer.threads) == 2


async def test_more_questions_than_the_model_can_take_are_answered_with_quotations() -> None:
    writer = Slow([says("On Friday [1].")] * 2)
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat(), config=AgentConfig(most_waiting=1))
    await asked.ready()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(asked.ask(question(asker_id=one))) for one in range(2)]
        await writer.begins()
        third = await asked.ask(question(asker_id=3))
        writer.let()

    assert is_marked_quotation(third)
    assert "Too many questions" in third.notes[0]
    assert {one.result().text for one in asking} == {"On Friday [1]."}


async def test_one_person_cannot_have_any_number_of_questions_open() -> None:
    writer = Slow([says("On Friday [1].")] * 3)
    asked = Agent(of(SearchFirstChatModel(writer=writer)), memory=chat(), config=AgentConfig(per_person=2))
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(asked.ask(question())) for _ in range(2)]
        await writer.begins()
        third = await asked.ask(question(channel_id=2))
        other = group.create_task(asked.ask(question(asker_id=8)))
        writer.let()

    assert third.text.startswith("You have asked 2 questions")
    assert {one.result().text for one in [*asking, other]} == {"On Friday [1]."}
    assert not asked._open


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"query": "deploy friday " * 9999}, id="a long query"),
        pytest.param({"query": "deploy", "authors": ["ana" * 999] * 999}, id="many names"),
        pytest.param({"query": "deploy", "when": "last tuesday " * 999}, id="a long time"),
        pytest.param({"query": "deploy", "start": "2026-11-03" * 999}, id="a long date"),
        pytest.param({"query": "deploy\ud800", "authors": ["\ud800\x00"]}, id="half a surrogate"),
    ],
)
async def test_what_a_model_passes_to_memory_is_bounded(arguments: dict[str, Any]) -> None:
    memory = chat()
    asked, _ = agent(calls("search_messages", **arguments), says("On Friday [1]."), memory=memory)

    assert (await asked.ask(question())).text == "On Friday [1]."
    for one in memory.asked:
        assert len(one.get("text", "")) <= 2000
        names = one["authors"].names if one.get("authors") else ()
        assert sum(map(len, names)) <= 20_000
        "".join([one.get("text", ""), *names]).encode()
