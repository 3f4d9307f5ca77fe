"""A page of Discord's is compared with memory: nothing newer that was heard locally is undone by it."""

from typing import Any

import pytest

from bot.history.comparison import Differences, differences
from memory.message import Attachment, Message, fold
from memory.search.stored import StoredState
from tests.builders import deletion, edit, message, minute

ASKED_AT = minute(100)


def compare(*shown: Message, stored: list[StoredState], own: frozenset[int] = frozenset()) -> Differences:
    """Compare a page with memory; of the bot's `own` messages the page shows the ids alone."""
    ids = frozenset(one.message_id for one in shown) | own
    return differences(shown, ids, {state.message_id: state for state in stored}, asked_at=ASKED_AT)


def test_a_message_that_memory_lacks_is_new() -> None:
    found = compare(message(1), message(2), stored=[StoredState(message_id=1)])

    assert found == Differences(new=(message(2),))


def test_a_message_that_memory_holds_as_it_is_adds_nothing() -> None:
    stored = [StoredState(message_id=1), StoredState(message_id=2, edited_at=minute(9))]

    assert compare(message(1), edit(2, "as it is", at=9), stored=stored) == Differences()


@pytest.mark.parametrize(
    ("known", "is_recorded"),
    [
        pytest.param({}, True, id="memory knows of no edit"),
        pytest.param({"edited_at": minute(8)}, True, id="memory knows an earlier edit"),
        pytest.param({"edited_at": minute(10)}, False, id="memory has heard of a later edit"),
        pytest.param({"deleted_at": minute(50)}, False, id="memory has heard that it is deleted"),
    ],
)
def test_an_edit_is_recorded_only_where_memory_knows_nothing_newer(known: dict[str, Any], is_recorded: bool) -> None:
    shown = edit(1, "changed", at=9)

    found = compare(shown, stored=[StoredState(message_id=1, **known)])

    assert found.edited == ((shown,) if is_recorded else ())
    assert not found.new


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"content": "the answer"}, id="words"),
        pytest.param({"content": "", "attachments": (Attachment(name="a.png", url="u"),)}, id="a file"),
    ],
)
def test_an_empty_message_that_was_completed_counts_as_completed_when_it_was_asked_for(fields: dict[str, Any]) -> None:
    shown = message(1, **fields)

    (recorded,) = compare(shown, stored=[StoredState(message_id=1, is_empty=True)]).edited

    assert (recorded.edited_at, recorded.completed_at) == (None, ASKED_AT)
    assert fold([message(1, ""), recorded])[0] == [recorded]
    heard_meanwhile = edit(1, "changed since", at=101)
    for states in ([message(1, ""), heard_meanwhile, recorded], [message(1, ""), recorded, heard_meanwhile]):
        (last,), _ = fold(states)
        assert last.content == "changed since"


def test_an_empty_message_that_is_still_empty_is_no_edit() -> None:
    assert compare(message(1, ""), stored=[StoredState(message_id=1, is_empty=True)]) == Differences()


def test_a_message_that_the_page_does_not_show_may_be_deleted_unless_memory_knows() -> None:
    stored = [StoredState(message_id=1), StoredState(message_id=2, deleted_at=minute(3)), StoredState(message_id=3)]

    assert compare(message(3), stored=stored).missing == (1,)


def test_the_bots_own_messages_are_there_and_are_not_recorded() -> None:
    found = compare(message(1), stored=[StoredState(message_id=1), StoredState(message_id=2)], own=frozenset({2, 4}))

    assert found == Differences()


def test_what_was_read_and_an_event_that_comes_in_between_merge_to_the_event_in_either_order() -> None:
    (read,) = compare(edit(1, "read", at=9), stored=[StoredState(message_id=1)]).edited

    for heard in (edit(1, "heard", at=99), deletion(1, at=99)):
        for states in ([message(1), heard, read], [message(1), read, heard]):
            (last,), _ = fold(states)
            assert (last.content, last.deleted_at) == (("heard", None) if heard.content else ("read", minute(99)))
