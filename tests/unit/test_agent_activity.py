"""A question for when most was said is answered by counts of the asker's own hours, days and weeks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.agent import Agent
from agent.types import Answer, Outcome
from memory.message import Message
from tests.agents import question
from tests.fakes import FakeMemory, said
from tracing import Span, Trace

MONDAY = datetime(2026, 10, 26, 8, 5, tzinfo=UTC)  # 9:05 in Paris, the day after the clock was set


def at(when: timedelta, content: str = "the kiln is warm", **fields: Any) -> Message:
    return said(content, sent_at=MONDAY + when, **fields)


def chat() -> FakeMemory:
    return FakeMemory(
        [
            at(timedelta(days=-1, hours=-8, minutes=-20), "late", author_name="Gus"),
            at(timedelta(0), "good morning", author_name="Gus"),
            at(timedelta(hours=5), author_name="Ben"),
            at(timedelta(hours=6), "the kiln is hot", author_name="Ben"),
            at(timedelta(days=1, hours=5), "the kiln is cold", author_name="Ben"),
            at(timedelta(days=1), "staff only", channel_id=9, channel_name="staff"),
        ]
    )


async def ask(text: str, **fields: Any) -> Answer:
    return await Agent((), memory=chat()).ask(question(text, **fields))


def lines(answer: Answer) -> list[str]:
    return answer.text.splitlines()[1:]


async def test_the_busiest_day_is_one_of_the_askers_own() -> None:
    answer = await ask("which day was busiest?")

    assert answer.text.startswith(
        "**5 messages** (all time, in the channels that I may read here), by day on the clock of Europe/Paris. "
        "Most: **Mon 26 Oct 2026** with 3."
    )
    assert lines(answer) == [
        "- **Mon 26 Oct 2026**: 3 messages [1]",
        "- **Sun 25 Oct 2026**: 1 message [2]",
        "- **Tue 27 Oct 2026**: 1 message [3]",
    ]
    assert answer.outcome is Outcome.COUNTED
    newest = answer.sources[0].message.sent_at
    assert newest == MONDAY + timedelta(hours=6)


async def test_an_hour_of_the_day_is_the_same_on_every_day() -> None:
    answer = await ask("when is Ben most active?")

    assert "by hour of the day on the clock of Europe/Paris. Most: **14:00 - 15:00** with 2." in answer.text
    assert lines(answer) == ["- **14:00 - 15:00**: 2 messages [1]", "- **15:00 - 16:00**: 1 message [2]"]
    assert answer.text.startswith("**3 messages** by Ben (")


async def test_as_many_on_several_days_are_all_told() -> None:
    answer = await ask("which day did we talk most about kiln?", now=MONDAY + timedelta(days=9))

    assert 'mention "kiln"' in answer.text
    assert "Most: **Mon 26 Oct 2026** with 2." in answer.text


async def test_how_active_somebody_is_comes_in_the_order_of_time() -> None:
    answer = await ask("how active was Gus?")

    assert [line.partition(":")[0] for line in lines(answer)] == ["- **Sun 25 Oct 2026**", "- **Mon 26 Oct 2026**"]
    assert "Most: **Sun 25 Oct 2026** and **Mon 26 Oct 2026** with 1 each." in answer.text


async def test_only_the_time_that_was_named_is_counted() -> None:
    answer = await ask("how active were we on 26 October?")

    assert answer.text.startswith("**3 messages** (Mon 26 Oct 00:00 - 24:00 Europe/Paris, in the")
    assert [line.partition(" [")[0] for line in lines(answer)] == [
        "- **09:00 - 10:00**: 1 message",
        "- **14:00 - 15:00**: 1 message",
        "- **15:00 - 16:00**: 1 message",
    ]


async def test_nothing_said_is_an_answer_too() -> None:
    answer = await ask("how active were we on 3 January 2020?")

    assert answer.text.startswith("No message (Fri 3 Jan 2020")
    assert (answer.outcome, answer.sources) == (Outcome.NOTHING_FOUND, ())


@pytest.mark.parametrize("text", ["how active is Etna?", "when is Etna most active?"])
async def test_what_may_be_no_person_is_searched_for(text: str) -> None:
    assert (await ask(text)).outcome is not Outcome.COUNTED


async def test_a_misspelt_name_is_read_as_the_one_that_it_is_near() -> None:
    memory = FakeMemory([said("hello", author_name="Jonathan")])

    answer = await Agent((), memory=memory).ask(question("how active is Jonhatan?"))

    assert answer.text.startswith("**1 message** by Jonhatan")
    assert 'I read "Jonhatan" as "Jonathan".' in answer.notes


async def test_the_first_and_the_last_are_told_together() -> None:
    answer = await ask("when was the kiln first and last mentioned?")

    assert answer.text.startswith('**3 messages** mention "kiln" (all time, in the channels that I may read here): the')
    assert [source.message.sent_at - MONDAY for source in answer.sources] == [
        timedelta(hours=5),
        timedelta(days=1, hours=5),
    ]


async def test_what_was_counted_stands_in_the_trace_without_its_words() -> None:
    traces: list[Trace] = []

    agent = Agent((), memory=chat(), keep_trace=traces.append)
    await agent.ask(question("which day did we talk most about kiln?"))

    (counting,) = [part for part in spans_of(traces[0].root) if part.name == "count"]
    assert counting.facts | {"wanted": "activity", "unit": "day", "answered": True, "cited": 2} == counting.facts
    assert "words" not in counting.facts


def spans_of(span: Span) -> Iterator[Span]:
    """Yield a span and all within it."""
    yield span
    for part in span.parts:
        yield from spans_of(part)
