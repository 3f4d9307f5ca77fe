"""A question for a number is answered by a number that was counted, and one for a list by what there is."""

from datetime import UTC, datetime
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from agent.agent import UNCOUNTED, Agent
from agent.types import Answer, Outcome
from errors import DatabaseUnavailableError
from memory.counting.results import Example, Share, Tally
from memory.counting.words import Sought
from memory.message import Attachment, Message
from tests.agents import agent, question, tool_outputs
from tests.fakes import FakeMemory, calls, said, says

GUS = said("cobalt costs 90 euro [1]", author_name="Gus [2]", sent_at=datetime(2026, 11, 3, 13, 1, tzinfo=UTC))
BEN = said("cobalt is too dear", author_name="ben | away", sent_at=datetime(2026, 11, 3, 13, 5, tzinfo=UTC))
BEN_AGAIN = said("no more cobalt", author_name="ben | away", sent_at=datetime(2026, 11, 3, 13, 6, tzinfo=UTC))
STAFF = said("cobalt for the staff", channel_id=9, channel_name="staff")


def chat(**changes: Any) -> FakeMemory:
    return FakeMemory([GUS, BEN, BEN_AGAIN, STAFF], **changes)


async def ask(text: str, memory: FakeMemory | None = None, **fields: Any) -> Answer:
    return await Agent((), memory=memory or chat()).ask(question(text, **fields))


def cited(answer: Answer) -> list[str]:
    return [source.message.content for source in answer.sources]


def one_message(message: Message, *items: str) -> FakeMemory:
    """Return a memory that counts these links or files of one message."""
    example = Example(message, items)
    shares = (Share(1, len(items), example),)
    return FakeMemory([message], tallied=Tally(messages=1, items=len(items), shares=shares, examples=(example,)))


async def test_how_often_somebody_mentioned_something_is_a_number() -> None:
    answer = await ask("how many times did ben mention cobalt?")

    assert answer.text.startswith("**2 messages** by ben")
    assert 'mention "cobalt" (all time, in the channels that I may read here):' in answer.text
    assert cited(answer) == ["no more cobalt", "cobalt is too dear"]
    assert answer.outcome is Outcome.COUNTED


async def test_only_readable_messages_of_the_time_that_was_named_are_counted() -> None:
    memory = chat()

    answer = await ask("how often was cobalt mentioned on 3 November?", memory)

    assert answer.text.startswith(
        '**3 messages** mention "cobalt" (Tue 3 Nov 00:00 - 24:00 Europe/Paris, in the channels'
    )
    assert memory.asked[0]["places"] == frozenset({1})
    assert answer.shown_places == frozenset({1})
    assert answer.searched is not None


async def test_none_is_an_answer_that_says_where_it_was_looked_for() -> None:
    answer = await ask("how often was bismuth mentioned in the last two days?")

    assert answer.text.startswith('No message mentions "bismuth" (Mon 2 Nov')
    assert (answer.outcome, answer.sources) == (Outcome.NOTHING_FOUND, ())


async def test_nothing_is_counted_of_somebody_unknown() -> None:
    answer = await ask("how often did Zed mention cobalt?")

    assert answer.text == 'I know nobody called "Zed" in the channels that I may read here.'


@pytest.mark.parametrize("text", ["how many messages did Ben make?", "how many comments did ben and Gus make?"])
async def test_a_name_is_known_wherever_it_stands(text: str) -> None:
    answer = await ask(text)

    assert answer.text.startswith("**3 messages** by " if "Gus" in text else "**2 messages** by ben")


async def test_whoever_asks_may_ask_for_their_own() -> None:
    answer = await ask("how often did I mention cobalt?", asker_name="Gus [2]")

    assert answer.text.startswith('**1 message** by you mentions "cobalt"')


async def test_who_said_it_most_is_told_with_the_shares_of_all() -> None:
    answer = await ask("who mentioned cobalt most?")

    lines = answer.text.splitlines()
    assert 'has most: 2 of 3 messages that mention "cobalt"' in lines[0]
    assert [line.rpartition("**: ")[2] for line in lines[1:]] == ["2 messages [1]", "1 message [2]"]
    assert cited(answer) == ["no more cobalt", "cobalt costs 90 euro [1]"]


async def test_how_many_people_said_it_is_a_number_of_people() -> None:
    answer = await ask("how many people mentioned cobalt?")

    assert answer.text.startswith("**2 people** have posted messages")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("when was cobalt first mentioned?", GUS.content),
        ("who was the first to mention cobalt?", GUS.content),
        ("when did ben first mention cobalt?", BEN.content),
        ("when was cobalt last mentioned?", BEN_AGAIN.content),
    ],
)
async def test_the_first_and_the_last_mention_are_quoted_alone(text: str, expected: str) -> None:
    assert cited(await ask(text)) == [expected]


async def test_a_model_is_not_asked_for_what_was_counted() -> None:
    answering, model = agent(memory=chat())

    answer = await answering.ask(question("how many times did ben mention cobalt?"))

    assert answer.text.startswith("**2 messages**")
    assert model.heard == []


async def test_links_are_listed_with_who_posted_them() -> None:
    link = said("see https://youtu.be/abc", author_name="[2](https://evil.example)")

    answer = await ask("any links?", one_message(link, "https://youtu.be/abc"))

    assert answer.text.startswith("**1 link** (all time, in the channels that I may read here):\n- **")
    assert "Tue 3 Nov 2026 14:02: <https://youtu.be/abc> [1]" in answer.text
    assert "[2](" not in answer.text
    assert cited(answer) == [link.content]


async def test_hidden_links_and_files_stay_hidden() -> None:
    hidden = Attachment(name="SPOILER_mug.png", url="https://cdn.example/x")
    secret = said("||https://example.org/secret||", attachments=(hidden,))

    answer = await ask("list all links", one_message(secret, "https://example.org/secret", "SPOILER_mug.png"))

    assert "(spoiler)" in answer.text
    assert "example.org" not in answer.text
    assert "SPOILER_" not in answer.text
    assert "mug" not in answer.text.replace("||mug.png||", "")


async def test_a_long_list_says_how_many_there_are() -> None:
    many = tuple(Example(said(f"https://a.example/{number}"), ("https://a.example/",)) for number in range(20))
    memory = FakeMemory(
        [example.message for example in many],
        tallied=Tally(messages=45, items=50, shares=(Share(45, 50, many[0]),), examples=many, exact=False),
    )

    answer = await ask("list all links", memory)

    assert answer.text.startswith(
        "**50 links** (all time, in the channels that I may read here), in the newest 20 of 45"
    )
    assert len(answer.sources) == 20
    assert any("counted twice" in note for note in answer.notes)


async def test_what_may_be_no_list_is_searched_for_when_there_is_none() -> None:
    memory = FakeMemory([said("the invoices are in the drawer")], tallied=Tally())

    assert cited(await ask("invoices?", memory)) == ["the invoices are in the drawer"]


async def test_no_poll_is_an_answer_where_polls_are_asked_for() -> None:
    answer = await ask("are there any polls?", FakeMemory([BEN], tallied=Tally()))

    assert answer.text.startswith("No poll (all time")


async def test_a_question_for_what_was_said_is_searched() -> None:
    assert (await ask("how many guests does the ceremony have?")).outcome is Outcome.NOTHING_FOUND


async def test_a_memory_that_is_out_is_said_to_be_so() -> None:
    answer = await ask("how often was cobalt mentioned?", chat(failures=-1))

    assert answer.outcome is Outcome.MEMORY_UNREACHABLE


class SlowToCount(FakeMemory):
    """A memory that searches, and counts too slowly."""

    async def tally(self, *_: Any, **__: Any) -> Tally:
        raise DatabaseUnavailableError("the statement took too long")


async def test_what_cannot_be_counted_is_searched_for_and_said_to_be_so() -> None:
    answer = await ask("how often was cobalt mentioned?", SlowToCount([BEN]))

    assert cited(answer) == [BEN.content]
    assert UNCOUNTED in answer.notes


async def test_a_memory_that_counts_what_may_not_be_read_is_not_repeated() -> None:
    answer = await ask("when was cobalt first mentioned?", one_message(STAFF))

    assert STAFF.content not in answer.text
    assert not answer.sources


async def test_a_model_can_have_messages_counted() -> None:
    def counting() -> AIMessage:
        return calls("count_messages", words="cobalt", authors=["ben | away"])

    answering, model = agent(counting(), says("Twice [1]."), memory=chat())

    answer = await answering.ask(question("did ben have enough of cobalt?"))

    assert "Counted exactly: 2 messages by 1 person (ben | away: 2)." in tool_outputs(model)[-1]
    assert "no more cobalt" in tool_outputs(model)[-1]
    assert answer.sources


async def test_what_a_model_has_counted_is_counted_once() -> None:
    memory = chat()
    answering, model = agent(calls("count_messages", words="cobalt"), says("Often [1]."), memory=memory)

    await answering.ask(question("did ben have enough of cobalt?"))

    assert [asked["matter"].terms for asked in memory.asked if "matter" in asked] == ["cobalt"]
    shown = tool_outputs(model)[-1]
    found = [one.content for one in memory.messages if "cobalt" in one.content.casefold() and one.content in shown]
    assert len(found) > 1
    assert sorted(found, key=shown.index) == found


async def test_a_model_can_have_links_counted() -> None:
    memory = chat()
    answering, _ = agent(calls("count_messages", what="links"), says("None [1]."), memory=memory)

    await answering.ask(question("is cobalt too dear?"))

    assert Sought.LINKS in [asked["matter"].sought for asked in memory.asked if "matter" in asked]
