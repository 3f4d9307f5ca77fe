"""What was said before a message is found at hand, and memory is asked only where it may know better."""

from collections.abc import Sequence

import pytest

from memory.index.neighbours import RecentMessages
from memory.message import Kind, Message
from tests.builders import deletion, edit, message

ONE, TWO, THREE, FOUR, FIVE = (message(number, f"note {number}") for number in range(1, 6))


class Memory:
    """Knows what was said in one place, and notes what it is asked."""

    def __init__(self, *said: Message) -> None:
        self.said = said
        self.asked: list[int] = []

    async def before(self, messages: Sequence[Message]) -> list[tuple[int, Message]]:
        self.asked += [one.message_id for one in messages]
        return [
            (one.message_id, earlier)
            for one in messages
            for earlier in [earlier for earlier in self.said if earlier.sent_at < one.sent_at][-2:]
        ]


async def test_memory_is_asked_for_the_first_of_a_place_only() -> None:
    memory = Memory(ONE, TWO)
    recent = RecentMessages(memory.before)

    found = await recent.preceding([THREE, FOUR, FIVE], [THREE, FOUR, FIVE])
    later = await recent.preceding([message(6), message(7)], [message(6), message(7)])

    assert found == {3: [ONE, TWO], 4: [TWO, THREE], 5: [THREE, FOUR]}
    assert later == {6: [FOUR, FIVE], 7: [FIVE, message(6)]}
    assert memory.asked == [3, 4]


async def test_what_comes_out_of_turn_is_asked_for_and_put_among_what_comes_with_it() -> None:
    memory = Memory(ONE)
    recent = RecentMessages(memory.before)
    await recent.preceding([FOUR, FIVE], [])

    found = await recent.preceding([THREE, TWO], [THREE])

    assert found == {3: [ONE, TWO]}


async def test_memory_is_asked_for_what_was_edited() -> None:
    memory = Memory(ONE, TWO)
    recent = RecentMessages(memory.before)
    edited = edit(3, "note 3!", at=50)

    found = await recent.preceding([message(-2), message(-1), edited], [edited])

    assert found == {3: [ONE, TWO]}
    assert memory.asked == [3]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(deletion(2, at=9), id="a deleted message"),
        pytest.param(message(2, kind=Kind.ANSWER), id="an answer of the bot"),
        pytest.param(message(2, channel_id=9), id="a message of another channel"),
        pytest.param(message(2, thread_id=9), id="a message of a thread"),
    ],
)
async def test_it_stands_before_no_other(other: Message) -> None:
    recent = RecentMessages(Memory().before)

    found = await recent.preceding([ONE, other, THREE], [THREE])

    assert found == {3: [ONE]}


async def test_memory_is_asked_again_while_old_messages_that_were_edited_are_the_last_at_hand() -> None:
    memory = Memory(ONE, TWO, THREE, FOUR)
    recent = RecentMessages(memory.before)
    await recent.preceding([edit(1, "note 1!", at=50), edit(2, "note 2!", at=50)], [])

    found = await recent.preceding([FIVE], [FIVE])

    assert found == {5: [THREE, FOUR]}
