"""A message survives its row, and a row that is no message says why."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from memory.csv_rows import COLUMNS, from_row, to_row
from memory.messages import Attachment, Kind, Message
from tests.builders import message, minute

FULL = message(
    7,
    'She said "yes, do",\nthen left',
    guild_id=2,
    thread_id=3,
    author_id=4,
    reply_to=5,
    kind=Kind.COMMAND,
    attachments=(
        Attachment(name="plän.pdf", url="https://example.org/a?b=1,2", content_type="application/pdf", size=9),
    ),
    edited_at=minute(8.5),
    deleted_at=minute(9),
)


def row_with(column: str, text: str) -> list[str]:
    row = to_row(FULL)
    row[COLUMNS.index(column)] = text
    return row


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(FULL, id="with every field"),
        pytest.param(message(), id="with only what is required"),
        pytest.param(message(content=""), id="without a text"),
        pytest.param(message(message_id=-(2**63)), id="with the smallest id"),
        pytest.param(message(attachments=(Attachment(name="a", url="b"),)), id="with a file of unknown type"),
    ],
)
def test_a_message_reads_back_as_it_was_written(original: Message) -> None:
    assert from_row(to_row(original)) == original


def test_times_are_written_in_utc_to_the_microsecond() -> None:
    tokyo = timezone(timedelta(hours=9))
    original = message(sent_at=datetime(2026, 11, 3, 18, 0, 0, 7, tzinfo=tokyo))

    row = to_row(original)

    assert row[COLUMNS.index("sent_at")] == "2026-11-03T09:00:00.000007+00:00"
    assert from_row(row).sent_at == datetime(2026, 11, 3, 9, 0, 0, 7, tzinfo=UTC)


def test_a_lone_surrogate_in_a_file_name_becomes_its_escape() -> None:
    row = to_row(message(attachments=(Attachment(name="\ud83d.png", url="u"),)))

    assert from_row(row).attachments[0].name == r"\ud83d.png"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param([], "has 0 fields instead of 15", id="an empty line"),
        pytest.param([*to_row(FULL), ""], "has 16 fields", id="a field too many"),
        pytest.param(row_with("message_id", "seven"), "invalid literal", id="an id in words"),
        pytest.param(row_with("message_id", str(2**63)), "larger than PostgreSQL's bigint", id="an id too large"),
        pytest.param(row_with("thread_id", str(-(2**63) - 1)), "larger than", id="a thread's id too small"),
        pytest.param(row_with("channel_id", ""), "invalid literal", id="no channel"),
        pytest.param(row_with("sent_at", ""), "Invalid isoformat", id="no time"),
        pytest.param(row_with("sent_at", "2026-11-03T09:00:00"), "no offset from UTC", id="a time without its offset"),
        pytest.param(row_with("sent_at", "0001-01-01T00:00:00+14:00"), "years 1 to 9999", id="a time before the first"),
        pytest.param(row_with("kind", "shout"), "not a valid Kind", id="an unknown kind"),
        pytest.param(row_with("attachments", "{"), "attachments are not a list", id="files that are not JSON"),
        pytest.param(row_with("attachments", "3"), "attachments are not a list", id="files that are a number"),
        pytest.param(row_with("attachments", '[{"name": "a"}]'), "attachments are not a list", id="a file without url"),
        pytest.param(row_with("attachments", '[{"name": 1, "url": "u"}]'), "valid string", id="a file named 1"),
        pytest.param(row_with("attachments", "[" * 100_000), "recursion", id="files nested without end"),
    ],
)
def test_a_row_that_is_no_message_is_refused_with_a_reason(row: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_row(row)
