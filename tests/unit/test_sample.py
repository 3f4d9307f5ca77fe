"""The sample session keeps the promises that the demonstration and other tests build on."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from memory.message import Kind

DB = Path(__file__).parents[2] / "db"
COLUMNS = [
    "message_id", "sent_at", "session", "guild_id", "channel_id", "thread_id", "author_id", "reply_to",
    "author_name", "channel_name", "kind", "content", "attachments", "edited_at", "deleted_at",
]  # fmt: skip
DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
LONGEST_MESSAGE = 2000  # Discord refuses more characters
LANGUAGE_SIGNS = [
    pytest.param(r"[ぁ-ん]", id="Japanese"),
    pytest.param(r"düğün", id="Turkish"),
    pytest.param(r"¡Trato hecho!", id="Spanish"),
    pytest.param(r"backe ich einen Kuchen", id="German"),
    pytest.param(r"quelqu'un vend", id="French"),
    pytest.param("[\U0001f300-\U0001faff]", id="emoji"),
]

Line = dict[str, str]


def snowflake_time(snowflake: str) -> datetime:
    """Return the moment that Discord wrote into an id."""
    return DISCORD_EPOCH + timedelta(milliseconds=int(snowflake) >> 22)


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    """Every line of the sample: messages, their edits and their deletions."""
    with (DB / "sample.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture(scope="module")
def messages(lines: list[Line]) -> dict[str, Line]:
    """The first line of each message, by id."""
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(line["message_id"], line)
    return first


def heard_at(line: Line) -> datetime:
    """Return when the event that a line records happened."""
    return datetime.fromisoformat(line["deleted_at"] or line["edited_at"] or line["sent_at"])


def test_the_sample_is_byte_for_byte_what_the_csv_module_writes(lines: list[Line]) -> None:
    written = io.StringIO()
    writer = csv.DictWriter(written, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)

    assert (DB / "sample.csv").read_bytes() == written.getvalue().encode()


def test_every_line_has_every_column_and_a_known_kind(lines: list[Line]) -> None:
    assert all(list(line) == COLUMNS and None not in line.values() for line in lines)
    assert {line["kind"] for line in lines} == set(Kind)
    assert {line["session"] for line in lines} == {"sample"}


def test_snowflakes_carry_the_time_of_their_message(lines: list[Line]) -> None:
    wrong = [
        line["message_id"]
        for line in lines
        if snowflake_time(line["message_id"]) != datetime.fromisoformat(line["sent_at"])
    ]

    assert not wrong


def test_times_are_utc_with_milliseconds(lines: list[Line]) -> None:
    times = [line[name] for line in lines for name in ("sent_at", "edited_at", "deleted_at") if line[name]]

    assert times
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", time) for time in times)


def test_places_and_people_are_older_than_the_conversation(lines: list[Line]) -> None:
    ids = {line[name] for line in lines for name in ("guild_id", "channel_id", "thread_id", "author_id") if line[name]}

    assert max(snowflake_time(snowflake) for snowflake in ids) < datetime(2026, 10, 1, tzinfo=UTC)


def test_lines_are_in_the_order_in_which_things_happened(lines: list[Line]) -> None:
    assert [heard_at(line) for line in lines] == sorted(heard_at(line) for line in lines)


def test_the_conversation_is_large_and_fills_three_weeks(messages: dict[str, Line]) -> None:
    days = {date.fromisoformat(line["sent_at"][:10]) for line in messages.values()}

    assert 320 <= len(messages) <= 380
    assert days == {date(2026, 10, 26) + timedelta(days=number) for number in range(21)}


@pytest.mark.parametrize(
    ("column", "least"),
    [
        pytest.param("channel_id", 6, id="channels"),
        pytest.param("thread_id", 2, id="threads"),
        pytest.param("author_id", 9, id="eight people and the bot"),
    ],
)
def test_there_are_many(messages: dict[str, Line], column: str, least: int) -> None:
    assert len({line[column] for line in messages.values()} - {""}) >= least


@pytest.mark.parametrize(
    ("id_column", "name_column"),
    [
        pytest.param("channel_id", "channel_name", id="channel"),
        pytest.param("author_id", "author_name", id="author"),
    ],
)
def test_an_id_has_one_name_and_a_name_one_id(lines: list[Line], id_column: str, name_column: str) -> None:
    pairs = {(line[id_column], line[name_column]) for line in lines}

    assert len(pairs) == len({snowflake for snowflake, _ in pairs}) == len({name for _, name in pairs})


def test_a_reply_points_at_an_earlier_message_of_the_same_place(messages: dict[str, Line]) -> None:
    replies = [line for line in messages.values() if line["reply_to"]]

    assert len(replies) > 50
    for reply in replies:
        target = messages[reply["reply_to"]]
        assert target["sent_at"] < reply["sent_at"]
        assert (target["channel_id"], target["thread_id"]) == (reply["channel_id"], reply["thread_id"])


def test_edits_come_later_and_change_what_was_said(lines: list[Line], messages: dict[str, Line]) -> None:
    edits = [line for line in lines if line["edited_at"]]

    assert len(edits) >= 3
    for edit in edits:
        original = messages[edit["message_id"]]
        assert edit["edited_at"] > original["sent_at"] == edit["sent_at"]
        assert edit["content"] not in ("", original["content"])


def test_one_message_is_deleted_and_its_deletion_repeats_nothing(lines: list[Line], messages: dict[str, Line]) -> None:
    (deletion,) = [line for line in lines if line["deleted_at"]]

    assert deletion["deleted_at"] > deletion["sent_at"]
    assert (deletion["content"], deletion["attachments"]) == ("", "[]")
    assert messages[deletion["message_id"]]["content"]


def test_code_blocks_are_closed_and_some_hold_commas_quotes_and_line_breaks(lines: list[Line]) -> None:
    fenced = [line["content"] for line in lines if "```" in line["content"]]

    assert all(content.count("```") % 2 == 0 for content in fenced)
    assert any({",", '"', "\n"} <= set(content.split("```")[1]) for content in fenced)


@pytest.mark.parametrize("sign", LANGUAGE_SIGNS)
def test_somebody_writes_in(lines: list[Line], sign: str) -> None:
    assert any(re.search(sign, line["content"]) for line in lines)


def test_no_message_is_longer_than_discord_allows(lines: list[Line]) -> None:
    assert max(len(line["content"]) for line in lines) <= LONGEST_MESSAGE


def test_attachments_are_files_and_every_address_is_an_example(lines: list[Line]) -> None:
    files = [file for line in lines for file in json.loads(line["attachments"])]
    hosts = re.findall(
        r"https?://([^/\s)\"]+)", "\n".join(f"{line['content']} {line['attachments']}" for line in lines)
    )

    assert files
    assert all(file.keys() == {"name", "url", "content_type", "size"} for file in files)
    assert hosts
    assert all(host == "example.org" or host.endswith(".example.org") for host in hosts)


def test_every_answer_of_the_bot_follows_its_command(messages: dict[str, Line]) -> None:
    answers = [line for line in messages.values() if line["kind"] == Kind.ANSWER]

    assert len(answers) == 2
    assert all(messages[answer["reply_to"]]["kind"] == Kind.COMMAND for answer in answers)
    assert {answer["author_name"] for answer in answers} == {"Backscroll"}


def test_the_demonstration_asks_five_questions() -> None:
    questions = (DB / "demo.txt").read_text(encoding="utf-8").splitlines()

    assert len(questions) == 5
    assert all(question.startswith("/chat ") for question in questions)


def test_the_last_question_shares_no_telling_word_with_the_sample(lines: list[Line]) -> None:
    *_, unanswerable = (DB / "demo.txt").read_text(encoding="utf-8").splitlines()
    asked = set(re.findall(r"\w+", unanswerable.lower())) - {"chat", "what", "does", "the", "in"}
    said = {word for line in lines for word in re.findall(r"\w+", line["content"].lower())}

    assert asked
    assert not asked & said
