"""Cleaning: every record becomes a message, or is counted among what did not, with a reason."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pandas import DataFrame

from memory.capture.message_csv import from_row, to_row
from memory.message import COLUMNS, Attachment, Kind, Message, Revision, fold
from ops.promotion.clean import (
    AUTHORS_UNKNOWN,
    DUPLICATES,
    EMPTY,
    IDS_FROM_WORDS,
    IDS_MADE,
    IDS_ROUNDED,
    STATES,
    UNKNOWN_AUTHOR,
    UNREADABLE_VECTORS,
    clean,
)
from ops.promotion.derived_ids import Occurrences, derived_id
from ops.promotion.records import CleanBatch, RawBatch, Reject
from ops.promotion.times import snowflake_time
from tests.builders import FULL, deletion, edit, every_order_of_states, message, minute

BERLIN = ZoneInfo("Europe/Berlin")
SENT = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
DISCORD_ID = (int(SENT.timestamp() * 1000) - 1_420_070_400_000) << 22


def chunk_of(rows: Sequence[dict[str, str]], **changes: Any) -> RawBatch:
    """Return a chunk of others with these rows; what a row lacks is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name, "") for row in rows] for name in names}
    frame = DataFrame(columns, index=range(1, len(rows) + 1), dtype=str)
    return RawBatch(**{"source": "chat.csv", "first_record": 1, "frame": frame, "end_bytes": 1, **changes})


def own_chunk(rows: Iterable[Sequence[str]], **columns: list[str]) -> RawBatch:
    """Return a chunk of a CSV of ours with these rows."""
    return chunk_of(
        [
            {**dict(zip(COLUMNS, row, strict=True)), **{name: texts[at] for name, texts in columns.items()}}
            for at, row in enumerate(rows)
        ],
        ours=True,
    )


def cleaned(chunk: RawBatch) -> CleanBatch:
    return clean(chunk, session="old chat", time_zone=BERLIN)


def row(text: str = "hello", **columns: str) -> dict[str, str]:
    return {"content": text, "sent_at": "2026-11-03 10:00", "author_name": "ana", "channel_name": "general", **columns}


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(FULL, id="with every field"),
        pytest.param(message(), id="with only what is required"),
        pytest.param(message(content=""), id="without a text"),
        pytest.param(message(message_id=-(2**63)), id="with the smallest id"),
        pytest.param(message(kind=Kind.ANSWER), id="an answer"),
        pytest.param(message(attachments=(Attachment(name="a", url="b"),)), id="with a file"),
    ],
)
def test_a_row_of_ours_reads_as_it_was_written(original: Message) -> None:
    assert cleaned(own_chunk([to_row(original)])).messages == [original]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        pytest.param("message_id", "1.23E+17", id="a rounded id"),
        pytest.param("message_id", "", id="no id"),
        pytest.param("message_id", str(2**63), id="an id larger than bigint"),
        pytest.param("author_id", "#NAME?", id="a formula's error for an id"),
        pytest.param("sent_at", "#REF!", id="a formula's error for a time"),
        pytest.param("sent_at", "2026-11-03T09:00:00", id="a time without an offset"),
        pytest.param("sent_at", "0001-01-01T00:00:00+14:00", id="a time before the year 1"),
        pytest.param("kind", "shout", id="an unknown kind"),
        pytest.param("attachments", "[1]", id="files that are none"),
    ],
)
def test_a_row_of_ours_that_is_no_message_is_refused_for_what_is_wrong(column: str, text: str) -> None:
    fields = to_row(FULL)
    fields[COLUMNS.index(column)] = text
    with pytest.raises(ValueError, match=r"."):
        from_row(fields)

    found = cleaned(own_chunk([to_row(message(1)), fields, to_row(message(2))]))

    (refused,) = found.rejects
    assert (refused.record, refused.reason.partition(":")[0]) == (2, column)
    assert [one.message_id for one in found.messages] == [1, 2]


def test_every_order_of_states_comes_to_what_the_fold_says() -> None:
    states = [state for order in every_order_of_states() for state in order]

    found = cleaned(own_chunk(map(to_row, states)))

    assert (found.messages, found.revisions) == fold(states)
    assert found.merged == len(states) - len(found.messages)
    assert found.notes[STATES] == found.merged


def test_a_state_that_comes_twice_is_a_duplicate() -> None:
    states = [message(1), edit(1, "better", at=2), message(1), edit(1, "better", at=2), deletion(1, at=3)]

    found = cleaned(own_chunk(map(to_row, states)))

    assert found.messages == [edit(1, "better", at=2, deleted_at=minute(3))]
    assert found.revisions == [Revision(1, minute(2), "hello")]
    assert (found.duplicates, found.merged, found.notes[DUPLICATES]) == (2, 2, 2)


def test_a_record_that_contradicts_an_earlier_one_is_refused() -> None:
    found = cleaned(own_chunk([to_row(message(1, "yes")), to_row(message(1, "no"))]))

    assert [one.content for one in found.messages] == ["yes"]
    assert [one.record for one in found.rejects] == [2]


def test_what_reads_back_of_ours_keeps_its_session_and_another_row_gets_the_sources() -> None:
    found = cleaned(own_chunk([to_row(message(1, session="monday")), to_row(message(2, session=""))]))

    assert [one.session for one in found.messages] == ["monday", "old chat"]


def test_a_chat_of_others_becomes_messages() -> None:
    found = cleaned(chunk_of([row(author_id="7", reply_to="", guild_id="3")]))

    (one,) = found.messages
    assert replace(one, message_id=0, channel_id=0) == Message(
        message_id=0,
        sent_at=SENT,
        session="old chat",
        channel_id=0,
        channel_name="general",
        author_name="ana",
        author_id=7,
        guild_id=3,
        content="hello",
    )
    assert found.notes["times without an offset, read in the time zone Europe/Berlin"] == 1


def test_ids_that_are_missing_are_the_same_in_every_run_and_none_of_discord() -> None:
    first, again = (cleaned(chunk_of([row("a"), row("b"), row("a", author_name="bo")])).messages for _ in range(2))

    assert first == again
    assert len({one.message_id for one in first}) == 3
    assert {one.channel_id for one in first} == {derived_id("channel", "", "general")}
    assert all(2**62 <= number < 2**63 for one in first for number in (one.message_id, one.channel_id))


def test_rows_that_are_the_same_to_the_millisecond_count_once_and_others_keep_apart() -> None:
    at = "2026-11-03T09:00:00.123Z"
    rows = [row(sent_at=at), row(sent_at=at), row(sent_at=at, attachments="https://example.org/a.png"), row("hello ")]

    found = cleaned(chunk_of(rows))

    assert (len(found.messages), found.duplicates) == (3, 1)
    assert found.notes[IDS_MADE] == 4


def test_somebody_may_say_the_same_twice_in_a_minute() -> None:
    chunks = [chunk_of([row("lol"), row("lol")]), chunk_of([row("lol")])]
    occurrences = Occurrences()

    first, again = (
        [
            one.message_id
            for chunk in chunks
            for one in clean(chunk, session="", time_zone=BERLIN, occurrences=known).messages
        ]
        for known in (occurrences, Occurrences())
    )

    assert first == again
    assert len(set(first)) == 3


def test_without_a_channel_the_file_is_one() -> None:
    found = cleaned(chunk_of([{"content": "hi", "sent_at": "2026-11-03 10:00"}]))

    (one,) = found.messages
    assert (one.channel_name, one.channel_id) == ("chat", derived_id("channel", "", "chat"))
    assert one.author_id is None


def test_ids_that_are_words_become_numbers_that_replies_find() -> None:
    found = cleaned(chunk_of([row(message_id="m-1"), row("yes", message_id="m-2", reply_to="m-1", author_id="U7")]))

    first, second = found.messages
    assert second.reply_to == first.message_id
    assert found.notes[IDS_FROM_WORDS] == 3


def test_things_of_different_kinds_that_are_called_the_same_have_ids_of_their_own() -> None:
    (one,) = cleaned(chunk_of([row(message_id="x", channel_id="x", author_id="x", guild_id="x")])).messages

    assert len({one.message_id, one.channel_id, one.author_id, one.guild_id}) == 4


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        pytest.param({"channel_id": "#NAME?"}, "channel_id", id="a formula's error"),
        pytest.param({"reply_to": str(2**63)}, "reply_to", id="an id larger than bigint"),
        pytest.param({"sent_at": "#VALUE!"}, "sent_at", id="a formula's error for a time"),
        pytest.param({"sent_at": ""}, "sent_at", id="no time"),
        pytest.param({"sent_at": "soon"}, "sent_at", id="no such time"),
        pytest.param({"kind": "shout"}, "kind", id="an unknown kind"),
    ],
)
def test_what_a_spreadsheet_spoilt_is_refused_with_the_record(columns: dict[str, str], column: str) -> None:
    found = cleaned(chunk_of([row("kept"), row("bad", **columns)], records=["kept\r\n", "bad, as it was\r\n"]))

    (refused,) = found.rejects
    assert (refused.record, refused.text) == (2, "bad, as it was")
    assert refused.reason.startswith(f"{column}: ")
    assert [one.content for one in found.messages] == ["kept"]


ROUNDED = ["1.56792E+18", "1,56792e+18", "1567918968570642475.0"]


@pytest.mark.parametrize("text", ROUNDED)
def test_an_id_that_was_written_as_a_number_without_its_digits_is_none(text: str) -> None:
    columns = dict.fromkeys(("message_id", "author_id", "guild_id", "reply_to"), text)
    plain = cleaned(chunk_of([row(), row("b", author_name="bo")])).messages

    found = cleaned(chunk_of([row(**columns), row("b", author_name="bo", **columns)]))

    assert (found.messages, found.rejects) == (plain, [])
    assert found.notes[IDS_ROUNDED] == 8


def test_a_channel_whose_id_is_rounded_is_one_that_nobody_can_read_in_discord() -> None:
    (one,) = cleaned(chunk_of([row(channel_id="1.08674E+18", thread_id="1.08674E+18")])).messages

    assert one.channel_id == one.thread_id == derived_id("channel", "1.08674E+18")


def test_rounded_ids_of_a_file_are_not_trusted_and_whole_ones_are() -> None:
    rows = [row("a", message_id=str(DISCORD_ID + 5), author_id="485020107559403000"), row("b", author_id="7")]

    first, second = cleaned(chunk_of(rows, rounding="digits")).messages

    assert (first.message_id, first.author_id, second.author_id) == (DISCORD_ID + 5, None, 7)


def test_a_time_is_taken_from_an_id_that_lost_less_than_a_millisecond() -> None:
    (one,) = cleaned(chunk_of([row(message_id="1567918968570640000", sent_at="")], rounding="digits")).messages

    assert one.sent_at == snowflake_time(1567918968570640000)


def test_a_refused_record_that_was_no_csv_is_written_as_one() -> None:
    found = cleaned(chunk_of([row('say "hi"', sent_at="soon")]))

    assert found.rejects[0].text == '"say ""hi""",soon,ana,general'


@pytest.mark.parametrize("words", ["=1+1", "+1", "-no", "@everyone", "#NAME?", "1.23E+17"])
def test_words_that_look_like_formulas_are_kept(words: str) -> None:
    assert [one.content for one in cleaned(chunk_of([row(words)])).messages] == [words]


@pytest.mark.parametrize(
    ("columns", "kept"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"attachments": "https://example.org/a.png"}, True, id="a file"),
        pytest.param({"deleted_at": "2026-11-03 11:00"}, True, id="a deletion"),
    ],
)
def test_an_empty_message_of_others_is_kept_only_for_what_else_it_has(columns: dict[str, str], kept: bool) -> None:
    found = cleaned(chunk_of([row(" \n", **columns)]))

    assert (len(found.messages), found.empty, found.notes[EMPTY]) == ((1, 0, 0) if kept else (0, 1, 1))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("", SENT, id="no time"),
        pytest.param("2026-11-03 10:00", SENT, id="the same time without its seconds"),
        pytest.param("2026-11-03T09:00:59.9+00:00", SENT, id="the same minute"),
        pytest.param("2026-11-03T12:00:00+00:00", SENT + timedelta(hours=3), id="another time"),
    ],
)
def test_the_time_in_a_discord_id_is_used_where_the_given_one_does_not_contradict(
    given: str, expected: datetime
) -> None:
    (one,) = cleaned(chunk_of([row(message_id=str(DISCORD_ID), sent_at=given)])).messages

    assert (one.message_id, one.sent_at) == (DISCORD_ID, expected)


def test_files_are_read_from_addresses_and_from_names() -> None:
    texts = ["https://a.example/x.png?ex=1,https://a.example/y%20z.txt", "dir/my file.png,b.txt", "[a].png"]

    found = cleaned(chunk_of([row(str(at), attachments=text) for at, text in enumerate(texts)]))

    assert [[file.name for file in one.attachments] for one in found.messages] == [
        ["x.png", "y%20z.txt"],
        ["my file.png", "b.txt"],
        ["[a].png"],
    ]


def test_what_postgresql_does_not_take_is_replaced() -> None:
    found = cleaned(chunk_of([row("a\0b", author_name="\0")]))

    assert [(one.content, one.author_name) for one in found.messages] == [("a\ufffdb", "\ufffd")]


def test_hours_of_a_change_of_the_clock_are_counted() -> None:
    found = cleaned(chunk_of([row("a", sent_at="2026-10-25 02:30"), row("b", sent_at="2026-03-29 02:30")]))

    assert sum(count for phrase, count in found.notes.items() if "the clock" in phrase) == 2


def test_a_vector_comes_along_with_the_words_that_it_stands_for() -> None:
    states = [message(1, "old"), edit(1, "new", at=2), message(2, "other"), message(3, "none")]

    found = cleaned(
        own_chunk(
            map(to_row, states),
            embedding=["[1,0]", "[0,1]", "[0.6,0.8]", ""],
            embedding_model=["mini", "mini", "mini", ""],
        )
    )

    assert {index: (vector.tolist(), model) for index, (vector, model) in found.vectors.items()} == {
        0: ([0.0, 1.0], "mini"),
        1: ([np.float32(0.6), np.float32(0.8)], "mini"),
    }
    assert all(vector.dtype == np.float32 for vector, _ in found.vectors.values())


@pytest.mark.parametrize(
    ("text", "model"),
    [
        pytest.param("[1,2", "mini", id="cut off"),
        pytest.param("[]", "mini", id="empty"),
        pytest.param("7", "mini", id="a number"),
        pytest.param("[1,null]", "mini", id="a gap"),
        pytest.param('["a"]', "mini", id="words"),
        pytest.param("[[1],[2]]", "mini", id="a matrix"),
        pytest.param("[1e300]", "mini", id="too large"),
        pytest.param("[1,2]", "", id="of no model"),
    ],
)
def test_a_vector_that_is_none_is_left_out_and_counted(text: str, model: str) -> None:
    found = cleaned(own_chunk([to_row(message(1))], embedding=[text], embedding_model=[model]))

    assert (len(found.messages), found.vectors, found.notes[UNREADABLE_VECTORS]) == (1, {}, 1)


def test_what_the_reader_refused_and_mended_is_handed_on_in_order() -> None:
    rows = [row(sent_at="soon"), row()]

    found = cleaned(chunk_of(rows, rejects=[Reject(3, "?", "no record")], notes=Counter(mended=3)))
    earlier = cleaned(chunk_of(rows, rejects=[Reject(0, "?", "no record")]))

    assert [one.record for one in found.rejects] == [1, 3]
    assert [one.record for one in earlier.rejects] == [0, 1]
    assert found.notes["mended"] == 3


def test_a_chunk_of_refused_records_alone_has_no_messages() -> None:
    chunk = chunk_of([], rejects=[Reject(1, "?", "no record")])

    assert (cleaned(chunk).messages, cleaned(chunk).records) == ([], 1)


_CHOICES = {
    "message_id": ["", "5", "6", "m-1", "1E+17", str(DISCORD_ID), str(DISCORD_ID + 1)],
    "content": ["", " ", "hello", "yes", "=1+1"],
    "sent_at": ["2026-11-03 10:00", "2026-11-03T09:00:00Z", "1793696400", "", "soon", "#REF!"],
    "author_id": ["", "7", "#NAME?"],
    "attachments": ["", "https://example.org/a.png", "[1]", '[{"name":"a","url":"b"}]'],
    "edited_at": ["", "", "2026-11-03 11:00", "later"],
    "deleted_at": ["", "", "2026-11-03 12:00"],
}


@pytest.mark.parametrize("seed", range(30))
def test_every_record_is_counted_in_exactly_one_way(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - not a secret
    rows = [{name: chance.choice(texts) for name, texts in _CHOICES.items()} for _ in range(60)]

    found = cleaned(chunk_of(rows))

    assert found.records == len(rows)
    assert found.messages
    assert found.rejects
    assert len({one.key for one in found.messages}) == len(found.messages)
    assert len({one.record for one in found.rejects}) == len(found.rejects)


NULLS = ["NULL", "null", "None", "NaN", "nan", "NaT", r"\N", "<NA>", "N/A", "-", " "]


@pytest.mark.parametrize("null", NULLS)
def test_a_null_in_an_optional_column_is_a_missing_value(null: str) -> None:
    others = ("author_id", "reply_to", "guild_id", "thread_id", "edited_at", "deleted_at", "attachments", "kind")
    (plain,) = cleaned(chunk_of([row(message_id="5", channel_id="6")])).messages

    found = cleaned(chunk_of([row(message_id="5", channel_id="6", session=null, **dict.fromkeys(others, null))]))

    assert (found.messages, found.rejects, found.notes[IDS_FROM_WORDS]) == ([plain], [], 0)


def test_what_databases_write_for_no_reference_and_no_time_is_missing() -> None:
    (plain,) = cleaned(chunk_of([row(message_id="5", channel_id="6")])).messages
    columns = {"reply_to": "0", "guild_id": "0", "thread_id": "-1", "edited_at": "0000-00-00 00:00:00"}

    assert cleaned(chunk_of([row(message_id="5", channel_id="6", **columns)])).messages == [plain]


@pytest.mark.parametrize("null", NULLS)
def test_a_null_for_the_id_of_a_message_or_channel_makes_no_two_messages_one(null: str) -> None:
    rows = [row(text, message_id=null, channel_id=null, channel_name="") for text in ("a", "b")]
    without = [{name: text for name, text in one.items() if not name.endswith("_id")} for one in rows]

    assert cleaned(chunk_of(rows)).messages == cleaned(chunk_of(without)).messages


@pytest.mark.parametrize("null", ["nan", "None", "NULL", ""])
def test_an_author_who_is_missing_is_an_unknown_one_and_the_words_stay(null: str) -> None:
    found = cleaned(chunk_of([row("nan", author_name=null, author_id=null), row("None", author_name=null)]))

    assert [(one.author_id, one.author_name, one.content) for one in found.messages] == [
        (None, UNKNOWN_AUTHOR, "nan"),
        (None, UNKNOWN_AUTHOR, "None"),
    ]
    assert found.notes[AUTHORS_UNKNOWN] == 2


@pytest.mark.parametrize(
    "author", [pytest.param(("7", "None"), id="beside an id"), pytest.param(("", "Nan"), id="written as a name")]
)
def test_a_person_may_be_called_like_a_missing_value(author: tuple[str, str]) -> None:
    (one,) = cleaned(chunk_of([row(author_id=author[0], author_name=author[1])])).messages

    assert one.author_name == author[1]


@pytest.mark.parametrize("null", ["nan", "None", "NULL", ""])
def test_a_channel_that_is_missing_is_called_after_the_file(null: str) -> None:
    (one,) = cleaned(chunk_of([row(channel_name=null)])).messages

    assert (one.channel_name, one.channel_id) == ("chat", derived_id("channel", "", "chat"))
