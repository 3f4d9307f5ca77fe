"""A message's fields stand in one list, and a field that is added there is written, read, promoted and stored."""

import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Boolean, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB

from db.schema import MessageRow
from memory.capture.message_csv import to_row
from memory.index.store import CHANGED_BY_EDITS, Indexed, to_message, values_of
from memory.message import COLUMNS, FIELDS, Attachment, Field, Kind, Part, Reaction, Source
from ops.promotion.sources.foreign_csv import SYNONYMS
from tests.builders import message, minute

ROOT = Path(__file__).parents[2]
PACKAGES = ("db", "memory", "ops", "storage", "time_expressions", "errors.py", "util_async.py")

SQL_TYPES = {int: BigInteger, datetime: DateTime, str: Text, bool: Boolean, Kind: Text, tuple: JSONB}
BESIDE = {"search_text", "embedding", "embedding_model", "promotion_id"}
"""Columns of the table that no message has: what makes it findable, and which batch has brought it."""

WHOLE = message(
    7,
    "The kiln is at 1,240 degrees",
    guild_id=2,
    thread_id=3,
    author_id=4,
    reply_to=5,
    kind=Kind.COMMAND,
    attachments=(Attachment(name="kiln.jpg", url="https://example.org/kiln.jpg"),),
    edited_at=minute(8),
    deleted_at=minute(9),
    in_public_thread=True,
    forwarded_from=6,
    completed_at=minute(10),
    parts=(Part(source=Source.AUTHORED, start=0, end=28),),
    reactions=(Reaction(emoji="\N{FIRE}", count=2),),
    reactions_at=minute(11),
)


@pytest.mark.parametrize("field", FIELDS, ids=COLUMNS)
def test_the_table_has_a_column_for_each_field_of_its_type(field: Field) -> None:
    columns = MessageRow.__table__.columns

    assert field.name in columns, (
        f"add {field.name} to MessageRow in db/schema.py, and a migration: see CONTRIBUTING.md"
    )
    assert isinstance(columns[field.name].type, SQL_TYPES[field.type])
    assert bool(columns[field.name].nullable) is field.is_optional


def test_the_table_has_the_fields_in_their_order_and_nothing_that_is_not_said_here() -> None:
    names = [column.name for column in MessageRow.__table__.columns]

    assert names[: len(COLUMNS)] == list(COLUMNS)
    assert set(names[len(COLUMNS) :]) == BESIDE


def test_every_field_comes_back_from_the_row_of_a_table() -> None:
    row = values_of(Indexed(WHOLE, "text", None, None))

    assert to_message(row) == WHOLE
    assert list(row)[: len(COLUMNS)] == list(COLUMNS)
    assert set(CHANGED_BY_EDITS) <= row.keys()


def test_every_field_stands_in_the_row_of_a_csv() -> None:
    assert all(to_row(WHOLE))
    assert len(to_row(WHOLE)) == len(COLUMNS)


def test_every_column_can_be_named_in_a_csv_of_others() -> None:
    assert SYNONYMS.keys() == set(COLUMNS)


LAST_FIELD = "    reactions_at: datetime | None = None\n"
ADDED_FIELDS = '    topic_id: int | None = None\n    pinned_at: datetime | None = None\n    mood: str = ""\n'
LAST_COLUMN = "    reactions_at: Mapped[datetime | None] = mapped_column(AwareTime)\n    search_text"
ADDED_COLUMNS = (
    "    topic_id: Mapped[int | None] = mapped_column(BigInteger)\n"
    "    pinned_at: Mapped[datetime | None] = mapped_column(AwareTime)\n"
    "    mood: Mapped[str] = mapped_column(Text)\n"
)
USE = """
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from memory.capture.journal import Journal, encoded
from memory.capture.message_csv import from_row, to_row
from memory.index.store import Indexed, to_message, values_of
from memory.message import COLUMNS, Kind, Message
from ops.erasure.files import answers_in
from ops.promotion.clean import clean
from ops.promotion.sources.detect import open_source

at = datetime(2026, 11, 3, 9, tzinfo=UTC)
message = Message(
    message_id=7, sent_at=at, session="kiln", channel_id=1, channel_name="kiln", author_name="Ana", kind=Kind.ANSWER,
    content="1,240 degrees", topic_id=12, pinned_at=at + timedelta(hours=1), mood="calm",
)

def promoted(name, content):
    Path(name).write_bytes(content)
    batches = open_source(Path(name), mapping={}, time_zone=ZoneInfo("UTC"), me=None).chunks()
    (found,) = [one for chunk in batches for one in clean(chunk, session="kiln", time_zone=ZoneInfo("UTC")).messages]
    return found.topic_id, found.pinned_at, found.mood

added = (message.topic_id, message.pinned_at, message.mood)
row = dict(zip(COLUMNS, to_row(message)))
foreign = {"content": "words", "timestamp": row["sent_at"], "author": "Ana", "Topic ID": "12", "mood": "calm"}
foreign["pinned at"] = row["pinned_at"]

assert from_row(to_row(message)) == message, "a row of the CSV"
assert to_message(values_of(Indexed(message, "", None, None))) == message, "a row of the table"
assert promoted("session.csv", encoded([COLUMNS, row.values()])) == added, "promotion of a CSV of ours"
assert list(answers_in(Path("session.csv"))) == [message], "erasure"
assert promoted("foreign.csv", encoded([foreign.keys(), foreign.values()])) == added, "promotion of a CSV of others"
assert promoted("foreign.json", json.dumps([foreign]).encode()) == added, "promotion of JSON of others"
old = encoded([COLUMNS[:-3], list(row.values())[:-3]])
assert promoted("older.csv", old) == (None, None, ""), "promotion of a CSV from before the fields were added"
(batch,) = Journal(Path("older.csv")).read_all()
assert [one.content for one in batch.messages] == ["1,240 degrees"], "the journal that is such a CSV"
assert Journal(Path("older.csv")).accepts(old.splitlines()[0]), "the import of such a CSV"
assert [one.content for one in answers_in(Path("older.csv"))] == ["1,240 degrees"], "erasure of such a CSV"
print("the added fields came through")
"""


def test_a_field_that_is_added_to_the_list_goes_through_csv_table_promotion_and_erasure(tmp_path: Path) -> None:
    for name in PACKAGES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    replace_in(tmp_path / "memory" / "message.py", LAST_FIELD, LAST_FIELD + ADDED_FIELDS)
    replace_in(
        tmp_path / "db" / "schema.py", LAST_COLUMN, LAST_COLUMN.replace("    search", ADDED_COLUMNS + "    search")
    )
    script = tmp_path / "use.py"
    script.write_text(USE, encoding="utf-8")

    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)

    assert done.stdout == "the added fields came through\n", done.stderr


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
