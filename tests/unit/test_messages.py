"""States of a message add up the same way in whatever order they are heard of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memory.message import Kind, Message, Reaction, Revision, fold, merged

SENT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)


def state(content: str = "first", *, edited: int | None = None, deleted: int | None = None) -> Message:
    """A state of message 7, edited or deleted some minutes after it was sent."""
    return Message(
        message_id=7,
        sent_at=SENT,
        session="demo",
        channel_id=1,
        channel_name="general",
        author_name="ana",
        content=content,
        edited_at=None if edited is None else SENT + timedelta(minutes=edited),
        deleted_at=None if deleted is None else SENT + timedelta(minutes=deleted),
    )


def test_an_edit_replaces_the_text_and_keeps_the_old_one_as_a_revision() -> None:
    states, revisions = fold([state("first"), state("second", edited=5)])

    assert [one.content for one in states] == ["second"]
    assert revisions == [Revision(7, SENT + timedelta(minutes=5), "first")]


def test_an_edit_that_arrives_late_does_not_undo_a_later_one() -> None:
    states, _ = fold([state("third", edited=9), state("second", edited=5)])

    assert states[0].content == "third"


def test_the_text_as_sent_does_not_undo_an_edit() -> None:
    assert merged(state("second", edited=5), state("first")).content == "second"


def test_a_deletion_keeps_the_text_and_marks_it() -> None:
    deleted = merged(state("first"), state("", deleted=3))

    assert deleted.content == "first"
    assert deleted.deleted_at == SENT + timedelta(minutes=3)


def test_an_edit_after_a_deletion_does_not_bring_the_message_back() -> None:
    assert merged(state("", deleted=3), state("second", edited=5)).deleted_at is not None


def test_what_is_known_to_be_an_answer_stays_one() -> None:
    answer = replace(state(), kind=Kind.ANSWER)

    assert merged(state("second", edited=5), answer).kind is merged(answer, state("second", edited=5)).kind
    assert merged(answer, state()).kind is Kind.ANSWER


def test_what_completes_a_message_replaces_its_text_and_leaves_no_revision() -> None:
    completed = replace(state("second, and what its file says", edited=5), completed_at=SENT + timedelta(minutes=6))

    states, revisions = fold([state("second", edited=5), completed, state("second", edited=5)])

    assert states == [completed]
    assert revisions == []


def test_an_edit_replaces_what_was_completed_before_it_however_late_that_was() -> None:
    completed = replace(state("first, and what its file says"), completed_at=SENT + timedelta(minutes=60))

    assert merged(completed, state("second", edited=5)) == state("second", edited=5)
    assert merged(state("second", edited=5), completed) == state("second", edited=5)


def test_the_newest_counts_of_reactions_stay_whatever_happens_to_the_text() -> None:
    older, newer = (
        replace(state(), reactions=(Reaction(emoji="👍", count=count),), reactions_at=SENT + timedelta(minutes=count))
        for count in (1, 2)
    )

    assert merged(newer, older).reactions == merged(older, newer).reactions == newer.reactions
    assert merged(newer, state("second", edited=5)).reactions == newer.reactions


minutes_or_none = st.none() | st.integers(1, 4)


@given(
    st.lists(st.tuples(minutes_or_none, minutes_or_none, minutes_or_none, minutes_or_none), min_size=1, max_size=5),
    st.randoms(use_true_random=False),
)
def test_states_add_up_to_the_same_in_whatever_order_they_come(times: list[Any], random: Random) -> None:
    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else SENT + timedelta(minutes=minutes)

    states = [
        replace(
            state(f"{edited} {completed}"),
            edited_at=at(edited),
            completed_at=at(completed),
            reactions=(Reaction(emoji="👍", count=counted),) if counted else (),
            reactions_at=at(counted),
            deleted_at=at(5) if deleted else None,
        )
        for edited, completed, counted, deleted in times
    ]
    shuffled = random.sample(states, len(states))

    (in_order,), _ = fold(states)
    (in_any_order,), _ = fold(shuffled)

    assert in_order == in_any_order
    latest = max(states, key=lambda one: one.said_at)
    assert (in_order.content, in_order.said_at) == (latest.content, latest.said_at)


def test_messages_with_other_keys_are_left_alone() -> None:
    other = Message(
        message_id=8,
        sent_at=SENT,
        session="demo",
        channel_id=1,
        channel_name="general",
        author_name="bruno",
        content="other",
    )

    assert fold([state(), other]) == ([state(), other], [])
