"""A person is told what both memories hold of them, each message once, and gets their own words and no others."""

import csv
import io
import json
import zipfile

import pytest
from sqlalchemy import insert, text

from db.databases import Database
from db.engines import transaction
from db.schema import DecisionRow, RevisionRow, TimeZoneRow
from errors import DatabaseUnavailableError
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.store import Indexed
from memory.message import Part, Source
from memory.personal import MOST_PARTS, HeldMessage, PersonalData
from tests.builders import edit, message, minute, remember

pytestmark = pytest.mark.server

ANA, BOB, STAFF = 7, 8, 2
EARLIER = [message(number, f"earlier {number}", author_id=ANA, guild_id=5, session="old") for number in (1, 2)]
NOW = [
    message(10, "hello, with a comma", author_id=ANA, guild_id=5),
    edit(11, "edited", at=12, author_id=ANA, guild_id=5, channel_id=STAFF, channel_name="staff"),
    message(13, "not hers", author_id=BOB, guild_id=5),
    message(
        14,
        "my word: what bob said",
        author_id=ANA,
        guild_id=5,
        forwarded_from=13,
        parts=(Part(source=Source.AUTHORED, start=0, end=9), Part(source=Source.FORWARD, start=9, end=22)),
    ),
]


@pytest.fixture
async def personal(short_term: Database, long_term: Database, embedder: Embedder) -> PersonalData:
    await remember(short_term, embedder, NOW)
    await remember(long_term, embedder, [*EARLIER, *NOW])  # the session of now was promoted
    async with transaction(short_term.sessions) as session:
        await session.execute(insert(RevisionRow).values(message_id=11, revised_at=minute(12), content="as it was"))
    async with transaction(long_term.sessions) as session:
        await session.execute(
            insert(TimeZoneRow).values(owner_kind="person", owner_id=ANA, zone="Europe/Paris", set_at=minute(1))
        )
        about = {"guild_id": 5, "message_id": 13, "channel_id": 1, "sent_at": minute(13), "title": "a title"}
        await session.execute(insert(DecisionRow).values(**about, marked_by=ANA, marked_at=minute(20)))
    return PersonalData(short_term.sessions, long_term.sessions, session="demo")


async def exported(personal: PersonalData, **options: int) -> list[zipfile.ZipFile]:
    return [zipfile.ZipFile(io.BytesIO(archive)) async for archive in personal.export(ANA, **options)]


def column(archive: zipfile.ZipFile, file: str, name: str) -> list[str]:
    return [row[name] for row in csv.DictReader(io.StringIO(archive.read(file).decode()))]


async def test_messages_are_counted_once_by_the_place_that_opens_them(personal: PersonalData) -> None:
    held = await personal.held(ANA)

    general, staff = held.places
    assert (general.access_id, general.messages, general.edited) == (1, 4, 0)
    assert (general.first, general.last) == (minute(1), minute(14))
    assert (staff.access_id, staff.messages, staff.edited) == (STAFF, 1, 1)
    assert held.messages == 5
    assert held.amounts == {"decisions marked": 1, "time zone": 1, "names": 1}
    assert held.choices == {"time zone": "Europe/Paris"}


async def test_what_is_handed_over_is_ones_own(personal: PersonalData) -> None:
    (archive,) = await exported(personal)

    assert column(archive, "messages.csv", "content") == [
        "my word: ",
        "edited",
        "hello, with a comma",
        "earlier 2",
        "earlier 1",
    ]
    assert column(archive, "earlier_texts.csv", "content") == ["as it was"]
    choices = json.loads(archive.read("choices.json"))
    assert choices["time zone"][0]["zone"] == "Europe/Paris"
    assert choices["decisions marked"][0]["title"] == "a title"
    assert b"bob" not in archive.read("messages.csv")


async def test_what_is_too_large_for_discord_comes_in_parts_newest_first(
    short_term: Database, long_term: Database, embedder: Embedder
) -> None:
    said = [message(number, "word " * 30, author_id=ANA) for number in range(1, 2501)]
    await remember(short_term, embedder, said[:1])
    async with transaction(short_term.sessions) as session:
        rows = [Indexed(one, "", None, None) for one in said]
        await store.write(session, batch=rows, revisions=(), journal="demo", position=0)
    personal = PersonalData(short_term.sessions, long_term.sessions, session="demo")

    archives = await exported(personal, largest=300_000)

    assert 1 < len(archives) <= MOST_PARTS
    ids = [int(number) for archive in archives for number in column(archive, "messages.csv", "message_id")]
    assert ids == list(range(2500, 0, -1))
    assert [("choices.json" in archive.namelist()) for archive in archives] == [True] + [False] * (len(archives) - 1)


async def test_it_knows_whose_a_message_is_and_how_much_a_channel_holds(personal: PersonalData) -> None:
    assert await personal.message(11) == HeldMessage(ANA, STAFF, None, 5)
    assert await personal.message(99) is None
    assert await personal.count(channels=[1]) == (5, 2)
    assert await personal.count(messages=[10, 11, 99]) == (2, 1)


async def test_half_an_answer_is_none(personal: PersonalData, long_term: Database) -> None:
    async with long_term.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE messages RENAME TO elsewhere"))

    with pytest.raises(DatabaseUnavailableError):
        await personal.held(ANA)
