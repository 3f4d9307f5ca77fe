"""Files as they come from elsewhere: each is known for what it is, read whole, or refused with a sentence."""

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import zstandard

from errors import InputFileError
from memory.authors import webhook_author_id
from memory.capture.journal import Journal, NotAdded, encoded
from memory.capture.message_csv import to_row
from memory.message import COLUMNS, Attachment, Kind, Message, Part, Reaction, Source
from memory.places.state import PlaceKind, PlaceState
from ops.promotion.clean import IDS_ROUNDED, UNKNOWN_AUTHOR, clean
from ops.promotion.records import CleanBatch, MessageSource, RawBatch
from ops.promotion.sources import csv_reader
from ops.promotion.sources.detect import open_source
from ops.promotion.sources.files import OF_NO_KIND
from ops.promotion.sources.json_reader import REPLACED
from tests.builders import FULL, deletion, edit, message, minute
from tests.sentences import is_one_sentence

DEEP = f"{'[' * 5_000}{']' * 5_000}"
BERLIN = ZoneInfo("Europe/Berlin")
SENT = datetime(2026, 11, 3, 9, 0, 0, 123000, tzinfo=UTC)
SENT_MS = int(SENT.timestamp() * 1000) - 123 - 1_420_070_400_000
"""Whole seconds in milliseconds since Discord's first."""

GUILD, CHANNEL, THREAD, ANA, BOT = 901_000_000_000_000_001, 902_000_000_000_000_002, 903_000_000_000_000_003, 7, 8


def snowflake(number: int) -> int:
    """Return the Discord id of message `number`, sent so many minutes after the first."""
    sent = SENT + timedelta(minutes=number)
    return (int(sent.timestamp() * 1000) - 1_420_070_400_000) << 22 | number


def opened(
    path: Path, *, mapping: Mapping[str, str] | None = None, me: int | None = BOT, **options: Any
) -> MessageSource:
    return open_source(path, mapping=mapping or {}, time_zone=BERLIN, me=me, **options)


@dataclass(frozen=True, slots=True)
class Promoted:
    """All that a source came to."""

    source: MessageSource
    chunks: list[RawBatch]
    cleaned: list[CleanBatch]

    @property
    def messages(self) -> list[Message]:
        return [one for cleaned in self.cleaned for one in cleaned.messages]

    @property
    def places(self) -> list[PlaceState]:
        return [one for cleaned in self.cleaned for one in cleaned.places]

    @property
    def refused(self) -> list[tuple[int, str]]:
        return [(one.record, one.text) for cleaned in self.cleaned for one in cleaned.rejects]

    @property
    def damage(self) -> dict[str, str]:
        """What is said of files that cannot be read to their end."""
        return {chunk.source: chunk.damage for chunk in self.chunks if chunk.damage}

    @property
    def skipped(self) -> dict[str, str]:
        return {one.name: one.reason for one in self.source.skipped}

    @property
    def contents(self) -> list[str]:
        return [one.content for one in self.messages]


def promoted(path: Path, **options: Any) -> Promoted:
    source = opened(path, **options)
    chunks = list(source.chunks())
    cleaned = [clean(chunk, session=source.session, time_zone=BERLIN) for chunk in chunks]
    assert [one.records for one in cleaned] == [len(chunk.frame) + len(chunk.rejects) for chunk in chunks]
    return Promoted(source, chunks, cleaned)


def refusal(path: Path, **options: Any) -> str:
    """Return the sentence with which a file is refused, before or while it is read."""
    with pytest.raises(InputFileError) as caught:
        promoted(path, **options)
    assert is_one_sentence(str(caught.value).replace(str(path), "FILE")), caught.value
    return str(caught.value)


def written(path: Path, content: str | bytes | bytearray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def session_csv(path: Path, *messages: Message) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path)
    journal.open()
    journal.record(messages)
    journal.close()
    return path


# --- Our own files


def test_a_session_csv_gives_every_message_back(tmp_path: Path) -> None:
    messages = [message(1, 'a "b",\nc\rd'), FULL, message(2, "\N{SNOWMAN}", author_name="é")]

    found = promoted(session_csv(tmp_path / "demo.csv", *messages))

    assert found.messages == messages
    assert (found.source.title, found.source.session, found.refused) == ("session demo.csv", "demo", [])
    assert found.chunks[-1].end_bytes == found.source.size


def test_a_long_session_comes_in_chunks_whose_records_are_numbered(tmp_path: Path) -> None:
    messages = [message(number, f"line\n{number}" * (number % 3)) for number in range(25_001)]

    found = promoted(session_csv(tmp_path / "demo.csv", *messages))

    assert found.messages == messages
    assert [(chunk.first_record, len(chunk.frame)) for chunk in found.chunks] == [
        (1, 10_000),
        (10_001, 10_000),
        (20_001, 5_001),
    ]
    positions = [chunk.end_bytes for chunk in found.chunks]
    assert positions == sorted(positions)
    assert positions[-1] == found.source.size


@pytest.mark.parametrize(
    "half",
    [
        pytest.param(b"3,2026-11-03T09:0", id="in a time"),
        pytest.param(b'3,2026-11-03T09:03:00+00:00,demo,,1,,,,ana,general,message,"and th', id="within quotes"),
        pytest.param(b'3,2026-11-03T09:03:00+00:00,demo,,1,,,,ana,general,message,"a\n\nb', id="on a later line"),
    ],
)
def test_a_record_that_a_crash_cut_short_is_refused(tmp_path: Path, half: bytes) -> None:
    path = session_csv(tmp_path / "demo.csv", message(1), message(2))
    path.write_bytes(path.read_bytes() + half)

    found = promoted(path)

    assert found.contents == ["hello", "hello"]
    assert found.refused[0][0] == 3
    assert "".join(text for _, text in found.refused) == half.decode().replace("\n", "")


def test_a_last_record_without_a_line_end_is_whole(tmp_path: Path) -> None:
    path = session_csv(tmp_path / "demo.csv", message(1), message(2))
    path.write_bytes(path.read_bytes().rstrip(b"\n"))

    assert promoted(path).messages == [message(1), message(2)]


@pytest.mark.parametrize("wrong", [b'"', b"\xff", b"\0"])
def test_one_spoilt_byte_costs_one_record(tmp_path: Path, wrong: bytes) -> None:
    """A lost or stray quote would take all that follows with it, if lines were joined until the quotes are even."""
    messages = [message(number, f'he said "{number}"\nthen left') for number in range(300)]
    content = session_csv(tmp_path / "demo.csv", *messages).read_bytes()
    at = content.index(b'""7""')

    found = promoted(written(tmp_path / "spoilt.csv", content[:at] + wrong + content[at + 1 :]))

    lost = {one.message_id for one in messages} - {one.message_id for one in found.messages}
    assert lost <= {7}
    assert [one for one in found.messages if one.message_id != 7] == [one for one in messages if one.message_id != 7]


def test_bytes_that_are_no_letters_are_kept_as_escapes_and_counted(tmp_path: Path) -> None:
    path = session_csv(tmp_path / "demo.csv", message(1, "caf#"), message(2, "\N{SNOWMAN}"))
    path.write_bytes(path.read_bytes().replace(b"#", b"\xe9"))

    found = promoted(path)

    assert found.contents == [r"caf\xe9", "\N{SNOWMAN}"]
    assert sum(found.chunks[0].notes.values()) == 1


def test_states_that_are_chunks_apart_are_left_to_the_database(tmp_path: Path) -> None:
    path = session_csv(tmp_path / "demo.csv", message(1), edit(1, "better", at=2), deletion(1, at=3))

    (one,) = promoted(path).messages

    assert (one.content, one.deleted_at) == ("better", minute(3))


def test_a_session_folder_is_its_csvs_without_what_was_not_added(tmp_path: Path) -> None:
    first = session_csv(tmp_path / "demo" / "demo_2026-11-03_1.csv", message(1))
    second = session_csv(tmp_path / "demo" / "demo_2026-11-03_2.csv", message(2))
    not_added = NotAdded(tmp_path / "demo" / "demo_2026-11-03_1_not_added.csv")
    not_added.open()
    not_added.refuse(message(3), "too long")
    not_added.close()
    written(tmp_path / "demo" / "file_numbers.pkl", b"\x80\x05")

    found = promoted(tmp_path / "demo")

    assert found.messages == [message(1), message(2)]
    assert found.source.paths == (first, second)
    assert found.source.title == "session demo"
    assert [remark.partition(" ")[0] for remark in found.source.remarks] == [str(not_added.path)]
    assert found.chunks[-1].end_bytes == found.source.size


def backup_of(path: Path, *messages: Message, vector: str = "[0.5,1]") -> bytes:
    """Return messages as a backup has them: all columns of the table, times as PostgreSQL writes them."""
    rows = []
    for one in messages:
        fields = to_row(one)
        for name in ("sent_at", "edited_at", "deleted_at"):
            at = COLUMNS.index(name)
            fields[at] = fields[at].replace("T", " ").replace("+00:00", "+00")
        rows.append([*fields, "words that are found", vector, "mini", ""])
    return encoded([[*COLUMNS, "search_text", "embedding", "embedding_model", "promotion_id"], *rows])


def test_the_messages_of_a_backup_come_with_their_vectors(tmp_path: Path) -> None:
    messages = [message(1), FULL, message(3, "", session="yesterday")]
    path = tmp_path / "messages.csv.zst"
    path.write_bytes(zstandard.compress(backup_of(path, *messages)))

    found = promoted(path)

    assert found.messages == messages
    assert [(vector.tolist(), model) for vector, model in found.cleaned[0].vectors.values()] == [([0.5, 1], "mini")] * 3
    assert found.source.title == "backup messages.csv.zst"


def test_the_folder_of_a_backup_is_refused_with_what_to_name(tmp_path: Path) -> None:
    written(tmp_path / "all_2026-11-03_1" / "manifest.json", "{}")

    assert "messages.csv" in refusal(tmp_path / "all_2026-11-03_1")


def test_a_backup_may_be_plain_or_in_several_frames(tmp_path: Path) -> None:
    content = backup_of(tmp_path, *map(message, range(5000)))
    plain = written(tmp_path / "messages.csv", content)
    halves = zstandard.compress(content[:30_000]) + zstandard.compress(content[30_000:])
    packed = written(tmp_path / "packed.csv.zst", halves)

    assert promoted(plain).messages == promoted(packed).messages == list(map(message, range(5000)))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda content: content[:-20], id="cut off"),
        pytest.param(lambda content: content[:100] + bytes([content[100] ^ 255]) + content[101:], id="a flipped byte"),
        pytest.param(lambda _: b"not zstd at all, but long enough to be looked at", id="something else"),
    ],
)
def test_a_compressed_file_that_is_damaged_is_refused(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    content = zstandard.ZstdCompressor(write_checksum=True).compress(backup_of(tmp_path, *map(message, range(500))))

    assert "take another copy" in refusal(written(tmp_path / "messages.csv.zst", spoil(content)))


# --- CSVs of others

CHAT = "user,text,when,room\nana,hello,2026-11-03 10:00,general\nbo,yes,2026-11-03 10:01,general\n"


def test_a_csv_with_common_names_needs_no_mapping(tmp_path: Path) -> None:
    found = promoted(written(tmp_path / "chat.csv", CHAT.replace("when", "Created At")))

    assert [(one.author_name, one.content, one.sent_at, one.channel_name) for one in found.messages] == [
        ("ana", "hello", datetime(2026, 11, 3, 9, 0, tzinfo=UTC), "general"),
        ("bo", "yes", datetime(2026, 11, 3, 9, 1, tzinfo=UTC), "general"),
    ]
    assert {one.session for one in found.messages} == {"chat"}


@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param({"content": "b", "sent_at": "c", "author_name": "a"}, id="by our names"),
        pytest.param({"text": "b", "time": "c", "author": "a"}, id="by common names"),
    ],
)
def test_a_mapping_names_the_columns(tmp_path: Path, mapping: dict[str, str]) -> None:
    path = written(tmp_path / "chat.csv", "a,b,c,text\nana,hello,2026-11-03 10:00,not this\n")

    (one,) = promoted(path, mapping=mapping).messages

    assert (one.author_name, one.content) == ("ana", "hello")


@pytest.mark.parametrize("mapping", [{}, {"sent_at": "Date+Time"}], ids=["known", "mapped"])
def test_a_day_and_an_hour_in_two_columns_are_one_time(tmp_path: Path, mapping: dict[str, str]) -> None:
    path = written(tmp_path / "chat.csv", "Date,Time,Text\n2026-11-03,10:00,hello\n")

    assert [one.sent_at for one in promoted(path, mapping=mapping).messages] == [SENT.replace(microsecond=0)]


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Datum;Uhrzeit;Benutzer;Nachricht", id="German"),
        pytest.param("Date;Heure;Auteur;Message", id="French"),
        pytest.param("Fecha;Hora;Usuario;Mensaje", id="Spanish"),
    ],
)
def test_common_names_of_columns_are_known_in_other_languages(tmp_path: Path, header: str) -> None:
    (one,) = promoted(written(tmp_path / "chat.csv", f"{header}\n03.11.2026;10:00;ana;hello\n")).messages

    assert (one.author_name, one.content, one.sent_at) == ("ana", "hello", SENT.replace(microsecond=0))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "old"])
def test_any_delimiter_and_line_end_will_do(tmp_path: Path, delimiter: str, ending: str) -> None:
    path = written(tmp_path / "chat.csv", CHAT.replace(",", delimiter).replace("\n", ending))

    assert promoted(path).contents == ["hello", "yes"]


WORDS = "Grüße aus Köln: die Überraschung ist schön, aber völlig überflüssig, sagte Jörg über äußerst süße Äpfel"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"], ids=lambda name: str(name)
)
def test_an_encoding_is_told_from_the_text(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "chat.csv", f'text,time\n"{WORDS}",2026-11-03 10:00\n'.encode(encoding))

    assert promoted(path).contents == [WORDS]


RUSSIAN = (
    "\u0413\u043b\u0438\u043d\u0430 \u0432\u044b\u0441\u043e\u0445\u043b\u0430, \u0437\u0430\u0432\u0442\u0440\u0430 "
)
RUSSIAN += "\u043e\u0431\u0436\u0438\u0433"
GREEK = (
    "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1, \u03bf \u03c0\u03b7\u03bb\u03cc\u03c2 \u03c3\u03c4\u03ad\u03b3"
)
GREEK += "\u03bd\u03c9\u03c3\u03b5"


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        pytest.param(
            "cp1251",
            RUSSIAN,
            id="Windows, Russian",
        ),
        pytest.param(
            "koi8-r",
            RUSSIAN,
            id="KOI8, Russian",
        ),
        pytest.param(
            "cp1250",
            "Za\u017c\u00f3\u0142\u0107 g\u0119\u015bl\u0105 ja\u017a\u0144, dzi\u015b wypalamy glin\u0119",
            id="Windows, Polish",
        ),
        pytest.param(
            "cp1253",
            GREEK,
            id="Windows, Greek",
        ),
        pytest.param("shift_jis", "\u7aaf\u306f\u660e\u65e5\u711a\u304d\u307e\u3059", id="Shift-JIS"),
        pytest.param("euc-jp", "\u7aaf\u306f\u660e\u65e5\u711a\u304d\u307e\u3059", id="EUC-JP"),
        pytest.param("gb18030", "\u7c98\u571f\u5df2\u7ecf\u5e72\u4e86\uff0c\u660e\u5929\u70e7\u7a91", id="Chinese"),
        pytest.param("big5", "\u9ecf\u571f\u5df2\u7d93\u4e7e\u4e86\uff0c\u660e\u5929\u71d2\u7aaf", id="Chinese, Big5"),
        pytest.param(
            "cp949", "\uc548\ub155\ud558\uc138\uc694 \ub0b4\uc77c \uac00\ub9c8\ub97c \ub55d\ub2c8\ub2e4", id="Korean"
        ),
        pytest.param("mac-roman", "d\u00e9j\u00e0 cuit \u00e0 l\u2019\u00e9t\u00e9", id="old Macs, French"),
        pytest.param("cp1252", "d\u00e9j\u00e0 cuit, l\u2019\u00e9t\u00e9", id="Windows, French"),
        pytest.param("cp1252", "Gr\u00fc\u00dfe aus K\u00f6ln", id="Windows, German"),
    ],
)
def test_old_encodings_are_told_from_their_letters(tmp_path: Path, encoding: str, words: str) -> None:
    found = promoted(written(tmp_path / "chat.csv", f'text,time\n"{words}",2026-11-03 10:00\n'.encode(encoding)))

    assert found.contents == [words]
    assert found.source.files[0].encoding


def test_the_encoding_may_be_said(tmp_path: Path) -> None:
    words = "p\u0159\u00edli\u0161 \u017elu\u0165ou\u010dk\u00fd"
    path = written(tmp_path / "chat.csv", f"text,time\n{words},2026-11-03 10:00\n".encode("cp852"))

    assert promoted(path, encoding="cp852").contents == [words]
    assert promoted(path, encoding="cp1252").contents != [words]


def test_a_few_wrong_bytes_do_not_make_utf_8_something_else(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", "text;time\nGrüße#;2026-11-03 10:00\n".encode().replace(b"#", b"\xe9"))

    assert promoted(path).contents == [r"Grüße\xe9"]


def test_ids_keep_all_their_digits(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", f"id,user_id,text\n{snowflake(1)},{2**62 + 1},hello\n0012,,NA\n")

    found = promoted(path)

    (one,) = found.messages
    assert (one.message_id, one.author_id, one.sent_at) == (snowflake(1), 2**62 + 1, SENT + timedelta(minutes=1))
    assert found.refused == [(2, "0012,,NA")]


def test_a_record_of_another_width_is_refused_unless_only_empty_cells_follow(tmp_path: Path) -> None:
    path = written(
        tmp_path / "chat.csv",
        'text,time\na,2026-11-03 10:00\nshort\nb,2026-11-03 10:00,,\nc,2026-11-03 10:00,more\n\n"d,2026-11-03 10:00\n'
        'e 5" disk,2026-11-03 10:00\n',
    )

    found = promoted(path)

    assert found.contents == ["a", "b", 'e 5" disk']
    assert found.refused == [(2, "short"), (4, "c,2026-11-03 10:00,more"), (5, '"d,2026-11-03 10:00')]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("sep=,\ntext,time\nA\nB\n", id="the separator said before"),
        pytest.param("\ufeffSEP=,\r\ntext,time\r\nA\r\nB\r\n", id="the same as Excel writes it"),
        pytest.param("text,time,,\nA,,\n,,,\nB,,\n,,,\n", id="empty cells and rows"),
        pytest.param('text,time\nA\n"",""\n , \nB\n', id="rows of blanks"),
        pytest.param("\n\ntext,time\n\nA\n\n\nB\n", id="empty lines"),
        pytest.param("text,time\nA\ntext,time\nB\n", id="the header once more"),
        pytest.param("Chat of the pottery\n\ntext,time\nA\nB\n", id="a title"),
        pytest.param("text,time\nA\nB\nExported 2 messages\n", id="a count below"),
        pytest.param("text,time\nA\nB\n(2 rows)\n", id="a count as databases write it"),
        pytest.param("text,time\nA\nB\nTotal: 2,\n", id="a total with empty cells"),
    ],
)
def test_what_stands_around_the_records_of_a_table_is_no_record(tmp_path: Path, content: str) -> None:
    for letter in "AB":
        content = content.replace(f"\n{letter}", f"\n{letter.lower()},2026-11-03 10:00")

    found = promoted(written(tmp_path / "chat.csv", content))

    assert (found.contents, found.refused) == (["a", "b"], [])


@pytest.mark.parametrize(
    ("lines", "remark"),
    [
        pytest.param(
            "ana,2026-11-03 10:00:00,hello there\nbo,2026-11-03 10:01:00,hi\n", "1 for the author", id="plain"
        ),
        pytest.param(
            f"{snowflake(1)};{ANA};ana;03.11.2026 10:00;hello there\n{snowflake(2)};{ANA + 1};bo;03.11.2026 10:01;hi\n",
            "column 3 for the author",
            id="with ids",
        ),
    ],
)
def test_the_columns_of_a_table_without_a_header_are_guessed_and_said(tmp_path: Path, lines: str, remark: str) -> None:
    found = promoted(written(tmp_path / "chat.csv", lines))

    assert [(one.author_name, one.content) for one in found.messages] == [("ana", "hello there"), ("bo", "hi")]
    (said_so,) = found.source.remarks
    assert remark in said_so
    assert "--map" in said_so


def test_the_columns_of_a_table_without_a_header_may_be_named_by_their_numbers(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", "hi,2026-11-03 10:00,hello there\n")

    (one,) = promoted(path, mapping={"content": "1", "sent_at": "2", "author_name": "column 3"}).messages

    assert (one.author_name, one.content) == ("hello there", "hi")


def rounded(number: int) -> int:
    """Return an id as a spreadsheet has it after it was saved: with 15 digits."""
    return round(number, 15 - len(str(number)))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(rounded, id="15 digits"),
        pytest.param(lambda number: int(float(number)), id="a float in full"),
        pytest.param(lambda number: int(Decimal(repr(float(number)))), id="as JavaScript"),
        pytest.param(lambda number: f"{float(number):.5E}", id="powers of ten"),
    ],
)
def test_ids_that_were_rounded_make_no_two_people_or_messages_one(
    tmp_path: Path, spoil: Callable[[int], object]
) -> None:
    people = {"ana": 485020107559403137, "bo": 485020107559403219}
    lines = [
        f"{spoil(snowflake(number) + 77_777 * number)},{spoil(people[name])},{name},2026-11-03 10:00:00,{number}\n"
        for number, name in enumerate(["ana", "bo", "ana", "bo", "bo"], 1)
    ]

    found = promoted(written(tmp_path / "chat.csv", "id,author_id,author,time,text\n" + "".join(lines)))

    assert [one.author_name for one in found.messages] == ["ana", "bo", "ana", "bo", "bo"]
    assert {one.author_id for one in found.messages} == {None}
    assert len({one.message_id for one in found.messages}) == 5
    assert min(one.message_id for one in found.messages) >= 2**62
    assert found.cleaned[0].notes[IDS_ROUNDED] == 10


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param([f"{(SENT_MS + 60_000 * n) << 22}" for n in range(9)], id="made from whole minutes"),
        pytest.param([f"{snowflake(n) // 1000 * 1000 + (n != 3)}" for n in range(9)], id="one that ends in zeros"),
        pytest.param([f"{n}00000000000000000" for n in range(1, 9)], id="invented"),
        pytest.param([f"{n}000" for n in range(1, 9)], id="short"),
    ],
)
def test_ids_that_end_in_zeros_are_not_accused_without_reason(tmp_path: Path, ids: list[str]) -> None:
    lines = [f"{one},{one},2026-11-03 10:00:{at:02},hi\n" for at, one in enumerate(ids)]

    found = promoted(written(tmp_path / "chat.csv", "id,author_id,time,text\n" + "".join(lines)))

    assert [str(one.author_id) for one in found.messages] == ids
    assert found.cleaned[0].notes[IDS_ROUNDED] == 0


def test_a_line_that_is_longer_than_any_message_is_refused_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_reader, "LARGEST", 1000)
    monkeypatch.setattr(csv_reader, "records_in", partial(csv_reader.records_in, largest=1000))
    long = "a,2026-11-03 10:00," + "x" * 2500 + ",2026-11-03 10:00,z\n"
    path = written(tmp_path / "chat.csv", f"text,time,more\n{long}b,2026-11-03 10:00,c\n")

    found = promoted(path)

    assert found.contents == ["b"]
    assert [record for record, _ in found.refused] == [1]


def test_the_same_file_gives_the_same_messages_and_the_same_digest(tmp_path: Path) -> None:
    first, again = (promoted(written(tmp_path / folder / "chat.csv", CHAT)) for folder in ("a", "b"))

    assert first.messages == again.messages
    assert first.source.digest == again.source.digest


def test_what_changes_the_meaning_changes_the_digest(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", CHAT)
    other = written(tmp_path / "other.csv", CHAT.replace("yes", "no"))

    digests = {
        opened(path).digest,
        opened(other).digest,
        opened(path, mapping={"content": "user"}).digest,
        opened(path, me=None).digest,
        open_source(path, mapping={}, time_zone=ZoneInfo("Asia/Tokyo"), me=BOT).digest,
    }

    assert len(digests) == 5


def test_what_we_wrote_means_the_same_in_every_zone(tmp_path: Path) -> None:
    path = session_csv(tmp_path / "demo.csv", message(1))
    elsewhere = open_source(path, mapping={}, time_zone=ZoneInfo("Asia/Tokyo"), me=None)

    assert opened(path).digest == elsewhere.digest


def test_dates_in_numbers_are_read_as_the_whole_file_has_them(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", "text,time\na,03/11/2026 10:00\nb,25/11/2026 10:00\n")

    assert [one.sent_at.day for one in promoted(path).messages] == [3, 25]


@pytest.mark.parametrize(
    ("content", "mapping", "words"),
    [
        pytest.param("user,note,when\na,b,c\n", {}, ["user, note, when", "--map content=text"], id="no words"),
        pytest.param("user,text,wann\na,b,c\n", {}, ["user, text, wann", "the time"], id="no time"),
        pytest.param(CHAT, {"content": "body"}, ["'body'", "user, text, when, room"], id="a column not there"),
        pytest.param(CHAT, {"mood": "text"}, ["'mood'", "message_id, sent_at"], id="a column that we have not"),
        pytest.param("text,time,text\n", {}, ["several", "'text'"], id="a name twice"),
        pytest.param("", {}, ["empty"], id="empty"),
        pytest.param("\n\n", {}, ["empty"], id="only line ends"),
        pytest.param(b"\x7fELF\0\0\x01,\n\0", {}, ["not text"], id="a program"),
        pytest.param("<!DOCTYPE html><html>", {}, ["HTML"], id="a page"),
        pytest.param("text,time\na,03/04/2026 10:00\n", {}, ["03/04/2026"], id="day or month first"),
        pytest.param("PK\x03\x04 and no archive", {}, ["damaged"], id="half a zip file"),
        pytest.param('{"name": 1}', {}, ["not an export of DiscordChatExporter"], id="other JSON"),
        pytest.param("{nothing}", {}, ["not JSON"], id="no JSON"),
    ],
)
def test_a_file_that_is_none_of_these_is_refused(
    tmp_path: Path, content: str | bytes, mapping: dict[str, str], words: list[str]
) -> None:
    sentence = refusal(written(tmp_path / "chat.csv", content), mapping=mapping)

    assert all(word in sentence for word in words), sentence


def test_a_session_csv_that_has_lost_a_column_says_which_it_has(tmp_path: Path) -> None:
    path = written(tmp_path / "demo.csv", "message_id,session,author_name\n1,demo,ana\n")

    assert "message_id, session, author_name" in refusal(path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["missing", "an empty folder"])
def test_a_path_that_leads_nowhere_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "nothing"
    make(path)

    assert str(path) in refusal(path)


# --- DiscordChatExporter


def user(user_id: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    discriminator = "4321" if bot else "0000"
    return {"id": str(user_id), "name": name, "discriminator": discriminator, "nickname": name.title(), "isBot": bot}


def said(number: int, text: str, **changes: Any) -> dict[str, Any]:
    """Return message `number` as an export has it."""
    sent = SENT + timedelta(minutes=number)
    fields: dict[str, Any] = {
        "id": str(snowflake(number)),
        "type": "Default",
        "timestamp": sent.astimezone(BERLIN).isoformat(timespec="milliseconds"),
        "timestampEdited": None,
        "callEndedTimestamp": None,
        "isPinned": False,
        "content": text,
        "author": user(ANA, "ana"),
        "attachments": [],
        "embeds": [],
        "stickers": [],
        "reactions": [],
        "mentions": [],
    }
    return {**fields, **changes}


def export(path: Path, *messages: Any, channel: dict[str, Any] | None = None, guild: int = GUILD) -> Path:
    head = {
        "guild": {"id": str(guild), "name": "Home", "iconUrl": "https://example.org/i.png"},
        "channel": {
            "id": str(CHANNEL),
            "type": "GuildTextChat",
            "categoryId": "5",
            "category": "Talk",
            "name": "general",
        }
        | (channel or {}),
        "dateRange": {"after": None, "before": None},
        "exportedAt": "2026-11-20T10:00:00+01:00",
        "messages": list(messages),
        "messageCount": len(messages),
    }
    return written(path, json.dumps(head, indent=2, ensure_ascii=False))


def plainly(number: int, text: str, **changes: Any) -> Message:
    """Return message `number` as the bot itself would have stored it."""
    fields: dict[str, Any] = {
        "message_id": snowflake(number),
        "sent_at": SENT + timedelta(minutes=number),
        "session": "export",
        "guild_id": GUILD,
        "channel_id": CHANNEL,
        "channel_name": "general",
        "author_id": ANA,
        "author_name": "Ana",
    }
    return Message(content=text, **{**fields, **changes})


def typed(number: int, text: str, **changes: Any) -> Message:
    """Return message `number` from a source that tells which words its author has typed: all of them."""
    return plainly(number, text, **{"parts": all_of(Source.AUTHORED, text), **changes})


def all_of(source: Source, text: str) -> tuple[Part, ...]:
    """Return a text as one part that comes from a source."""
    return (Part(source=source, start=0, end=len(text)),) if text else ()


def test_an_export_gives_the_messages_as_the_bot_would_have_stored_them(tmp_path: Path) -> None:
    path = export(
        tmp_path / "export.json",
        said(1, "hello \N{SNOWMAN}"),
        said(2, "yes", type="Reply", reference={"messageId": str(snowflake(1)), "channelId": str(CHANNEL)}),
        said(3, "better", timestampEdited="2026-11-03T11:00:00.5+01:00"),
        said(4, "", attachments=[{"id": "1", "url": "https://e.org/a.png", "fileName": "a.png", "fileSizeBytes": 9}]),
        said(5, "", stickers=[{"id": "1", "name": "Wave", "format": "Png", "sourceUrl": "https://e.org/w.png"}]),
        said(6, "Joined the server.", type="GuildMemberJoin"),
        said(7, "from another bot", author=user(9, "helper", bot=True)),
        said(8, "an answer", author=user(BOT, "backscroll", bot=True), type="20"),
    )

    found = promoted(path)

    assert found.messages == [
        typed(1, "hello \N{SNOWMAN}"),
        typed(2, "yes", reply_to=snowflake(1)),
        typed(3, "better", edited_at=datetime(2026, 11, 3, 10, 0, 0, 500000, tzinfo=UTC)),
        typed(4, "", attachments=(Attachment(name="a.png", url="https://e.org/a.png", size=9),)),
        typed(5, "(sticker: Wave)", parts=all_of(Source.STICKER, "(sticker: Wave)")),
        typed(6, "Joined the server.", kind=Kind.SYSTEM, parts=all_of(Source.SYSTEM, "Joined the server.")),
        typed(7, "from another bot", author_id=9, author_name="Helper"),
        typed(8, "an answer", author_id=BOT, author_name="Backscroll", kind=Kind.ANSWER),
    ]
    assert (found.source.title, found.chunks[-1].end_bytes) == ("export export.json", found.source.size)


CARD = {
    "title": "Build",
    "description": "failed",
    "author": {"name": "CI", "url": None},
    "fields": [{"name": "branch", "value": "main", "isInline": False}],
    "footer": {"text": "took 4 min"},
    "images": [],
    "inlineEmojis": [],
}
WORDS_OF_CARD = "CI\nBuild\nfailed\nbranch: main\ntook 4 min"
FORWARD: dict[str, Any] = {"type": "Forward", "messageId": "5", "channelId": "6"}
HELPER = user(9, "helper", bot=True)
POLL_RESULT = {
    "title": "",
    "description": "",
    "fields": [
        {"name": "poll_question_text", "value": "Which day?"},
        {"name": "victor_answer_text", "value": "Sunday"},
        {"name": "victor_answer_votes", "value": "3"},
        {"name": "total_votes", "value": "4"},
    ],
}
BLOCKED = {"description": "you goose", "fields": [{"name": "rule_name", "value": "No insults"}]}


def file(name: str, **changes: Any) -> dict[str, Any]:
    return {"id": "1", "url": f"https://e.org/{name}", "fileName": name, "fileSizeBytes": 9, **changes}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"embeds": [CARD]}, WORDS_OF_CARD, id="a card alone"),
        pytest.param(
            {"content": "red again", "embeds": [CARD], "author": HELPER},
            f"red again\n{WORDS_OF_CARD}",
            id="a bot's card",
        ),
        pytest.param(
            {"content": "see https://e.org/a", "embeds": [CARD | {"url": "https://e.org/a"}]},
            "see https://e.org/a",
            id="the preview of a person's link",
        ),
        pytest.param(
            {"forwardedMessage": {"content": "news", "embeds": [CARD]}, "reference": FORWARD},
            f"news\n{WORDS_OF_CARD}",
            id="forwarded words and a card",
        ),
        pytest.param(
            {"content": "look", "forwardedMessage": {"content": "", "embeds": [CARD]}, "reference": FORWARD},
            f"look\n{WORDS_OF_CARD}",
            id="a forwarded card with a word before it",
        ),
        pytest.param(
            {"forwardedMessage": {"content": "", "stickers": [{"name": "Wave"}]}, "reference": FORWARD},
            "(sticker: Wave)",
            id="a forwarded sticker",
        ),
        pytest.param(
            {"attachments": [file("SPOILER_x.png", description="the end")]}, "||(picture: the end)||", id="alt text"
        ),
        pytest.param({"attachments": [file("voice-message.ogg")]}, "(voice message)", id="a voice message"),
        pytest.param(
            {"type": "46", "embeds": [POLL_RESULT]},
            "The poll has closed: Which day?\nWinner: Sunday (3 of 4 votes)",
            id="how a poll has ended",
        ),
        pytest.param(
            {"type": "24", "embeds": [BLOCKED]}, "AutoMod rule: No insults\nyou goose", id="what AutoMod blocked"
        ),
        pytest.param(
            {"poll": {"question": {"text": "Lunch?"}, "answers": [{"poll_media": {"text": "Soup"}}]}},
            "Poll: Lunch?\n- Soup",
            id="a poll",
        ),
    ],
)
def test_an_export_gives_the_words_that_the_bot_would_have_read(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    (one,) = promoted(export(tmp_path / "export.json", said(1, "", **fields))).messages

    assert one.content == words
    assert one.reply_to is None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param({"type": "46", "embeds": [POLL_RESULT]}, Kind.MESSAGE, id="how a poll ended"),
        pytest.param({"type": "ChannelNameChange"}, Kind.MESSAGE, id="a title"),
        pytest.param({"type": "ThreadCreated"}, Kind.SYSTEM, id="a thread without its title"),
        pytest.param({"type": "99"}, Kind.SYSTEM, id="a type of later"),
    ],
)
def test_what_somebody_said_in_an_export_can_be_found(tmp_path: Path, fields: dict[str, Any], kind: Kind) -> None:
    (one,) = promoted(export(tmp_path / "export.json", said(1, "as the export words it", **fields))).messages

    assert one.kind is kind
    assert one.content.startswith("as the export words it")


def test_a_thread_belongs_to_the_channel_that_is_named_as_its_category(tmp_path: Path) -> None:
    thread = {"id": str(THREAD), "type": "GuildPublicThread", "categoryId": str(CHANNEL), "category": "general"}

    (one,) = promoted(export(tmp_path / "export.json", said(1, "hi"), channel={**thread, "name": "plans"})).messages

    assert one == typed(1, "hi", thread_id=THREAD, channel_name="general › plans", in_public_thread=True)


def test_a_webhook_in_an_export_speaks_as_a_person_for_each_of_its_names(tmp_path: Path) -> None:
    luna, sol = (user(900, name, bot=True) | {"discriminator": "0000", "nickname": name} for name in ("Luna", "Sol"))

    found = promoted(export(tmp_path / "export.json", said(1, "hi", author=luna), said(2, "hi", author=sol)))

    ids = [one.author_id for one in found.messages]
    assert ids == [webhook_author_id(900, "Luna"), webhook_author_id(900, "Sol")]


def test_reactions_forwards_and_hidden_files_of_an_export_are_kept(tmp_path: Path) -> None:
    reactions = [
        {"emoji": {"id": "", "name": "\N{FIRE}"}, "count": 2},
        {"emoji": {"id": "77", "name": "kiln"}, "count": 1},
    ]
    path = export(
        tmp_path / "export.json",
        said(1, "look", reactions=reactions, attachments=[file("SPOILER_a.png")]),
        said(2, "", forwardedMessage={"content": "news"}, reference={"type": "Forward", "messageId": "5"}),
    )

    first, second = promoted(path).messages

    assert first.reactions == (Reaction(emoji="\N{FIRE}", count=2), Reaction(emoji=":kiln:", count=1))
    assert first.attachments[0].spoiler
    assert (second.forwarded_from, second.reply_to, second.parts) == (5, None, all_of(Source.FORWARD, "news"))


@pytest.mark.parametrize(
    ("kind", "expected", "is_public"),
    [
        pytest.param("GuildPrivateThread", PlaceKind.PRIVATE_THREAD, False, id="private thread"),
        pytest.param("GuildPublicThread", PlaceKind.PUBLIC_THREAD, True, id="public thread"),
        pytest.param("GuildNewsThread", PlaceKind.ANNOUNCEMENT_THREAD, True, id="announcement thread"),
        pytest.param("GuildTextChat", PlaceKind.TEXT, False, id="channel"),
    ],
)
def test_an_export_says_what_sort_of_place_its_channel_is(
    tmp_path: Path, kind: str, expected: PlaceKind, is_public: bool
) -> None:
    channel = {"id": str(THREAD), "type": kind, "categoryId": str(CHANNEL), "category": "general", "name": "plans"}

    found = promoted(export(tmp_path / "export.json", said(1, "hi"), channel=channel))

    assert [message.in_public_thread for message in found.messages] == [is_public]
    assert found.places == [
        PlaceState(
            place_id=THREAD,
            guild_id=GUILD,
            kind=expected,
            seen_at=datetime(2026, 11, 20, 9, tzinfo=UTC),
            parent_id=CHANNEL,
            name="plans",
        )
    ]


@pytest.mark.parametrize("channel", [{"type": "GuildOfLater"}, {"id": "0"}, {"id": "nine"}, {"id": "9" * 19}])
def test_of_a_place_that_an_export_does_not_tell_plainly_nothing_is_kept(
    tmp_path: Path, channel: dict[str, str]
) -> None:
    found = promoted(export(tmp_path / "export.json", said(1, "hi"), channel=channel))

    assert found.places == []
    assert len(found.contents) + len(found.refused) == 1


def test_direct_messages_are_of_no_guild(tmp_path: Path) -> None:
    (one,) = promoted(export(tmp_path / "export.json", said(1, "hi"), guild=0)).messages

    assert one.guild_id is None


def test_what_is_no_message_in_an_export_is_refused_alone(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", said(1, "hi"), 7, {"type": "Default"}, said(2, "ho", timestamp=None))

    found = promoted(path)

    assert found.contents == ["hi", "ho"]
    assert [record for record, _ in found.refused] == [2, 3]


def test_an_export_of_lone_halves_of_letters_can_be_stored(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", said(1, "HALF"))
    path.write_bytes(path.read_bytes().replace(b"HALF", rb"a\ud83d\u0000b"))

    (text,) = promoted(path).contents

    assert text.encode()
    assert "\0" not in text


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.999])
def test_of_an_export_that_is_cut_off_the_whole_messages_are_read_and_the_cut_is_named(
    tmp_path: Path, keep: float
) -> None:
    path = export(tmp_path / "export.json", *(said(number, f"hello {number}") for number in range(50)))
    content = path.read_bytes()
    cut = content[: int(len(content) * keep)]
    path.write_bytes(cut)

    found = promoted(path)

    assert found.contents == [f"hello {number}" for number in range(cut.count(b'"mentions": []'))]
    assert "damaged or cut off" in found.damage["export.json"]


def test_an_export_that_is_cut_off_before_its_first_message_is_refused(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", said(1, "hello"))
    path.write_bytes(path.read_bytes().partition(b'"author"')[0])

    assert "cut off" in refusal(path)


def test_an_export_that_is_damaged_in_the_middle_is_read_until_there(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", *(said(number, "hello") for number in range(50)))
    content = path.read_bytes()
    path.write_bytes(content[:9000] + b"\xff}{" + content[9000:])

    found = promoted(path)

    assert 5 < len(found.messages) < 40
    assert "damaged" in found.damage["export.json"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        pytest.param(DEEP, "nested too deeply", id="5,000 lists in each other"),
        pytest.param('{"id": ' * 5_000 + "1" + "}" * 5_000, "nested too deeply", id="5,000 objects in each other"),
        pytest.param(f'{{"id": {DEEP}, "content": "]"}}', "nested too deeply", id="an id of nested lists"),
        pytest.param(f'{{"id": {"[" * 600}{"]" * 600}}}', "not a message", id="an id of lists that can just be read"),
        pytest.param(f'{{"id": {"9" * 5_000}}}', "number", id="a number of 5,000 digits"),
        pytest.param('{"id": NaN}', "number", id="no number"),
        pytest.param('{"id": "1", "timestamp": 5.5}', "where a text should be", id="a time that is no text"),
        pytest.param('{"id": "1", "content": ["a"]}', "where a text should be", id="words that are no text"),
        pytest.param('{"id": "1", "author": {"nickname": {"a": 1}}}', "where a text should be", id="a name"),
        pytest.param('{"id": "1", "author": "ana"}', "AttributeError", id="an author that is a text"),
        pytest.param(
            '{"id": "1", "attachments": [{"fileName": "a", "url": "b", "fileSizeBytes": 1e999}]}',
            "OverflowError",
            id="a file without end",
        ),
        pytest.param(
            '{"id": "1", "attachments": [{"fileName": "a", "url": "b", "fileSizeBytes": 1e99999999999999999999}]}',
            "OverflowError",
            id="an exponent of twenty digits",
        ),
    ],
)
def test_a_hostile_message_in_an_export_costs_no_other(tmp_path: Path, record: str, reason: str) -> None:
    path = export(tmp_path / "export.json", said(1, "hi"), "HOSTILE", said(2, "ho"))
    path.write_text(path.read_text().replace('"HOSTILE"', record))

    found = promoted(path)

    assert found.contents == ["hi", "ho"]
    assert found.refused == [(2, record)]
    assert reason in found.cleaned[0].rejects[0].reason


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda text: text.replace('"guild": {', f'"x": {DEEP}, "guild": {{'), id="deep before the messages"
        ),
        pytest.param(lambda text: text.replace('"messageCount": 3', f'"x": {DEEP}'), id="deep behind the messages"),
        pytest.param(lambda text: text.replace('"messageCount": 3', f'"x": {"9" * 5_000}'), id="a number behind them"),
        pytest.param(lambda text: text.replace('"messageCount": 3', '"messages": [1]'), id="two lists of messages"),
        pytest.param(lambda text: text + text, id="twice in one file"),
        pytest.param(lambda text: text.replace('"b"', '"b'), id="a quotation mark is lost"),
        pytest.param(lambda text: text.replace('"c"', '"c\\'), id="an escape at the end of a text"),
        pytest.param(lambda text: text.replace('"b"', '"b\0"'), id="a control character in a text"),
        pytest.param(lambda text: text.replace("},", "}", 1), id="a comma is lost"),
    ],
)
def test_a_hostile_export_is_read_until_a_sentence_says_what_is_wrong(
    tmp_path: Path, spoil: Callable[[str], str | bytes]
) -> None:
    path = export(tmp_path / "export.json", *(said(number, text) for number, text in enumerate("abc")))
    written(path, spoil(path.read_text()))

    try:
        sentence = promoted(path).damage["export.json"]
    except InputFileError as error:
        sentence = str(error)
    assert is_one_sentence(sentence.replace(str(path), "FILE"))
    assert any(advice in sentence for advice in ("export the channel again", "correct the path"))


def test_a_byte_that_is_no_utf_8_costs_a_letter(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", said(1, "caf#"), said(2, "\N{SNOWMAN} \N{SNOWMAN}"))
    path.write_bytes(path.read_bytes().replace(b"#", b"\xe9"))

    found = promoted(path)

    assert found.contents == ["caf\ufffd", "\N{SNOWMAN} \N{SNOWMAN}"]
    assert found.cleaned[0].notes[REPLACED] == 1


def test_messages_that_do_not_fit_into_what_is_read_at_once_are_read(tmp_path: Path) -> None:
    texts = ["a" * 300_000, '"]}\\' * 200_000, "b" * 1_000_000, "\N{SNOWMAN}" * 100_000, "c"]

    found = promoted(export(tmp_path / "export.json", *(said(number, text) for number, text in enumerate(texts))))

    assert found.contents == texts


def test_an_export_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = export(tmp_path / "export.json", said(1, "hi"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert promoted(path).contents == ["hi"]


def test_lists_that_are_nested_without_end_are_passed_over_in_one_go(tmp_path: Path) -> None:
    deep = f"{'[' * 200_000}{']' * 200_000}"
    path = export(tmp_path / "export.json", said(1, "hi"), "DEEP", said(2, "ho"))
    path.write_text(path.read_text().replace('"DEEP"', deep))

    assert promoted(path).contents == ["hi", "ho"]


def test_a_folder_of_exports_is_one_source(tmp_path: Path) -> None:
    export(tmp_path / "all" / "a.json", said(1, "one"))
    export(tmp_path / "all" / "b.json", said(2, "two"), channel={"id": str(CHANNEL + 1), "name": "other"})
    written(tmp_path / "all" / "a.json_Files" / "a.png", b"\x89PNG")

    found = promoted(tmp_path / "all")

    assert [(one.content, one.channel_name, one.session) for one in found.messages] == [
        ("one", "general", "all"),
        ("two", "other", "all"),
    ]
    assert found.chunks[-1].end_bytes == found.source.size


def exported_csv(
    path: Path, *rows: Sequence[str], header: str = "AuthorID,Author,Date,Content,Attachments,Reactions"
) -> Path:
    lines = [header, *(",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows)]
    return written(path, "\r\n".join(lines) + "\r\n")


def test_an_exported_csv_has_its_channel_in_its_name(tmp_path: Path) -> None:
    path = exported_csv(
        tmp_path / f"Home - Talk - general - two [{CHANNEL}] (after 2026-01-01).csv",
        [str(ANA), "ana", "2026-11-03T10:00:00.0000000+01:00", 'say "hi",\nthen go', "https://e.org/a.png", "👍 (2)"],
        [str(BOT), "backscroll", "2026-11-03T10:01:00.0000000+01:00", "an answer", "", ""],
    )

    first, second = promoted(path).messages

    assert (first.channel_id, first.channel_name, first.author_id) == (CHANNEL, "general › two", ANA)
    assert (first.content, first.attachments[0].name) == ('say "hi",\nthen go', "a.png")
    assert first.sent_at == datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    assert (first.kind, second.kind) == (Kind.MESSAGE, Kind.ANSWER)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        pytest.param("Home - Talk - general [ID]", "general", id="a channel in a category"),
        pytest.param("Home - talk - general [ID]", "general", id="a category in small letters"),
        pytest.param("Home - general [ID]", "general", id="a channel in none"),
        pytest.param("Home - Info - All - general [ID]", "general", id="a channel in a category with a dash"),
        pytest.param("general [ID]", "general", id="a name that somebody gave"),
        pytest.param("Direct Messages - Private - ben [ID]", "ben", id="direct messages"),
        pytest.param("Home - Voice - Big Hall [ID]", "Big Hall", id="a voice channel"),
        pytest.param(
            "Home - Voice - Hall - upstairs - left [ID]", "Hall - upstairs - left", id="dashes of a voice channel"
        ),
        pytest.param("Home - help-forum - Fix - crash on start [ID]", "help-forum › Fix - crash on start", id="a dash"),
        pytest.param("Home - help-forum - Fix - crash [ID]", "help-forum › Fix - crash", id="a dash before one word"),
        pytest.param("Home - Talk - general - Plans - 2 - b [ID]", "general › Plans - 2 - b", id="two dashes"),
        pytest.param("Home - Talk - 💬│help - Reset [x] [ID]", "💬│help › Reset [x]", id="marks and brackets"),
        pytest.param("Home - Talk - general [ID] [part 2]", "general", id="a part of an export"),
        pytest.param("Home - Talk - general [ID] (2026-01-01 to 2026-02-01)", "general", id="a stretch of time"),
        pytest.param("Home - Talk - 123456789012345678 [ID]", "123456789012345678", id="a channel named as a number"),
    ],
)
def test_the_name_of_an_exported_csv_is_never_cut_at_a_dash_of_a_title(tmp_path: Path, name: str, place: str) -> None:
    row = [str(ANA), "ana", "2026-11-03T10:00:00.0000000+01:00", "hi", "", ""]

    (one,) = promoted(exported_csv(tmp_path / f"{name.replace('ID', str(CHANNEL))}.csv", row)).messages

    assert (one.channel_name, one.channel_id) == (place, CHANNEL)


def test_an_exported_csv_of_a_late_version_has_the_ids_of_discord(tmp_path: Path) -> None:
    path = exported_csv(
        tmp_path / "general.csv",
        [str(snowflake(1)), str(ANA), "ana", "11/03/2026 10:01 AM", "hi", "", ""],
        [str(snowflake(2)), str(ANA), "ana", "11/23/2026 10:01 AM", "ho", "", ""],
        header="MessageID,AuthorID,Author,Date,Content,Attachments,Reactions",
    )

    first, _ = promoted(path).messages

    assert first.key == (snowflake(1), SENT + timedelta(minutes=1))
    assert first.channel_name == "general"


# --- Folders and archives


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_all_folders_are_looked_into_and_what_is_no_export_is_named(tmp_path: Path, packed: bool) -> None:
    folder = tmp_path / "all"
    export(folder / "Home" / "Talk" / "general.json", said(1, "deep"))
    exported_csv(folder / "Home" / "old" / "chat.csv", [str(ANA), "ana", "2026-11-03T10:02:00+01:00", "csv", "", ""])
    written(folder / "settings.json", '{"theme": "dark"}')
    written(folder / "Home" / "general.json_Files" / "a.png", b"\x89PNG")
    written(folder / "Home" / "Thumbs.db", b"\xd0\xcf")
    written(folder / "Home" / "page.html", "<!DOCTYPE html><html></html>")
    written(folder / "Home" / "note.txt", "buy clay")
    written(folder / ".cache" / "general.json", "{")

    path = zipped(tmp_path / "all.zip", everything(folder)) if packed else folder
    found = promoted(path)

    assert found.contents == ["deep", "csv"]
    assert [(file.name, file.kind) for file in found.source.files] == [
        ("Home/Talk/general.json", "export"),
        ("Home/old/chat.csv", "export"),
    ]
    assert {name: reason == OF_NO_KIND for name, reason in found.skipped.items()} == {
        "settings.json": False,
        "Home/page.html": False,
        "Home/note.txt": False,
        "Home/general.json_Files/a.png": True,
        "Home/Thumbs.db": True,
    }
    assert all(is_one_sentence(reason.replace(str(path), "FILE")) for reason in found.skipped.values())


def test_a_cut_file_costs_no_other_file_of_a_folder(tmp_path: Path) -> None:
    cut = export(tmp_path / "all" / "a.json", said(1, "one"), said(2, "two"))
    cut.write_bytes(cut.read_bytes().partition(b'"two"')[0])
    export(tmp_path / "all" / "b.json", said(3, "three"))
    written(tmp_path / "all" / "c.json", "{")

    found = promoted(tmp_path / "all")

    assert found.contents == ["one", "three"]
    assert found.damage.keys() == {"a.json"}
    assert found.skipped.keys() == {"c.json"}


def test_archives_in_a_folder_are_looked_into(tmp_path: Path) -> None:
    export(tmp_path / "general.json", said(1, "packed"))
    export(tmp_path / "all" / "other.json", said(2, "plain"))
    zipped(tmp_path / "all" / "old.zip", {"x/general.json": (tmp_path / "general.json").read_bytes(), "y.zip": b"PK"})
    zipped(tmp_path / "all" / "package.zip", {f"package/{name}": content for name, content in package().items()})
    written(tmp_path / "all" / "broken.zip", b"PK\x03\x04 and no more")

    found = promoted(tmp_path / "all")

    assert sorted(found.contents) == ["", "hello,\nworld", "packed", "plain"]
    assert found.skipped.keys() == {"broken.zip", "old.zip/y.zip"}


def test_a_folder_of_which_nothing_can_be_read_is_refused_with_a_reason(tmp_path: Path) -> None:
    written(tmp_path / "all" / "settings.json", '{"theme": "dark"}')

    assert "settings.json is JSON, but" in refusal(tmp_path / "all")


def test_a_folder_of_exports_beside_each_other_keeps_what_only_one_of_them_tells(tmp_path: Path) -> None:
    """The JSON has the ids: it comes first, and the CSV is known by it."""
    exported_csv(tmp_path / "all" / "a.csv", [str(ANA), "ana", "2026-11-03T10:02:00+01:00", "csv", "", ""])
    export(tmp_path / "all" / "b.json", said(1, "json"))

    found = promoted(tmp_path / "all")

    assert found.contents == ["json", "csv"]
    assert found.source.lacks_ids


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_json_is_read_in_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    path = export(tmp_path / "export.json", said(1, "hello \N{SNOWMAN}"))
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    assert promoted(path).contents == ["hello \N{SNOWMAN}"]


# --- Other JSON


def of_api(number: int, text: str, **changes: Any) -> dict[str, Any]:
    """Return message `number` as Discord's API gives it."""
    sent = SENT + timedelta(minutes=number)
    fields: dict[str, Any] = {
        "id": str(snowflake(number)),
        "type": 0,
        "content": text,
        "channel_id": str(CHANNEL),
        "author": {"id": str(ANA), "username": "ana", "global_name": "Ana"},
        "timestamp": sent.isoformat(),
        "edited_timestamp": None,
        "attachments": [],
        "embeds": [],
        "mentions": [],
    }
    return {**fields, **changes}


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda messages: json.dumps(messages), id="a list"),
        pytest.param(lambda messages: "\ufeff\n" + json.dumps(messages, indent=2), id="a pretty list"),
        pytest.param(lambda messages: "\n".join(map(json.dumps, messages)), id="a line each"),
        pytest.param(lambda messages: "\r\n\r\n".join(map(json.dumps, messages)) + "\r\n", id="lines between"),
        pytest.param(lambda messages: json.dumps({"name": "x", "messages": messages, "more": 1}, indent=1), id="a key"),
    ],
)
def test_messages_as_discord_gives_them_are_read(tmp_path: Path, write: Callable[[list[Any]], str]) -> None:
    messages = [
        of_api(1, "hello"),
        of_api(2, "yes", type=19, message_reference={"message_id": str(snowflake(1))}),
        of_api(3, "better", edited_timestamp="2026-11-03T10:00:00.5+00:00", member={"nick": "Anni"}),
        of_api(4, "", attachments=[{"filename": "a.png", "url": "https://e.org/a.png", "size": 9}]),
        of_api(5, "", type=7),
        of_api(6, "an answer", author={"id": str(BOT), "username": "backscroll"}),
        of_api(7, "", embeds=[{"title": "Build", "description": "failed"}]),
    ]

    found = promoted(written(tmp_path / "general.json", write(messages)))

    plain = partial(typed, session="general", guild_id=None)
    assert [replace(one, channel_name="") for one in found.messages] == [
        replace(one, channel_name="")
        for one in (
            plain(1, "hello"),
            plain(2, "yes", reply_to=snowflake(1)),
            plain(3, "better", edited_at=datetime(2026, 11, 3, 10, 0, 0, 500000, tzinfo=UTC), author_name="Anni"),
            plain(4, "", attachments=(Attachment(name="a.png", url="https://e.org/a.png", size=9),)),
            plain(6, "an answer", author_id=BOT, author_name="backscroll", kind=Kind.ANSWER),
            plain(7, "Build\nfailed", parts=all_of(Source.CARD, "Build\nfailed")),
        )
    ]


def test_all_words_and_files_of_messages_as_discord_gives_them_are_read(tmp_path: Path) -> None:
    forwarded = {"content": "news", "attachments": [{"filename": "b.png", "url": "u", "flags": 8}], "embeds": [CARD]}
    card = {"type": "poll_result", "fields": POLL_RESULT["fields"]}
    messages = [
        of_api(1, "", message_reference={"type": 1, "message_id": "5"}, message_snapshots=[{"message": forwarded}]),
        of_api(2, "", type=46, embeds=[card]),
        of_api(3, "Exhibition", type=18),
        of_api(4, f"<@{BOT}> come", mentions=[{"id": str(BOT), "username": "helper", "member": {"nick": "Helper"}}]),
        of_api(5, "of later", type=63),
    ]
    other = {"user": "ana", "text": "typed", "type": 18, "createdAt": "2026-11-03T09:00:00Z"}

    found = promoted(written(tmp_path / "a.json", json.dumps(messages)))
    others = promoted(written(tmp_path / "b.json", json.dumps([other])))

    assert [(one.kind, one.content) for one in found.messages] == [
        (Kind.MESSAGE, f"news\n{WORDS_OF_CARD}"),
        (Kind.MESSAGE, "The poll has closed: Which day?\nWinner: Sunday (3 of 4 votes)"),
        (Kind.MESSAGE, "started a thread: Exhibition"),
        (Kind.MESSAGE, f"<@Helper:{BOT}> come"),
        (Kind.SYSTEM, "of later"),
    ]
    assert [file.name for file in found.messages[0].attachments] == ["SPOILER_b.png"]
    assert found.messages[0].reply_to is None
    assert others.contents == ["typed"]


def test_messages_in_json_of_other_programs_are_read_by_common_names(tmp_path: Path) -> None:
    lines = [
        {"user": "ana", "text": "hello", "createdAt": 1793696400000, "room": "glaze"},
        {"from": {"name": "bo", "id": 5}, "message": ["so ", {"text": "it is"}], "date": "2026-11-03T09:00:00Z"},
        {"user": "ana", "text": ["a"], "createdAt": {"a": 1}},
    ]
    found = promoted(written(tmp_path / "chat.jsonl", "\n".join(map(json.dumps, lines)) + "\n{cut"))

    assert [(one.author_name, one.content, one.channel_name) for one in found.messages] == [
        ("ana", "hello", "glaze"),
        ("bo", "so it is", "chat"),
    ]
    assert {one.sent_at for one in found.messages} == {SENT.replace(microsecond=0)}
    assert [record for record, _ in found.refused] == [3, 4]


def test_ids_that_javascript_rounded_in_json_are_noticed(tmp_path: Path) -> None:
    messages = [of_api(n, "hi", id=float(snowflake(n) + 77_777 * n)) for n in range(1, 6)]

    found = promoted(written(tmp_path / "chat.json", json.dumps(messages).replace("e+18", "E18")))

    assert min(one.message_id for one in found.messages) >= 2**62


# --- Plain text of DiscordChatExporter

TEXT_EXPORT = """\
==============================================================
Guild: Home
Channel: Talk / general
Topic: [03/11/2026 10:00] no message
==============================================================

[23/11/2026 10:00] ana
hello

second paragraph

[24/11/2026 10:01] bo (pinned)
look

{Attachments}
https://e.org/a.png

{Reactions}
\N{SNOWMAN} (2)

[24/11/2026 10:02] bo

{Embed}
Build
failed

[25/11/2026 10:03] ana
[not a time] said

==============================================================
Exported 4 message(s)
==============================================================
"""


def test_an_export_as_plain_text_is_read(tmp_path: Path) -> None:
    found = promoted(written(tmp_path / f"Home - Talk - general [{CHANNEL}].txt", TEXT_EXPORT))

    assert [(one.author_name, one.content) for one in found.messages] == [
        ("ana", "hello\n\nsecond paragraph"),
        ("bo", "look"),
        ("bo", "Build\nfailed"),
        ("ana", "[not a time] said"),
    ]
    assert [file.name for file in found.messages[1].attachments] == ["a.png"]
    assert {(one.channel_id, one.channel_name) for one in found.messages} == {(CHANNEL, "general")}
    assert found.messages[0].sent_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert found.chunks[-1].end_bytes == found.source.size


# --- The web page of DiscordChatExporter


def page(*groups: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en"><head><title>Home - general</title><style>.chatlog__message {{ color: red; }}</style></head><body>
<div class="preamble"><div class="preamble__entries-container">
<div class="preamble__entry">Home</div><div class="preamble__entry">Talk / general</div></div></div>
<div class="chatlog">{"".join(groups)}</div>
<div class="postamble"><div class="postamble__entry">Exported 5 message(s)</div></div></body></html>"""


def in_page(number: int, content: str, *, author: str = "", aside: str = "", more: str = "") -> str:
    return f"""<div id="chatlog__message-container-{snowflake(number)}" class="chatlog__message-container"
 data-message-id="{snowflake(number)}"><div class=chatlog__message><div class="chatlog__message-aside">{aside}</div>
<div class="chatlog__message-primary">{author}<div class="chatlog__content chatlog__markdown">
<span class="chatlog__markdown-preserve">{content}</span></div>{more}</div></div></div>"""


def header(user_id: int, name: str) -> str:
    return f"""<div class="chatlog__header">
<span class="chatlog__author" title="x" data-user-id="{user_id}">{name}</span>
<span class="chatlog__timestamp" title="Tuesday, 3 November 2026 10:01"><a href="#">03/11/2026 10:01</a></span></div>"""


def test_an_export_as_a_web_page_is_read(tmp_path: Path) -> None:
    reply = f"""<div class="chatlog__reply"><div class="chatlog__reply-author">Bo</div>
<div class="chatlog__reply-content"><span class="chatlog__reply-link"
 onclick="scrollToMessage(event, '{snowflake(1)}')">fish &amp; chips</span></div></div>"""
    picture = '<div class="chatlog__attachment"><a href="https://e.org/a.png"><img src="https://e.org/a.png"></a></div>'
    card = '<div class="chatlog__embed"><div class="chatlog__embed-title">Build</div><div>failed</div></div>'
    first = in_page(1, "fish &amp; chips<br>\n&lt;b&gt; <strong>now</strong>", author=header(ANA, "Ana"))
    second = in_page(2, "", aside='<div class="chatlog__short-timestamp" title="x">10:02</div>', more=picture)
    third = in_page(3, 'yes <img class="chatlog__emoji" alt="\N{SNOWMAN}"> ', author=f"{reply}{header(8, 'Bo')}")
    edited = in_page(
        4, 'better</span> <span class="chatlog__edited-timestamp">(edited)', author=header(ANA, "Ana"), more=card
    )
    groups = [f'<div class="chatlog__message-group">{"".join(group)}</div>' for group in ([first, second], [third])]
    groups.append(f'<div class="chatlog__message-group">{edited}</div>')

    found = promoted(written(tmp_path / f"Home - Talk - general [{CHANNEL}].html", page(*groups)))

    plain = partial(plainly, guild_id=None, session=f"Home - Talk - general [{CHANNEL}]")
    assert found.messages == [
        plain(1, "fish & chips\n\n<b> now"),
        plain(2, "", attachments=(Attachment(name="a.png", url="https://e.org/a.png"),)),
        plain(3, "yes \N{SNOWMAN}", author_id=8, author_name="Bo", reply_to=snowflake(1), kind=Kind.ANSWER),
        plain(4, "better"),
    ]
    assert found.chunks[-1].end_bytes == found.source.size


def test_a_web_page_whose_end_is_missing_is_read_until_there(tmp_path: Path) -> None:
    whole = page(in_page(1, "hello", author=header(ANA, "Ana")), in_page(2, "there"))

    found = promoted(written(tmp_path / "a.html", whole.partition("there")[0]))

    assert found.contents == ["hello"]
    assert "cut off" in found.damage["a.html"]


def test_a_tag_without_end_does_not_take_for_ever(tmp_path: Path) -> None:
    path = written(tmp_path / "a.html", page(in_page(1, "hi")) + "<!--" + "x<" * 10_000_000)

    assert "has no end" in refusal(path)


def test_dates_that_read_both_ways_are_refused_until_somebody_says_how(tmp_path: Path) -> None:
    rows = [[str(ANA), "ana", "06/10/2026 00:37", "a", "", ""], [str(ANA), "ana", "07/10/2026 13:05", "b", "", ""]]
    path = exported_csv(tmp_path / "chat.csv", *rows)

    sentence = refusal(path)

    assert "--day-first" in sentence
    assert "--month-first" in sentence
    assert [one.sent_at.month for one in promoted(path, day_first=True).messages] == [10, 10]
    assert [one.sent_at.month for one in promoted(path, day_first=False).messages] == [6, 7]


# --- Discord's data package


def package(folder: str = "messages", *, as_csv: bool = False, prefix: str = "c") -> dict[str, str]:
    """Return the files of a package, by their paths."""
    where = f"{folder}/{prefix}{CHANNEL}"
    files = {
        "README.txt": "Welcome",
        "account/user.json": json.dumps({"id": str(ANA), "username": "ana", "global_name": "Ana"}),
        f"{folder}/index.json": json.dumps({str(CHANNEL): "general in Home", str(THREAD): None}),
        f"{where}/channel.json": json.dumps(
            {"id": str(CHANNEL), "type": "GUILD_TEXT", "name": "general", "guild": {"id": str(GUILD), "name": "Home"}}
        ),
        f"{folder}/{prefix}{THREAD}/channel.json": json.dumps({"id": str(THREAD), "type": "PUBLIC_THREAD"}),
        f"{folder}/{prefix}{THREAD}/messages.json": "[]",
    }
    if as_csv:
        files[f"{where}/messages.csv"] = (
            "ID,Timestamp,Contents,Attachments\r\n"
            f'{snowflake(1)},2026-11-03 09:01:00.123000+00:00,"hello,\nworld",\r\n'
            f"{snowflake(2)},2026-11-03 09:02:00,,https://e.org/a.png https://e.org/b.png\r\n"
        )
        return files
    files[f"{where}/messages.json"] = json.dumps(
        [
            {"ID": snowflake(1), "Timestamp": "2026-11-03 09:01:00", "Contents": "hello,\nworld", "Attachments": ""},
            {
                "ID": snowflake(2),
                "Timestamp": "2026-11-03 09:02:00",
                "Contents": "",
                "Attachments": "https://e.org/a.png https://e.org/b.png",
            },
        ]
    )
    return files


def unpacked(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        written(folder / name, content)
    return folder


def zipped(path: Path, files: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(package(), id="JSON"),
        pytest.param(package(as_csv=True), id="CSV"),
        pytest.param(package("Nachrichten"), id="in German"),
        pytest.param(package(prefix=""), id="old folder names"),
        pytest.param({f"package/{name}": content for name, content in package().items()}, id="a folder deeper"),
    ],
)
@pytest.mark.parametrize("packed", [True, False], ids=["zip", "folder"])
def test_a_data_package_gives_what_its_owner_wrote(tmp_path: Path, files: dict[str, str], packed: bool) -> None:
    path = zipped(tmp_path / "package.zip", files) if packed else unpacked(tmp_path / "package", files)

    found = promoted(path)

    files_of_second = tuple(Attachment(name=name, url=f"https://e.org/{name}") for name in ("a.png", "b.png"))
    assert found.messages == [
        plainly(1, "hello,\nworld", session="package"),
        plainly(2, "", session="package", attachments=files_of_second),
    ]
    assert found.chunks[-1].end_bytes <= found.source.size


def test_a_thread_of_a_package_is_a_place_of_its_own(tmp_path: Path) -> None:
    files = package()
    one = {"ID": snowflake(3), "Timestamp": "2026-11-03 09:03:00", "Contents": "hi", "Attachments": ""}
    files[f"messages/c{THREAD}/messages.json"] = json.dumps([one, 7])

    found = promoted(unpacked(tmp_path / "package", files))

    (in_thread,) = [one for one in found.messages if one.content == "hi"]
    assert (in_thread.place_id, in_thread.thread_id) == (THREAD, THREAD)
    assert found.refused == [(2, "7")]


def test_a_package_without_the_account_is_of_nobody_and_says_so(tmp_path: Path) -> None:
    files = {name: content for name, content in package().items() if not name.startswith("account")}
    path = zipped(tmp_path / "package.zip", files)

    found = promoted(path)

    assert {(one.author_id, one.author_name) for one in found.messages} == {(None, UNKNOWN_AUTHOR)}
    (remark,) = found.source.remarks
    assert "--author" in remark
    assert UNKNOWN_AUTHOR in remark


def test_whoever_wrote_a_package_that_does_not_tell_may_be_named(tmp_path: Path) -> None:
    files = {name: content for name, content in package().items() if not name.startswith("account")}
    path = zipped(tmp_path / "package.zip", files)

    found = promoted(path, author={"author_name": "Ana", "author_id": str(ANA)})

    assert {(one.author_id, one.author_name) for one in found.messages} == {(ANA, "Ana")}
    assert not found.source.remarks
    assert found.source.digest != opened(path).digest


@pytest.mark.parametrize("left", ["messages/", ""], ids=["the folder of the messages", "what is in it"])
def test_messages_of_a_package_alone_are_read_channel_by_channel(tmp_path: Path, left: str) -> None:
    """Somebody has packed a part of the package; without the index, too."""
    files = {
        f"{left}{name.removeprefix('messages/')}": content
        for name, content in package().items()
        if name.startswith("messages/c")
    }
    files["notes.json"] = json.dumps([of_api(9, "beside it")])

    found = promoted(zipped(tmp_path / "package.zip", files))

    assert sorted(found.contents) == ["", "beside it", "hello,\nworld"]
    assert {one.channel_name for one in found.messages if not one.author_id} == {"general"}


def test_a_package_that_tells_whose_it_is_is_of_nobody_else(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package())

    found = promoted(path, author={"author_name": "Bo"})

    assert {one.author_name for one in found.messages} == {"Ana"}


@pytest.mark.parametrize("content", [b"", b"[{", b"nothing", b"{}"], ids=["empty", "cut", "no JSON", "an object"])
def test_a_channel_of_a_package_that_cannot_be_read_costs_no_other(tmp_path: Path, content: bytes) -> None:
    name = f"messages/c{THREAD}/messages.json"

    found = promoted(zipped(tmp_path / "package.zip", {**package(), name: content}))

    assert len(found.messages) == 2
    assert found.damage.keys() == {name}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"../evil.json": "{}"}, "outside", id="a file that climbs out"),
        pytest.param({"/etc/evil.json": "{}"}, "outside", id="a file at the root"),
        pytest.param({f"messages/c{CHANNEL}/messages.json": "[{"}, "damaged", id="half of the JSON"),
        pytest.param({"account/user.json": "{"}, "damaged", id="half of the account"),
        pytest.param({"account/user.json": f'{{"id": {DEEP}}}'}, "damaged", id="an account that is nested deeply"),
        pytest.param({"messages/index.json": f'{{"a": {"9" * 5_000}}}'}, "damaged", id="a number of 5,000 digits"),
        pytest.param({f"messages/c{CHANNEL}/messages.json": "{}"}, "damaged", id="an object instead of the messages"),
    ],
)
def test_a_package_that_is_damaged_or_harmful_is_refused(tmp_path: Path, change: dict[str, str], words: str) -> None:
    assert words in refusal(zipped(tmp_path / "package.zip", {**package(), **change}))


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        pytest.param("ID,Contents\n7,hello\n", "Timestamp", id="no times"),
        pytest.param("\n0", "ID", id="no header"),
    ],
)
def test_a_table_of_a_package_without_a_column_that_it_needs_is_refused(
    table: str, missing: str, tmp_path: Path
) -> None:
    files = {name: content for name, content in package().items() if not name.endswith("messages.json")}
    files[f"messages/c{CHANNEL}/messages.csv"] = table

    assert f"has no column {missing}" in refusal(zipped(tmp_path / "package.zip", files))


def test_notes_of_a_package_that_are_not_as_they_should_be_tell_nothing(tmp_path: Path) -> None:
    files = package() | {
        "account/user.json": json.dumps({"id": [1], "username": {"a": "b"}}),
        f"messages/c{CHANNEL}/channel.json": json.dumps({"type": [11], "name": 5.5, "guild": "Home"}),
    }

    (first, _) = promoted(zipped(tmp_path / "package.zip", files)).messages

    assert (first.author_id, first.author_name) == (None, UNKNOWN_AUTHOR)
    assert (first.guild_id, first.thread_id) == (None, None)
    assert first.channel_name == "general in Home"


def test_a_message_of_a_package_that_is_nested_deeply_costs_no_other(tmp_path: Path) -> None:
    name = f"messages/c{CHANNEL}/messages.json"
    files = package()
    files[name] = f"{files[name].removesuffix(']')}, {DEEP}]"

    found = promoted(zipped(tmp_path / "package.zip", files))

    assert len(found.messages) == 2
    assert found.refused == [(3, DEEP)]


def test_a_package_that_is_packed_in_another_way_and_damaged_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package(), method=zipfile.ZIP_LZMA)
    content = bytearray(path.read_bytes())
    name = f"c{CHANNEL}/messages.json".encode()
    content[content.index(name) + len(name) + 20] ^= 255
    path.write_bytes(content)

    assert "damaged" in refusal(path)


def test_a_package_with_the_name_of_a_file_in_no_known_letters_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package())
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 9] |= 8  # says that the name is UTF-8
    content[entry + 46] = 0xFF
    path.write_bytes(content)

    assert "damaged" in refusal(path)


def test_a_package_whose_list_of_files_is_said_to_be_elsewhere_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x05\x06") + 15] ^= 0x7F
    path.write_bytes(content)

    assert "damaged" in refusal(path)


def test_a_file_of_a_package_that_swells_is_left_out(tmp_path: Path) -> None:
    swelling = {f"messages/c{CHANNEL}/messages.json": b"[" + b" " * (65 * 2**20) + b"]"}

    found = promoted(zipped(tmp_path / "package.zip", {**package(), **swelling}))

    assert found.messages == []
    assert "too large" in found.skipped[f"messages/c{CHANNEL}/messages.json"]


def test_a_package_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package())
    content = bytearray(path.read_bytes())
    name = f"c{CHANNEL}/messages.json".encode()
    content[content.index(name) + len(name) + 10] ^= 255
    path.write_bytes(content)

    assert "damaged" in refusal(path)


def test_a_package_behind_a_password_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "package.zip", package())
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1  # says of the first file that it is encrypted
    path.write_bytes(content)

    assert "encrypted" in refusal(path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    assert "no Discord data package" in refusal(zipped(tmp_path / "sheet.xlsx", {"xl/workbook.xml": "<x/>"}))


def test_the_bots_own_answers_are_known_in_any_csv(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", f"user_id,text,time\n{BOT},a,2026-11-03 10:00\n{ANA},b,2026-11-03 10:00\n")

    assert [one.kind for one in promoted(path).messages] == [Kind.ANSWER, Kind.MESSAGE]
    assert [one.kind for one in promoted(path, me=None).messages] == [Kind.MESSAGE, Kind.MESSAGE]


def test_records_of_the_same_words_stay_apart_when_they_differ_in_their_files(tmp_path: Path) -> None:
    path = written(tmp_path / "chat.csv", "text,time,files\nlook,2026-11-03 10:00,a.png\nlook,2026-11-03 10:00,b.png\n")

    first, second = promoted(path).messages

    assert replace(first, message_id=0, attachments=()) == replace(second, message_id=0, attachments=())
    assert first.message_id != second.message_id
