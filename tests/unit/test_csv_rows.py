"""A message survives its row, and a row that is no message says why."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.capture.journal import encoded
from memory.capture.message_csv import LARGEST, from_row, record_test, to_row
from memory.message import COLUMNS, Attachment, Kind, Message, Part, Reaction, Source
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
    in_public_thread=True,
    forwarded_from=6,
    completed_at=minute(10),
    parts=(Part(source=Source.AUTHORED, start=0, end=16), Part(source=Source.FORWARD, start=17, end=26)),
    reactions=(Reaction(emoji="👍", count=2),),
    reactions_at=minute(11),
)

NO_LIST = "cannot be read as a list"


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


def test_a_text_that_is_cut_keeps_its_parts_within_it() -> None:
    text = "a" * 2_100_000
    parts = tuple(Part(source=Source.CARD, start=at, end=at + 1_000_000) for at in (0, 1_050_000))
    beyond = Part(source=Source.FILE, start=2_099_999, end=2_100_000)

    kept = read_back(message(content=text, parts=(*parts, beyond)))

    assert len(kept.content) < len(text)
    assert [(part.start, part.end) for part in kept.parts] == [(0, 1_000_000), (1_050_000, 2_050_000)]


def test_times_are_written_in_utc_to_the_microsecond() -> None:
    tokyo = timezone(timedelta(hours=9))
    original = message(sent_at=datetime(2026, 11, 3, 18, 0, 0, 7, tzinfo=tokyo))

    row = to_row(original)

    assert row[COLUMNS.index("sent_at")] == "2026-11-03T09:00:00.000007+00:00"
    assert from_row(row).sent_at == datetime(2026, 11, 3, 9, 0, 0, 7, tzinfo=UTC)


def test_a_lone_surrogate_in_a_file_name_becomes_its_escape() -> None:
    row = to_row(message(attachments=(Attachment(name="\ud83d.png", url="u"),)))

    assert from_row(row).attachments[0].name == r"\ud83d.png"


def read_back(original: Message) -> Message:
    """Return what a message is once it was written into a CSV and read again."""
    data = encoded([to_row(original)])
    assert record_test(encoded([COLUMNS]))(data), "it is read as one record"
    assert len(data) <= LARGEST
    return from_row(next(csv.reader([data.decode()], strict=True)))


def escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
ANY_ID = st.integers(-(2**63), 2**63 - 1)
ANY_TIME = st.datetimes(timezones=st.none() | st.timezones() | st.just(UTC))
ANY_FILE = st.builds(
    Attachment, name=ANY_TEXT, url=ANY_TEXT, content_type=st.none() | ANY_TEXT, size=st.none() | st.integers()
)
ANY_MESSAGE = st.builds(
    Message,
    message_id=ANY_ID,
    sent_at=ANY_TIME,
    session=ANY_TEXT,
    channel_id=ANY_ID,
    channel_name=ANY_TEXT,
    author_name=ANY_TEXT,
    content=ANY_TEXT,
    kind=st.sampled_from(Kind),
    guild_id=st.none() | ANY_ID,
    thread_id=st.none() | ANY_ID,
    author_id=st.none() | ANY_ID,
    reply_to=st.none() | ANY_ID,
    attachments=st.lists(ANY_FILE, max_size=3).map(tuple),
    edited_at=st.none() | ANY_TIME,
    deleted_at=st.none() | ANY_TIME,
    in_public_thread=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(ANY_MESSAGE)
def test_any_message_reads_back_and_reads_back_the_same_ever_after(original: Message) -> None:
    found = read_back(original)

    assert found.content == escaped(original.content)
    assert (found.author_name, found.channel_name) == (escaped(original.author_name), escaped(original.channel_name))
    assert [one.name for one in found.attachments] == [escaped(one.name) for one in original.attachments]
    assert [one.size for one in found.attachments] == [one.size for one in original.attachments]
    assert (found.message_id, found.reply_to, found.kind) == (original.message_id, original.reply_to, original.kind)
    assert read_back(found) == found


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        pytest.param(datetime(2026, 11, 3, 9), datetime(2026, 11, 3, 9, tzinfo=UTC), id="without a zone"),  # noqa: DTZ001
        pytest.param(
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9))),
            datetime(1, 1, 1, tzinfo=UTC),
            id="before the first year",
        ),
        pytest.param(
            datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=9))),
            datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
            id="behind the last year",
        ),
    ],
)
def test_a_time_that_no_table_could_hold_becomes_the_nearest_one(time: datetime, expected: datetime) -> None:
    assert read_back(message(sent_at=time)).sent_at == expected


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(message(content='"\ud83d' * 30_000_000), id="a text of sixty million characters"),
        pytest.param(message(content="\n" * 3_000_000), id="three million lines"),
        pytest.param(message(author_name="\ud83d" * 3_000_000, channel_name='"' * 3_000_000), id="names"),
        pytest.param(
            message(content="😀" * 3_000_000, attachments=(Attachment(name="\0" * 9999, url="\ud83d" * 9999),) * 999),
            id="files without end",
        ),
    ],
)
def test_a_text_beyond_all_measure_is_shortened_and_says_so(original: Message) -> None:
    found = read_back(original)

    assert "characters are left out here]" in found.content + found.author_name
    assert read_back(found) == found


def test_an_id_beyond_bigint_is_written_and_refused_by_whoever_reads_it() -> None:
    for number in (2**63, -(2**63) - 1, 2**200_000):
        row = to_row(replace(message(), message_id=number))
        with pytest.raises(ValueError, match=r"larger than|invalid literal"):
            from_row(row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param([], f"has 0 fields instead of {len(COLUMNS)}", id="an empty line"),
        pytest.param([*to_row(FULL), ""], f"has {len(COLUMNS) + 1} fields", id="a field too many"),
        pytest.param(row_with("message_id", "seven"), "invalid literal", id="an id in words"),
        pytest.param(row_with("message_id", str(2**63)), "larger than PostgreSQL's bigint", id="an id too large"),
        pytest.param(row_with("thread_id", str(-(2**63) - 1)), "larger than", id="a thread's id too small"),
        pytest.param(row_with("channel_id", ""), "invalid literal", id="no channel"),
        pytest.param(row_with("sent_at", ""), "Invalid isoformat", id="no time"),
        pytest.param(row_with("sent_at", "2026-11-03T09:00:00"), "no offset from UTC", id="a time without its offset"),
        pytest.param(row_with("sent_at", "0001-01-01T00:00:00+14:00"), "years 1 to 9999", id="a time before the first"),
        pytest.param(row_with("kind", "shout"), "not a valid Kind", id="an unknown kind"),
        pytest.param(row_with("attachments", "{"), f"attachments {NO_LIST}", id="files that are not JSON"),
        pytest.param(row_with("attachments", "3"), f"attachments {NO_LIST}", id="files that are a number"),
        pytest.param(row_with("attachments", '[{"name": "a"}]'), f"attachments {NO_LIST}", id="a file without url"),
        pytest.param(row_with("attachments", '[{"name": 1, "url": "u"}]'), "valid string", id="a file named 1"),
        pytest.param(
            row_with("parts", '[{"source": "rumour", "start": 0, "end": 1}]'), f"parts {NO_LIST}", id="a source"
        ),
        pytest.param(row_with("attachments", "[" * 100_000), "recursion", id="files nested without end"),
    ],
)
def test_a_row_that_is_no_message_is_refused_with_a_reason(row: list[str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_row(row)
