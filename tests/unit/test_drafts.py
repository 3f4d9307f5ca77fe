"""Of an answer that a model still writes people see whole sentences that will stand, and nothing else."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest

from agent.agent import REPLACED, Agent
from agent.config import AgentConfig
from agent.drafts import LONGEST_DRAFT
from agent.model_answers import MODEL_FAILED
from agent.models.without_tools import SearchFirstChatModel
from agent.proof.prove import LEFT_OUT
from agent.sentences import proven_end
from agent.types import Answer, Outcome
from errors import DatabaseUnavailableError
from memory.message import Message
from tests.agents import DEPLOY, LUNCH, SEARCH, Watching, chat, of, question
from tests.fakes import (
    FakeConversations,
    FakeMemory,
    Piece,
    ScriptedModel,
    StreamingModel,
    Utterance,
    pieces_of,
    said,
    says,
)

ALWAYS = AgentConfig(draft_every=timedelta(0), timeout=timedelta(seconds=30))
BOTH = question("when are the deploy and lunch?")
KNOWN = says("On Friday [1].")
"""What a model answers first, so that it is known to begin with its answer."""


async def watched(
    *lines: Utterance | list[Piece], memory: FakeMemory | None = None, known: bool = True, **options: Any
) -> tuple[Answer, Watching, StreamingModel]:
    """Return the answer to a question about both messages, what was seen of it before, and the model."""
    model = StreamingModel([*([KNOWN] if known else []), *lines])
    asked = Agent(of(model), memory=memory or chat(), **{"config": ALWAYS, **options})
    if known:
        await asked.ask(BOTH)
    watching = Watching()
    return await asked.ask(BOTH, watcher=watching), watching, model


def texts(watching: Watching) -> list[str]:
    return [draft.text for draft in watching.drafts]


async def test_sentences_are_shown_one_by_one_with_their_sources_as_they_are_written() -> None:
    answer, watching, _ = await watched(says("The deploy is on Friday [1]. Lunch is at noon [2]. Enjoy it."))

    assert texts(watching) == ["The deploy is on Friday [1].", "The deploy is on Friday [1]. Lunch is at noon [2]."]
    assert [source.message for source in watching.drafts[0].sources] == [DEPLOY]
    assert [source.message for source in watching.drafts[1].sources] == [DEPLOY, LUNCH]
    assert answer.text == "The deploy is on Friday [1]. Lunch is at noon [2]. Enjoy it."
    assert answer.notes == ()


async def test_a_draft_comes_while_the_rest_is_still_being_written() -> None:
    rest = asyncio.Event()
    model = StreamingModel([KNOWN, ["The deploy is on Friday [1]. Lun", rest, "ch is at noon [2]."]])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)
    await asked.ask(BOTH)
    watching = Watching()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(asked.ask(BOTH, watcher=watching))
        await watching.sees("on Friday [1].")
        assert not asking.done()
        rest.set()

    assert asking.result().text == "The deploy is on Friday [1]. Lunch is at noon [2]."


async def test_a_sentence_without_a_mark_waits_for_the_next_mark() -> None:
    _, watching, _ = await watched(says("I looked it up. The deploy is on Friday [1]. That is soon. It is certain."))

    assert texts(watching) == ["I looked it up. The deploy is on Friday [1]."]


async def test_marks_are_numbered_in_a_draft_as_in_the_answer() -> None:
    answer, watching, _ = await watched(says("Lunch is at noon [2]. The deploy is on Friday [1][2]. Bye."))

    assert texts(watching) == ["Lunch is at noon [1].", "Lunch is at noon [1]. The deploy is on Friday [2][1]."]
    assert answer.text.startswith(texts(watching)[-1])


@pytest.mark.parametrize("mark", ["[9]", "", "\\[9\\]"])
async def test_a_sentence_whose_mark_does_not_hold_is_not_shown_before_one_that_does(mark: str) -> None:
    _, watching, _ = await watched(says(f"Ana said no {mark}. The deploy is on Friday [1]. Bye."))

    assert all("Friday [1]." in text for text in texts(watching))
    assert len(watching.drafts) == 1


class Deleting(FakeMemory):
    """A memory in which a message is deleted when it is looked up before anything else is."""

    async def lookup(self, *args: Any, **kwargs: Any) -> dict[int, Message]:
        found = await super().lookup(*args, **kwargs)
        return {key: message for key, message in found.items() if message != LUNCH}


async def test_a_sentence_is_held_back_when_its_message_was_deleted_meanwhile() -> None:
    lines = says("The deploy is on Friday [1]. Lunch is at noon [2]. Bye now.")
    answer, watching, _ = await watched(lines, memory=Deleting([DEPLOY, LUNCH]))

    assert texts(watching) == ["The deploy is on Friday [1]."]
    assert answer.text == "The deploy is on Friday [1]. Bye now."


async def test_what_was_shown_and_has_lost_its_source_by_the_end_is_said_to_be_replaced() -> None:
    memory = chat()

    class Vanishing(FakeMemory):
        async def lookup(self, *args: Any, **kwargs: Any) -> dict[int, Message]:
            found = await super().lookup(*args, **kwargs)
            return found if not watching.drafts else {k: m for k, m in found.items() if m != DEPLOY}

    watching = Watching()
    model = StreamingModel([KNOWN, says("The deploy is on Friday [1]. Lunch is at noon [2]. Bye.")])
    asked = Agent(of(model), memory=Vanishing(memory.messages), config=ALWAYS)
    await asked.ask(BOTH)

    answer = await asked.ask(BOTH, watcher=watching)

    assert texts(watching) == ["The deploy is on Friday [1]."]
    assert answer.text == "Lunch is at noon [1]. Bye."
    assert answer.notes == (LEFT_OUT, REPLACED)


async def test_a_memory_that_stops_answering_ends_the_drafts_and_not_the_answer() -> None:
    class NoLookup(FakeMemory):
        async def lookup(self, *args: Any, **kwargs: Any) -> dict[int, Message]:
            raise DatabaseUnavailableError("PostgreSQL did not answer")

    answer, watching, _ = await watched(
        says("The deploy is on Friday [1]. Lunch is at noon [2]."), memory=NoLookup([DEPLOY, LUNCH])
    )

    assert watching.drafts == []
    assert answer.text == "The deploy is on Friday [1]. Lunch is at noon [2]."


async def test_a_model_that_fails_in_the_middle_is_replaced_by_quotations_which_say_so() -> None:
    answer, watching, _ = await watched(["The deploy is on Friday [1]. Lunch", RuntimeError("gone")])

    assert texts(watching) == ["The deploy is on Friday [1]."]
    assert (answer.outcome, answer.notes) == (Outcome.QUOTED, (MODEL_FAILED, REPLACED))


NEVER_SHOWN = [
    pytest.param("<think>It is [1]. Or [2]. Well.</think>The deploy is on Friday [1]. Bye.", id="reasoning"),
    pytest.param("<think>It is [1]. Or [2]. And so on.", id="reasoning without an end"),
    pytest.param("<think>It is [1]. Or", id="reasoning that was cut off"),
    pytest.param("<|channel|>analysis<|message|>It is [1]. Or [2]. Well.", id="a channel of reasoning"),
    pytest.param('{"name": "read_around", "arguments": {"query": "It is [1]. Or [2]. Well."}}', id="a call as JSON"),
    pytest.param("<tool_call>It is [1]. Or [2]. Well.</tool_call>", id="a call between tags"),
    pytest.param("search_messages(It is [1]. Or [2]. Well.)", id="a call as Python"),
    pytest.param("<messages-12>\n[1] 2026-11-03 14:02 #general ana: It is [1]. Or [2]. Well.", id="a fence"),
    pytest.param("<|im_start|>It is [1]. Or [2]. Well.", id="a template"),
]


@pytest.mark.parametrize("written", NEVER_SHOWN)
async def test_what_is_not_for_readers_is_never_shown(written: str) -> None:
    _, watching, _ = await watched(says(written), says("On Friday [1]."))

    assert all("Or" not in text and "It is" not in text for text in texts(watching))


async def test_reasoning_whose_first_tag_the_server_left_out_is_never_shown() -> None:
    thoughts = says("It is [1]. Or [2]. Well.</think>The deploy is on Friday [1]. Bye.")
    answer, watching, _ = await watched(thoughts, known=False)
    assert (texts(watching), answer.text) == ([], "The deploy is on Friday [1]. Bye.")

    model = StreamingModel([thoughts, says("The deploy is on Friday [1]. Bye."), thoughts])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)
    for _ in range(3):
        await asked.ask(BOTH, watcher=watching)

    assert texts(watching) == [], "not even after an answer without any"


async def test_a_call_behind_words_ends_what_is_shown_and_the_answer_says_that_it_was_replaced() -> None:
    words = "The deploy is on Friday [1]. Let me see."
    answer, watching, _ = await watched([words, *pieces_of(SEARCH)], says("Lunch is at noon [2]. Bye."))

    assert texts(watching) == ["The deploy is on Friday [1]."]
    assert (answer.text, answer.notes) == ("Lunch is at noon [1]. Bye.", (REPLACED,))


async def test_words_in_front_of_a_call_are_not_shown_and_the_answer_behind_it_is() -> None:
    answer, watching, _ = await watched(["Let me see [1]", *pieces_of(SEARCH)], says("Lunch is at noon [2]. Bye."))

    assert texts(watching) == ["Lunch is at noon [1]."]
    assert (answer.text, answer.notes) == ("Lunch is at noon [1]. Bye.", ())


HALF = [
    pytest.param("```\nOn Friday [1]. At noon [2]. Later", id="a block of code"),
    pytest.param("It says `On Friday [1]. At noon [2]. Later", id="code in a line"),
    pytest.param("It is ||On Friday [1]. At noon [2]. Later", id="a spoiler"),
    pytest.param("It is **On Friday [1]. At noon [2]. Later", id="bold words"),
    pytest.param("- On Friday [1]. At noon [2]. Later", id="an item of a list"),
    pytest.param("1. On Friday [1]. At noon [2]. Later", id="a numbered item"),
    pytest.param("> On Friday [1]. At noon [2]. Later", id="a quote"),
    pytest.param("- On Friday [1].\n  At noon [2]. Later", id="an item that goes on in the next line"),
    pytest.param("| when | what |\n|---|---|\n| Friday. | deploy [1] |\n| Noon", id="a table"),
    pytest.param("when | what\n---|---\nFriday. | deploy [1]\nNoon", id="a table without borders"),
    pytest.param("It is on Friday, see [the plan [1]. It is", id="brackets"),
    pytest.param("On Friday [1], says Dr. Who", id="an abbreviation"),
    pytest.param("On Friday [1] at 3. p.m. and", id="a sentence that goes on in small letters"),
    pytest.param("On Friday. [1", id="half a mark"),
    pytest.param("On Friday [1].", id="an end that may get another mark"),
    pytest.param("On Friday [1]. ", id="a space that may be followed by a mark"),
]


@pytest.mark.parametrize("written", HALF)
async def test_nothing_is_shown_half_written(written: str) -> None:
    rest = asyncio.Event()
    model = StreamingModel([KNOWN, [*written, rest]])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)
    await asked.ask(BOTH)
    watching = Watching()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(asked.ask(BOTH, watcher=watching))
        await asyncio.sleep(0.3)
        asking.cancel()

    assert len(model.heard) == 2
    assert texts(watching) == []


WHOLE = [
    pytest.param("See:\n```\nthe deploy\n```\nSo [1]. Done", "See:\n```\nthe deploy\n```\nSo [1].", id="code"),
    pytest.param("- On Friday [1].\n- At noon [2].\n- Later", "- On Friday [1].\n- At noon [2].", id="items"),
    pytest.param("|a|b|\n|-|-|\n|c|d [1]|\n\nDone", "|a|b|\n|-|-|\n|c|d [1]|", id="a table"),
    pytest.param("On Friday. [1] At", "On Friday. [1]", id="a mark behind the stop"),
    pytest.param("On Friday [1]\n\nAt", "On Friday [1]", id="a paragraph without a stop"),
    pytest.param("On Friday【1】. At", "On Friday[1].", id="a mark of another form"),
    pytest.param("金曜日です[1]。正午", "金曜日です[1]。", id="a script without spaces"),
    pytest.param("Is it? **Yes, on Friday [1].** At", "Is it? **Yes, on Friday [1].**", id="bold words"),
]


@pytest.mark.parametrize(("written", "shown"), WHOLE)
async def test_what_is_whole_is_shown(written: str, shown: str) -> None:
    _, watching, _ = await watched(says(written))

    assert texts(watching)[-1] == shown


async def test_what_a_message_hides_is_not_shown_open_in_a_draft() -> None:
    hidden = said("the deploy ends ||ana wins. bo weeps||", author_name="gus")
    answer, watching, _ = await watched(
        says("The deploy ends [1]. Really: ana wins. Bo weeps [1]. Lunch [2]. Bye"), memory=chat(hidden, LUNCH)
    )

    assert all("wins" not in text for text in texts(watching))
    assert "||" in answer.text


async def test_a_name_that_looks_like_a_mark_is_not_shown_as_one() -> None:
    named = said("the deploy is on friday", author_name="Gus. [2] Jr")
    answer, watching, _ = await watched(says("So says Gus. [2] Jr of the deploy [1]. Bye."), memory=chat(named, LUNCH))

    assert texts(watching) == ["So says Gus. \\[2\\] Jr of the deploy [1]."]
    assert answer.text.startswith(texts(watching)[-1])


async def test_an_unknown_channel_is_named_before_a_draft_as_before_the_answer() -> None:
    model = StreamingModel([KNOWN, says("On Friday [1]. At noon [2]. Bye.")])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)
    await asked.ask(BOTH)
    watching = Watching()

    answer = await asked.ask(question("deploy and lunch in #general and #nowhere?"), watcher=watching)

    assert texts(watching)[0] == "I know no channel #nowhere that I may show you here.\n\nOn Friday [1]."
    assert answer.text.startswith(texts(watching)[-1])
    assert answer.notes == ()


async def test_drafts_are_some_time_apart() -> None:
    config = AgentConfig(draft_every=timedelta(minutes=1))
    written: list[Piece] = ["On Friday [1]. At noon", *(" [2]. Bye. At noon" for _ in range(20))]
    _, watching, _ = await watched(written, config=config)

    assert len(watching.drafts) == 1


async def test_of_an_endless_answer_so_much_is_shown_and_no_more() -> None:
    _, watching, _ = await watched(says("On Friday [1]. At noon [2]. " * 600))

    assert len(watching.drafts) <= 60
    assert len(texts(watching)[-1]) <= 8000


async def test_a_model_that_is_not_watched_is_asked_for_the_whole() -> None:
    model = StreamingModel([KNOWN, KNOWN])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)

    assert [(await asked.ask(BOTH)).text for _ in range(2)] == ["On Friday [1]."] * 2


@pytest.mark.parametrize("is_local", [False, True])
async def test_a_model_that_does_not_stream_answers_as_before(is_local: bool) -> None:
    model = ScriptedModel([KNOWN, says("On Friday [1]. At noon [2]. Bye.")])
    asked = Agent(of(SearchFirstChatModel(writer=model) if is_local else model), memory=chat(), config=ALWAYS)
    await asked.ask(BOTH)
    watching = Watching()

    answer = await asked.ask(BOTH, watcher=watching)

    assert (answer.text, answer.notes, watching.drafts) == ("On Friday [1]. At noon [2]. Bye.", (), [])


async def test_a_watcher_that_raises_does_not_break_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def step(self, step: object) -> None:
            raise RuntimeError("broken")

        draft = step

    model = StreamingModel([KNOWN, says("On Friday [1]. At noon [2]. Bye.")])
    asked = Agent(of(model), memory=chat(), config=ALWAYS)
    await asked.ask(BOTH)

    answer = await asked.ask(BOTH, watcher=Broken())

    assert (answer.text, answer.notes) == ("On Friday [1]. At noon [2]. Bye.", ())
    assert caplog.text.count("without a word to whoever waits") == 1


@pytest.mark.parametrize("error", ["No generations found in stream.", "Bad request:\nStreaming is not supported here."])
async def test_a_server_that_takes_no_requests_for_pieces_is_asked_for_the_whole(error: str) -> None:
    answer, watching, model = await watched(ValueError(error), says("On Friday [1]. Bye."))

    assert (answer.text, answer.notes, watching.drafts) == ("On Friday [1]. Bye.", (), [])
    assert len(model.heard) == 3


async def test_a_question_that_is_cancelled_while_it_is_written_stops_the_model_and_keeps_no_turn() -> None:
    kept = FakeConversations()
    model = StreamingModel([KNOWN, ["On Friday [1]. At", asyncio.Event()]])
    asked = Agent(of(model), memory=chat(), config=ALWAYS, conversations=kept)
    await asked.ask(question(asker_id=1))
    watching = Watching()
    asking = asyncio.create_task(asked.ask(BOTH, watcher=watching))
    await watching.sees("[1].")

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    await asyncio.wait_for(model.closed.wait(), 5)
    assert [key.asker_id for key in kept.turns] == [1]
    assert (asked._models._models[0]._queue.under_way, asked._reading.under_way, asked._open) == (0, 0, {})


@pytest.mark.parametrize(
    "piece",
    [
        "A. ",
        "[1]. ",
        "**A. ",
        "[A. ",
        "`A. ",
        "- A.\n",
        "|A. ",
        "\n\nA. ",
        "A [1]. ",
        "> ",
        "```\n",
        "\\",
        "Dr. ",
        "。",
    ],
)
def test_no_text_takes_long_to_be_looked_through(piece: str) -> None:
    text = (piece * LONGEST_DRAFT)[:LONGEST_DRAFT]
    begun = time.thread_time()

    proven_end(text, {1})

    assert time.thread_time() - begun < 0.5


async def test_a_text_is_looked_through_now_and_then_and_not_for_every_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[str] = []

    def look(text: str, _: object) -> int:
        looks.append(text)
        return 0

    monkeypatch.setattr("agent.drafts.proven_end", look)

    await watched(says("No mark comes. " * 100), config=AgentConfig(draft_every=timedelta(minutes=1)))

    assert len(looks) == 1


async def test_a_fault_in_drafts_costs_the_drafts_and_not_the_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("agent.drafts.proven_end", fail)

    answer, watching, _ = await watched(says("On Friday [1]. At noon [2]. Bye."))

    assert (answer.text, answer.notes, watching.drafts) == ("On Friday [1]. At noon [2]. Bye.", (), [])
    assert "ZeroDivisionError" in caplog.text
