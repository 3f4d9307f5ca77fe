"""States of a message add up the same way in whatever order they are heard of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from memory.message import Kind, Message, Revision, fold, merged

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
