"""A file that somebody hands to a promotion is read, or refused with a sentence; so is all that it holds."""

import io
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import zstandard
from hypothesis import given
from hypothesis import strategies as st

from errors import InputFileError
from memory.capture.journal import encoded
from memory.message import COLUMNS, sanitize
from ops.promotion import cells
from ops.promotion.clean import clean
from ops.promotion.sources.detect import open_source
from ops.promotion.sources.encodings import escape_undecodable
from ops.promotion.sources.survey import days_come_first
from ops.promotion.times import read_time
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import (
    csv_files,
    damaged,
    damages,
    encodings,
    exports,
    hostile_json,
    package_messages,
    package_notes,
    pieces,
    texts,
    times_of_others,
    zones,
)
from tests.sentences import is_one_sentence

BERLIN = ZoneInfo("Europe/Berlin")
MAPPING = {"content": "text", "sent_at": "when"}
CHANNEL = "902000000000000002"


def promoted(
    name: str, content: bytes, *, mapping: dict[str, str] | None = None, unpacked: int = 0, **options: Any
) -> int | None:
    """Return how many records a file holds, each of them a message or refused; None when the file is refused."""
    with tempfile.TemporaryDirectory() as folder, in_time(max(len(content), unpacked)):
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            source = open_source(path, mapping=mapping or {}, time_zone=BERLIN, me=8, **options)
            chunks = list(source.chunks())
        except InputFileError as error:
            assert is_one_sentence(plain(str(error), folder)), error
            return None
        cleaned = [clean(chunk, session=source.session, time_zone=BERLIN) for chunk in chunks]
    assert [one.records for one in cleaned] == [len(chunk.frame) + len(chunk.rejects) for chunk in chunks]
    for message in (message for one in cleaned for message in one.messages):
        assert -(2**63) <= message.message_id < 2**63
        assert sanitize(message.content) == message.content
        assert [sanitize(file.name + file.url) for file in message.attachments] == [
            file.name + file.url for file in message.attachments
        ]
    for reject in (reject for batch in cleaned for reject in batch.rejects):
        assert reject.reason
        assert encoded([[reject.text, reject.reason]])
    return sum(one.records for one in cleaned)


def plain(sentence: str, folder: str) -> str:
    """Return a sentence without what it repeats of the file."""
    words = sentence.replace(folder, "FOLDER")
    while "(" in words and ")" in words.partition("(")[2]:
        before, _, behind = words.partition("(")
        words = f"{before}{behind.partition(')')[2]}"
    head, _, tail = words.rpartition(": ")
    return f"A file: {tail}" if head else words


@given(exports, st.sampled_from(["utf-8", "utf-8-sig"]))
def test_any_export_is_read_or_refused(text: str, encoding: str) -> None:
    promoted("export.json", text.encode(encoding, "surrogatepass"))


@given(exports, damages)
def test_an_export_with_other_bytes_is_read_or_refused(text: str, damage: tuple[str, float, bytes]) -> None:
    promoted("export.json", damaged(text.encode("utf-8", "replace"), damage))


@given(csv_files, encodings, st.booleans())
def test_any_csv_is_read_or_refused(text: str, encoding: str, mapped: bool) -> None:
    promoted("chat.csv", text.encode(encoding, "replace"), mapping=MAPPING if mapped else {})


@given(st.lists(st.lists(pieces, min_size=13, max_size=16), max_size=4), damages)
def test_any_csv_with_the_header_of_a_session_is_read_or_refused(
    rows: list[list[str]], damage: tuple[str, float, bytes]
) -> None:
    promoted("demo.csv", damaged(encoded([COLUMNS, *rows]), damage))


@given(st.binary(max_size=3_000), st.sampled_from(["a.csv", "a.json", "a.zip", "a.csv.zst", "a"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    promoted(name, content)


@given(csv_files, damages | st.none())
def test_a_compressed_csv_is_read_or_refused(text: str, damage: tuple[str, float, bytes] | None) -> None:
    plain_bytes = text.encode("utf-8", "replace")
    content = zstandard.ZstdCompressor().compress(plain_bytes)
    promoted("chat.csv.zst", damaged(content, damage) if damage else content, unpacked=len(plain_bytes))


@given(exports, st.sampled_from(["utf-16", "utf-16-le", "utf-32", "cp1251", "shift_jis"]), damages | st.none())
def test_an_export_in_another_encoding_is_read_or_refused(
    text: str, encoding: str, damage: tuple[str, float, bytes] | None
) -> None:
    content = text.encode(encoding, "replace")
    promoted("export.json", damaged(content, damage) if damage else content)


@given(st.lists(hostile_json, max_size=6), st.sampled_from(["\n", "\r\n", ",\n", ""]), st.booleans())
def test_any_list_or_lines_of_json_are_read_or_refused(values: list[str], between: str, is_list: bool) -> None:
    text = between.join(values)
    promoted("chat.json", (f"[{text}]" if is_list else text).encode("utf-8", "surrogatepass"))


@given(st.lists(st.tuples(times_of_others, texts), max_size=6), damages | st.none(), st.booleans() | st.none())
def test_any_export_as_text_is_read_or_refused(
    said: list[tuple[str, str]], damage: tuple[str, float, bytes] | None, day_first: bool | None
) -> None:
    rule = "=" * 62
    lines = [rule, "Guild: Home", "Channel: Talk / general", rule, ""]
    for time, text in said:
        lines += [f"[{time}] ana", text, ""]
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    promoted("chat.txt", damaged(content, damage) if damage else content, day_first=day_first)


@given(st.lists(texts | hostile_json, max_size=6), damages | st.none())
def test_any_export_as_a_web_page_is_read_or_refused(said: list[str], damage: tuple[str, float, bytes] | None) -> None:
    messages = (
        f'<div class="chatlog__message-container" data-message-id="{number}"><span class="chatlog__author" '
        f'data-user-id="{number}">ana</span><div class="chatlog__content">{text}</div></div>'
        for number, text in enumerate(said)
    )
    content = f"<!DOCTYPE html><html>{''.join(messages)}</html>".encode("utf-8", "surrogatepass")
    promoted("chat.html", damaged(content, damage) if damage else content)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.csv", "b.json", "x/c.txt", "x/d.html", "x/y.zip", "e.png"]), st.binary() | csv_files
        ),
        max_size=5,
    ),
    exports,
)
def test_any_archive_of_files_is_read_or_refused(files: list[tuple[str, bytes | str]], export: str) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in {**dict(files), "export.json": export}.items():
            archive.writestr(name, text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    promoted("all.zip", content.getvalue())


@given(st.binary(max_size=2_000), st.sampled_from(["cp1251", "utf-16", "utf-8-sig", "shift_jis", "utf-7"]))
def test_any_bytes_in_a_named_encoding_are_read_or_refused(content: bytes, encoding: str) -> None:
    promoted("a.csv", b"text,time\n" + content, encoding=encoding)


def packed(files: dict[str, str], method: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text.encode("utf-8", "replace"))
    return content.getvalue()


@given(
    package_messages | csv_files,
    package_notes,
    package_notes,
    package_notes,
    st.sampled_from(["json", "csv"]),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    damages | st.none(),
)
def test_any_data_package_is_read_or_refused(
    some: str, index: str, account: str, channel: str, ending: str, method: int, damage: tuple[str, float, bytes] | None
) -> None:
    files = {
        "messages/index.json": index,
        "account/user.json": account,
        f"messages/c{CHANNEL}/channel.json": channel,
        f"messages/c{CHANNEL}/messages.{ending}": some,
    }
    content = packed(files, method)
    promoted("package.zip", damaged(content, damage) if damage else content, unpacked=sum(map(len, files.values())))


def test_an_archive_of_thousands_of_files_is_refused_in_time() -> None:
    content = packed(
        {f"{number}/{'a/' * 50}c{CHANNEL}/messages.jsom": "[]" for number in range(5_000)}, zipfile.ZIP_STORED
    )

    assert promoted("many.zip", content) is None


@given(times_of_others, zones, st.booleans())
def test_a_time_of_others_is_read_or_refused(text: str, zone: ZoneInfo, day_first: bool) -> None:
    with in_time(len(text)):
        with suppress(ValueError):
            assert read_time(text, zone=zone, day_first=day_first).moment.utcoffset() is not None
        with suppress(ValueError):
            days_come_first([text])


@given(texts)
def test_a_cell_of_others_is_read_or_refused(text: str) -> None:
    with in_time(len(text)):
        with suppress(ValueError):
            assert -(2**63) <= cells.id_of_others(text, kind="message") < 2**63
        with suppress(ValueError):
            cells.own_id(text)
        with suppress(ValueError):
            cells.files_of_others(text)
        cells.becomes_a_number(text)
        escape_undecodable(text)


@given(hostile_json, pieces)
def test_a_cell_of_json_is_read_or_refused(text: str, model: str) -> None:
    with in_time(len(text)):
        with suppress(ValueError):
            cells.files(text)
        with suppress(ValueError):
            cells.files(f"[{text}]")
        with suppress(ValueError):
            cells.vector(text, model)
        with suppress(ValueError):
            cells.vector(f"[1, {text}]", model)
