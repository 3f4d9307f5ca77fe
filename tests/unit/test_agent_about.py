"""Questions that point at messages: a reply asks what somebody meant, or goes on where an answer ended."""

from datetime import UTC, datetime, timedelta

from agent.quotation import AROUND_IT
from agent.transcript import UNKNOWN_SUBJECT
from agent.types import Answer, Outcome
from memory.message import Kind, Message
from tests.agents import agent, chat, question
from tests.fakes import calls, said

START = datetime(2026, 11, 3, 13, 0, tzinfo=UTC)


def at(minute: int, content: str, **fields: object) -> Message:
    return said(content, sent_at=START + timedelta(minutes=minute), **fields)


RELAY = at(0, "the relay of the kiln clicked all night", author_name="cy")
KILN = at(9, "that kiln dies whenever the relay gets warm", author_name="bo")
DRIED = at(10, "then we dry the bowls on the roof", author_name="ana")
LUNCH = at(30, "soup again today")
HIDDEN = at(9, "the kiln relay was stolen by the boss", channel_id=9, channel_name="staff")


def cited(answer: Answer) -> list[str]:
    return [source.message.content for source in answer.sources]


async def test_a_question_without_words_of_its_own_is_answered_with_what_was_said_around_the_message() -> None:
    quoting, _ = agent(memory=chat(RELAY, KILN, DRIED, LUNCH))

    answer = await quoting.quote(question("what did he mean by that?", about=(KILN.message_id,)))

    assert answer.outcome is Outcome.QUOTED
    assert cited(answer)[:3] == [RELAY.content, KILN.content, DRIED.content]
    assert AROUND_IT in answer.notes


async def test_a_question_is_searched_for_with_the_words_of_the_message_that_it_points_at() -> None:
    old = at(-9000, "Dana swapped the relay in the kiln for a new one", author_name="dana")
    memory = chat(old, KILN, LUNCH)
    quoting, _ = agent(memory=memory)

    answer = await quoting.quote(question("who swapped it before?", about=(KILN.message_id,)))

    searched = next(asked["text"] for asked in memory.asked if "text" in asked)
    assert "swapped" in searched
    assert "relay" in searched
    assert cited(answer) == [old.content]


async def test_a_message_that_not_every_reader_may_read_is_not_used() -> None:
    memory = chat(KILN, HIDDEN)
    quoting, _ = agent(memory=memory)

    answer = await quoting.quote(question("what is this about?", about=(HIDDEN.message_id,)))

    assert HIDDEN.content not in answer.text
    assert UNKNOWN_SUBJECT in answer.notes
    assert all("stolen" not in str(asked.get("text", "")) for asked in memory.asked)


async def test_a_follow_up_is_searched_for_with_the_question_before_and_what_its_answer_cited() -> None:
    before = at(20, "<@Backscroll:5> when does the kiln fail?", kind=Kind.COMMAND)
    memory = chat(before, KILN, LUNCH)
    quoting, _ = agent(memory=memory)

    await quoting.quote(question("and who noticed it?", about=(before.message_id, KILN.message_id)))

    searched = next(asked["text"] for asked in memory.asked if "text" in asked)
    assert "when does the kiln fail" in searched
    assert "Backscroll" not in searched
    assert "relay gets warm" in searched


async def test_an_earlier_question_is_no_source() -> None:
    before = at(20, "/chat when does the kiln fail?", kind=Kind.COMMAND)
    quoting, _ = agent(memory=chat(before, LUNCH))

    answer = await quoting.quote(question("and why?", about=(before.message_id,)))

    assert cited(answer) == []


async def test_a_model_reads_the_messages_that_a_question_points_at_and_can_cite_them() -> None:
    asking, model = agent("He says that the relay overheats [1].", memory=chat(KILN, LUNCH))

    answer = await asking.ask(question("what did he mean by that?", about=(KILN.message_id,)))

    prompt = str(model.heard[0][1].text)
    assert "I ask about these messages" in prompt
    assert f"bo: {KILN.content}" in prompt
    assert prompt.endswith("what did he mean by that?")
    assert cited(answer) == [KILN.content]
    assert answer.shown_places == {1}


async def test_a_models_first_search_knows_the_message_as_well() -> None:
    memory = chat(KILN, LUNCH)
    asking, _ = agent(calls("search_messages", query="relay"), "The relay [1].", memory=memory)

    await asking.ask(question("what did he mean by that?", about=(KILN.message_id,)))

    assert "kiln dies" in next(asked["text"] for asked in memory.asked if "text" in asked)
