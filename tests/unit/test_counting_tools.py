"""A model counts with typed tools, whose descriptions are short and whose numbers are exact."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from agent.tools.all import TOOLS
from memory.counting.words import Sought
from tests.agents import agent, question, tool_outputs
from tests.fakes import FakeMemory, calls, said, says

LONGEST_SCHEMAS = 5600
"""Characters of all tools as a model is told of them, some 1,500 tokens: a small model reads 40 of them a second."""

MONDAY = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


def chat() -> FakeMemory:
    return FakeMemory(
        [
            said("cobalt is dear", author_name="Jonathan", sent_at=MONDAY),
            said("cobalt is blue", author_name="Jonathan", sent_at=datetime(2026, 11, 3, 9, 40, tzinfo=UTC)),
            said("no cobalt for me", author_name="Mira", sent_at=datetime(2026, 11, 3, 20, 5, tzinfo=UTC)),
            said("secret cobalt", author_name="Root", channel_id=9, channel_name="staff", sent_at=MONDAY),
        ]
    )


async def told(call: AIMessage, text: str = "is cobalt any good?") -> str:
    """Return what a model is told when it makes a call."""
    answering, model = agent(call, says("Yes [1]."), memory=chat())
    await answering.ask(question(text))
    return tool_outputs(model)[-1]


def test_the_descriptions_of_all_tools_are_short() -> None:
    schemas = [convert_to_openai_tool(tool) for tool in TOOLS]

    assert len(json.dumps(schemas)) <= LONGEST_SCHEMAS
    assert all("runtime" not in json.dumps(schema) for schema in schemas)
    assert {schema["function"]["name"] for schema in schemas} >= {
        "count_messages",
        "first_and_last",
        "top_authors",
        "activity",
        "who_knows",
        "links_and_files",
    }


async def test_the_first_and_the_last_are_shown_together() -> None:
    text = await told(calls("first_and_last", words="cobalt"))

    assert text.startswith("Counted exactly: 3 messages by 2 people (Jonathan: 2, Mira: 1).\nThe first and the last")
    assert "cobalt is dear" in text
    assert "no cobalt for me" in text
    assert "cobalt is blue" not in text


async def test_who_has_most_is_told_first() -> None:
    text = await told(calls("top_authors"))

    assert text.startswith("Counted exactly: 3 messages by 2 people (Jonathan: 2, Mira: 1).\nThe newest of the first")
    assert "cobalt is blue" in text


@pytest.mark.parametrize(
    ("by", "most"),
    [
        ("day", "by day (Europe/Paris), most first: Tue 3 Nov 2026: 2; Mon 2 Nov 2026: 1."),
        ("hour", "by hour of the day (Europe/Paris), most first: 10:00 - 11:00: 2; 21:00 - 22:00: 1."),
        ("weekday", "by weekday (Europe/Paris), most first: Tuesday: 2; Monday: 1."),
        ("month", "by month (Europe/Paris), most first: November 2026: 3."),
        ("week", "by week (Europe/Paris), most first: week of Mon 2 Nov 2026: 3."),
    ],
)
async def test_when_most_was_said_is_counted_on_the_askers_clock(by: str, most: str) -> None:
    text = await told(calls("activity", by=by, words="cobalt"))

    assert text.startswith(f"Counted exactly: 3 messages {most}")
    assert "no cobalt for me" in text or by == "hour"


async def test_a_time_narrows_what_is_counted() -> None:
    assert "Counted exactly: 1 message by" in await told(calls("count_messages", words="cobalt", when="2 November"))
    assert "Counted exactly: 1 message by" in await told(calls("count_messages", words="cobalt", when="2026-11-02"))
    assert "by month" in await told(calls("activity", by="month", when="November 2026"))


async def test_links_and_files_are_asked_for_by_their_kind() -> None:
    memory = chat()
    answering, _ = agent(calls("links_and_files", what="PDFs", words="glaze"), says("None [1]."), memory=memory)

    await answering.ask(question("is cobalt any good?"))

    matter = next(asked["matter"] for asked in memory.asked if "matter" in asked)
    assert (matter.sought, matter.terms) == (Sought.PDFS, "glaze")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("count_messages", {"authors": ["Jonhatan"]}),
        ("activity", {"authors": "Jonhatan"}),
        ("search_messages", {"query": "cobalt", "authors": ["Jonhatan"]}),
    ],
)
async def test_a_misspelt_name_is_read_as_the_one_that_it_is_near(name: str, arguments: dict[str, Any]) -> None:
    text = await told(calls(name, **arguments))

    assert text.startswith('I read "Jonhatan" as "Jonathan".')
    assert "cobalt is blue" in text
    assert "no cobalt for me" not in text


@pytest.mark.parametrize("name", ["count_messages", "first_and_last", "top_authors", "activity", "links_and_files"])
async def test_nothing_is_counted_that_may_not_be_read(name: str) -> None:
    text = await told(calls(name, words="secret"))

    assert "Counted exactly: 0 messages" in text or "Counted exactly: 0 links" in text
    assert "secret cobalt" not in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("count_messages", {"words": "x" * 3000}),
        ("activity", {"by": "fortnight"}),
        ("links_and_files", {"what": "secrets"}),
        ("who_knows", {"topic": "y" * 3000}),
        ("first_and_last", {"when": "z" * 300}),
        ("top_authors", {"when": "when Ana was young"}),
    ],
)
async def test_a_wrong_argument_is_a_sentence_for_the_model(name: str, arguments: dict[str, Any]) -> None:
    text = await told(calls(name, **arguments))

    assert "Counted" not in text
    assert len(text) < 2000
