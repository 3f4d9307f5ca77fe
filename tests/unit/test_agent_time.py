"""The agent and time: what a question that names one is searched in, whatever the model does."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.agent import Agent
from agent.citations import footer
from agent.lookup import MOST_LISTED
from agent.model_answers import MODEL_FAILED
from agent.models.without_tools import SearchFirstChatModel
from agent.quotation import NO_MESSAGES, NOTHING_FOUND_THEN, SELECTED
from agent.remarks import HALF_READ
from agent.selection import MOST_SPREAD
from agent.types import Answer, Outcome, Searched
from errors import DatabaseUnavailableError
from memory.message import Message
from memory.names.known import KnownNames
from memory.question.parse import ParsedQuestion
from memory.search.results import Scope
from tests.agents import agent, chat, of, question, tool_outputs
from tests.fakes import FakeConversations, FakeMemory, ScriptedModel, Utterance, calls, said, says
from time_expressions.conventions import DateOrder
from time_expressions.find import TimePhrase
from time_expressions.window import Window, intersection

TUESDAY = Window(datetime(2026, 11, 2, 23, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC))  # yesterday in Paris
SPOKEN = "Tue 3 Nov 00:00 - 24:00 Europe/Paris"

NEW = said("the deploy is on friday")
OLD = said("the deploy is on thursday", sent_at=datetime(2026, 10, 28, 13, tzinfo=UTC))
YESTERDAY = question("what was said about the deploy yesterday?")
SEARCH = calls("search_messages", query="deploy")


def windows_asked(memory: FakeMemory) -> list[tuple[Window, ...]]:
    return [asking["windows"] for asking in memory.asked if "windows" in asking]


def quoting(memory: FakeMemory) -> Agent:
    return Agent((), memory=memory)


def hourly(count: int, *, text: Callable[[int], str] = "remark number {}".format) -> list[Message]:
    """Return so many messages, spread over yesterday."""
    step = timedelta(days=1) / count
    return [
        said(text(number), sent_at=datetime(2026, 11, 2, 23, tzinfo=UTC) + number * step) for number in range(count)
    ]


# ---- a model with tools


async def test_a_model_that_forgets_the_time_is_corrected() -> None:
    memory = chat(NEW, OLD)
    asked, model = agent(SEARCH, says("On Friday [1]."), memory=memory)

    answer = await asked.ask(YESTERDAY)

    assert windows_asked(memory) == [(TUESDAY,), (TUESDAY,)]
    assert "thursday" not in tool_outputs(model)[0]
    assert f"Searched: {SPOKEN}." in tool_outputs(model)[0]
    assert footer(answer.searched) == f"searched {SPOKEN}"


@pytest.mark.parametrize(
    "time",
    [
        pytest.param({"start": "2026-10-26", "end": "2026-11-02"}, id="other dates"),
        pytest.param({"start": "2026-10-01"}, id="wider dates"),
        pytest.param({"when": "last week"}, id="other words"),
        pytest.param({"when": "All Time"}, id="all time"),
        pytest.param({"when": "yesterday"}, id="the person's words"),
        pytest.param({"when": " ", "start": ""}, id="blanks"),
    ],
)
@pytest.mark.parametrize("tool", ["search_messages", "list_messages"])
async def test_a_model_that_passes_another_time_is_held_to_the_questions(tool: str, time: dict[str, str]) -> None:
    memory = chat(NEW, OLD)
    query = {"query": "deploy"} if tool == "search_messages" else {}
    asked, _ = agent(calls(tool, **query, **time), says("On Friday [1]."), memory=memory)

    answer = await asked.ask(YESTERDAY)

    assert windows_asked(memory) == [(TUESDAY,), (TUESDAY,)]
    assert [source.message for source in answer.sources] == [NEW]


async def test_a_model_can_look_at_a_part_of_the_time() -> None:
    memory = chat(NEW, OLD)
    morning = calls("list_messages", start="2026-11-03T08:00", end="2026-11-03T12:00")
    asked, model = agent(morning, says("On Friday [1]."), memory=memory)

    answer = await asked.ask(YESTERDAY)

    assert "Searched: Tue 3 Nov 08:00 - 12:00 Europe/Paris." in tool_outputs(model)[0]
    assert footer(answer.searched) == f"searched {SPOKEN}"


async def test_surroundings_may_be_read_outside_of_the_time() -> None:
    after = said("no, on saturday", sent_at=NEW.sent_at + timedelta(days=1))
    asked, model = agent(calls("read_around", number_or_message=1), says("Done [1]."), memory=chat(NEW, after))

    answer = await asked.ask(YESTERDAY)

    assert "no, on saturday" in tool_outputs(model)[0]
    assert footer(answer.searched) == f"searched {SPOKEN}"


async def test_all_time_may_be_searched_once_the_time_of_the_question_holds_nothing() -> None:
    everything = calls("search_messages", query="deploy", when="all time")
    memory = chat(OLD)
    asked, model = agent(everything, says("On Thursday [1]."), memory=memory)

    answer = await asked.ask(YESTERDAY)

    assert 'when="all time"' in model.heard[0][-1].text
    assert windows_asked(memory) == [(TUESDAY,), ()]
    assert [source.message for source in answer.sources] == [OLD]
    assert footer(answer.searched) == "searched all time"
    assert not answer.is_limited


async def test_all_time_is_not_searched_while_the_time_may_still_hold_something() -> None:
    memory = FakeMemory([OLD], unreachable=("long-term",))
    asked, _ = agent(calls("search_messages", query="deploy", when="all time"), says("No."), memory=memory)

    await asked.ask(YESTERDAY)

    assert set(windows_asked(memory)) == {(TUESDAY,)}


async def test_a_question_without_a_time_leaves_it_to_the_model() -> None:
    memory = chat(NEW, OLD)
    asked, _ = agent(calls("search_messages", query="deploy", when="yesterday"), SEARCH, says("Ok [1]."), memory=memory)

    answer = await asked.ask(question())

    assert windows_asked(memory) == [(), (TUESDAY,), ()]
    assert footer(answer.searched) == ""


@pytest.mark.parametrize(
    ("when", "window"),
    [
        pytest.param("yesterday", TUESDAY, id="words"),
        pytest.param("2026-11-03", TUESDAY, id="a date"),
        pytest.param(
            "May",
            Window(datetime(2026, 4, 30, 22, tzinfo=UTC), datetime(2026, 5, 31, 22, tzinfo=UTC)),
            id="a month that is also a verb",
        ),
    ],
)
async def test_the_time_that_a_model_names_is_computed(when: str, window: Window) -> None:
    memory = chat()
    asked, _ = agent(calls("search_messages", query="deploy", when=when), says("Friday [1]."), memory=memory)

    await asked.ask(question())

    assert windows_asked(memory) == [(), (window,)]


async def test_discussions_that_a_model_counts_are_looked_up() -> None:
    first = Window(datetime(2026, 10, 1, 8, tzinfo=UTC), datetime(2026, 10, 1, 9, tzinfo=UTC))
    memory = FakeMemory([NEW], held=(first, TUESDAY))
    asked, _ = agent(calls("list_messages", when="our first discussion"), says("Friday [1]."), memory=memory)

    await asked.ask(question())

    assert windows_asked(memory) == [(), (first,)]


async def test_a_question_of_all_time_is_searched_over_all_time_and_the_model_is_told() -> None:
    memory = chat(NEW, OLD)
    stubborn = calls("search_messages", query="deploy", when="yesterday")
    asked, model = agent(stubborn, says("On Friday [1], once on Thursday [2]."), memory=memory)

    answer = await asked.ask(question(YESTERDAY.text, all_time=True))

    assert windows_asked(memory) == [(), ()]
    assert "wants all time searched" in model.heard[0][1].text
    assert footer(answer.searched) == "searched all time"


async def test_the_repeat_of_a_question_is_one_turn_more() -> None:
    lines = (says("On Friday [1]."), says("On Friday [1]."), says("Hello."))
    asked, model = agent(*lines, memory=chat(NEW), conversations=FakeConversations())
    for asking in (YESTERDAY, question(YESTERDAY.text, all_time=True), question("hi")):
        await asked.ask(asking)

    assert model.heard[-1][1].text.count(f"- {YESTERDAY.text}") == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(YESTERDAY.text, "about: Tue 3 Nov 2026 00:00 - 24:00 Europe/Paris.", id="a time"),
        pytest.param("when is the deploy?", "This question names no time.", id="no time"),
    ],
)
async def test_the_model_is_told_which_time_the_question_is_about(text: str, line: str) -> None:
    asked, model = agent(says("Hello."))

    await asked.ask(question(text))

    assert line in model.heard[0][1].text


async def test_of_a_long_time_a_selection_is_listed_and_counted() -> None:
    asked, model = agent(calls("list_messages"), says("Remarks [1]."), memory=chat(*hourly(200)))

    await asked.ask(YESTERDAY)

    shown = tool_outputs(model)[0]
    assert "selection from 200 messages" in shown
    assert "did not fit" not in shown
    assert "remark number 0\n" in shown
    assert "remark number 196\n" in shown


async def test_of_a_time_with_more_messages_than_are_read_all_parts_are_listed() -> None:
    memory = chat(*hourly(3 * MOST_LISTED))
    asked, model = agent(calls("list_messages"), says("Remarks [1]."), memory=memory)

    await asked.ask(YESTERDAY)

    shown = tool_outputs(model)[0]
    assert f"selection from {MOST_LISTED} or more messages" in shown
    assert "2026-11-03 00:00 #general" in shown
    assert "2026-11-03 21:" in shown
    parts = windows_asked(memory)
    parts = parts[len(parts) // 2 + 1 :]  # the model's own listing, after that which was made for it
    assert [intersection(part, (TUESDAY,)) for part in parts] == parts


async def test_of_more_messages_than_are_read_those_at_one_moment_are_a_selection_too() -> None:
    crowd = [said(f"remark number {number}") for number in range(MOST_LISTED + 1)]
    asked, model = agent(calls("list_messages"), says("Remarks [1]."), memory=chat(*crowd))

    await asked.ask(YESTERDAY)

    assert f"selection from {MOST_LISTED} or more messages" in tool_outputs(model)[0]
    assert tool_outputs(model)[0].count("remark number") <= 50


async def test_of_a_time_with_long_messages_as_many_are_listed_as_fit() -> None:
    long = hourly(40, text=lambda number: f"{number} {'word ' * 250}")
    asked, model = agent(calls("list_messages"), says("Remarks [1]."), memory=chat(*long))

    await asked.ask(YESTERDAY)

    shown = tool_outputs(model)[0]
    assert "did not fit" not in shown
    assert "ana: 33 word" in shown
    assert "selection from 40 messages" in shown


# ---- places


async def test_a_channel_that_the_question_names_is_searched_alone_and_told() -> None:
    other = said("the deploy is on monday", channel_id=2, channel_name="deploys")
    memory = chat(NEW, other)
    asked, _ = agent(SEARCH, says("On Monday [1]."), memory=memory)

    answer = await asked.ask(question("when is it, as said in #deploys?", places=frozenset({1, 2})))

    assert memory.asked[0]["places"] == {2}
    assert footer(answer.searched) == "searched in #deploys"


async def test_what_is_read_out_of_a_question_adds_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(text: str, **_: Any) -> ParsedQuestion:
        return ParsedQuestion(text, text, frozenset({1, 9}))

    monkeypatch.setattr("agent.reading.parse_question", careless)
    memory = chat()
    asked, model = agent(calls("search_messages", query="secret deploy"), says("No."), memory=memory)

    await asked.ask(question("when is the deploy in #staff?"))

    assert memory.asked[0]["places"] == {1}
    assert "secret" not in tool_outputs(model)[0]


# ---- memory that is away


class Forgetful(FakeMemory):
    """A memory that cannot tell its channels."""

    async def known_names(self, *, places: frozenset[int]) -> KnownNames:
        raise DatabaseUnavailableError("PostgreSQL did not answer")


async def test_a_question_that_memory_cannot_help_to_read_is_searched_in_the_time_of_its_words() -> None:
    memory = Forgetful([NEW, OLD])
    asked, _ = agent(SEARCH, says("On Friday [1]."), memory=memory)

    answer = await asked.ask(question("what about the deploy in #deploys yesterday?"))

    assert windows_asked(memory) == [(TUESDAY,), (TUESDAY,)]
    assert answer.text == "On Friday [1]."
    assert answer.notes == (HALF_READ,)


async def test_memory_that_is_away_all_along_is_told_once() -> None:
    memory = chat()
    memory.failures = -1
    asked, _ = agent(SEARCH, says("Nobody knows."), memory=memory)

    answer = await asked.ask(question("what about the deploy in #deploys yesterday?"))

    assert (answer.outcome, answer.notes, answer.searched) == (Outcome.MEMORY_UNREACHABLE, (), None)


# ---- without tools


async def test_without_a_model_the_matter_is_searched_in_its_time() -> None:
    memory = chat(NEW, OLD)

    answer = await quoting(memory).ask(question("what about the deploy yesterday?"))

    assert "yesterday" not in memory.asked[0]["text"]
    assert windows_asked(memory)[0] == (TUESDAY,)
    assert [source.message for source in answer.sources] == [NEW]
    assert footer(answer.searched) == f"searched {SPOKEN}"


async def test_without_a_model_a_time_is_told_by_messages_from_all_of_it() -> None:
    answer = await quoting(chat(*hourly(24), OLD)).ask(question("what did we talk about yesterday?"))

    hours = [source.message.sent_at for source in answer.sources]
    assert hours == sorted(hours)
    assert len(hours) == MOST_SPREAD
    assert hours[-1] - hours[0] > timedelta(hours=15)
    assert answer.text.endswith(f"\n\n{SELECTED.format(shown=MOST_SPREAD, amount=24)}")


async def test_without_a_model_few_messages_of_a_time_are_all_of_the_answer() -> None:
    answer = await quoting(chat(NEW, OLD)).ask(question("what did we talk about yesterday?"))

    assert answer.text == '- **ana** in #general, Tue 3 Nov 2026 14:02: "the deploy is on friday" [1]'


async def test_without_a_model_the_words_of_one_person_are_told() -> None:
    bo = said("tea is ready", author_name="bo")

    answer = await quoting(chat(NEW, bo)).ask(question("what did Bo say yesterday?"))

    assert [source.message for source in answer.sources] == [bo]


@pytest.mark.parametrize(
    ("text", "matter"),
    [
        pytest.param("what about the deploy yesterday?", "about that ", id="a matter"),
        pytest.param("what did we talk about yesterday?", "", id="a time alone"),
    ],
)
async def test_without_a_model_nothing_found_names_the_time(text: str, matter: str) -> None:
    answer = await quoting(chat(OLD)).ask(question(text))

    assert answer.text == NOTHING_FOUND_THEN.format(matter=matter, time=SPOKEN)
    assert answer.is_limited


async def test_without_a_model_a_time_alone_is_searched_for_by_its_words_in_all_time() -> None:
    asking = question("what did we talk about yesterday?", all_time=True)

    answer = await quoting(chat(OLD)).ask(asking)

    assert answer.outcome is Outcome.NOTHING_FOUND
    assert footer(answer.searched) == "searched all time"


async def test_a_model_that_cannot_call_tools_gets_the_messages_of_the_time() -> None:
    writer = ScriptedModel([says("Of the deploy [1].")])

    answer = await Agent(of(SearchFirstChatModel(writer=writer)), memory=chat(NEW, OLD)).ask(
        question("what did we talk about yesterday?")
    )

    assert [source.message for source in answer.sources] == [NEW]
    assert f"Searched: {SPOKEN}." in writer.heard[0][-1].text


@pytest.mark.parametrize("lines", [[RuntimeError("gone")], [SEARCH, RuntimeError("gone")]], ids=["at once", "later"])
async def test_quotes_in_place_of_an_answer_keep_to_the_time(lines: list[Utterance]) -> None:
    asked, _ = agent(*lines, memory=chat(NEW, OLD))

    answer: Answer = await asked.ask(question("what about the deploy yesterday?"))

    assert answer.notes == (MODEL_FAILED,)
    assert [source.message for source in answer.sources] == [NEW]
    assert footer(answer.searched) == f"searched {SPOKEN}"


@pytest.mark.parametrize(
    ("order", "day", "line"),
    [
        pytest.param(DateOrder.DAY_FIRST, 2, "2/10 read as 2 October (day first)", id="day first"),
        pytest.param(DateOrder.MONTH_FIRST, 10, "2/10 read as 10 February (month first)", id="month first"),
        pytest.param(None, 2, "2/10 read as 2 October (day first)", id="as in Paris"),
    ],
)
async def test_a_date_in_digits_is_read_in_the_order_of_the_asker_and_the_footer_says_so(
    order: DateOrder | None, day: int, line: str
) -> None:
    memory = chat(NEW)
    asked = replace(question("what was said about the deploy on 2/10?"), date_order=order)

    answer = await quoting(memory).ask(asked)

    ((window,),) = windows_asked(memory)
    assert window.start is not None
    assert window.start.astimezone(asked.time_zone).day == day
    assert footer(answer.searched).endswith(f"Europe/Paris; {line}")


async def test_the_order_of_a_date_is_not_told_where_it_makes_no_difference() -> None:
    answer = await quoting(chat(NEW)).ask(question("what was said about the deploy on 25/10?"))

    assert "day first" not in footer(answer.searched)


async def test_the_order_counts_also_for_a_question_that_is_read_without_memory() -> None:
    memory = Forgetful([NEW])
    asked = replace(question("the deploy in #deploys on 2/10"), date_order=DateOrder.MONTH_FIRST)

    await quoting(memory).ask(asked)

    (window,) = windows_asked(memory)[0]
    assert window.start is not None
    assert window.start.astimezone(asked.time_zone).month == 2


def test_a_range_of_dates_is_told_with_its_order_alone() -> None:
    days = Window(datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 2, 13, tzinfo=UTC))
    searched = Searched(
        windows=(days,),
        went_beyond=False,
        channels=(),
        now=datetime(2026, 11, 4, tzinfo=UTC),
        time_zone=ZoneInfo("UTC"),
        ordered=(TimePhrase("2/10 - 2/12", days, order_mattered=True),),
        date_order=DateOrder.MONTH_FIRST,
    )

    assert footer(searched).endswith("UTC; 2/10 - 2/12 read month first")


# ---- messages by their order


@pytest.mark.parametrize(
    ("text", "called", "found"),
    [
        pytest.param(
            "what were the last messages?", "The newest 8 messages, in the order of time:", range(16, 24), id="newest"
        ),
        pytest.param(
            "show me the last 3 messages", "The newest 3 messages, in the order of time:", range(21, 24), id="a number"
        ),
        pytest.param("the newest message", "The newest message", [23], id="the newest one"),
        pytest.param("the first 2 messages", "The first 2 messages", [0, 1], id="oldest"),
    ],
)
async def test_messages_are_selected_by_their_order_and_called_so(text: str, called: str, found: Iterable[int]) -> None:
    answer = await quoting(chat(*hourly(24))).ask(question(text))

    assert answer.text.startswith(called)
    assert [source.message.content for source in answer.sources] == [f"remark number {number}" for number in found]


async def test_as_many_of_the_newest_messages_are_given_as_can_be_shown() -> None:
    long = hourly(24, text=lambda number: f"remark {number} " + "x" * 3000)

    answer = await quoting(chat(*long)).ask(question("the last 20 messages"))

    assert answer.sources[-1].message == long[-1]
    assert answer.text.startswith(f"The newest {len(answer.sources)} messages")
    assert 1 < len(answer.sources) < 20


async def test_where_nothing_was_said_there_is_no_newest_message() -> None:
    answer = await quoting(FakeMemory()).ask(question("catch me up"))

    assert answer.text == NO_MESSAGES


async def test_a_model_is_shown_the_newest_messages_when_they_are_asked_for() -> None:
    asked, model = agent(says("Remark 23 was the last [1]."), memory=chat(*hourly(24)))

    await asked.ask(question("the newest message"))

    shown = str(model.heard[0][-1].text)
    assert "remark number 23" in shown
    assert "remark number 22" not in shown


async def test_a_model_finds_the_newest_messages_in_the_memory_that_it_names() -> None:
    memory = chat(*hourly(24))
    asked, _ = agent(calls("list_messages", scope="long"), says("Remark 23 was the last [1]."), memory=memory)

    await asked.ask(question("catch me up"))

    assert [one["scope"] for one in memory.asked if "scope" in one] == [Scope.BOTH, Scope.LONG]


# ---- times that are a matter of the question


@pytest.mark.parametrize(
    ("asking", "content"),
    [
        pytest.param("how much is the rent in January?", "the rent goes up in January", id="it speaks of that time"),
        pytest.param("the clay comes on Tuesday evening", "the clay comes on Tuesday evening", id="its very words"),
    ],
)
async def test_what_speaks_of_a_time_may_have_been_said_at_another(asking: str, content: str) -> None:
    memory = chat(said(content, sent_at=datetime(2026, 10, 20, 13, tzinfo=UTC)), OLD)

    answer = await quoting(memory).ask(question(asking))

    assert [source.message.content for source in answer.sources] == [content]
    assert "all time" in footer(answer.searched)


@pytest.mark.parametrize(
    "asking",
    [
        pytest.param("what was said about the rent in January?", id="it speaks of another time"),
        pytest.param("is the rent due yesterday?", id="a word that means another day each time"),
    ],
)
async def test_what_speaks_of_no_such_time_is_not_quoted_from_another(asking: str) -> None:
    memory = chat(said("the rent is due, said Ana yesterday", sent_at=datetime(2026, 10, 20, 13, tzinfo=UTC)))

    answer = await quoting(memory).ask(question(asking))

    assert answer.sources == ()
