"""What a model that reads little at once is shown of what was found."""

from zoneinfo import ZoneInfo

from agent.context import Context, new_context
from agent.conversations import Earlier
from agent.lookup import Recalled
from agent.narrowed import MOST_LINES, narrowed, newest
from agent.opening import Opening
from agent.selection import Quote
from memory.message import Message
from memory.question.parse import ParsedQuestion
from memory.search.results import RankedMessage
from tests.agents import chat, question
from tests.fakes import said

PARIS = ZoneInfo("Europe/Paris")
ASKS = said("who has the week of 23 november?")
ANSWERS = said("you", reply_to=ASKS.message_id, author_name="goran")
SECRET = said("the secret week is ours", channel_id=9, channel_name="staff")
LONG = [said(f"week {number}: {'talk ' * 200}") for number in range(12)]


def opened(*messages: Message, topic: str = "week", chosen: tuple[Quote, ...] = ()) -> tuple[Context, Opening]:
    """Return what was found, each message better than the one before it."""
    asked = question("who has the week?")
    parsed = ParsedQuestion(asked.text, topic=topic, places=asked.places)
    context = new_context(asked, parsed, chat(*messages))
    lines = tuple((context.evidence.number(message), ranked(message, place)) for place, message in enumerate(messages))
    text = "\n".join(message.content for message in messages)
    return context, Opening(text, Recalled(lines, PARIS), chosen)


def ranked(message: Message, place: int) -> RankedMessage:
    return RankedMessage(message, hit=True, score=float(place))


def test_what_fits_is_left_as_it_is() -> None:
    context, opening = opened(ASKS, ANSWERS)

    assert narrowed(context, opening, max_tokens=1200) == (context, opening)


def test_the_best_hits_come_first_and_are_numbered_from_one() -> None:
    context, opening = opened(*LONG)

    small, shown = narrowed(context, opening, max_tokens=1200)

    assert len(shown.text) < 700 * 4
    assert small.evidence.messages(range(1, 99)) == {
        number: LONG[-number] for number in range(1, len(small.evidence.messages(range(1, 99))) + 1)
    }
    assert 3 <= len(small.evidence.messages(range(1, 99))) <= MOST_LINES
    assert "[1] 2026-11-03 14:02 #general ana: week 11: talk talk" in shown.text
    assert "… (cut)" in shown.text


def test_an_answer_comes_with_the_question_that_it_answers() -> None:
    quote = Quote(2, ranked(ANSWERS, 0), ASKS)
    context, opening = opened(ASKS, ANSWERS, *LONG, chosen=(quote,))

    _, shown = narrowed(context, opening, max_tokens=1200)

    asks, answers = shown.text.splitlines()[1:3]
    assert asks.endswith("who has the week of 23 november?")
    assert answers.endswith("goran: you")


def test_a_stretch_of_time_stays_in_its_order() -> None:
    context, opening = opened(*LONG, topic="")

    small, _ = narrowed(context, opening, max_tokens=1200)

    shown = list(small.evidence.messages(range(1, 99)).values())
    assert shown == [message for message in LONG if message in shown]


def test_what_may_not_be_shown_is_not_shown_here_either() -> None:
    context, opening = opened(*LONG, SECRET)

    small, shown = narrowed(context, opening, max_tokens=1200)

    assert "secret" not in shown.text
    assert SECRET not in small.evidence.messages(range(1, 99)).values()


def test_of_earlier_turns_the_newest_that_fit_are_left() -> None:
    turns = [Earlier(f"what about part {number}? {'x' * 400}") for number in range(5)]

    assert newest(turns, max_tokens=250) == turns[-2:]
    assert newest(turns, max_tokens=10_000) == turns
    assert newest(turns, max_tokens=10) == ()
