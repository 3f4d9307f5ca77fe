"""What a message said before an edit may be shown where nothing was taken out of it."""

import time

import pytest

from memory.former_texts import as_it_was, may_be_shown
from memory.message import Revision
from tests.builders import message, minute


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("we meet at the barn", "we meet at the boathouse"),
        ("the rent is 300 euro", "the rent is 350 euro"),
        ("the deploy is on friday", "the deploy is on friday, at noon"),
        ("teh deploy", "the deploy"),
        ("the the deploy is on friday", "the deploy is on friday"),
        ("see https://example.org/plan", "see https://example.org/plan and the notes"),
        ("the deploy is on friday", "EDIT: monday. the deploy is on monday"),
    ],
)
def test_what_was_corrected_may_be_shown(former: str, now: str) -> None:
    assert may_be_shown(former, now)


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("Ana is ill, we meet at the barn", "we meet at the barn"),
        ("the password is swordfish", "the password is [removed]"),
        ("the password is swordfish", "the password is xxx"),
        ("ring me at 0612 345 678", "ring me at home"),
        ("ring me at +33 (6) 12-34-56-78", "ring me later today please"),
        ("write to ana@example.org", "write to the team"),
        ("the key is at https://example.org/key", "the key is with Ben"),
        ("it is ||the butler||", "it is the gardener"),
        ("I cannot stand Ben and his endless stories about cars", "oops"),
        ("my salary is far too low for this kind of work", "hello"),
        ("the plan", ""),
        ("the plan", "..."),
        ("word " * 500, "word " * 499),
    ],
)
def test_what_was_taken_out_may_not_be_shown(former: str, now: str) -> None:
    assert not may_be_shown(former, now)


def test_a_message_as_it_was_knows_when_it_was_edited_before() -> None:
    edited = message(1, "we meet at the boathouse", edited_at=minute(9))

    revisions = [Revision(2, minute(5), "another"), Revision(1, minute(9), "we meet at the barn")]
    revisions.append(Revision(1, minute(3), "we meet at the stable"))

    was = as_it_was(edited, revisions, moment=minute(4))

    assert was is not None
    assert (was.content, was.edited_at) == ("we meet at the barn", minute(3))


def test_texts_of_any_kind_are_compared_in_no_long_time() -> None:
    started = time.process_time()

    may_be_shown("a b " * 200, "b a " * 200)
    may_be_shown("1 " * 2000, "1-" * 2000)

    assert time.process_time() - started < 1
