"""What a forgotten person said is told from everything else, and counted when it is kept out."""

import logging

import pytest

from memory.authors import webhook_author_id
from memory.capture.erased import Erased
from memory.capture.journal import BadRecord, JournalBatch
from memory.message import Kind, Message
from tests.builders import deletion, message, minute

HERS = 700_000_000_000_000_001
PROXY = webhook_author_id(900, "Luna")
UNTIL = {HERS: minute(50), 9: minute(10), PROXY: minute(10)}


@pytest.mark.parametrize(
    ("one", "covered"),
    [
        pytest.param(message(50, author_id=HERS), True, id="at the moment"),
        pytest.param(message(51, author_id=HERS), False, id="after it"),
        pytest.param(message(20, author_id=HERS, edited_at=minute(90)), True, id="edited after it"),
        pytest.param(message(20, author_id=9), False, id="after the moment of another"),
        pytest.param(message(20, author_id=8), False, id="by somebody else"),
        pytest.param(deletion(20, at=60), False, id="a deletion, which names nobody"),
        pytest.param(message(20, kind=Kind.COMMAND, author_id=HERS), True, id="a command"),
        pytest.param(message(20, kind=Kind.ANSWER, author_id=8), True, id="an answer from before the last moment"),
        pytest.param(message(51, kind=Kind.ANSWER, author_id=8), False, id="an answer since"),
    ],
)
def test_what_is_kept_out(one: Message, covered: bool) -> None:
    erased = Erased(UNTIL)

    assert erased.keep_out(one) is covered
    assert erased.kept_out == covered


def test_a_forward_that_was_erased_does_not_come_back_by_whoever_sent_it() -> None:
    erased = Erased(UNTIL, copies=frozenset({60}))

    assert erased.keep_out(message(60, author_id=4, forwarded_from=5))
    assert erased.keep_out(message(60, "", author_name="", deleted_at=minute(70)))
    assert not erased.keep_out(message(61, author_id=4, forwarded_from=5))


def test_nobody_is_forgotten() -> None:
    batch = JournalBatch((message(1, kind=Kind.ANSWER),), (BadRecord(f"x,{HERS}", "damaged"),), 10)

    assert Erased().without(batch) is batch


@pytest.mark.parametrize(
    ("line", "covered"),
    [
        pytest.param(f"1,{HERS},hello", True, id="with the id"),
        pytest.param(f"1,{HERS}7,hello", False, id="with a longer number"),
        pytest.param(f"1,{PROXY},hello", True, id="with the id of a name of a webhook"),
        pytest.param("1," + "7" * 100_000, False, id="with a very long number"),
        pytest.param("somebody else's", False, id="without a number"),
    ],
)
def test_damaged_lines(line: str, covered: bool) -> None:
    assert Erased(UNTIL).covers_line(line) is covered


def test_it_is_said_once_and_without_words(caplog: pytest.LogCaptureFixture) -> None:
    erased = Erased(UNTIL)
    batch = JournalBatch((message(1, "a secret", author_id=HERS), message(2)), (BadRecord(f"{HERS}", "damaged"),), 10)

    assert erased.without(batch) == JournalBatch((message(2),), (), 10)
    erased.without(batch)

    assert erased.kept_out == 4
    assert len(caplog.records) == 1
    caplog.set_level(logging.INFO)
    erased.tell()
    assert "4 messages or lines were kept out" in caplog.text
    assert "secret" not in caplog.text
