"""What a person missed and which questions are open, over both memories on a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.databases import LONG_TERM, SHORT_TERM
from db.engines import open_engine, parse_dsn, sessions_of
from errors import DatabaseUnavailableError
from memory.catch_ups import CatchUps
from memory.decisions import Decision, Decisions
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD
from memory.index.reembed import prepare
from memory.message import Kind, Message, Reaction
from memory.search.memory import Memory
from memory.search_session import searchable_database
from overviews.all import Overviews
from overviews.decisions import DecisionList
from overviews.overview import Overview, Section, Viewer
from tests.builders import deletion, edit, message, minute, remember
from tests.conftest import open_existing_database
from tests.servers import Server

pytestmark = pytest.mark.server

GUILD, OTHER_GUILD = 5, 6
OPS, HELP, STAFF, ELSEWHERE, FORUM = 21, 22, 23, 24, 25
POST, ANSWERED_POST = 300, 310
ANA, BEN, CLEO = 1, 2, 3
PLACES = frozenset({OPS, HELP, FORUM})
NOW = minute(2000)


def said(number: int, content: str, author: int = BEN, channel: int = OPS, **changes: Any) -> Message:
    """Return message `number`, which Ben sent in #ops in that minute."""
    names = {OPS: "ops", HELP: "help", STAFF: "staff", ELSEWHERE: "elsewhere", FORUM: "forum"}
    fields: dict[str, Any] = {"author_id": author, "author_name": {ANA: "ana", BEN: "ben", CLEO: "cleo"}[author]}
    fields |= {"guild_id": GUILD, "channel_id": channel, "channel_name": names[channel]}
    return message(number, content, **{**fields, **changes})


def post(number: int, content: str, author: int = CLEO, thread: int = POST) -> Message:
    place = {
        "thread_id": thread,
        "in_public_thread": True,
        "channel_name": "forum \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} help me",
    }
    return said(number, content, author, FORUM, **place)


THUMBS = (Reaction(emoji="👍", count=3),)
PROMOTED = (
    said(90, "cleo, that is right", CLEO, HELP, reply_to=91),
    said(91, "I fire at 1200 degrees", ANA, HELP),
    said(100, "back tomorrow", ANA),
    said(110, "I am away myself", BEN, reply_to=100),
    said(120, "who has the key of the shed?", CLEO, HELP),
    said(130, "a link: https://example.org/kilns", CLEO, HELP),
    said(140, "the salary list, for <@ana:1>", BEN, STAFF),
    said(150, "this will be gone", CLEO, HELP, reply_to=100),
    said(160, "said in another server <@1>", BEN, ELSEWHERE, guild_id=OTHER_GUILD),
    said(170, "how hot is it in here, really?", BEN, HELP),
    post(POST, "my kiln trips the fuse"),
    post(ANSWERED_POST, "my wheel squeaks", thread=ANSWERED_POST),
)
RUNNING = (
    said(130, "a link: https://example.org/kilns", CLEO, HELP),
    deletion(150, at=151, guild_id=GUILD, channel_id=HELP, author_id=CLEO, author_name="cleo", channel_name="help"),
    edit(170, "it is hot in here", at=171, author_id=BEN, guild_id=GUILD, channel_id=HELP, channel_name="help"),
    said(200, "bravo <@ana:1>", CLEO, HELP, reactions=THUMBS, reactions_at=minute(201)),
    said(210, "anybody has a spare shelf?", BEN, OPS),
    said(220, "a question with a reaction, right?", BEN, OPS, reactions=THUMBS, reactions_at=minute(221)),
    said(230, "I am the bot, and <@1> asked me", BEN, OPS, kind=Kind.ANSWER, reply_to=100),
    said(240, "oil it", BEN, FORUM, thread_id=ANSWERED_POST, in_public_thread=True),
    said(1990, "who is still here tonight?", CLEO, HELP),
)


async def make_both(server: Server, embedder: Embedder, names: tuple[str, str]) -> None:
    for name, kind, messages in zip(names, (SHORT_TERM, LONG_TERM), (RUNNING, PROMOTED), strict=True):
        async with open_existing_database(server, name, name=kind) as database:
            await prepare(database, embedder)
            await remember(database, embedder, messages)


@pytest.fixture(scope="module")
def names(server: Server, embedder: Embedder) -> Any:
    """A short-term and a long-term memory with the messages above, for all tests of this module."""
    width = asyncio.run(embedder.dimensions())
    made = server.create_database("overview_short", width=width), server.create_database("overview_long", width=width)
    asyncio.run(make_both(server, embedder, made))
    yield made
    for name in made:
        server.drop_database(name)


@pytest.fixture
async def overviews(server: Server, names: tuple[str, str], embedder: Embedder) -> AsyncIterator[Overviews]:
    async with (
        open_existing_database(server, names[0], name=SHORT_TERM) as short_term,
        open_existing_database(server, names[1], name=LONG_TERM) as long_term,
    ):
        databases = searchable_database(short_term), searchable_database(long_term)
        memory = Memory(*databases, embedder)
        yield Overviews(
            memory=memory,
            databases=databases,
            catch_ups=CatchUps(long_term.sessions),
            decisions=DecisionList(Decisions(long_term.sessions), memory),
        )


def viewer(person: int = ANA, *, places: frozenset[int] = PLACES, **changes: Any) -> Viewer:
    fields: dict[str, Any] = {"guild": GUILD, "person_id": person, "channel_id": OPS, "now": NOW}
    return Viewer(**{"places": places, "time_zone": ZoneInfo("UTC"), **fields, **changes})


def decision(said_: Message, *, at: float) -> Decision:
    return Decision(
        guild_id=GUILD,
        message_id=said_.message_id,
        channel_id=said_.channel_id,
        thread_id=None,
        author_id=said_.author_id,
        sent_at=said_.sent_at,
        marked_by=CLEO,
        marked_at=minute(at),
    )


def section(overview: Overview, heading: str) -> Section:
    return next(section for section in overview.sections if section.heading == heading)


def ids(overview: Overview, heading: str) -> list[int]:
    return [line.message.message_id for line in section(overview, heading).lines if line.message is not None]


def words(overview: Overview, *headings: str) -> list[str]:
    return [line.words for heading in headings for line in section(overview, heading).lines]


async def test_a_person_sees_what_was_said_since_their_last_message_from_both_memories(overviews: Overviews) -> None:
    overview = await overviews.catch_up.overview(viewer())

    assert overview.title == "What you missed since Tue 3 Nov 10:40"
    assert ids(overview, "Replies to you and mentions of you") == [200, 110]
    assert words(overview, "Read") == [
        "#help, 1 mention of you, 4 messages from people you talk with, 1 open question, 3 reactions, 5 messages",
        "#ops, 1 reply to you, 1 open question, 3 reactions, 3 messages",
    ]
    assert words(overview, "Skip") == ["#forum, 2 messages from people you talk with, 1 open question, 3 messages"]
    assert ids(overview, "Open questions") == [1990, POST, 210]
    assert ids(overview, "Most reactions") == [200, 220]
    assert ids(overview, "Links") == [130]


async def test_every_line_leads_to_a_message_that_the_person_may_read(overviews: Overviews) -> None:
    overview = await overviews.catch_up.overview(viewer())

    lines = [line for section in overview.sections for line in section.lines]
    assert len(lines) > 8
    assert {line.message.access_id for line in lines if line.message is not None} <= PLACES
    assert all(line.message is not None and line.message.link for line in lines)


async def test_what_was_deleted_and_what_the_bot_said_is_not_missed(overviews: Overviews) -> None:
    overview = await overviews.catch_up.overview(viewer())

    assert {150, 230}.isdisjoint(one.message_id for one in overview.messages)


async def test_of_another_server_and_of_places_that_may_not_be_read_nothing_is_known(overviews: Overviews) -> None:
    every_channel = PLACES | {STAFF, ELSEWHERE}
    for guild, expected in ((GUILD, {140}), (OTHER_GUILD, {160}), (EVERY_GUILD, {140, 160})):
        overview = await overviews.catch_up.overview(viewer(places=every_channel, guild=guild), "3 November 2026")
        found = {one.message_id for one in overview.messages}
        assert found & {140, 160} == expected
    assert 140 not in {one.message_id for one in (await overviews.catch_up.overview(viewer())).messages}


async def test_in_no_places_nothing_was_missed(overviews: Overviews) -> None:
    for overview in (
        await overviews.catch_up.overview(viewer(places=frozenset())),
        await overviews.unanswered.overview(viewer(places=frozenset())),
    ):
        assert overview.is_empty
        assert overview.messages == ()


async def test_somebody_who_never_spoke_catches_up_with_a_week_and_then_since_they_were_shown_it(
    overviews: Overviews,
) -> None:
    stranger = viewer(77, now=minute(1980))

    assert (await overviews.catch_up.overview(stranger)).title == "What you missed since Wed 28 Oct 18:00"
    await overviews.catch_up.note_shown(stranger)

    later = await overviews.catch_up.overview(viewer(77))
    assert later.title == "What you missed since Wed 4 Nov 18:00"
    assert {one.message_id for one in later.messages} == {1990}
    elsewhere = await overviews.catch_up.overview(viewer(77, guild=OTHER_GUILD))
    assert elsewhere.title == "What you missed since Wed 28 Oct 18:20"


async def test_a_catch_up_that_was_shown_before_the_last_message_does_not_count(overviews: Overviews) -> None:
    await overviews.catch_up.note_shown(viewer(BEN, now=minute(5)))

    assert (await overviews.catch_up.overview(viewer(BEN))).title == "What you missed since Tue 3 Nov 13:00"


async def test_what_was_decided_since_is_listed_for_those_who_may_read_it(overviews: Overviews) -> None:
    assert overviews.decisions is not None
    for said_, marked_at in ((PROMOTED[1], 105), (PROMOTED[4], 150), (PROMOTED[6], 150)):
        await overviews.decisions.marks.mark(decision(said_, at=marked_at))

    overview = await overviews.catch_up.overview(viewer(), "3 November 2026")
    since = await overviews.catch_up.overview(viewer())

    assert ids(overview, "Decisions") == [120, 91]
    assert ids(since, "Decisions") == [120, 91]  # one was said before, and marked since


async def test_a_text_says_since_when(overviews: Overviews) -> None:
    overview = await overviews.catch_up.overview(viewer(), "today")

    assert overview.title == "What you missed since Wed 4 Nov 00:00"
    assert {one.message_id for one in overview.messages} == {1990}


@pytest.mark.parametrize("text", ["purple", "next Friday"])
async def test_a_text_that_says_no_past_time_is_answered_with_one_sentence(overviews: Overviews, text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+\.$"):
        await overviews.catch_up.overview(viewer(), text)


async def test_the_terminal_s_command_notes_that_it_was_shown(overviews: Overviews) -> None:
    mine = viewer(78, guild=EVERY_GUILD)

    await overviews.commands["/catchup"](mine, "")
    again = await overviews.commands["/catchup"](mine, "")

    assert again.is_empty


async def test_questions_that_are_open_in_either_memory_are_listed_once_posts_first(overviews: Overviews) -> None:
    overview = await overviews.unanswered.overview(viewer())

    assert [section.heading for section in overview.sections] == ["Posts without an answer", "Questions"]
    assert ids(overview, "Posts without an answer") == [POST]
    assert ids(overview, "Questions") == [210]
    assert words(overview, "Questions") == ["29 hours old"]


async def test_a_question_that_is_younger_than_the_hours_is_not_listed_yet(overviews: Overviews) -> None:
    soon = viewer(now=minute(1990 + 61))

    assert ids(await overviews.unanswered.command(soon, "1"), "Questions") == [1990, 210]
    assert ids(await overviews.unanswered.command(soon, "2 hours"), "Questions") == [210]


async def test_unanswered_questions_of_one_channel_are_found_by_its_name(overviews: Overviews) -> None:
    overview = await overviews.commands["/unanswered"](viewer(), "6 #forum")

    assert [one.message_id for one in overview.messages] == [POST]


@pytest.mark.parametrize("text", ["0", "169", "6 #staff", "#nowhere"])
async def test_hours_out_of_bounds_and_channels_that_may_not_be_read_are_answered_with_one_sentence(
    overviews: Overviews, text: str
) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+\.$"):
        await overviews.unanswered.command(viewer(), text)


async def digest(overviews: Overviews, **changes: Any) -> Overview:
    return await overviews.digest.overview(viewer(0, private=False, **changes), start=minute(0), end=NOW)


async def test_a_digest_counts_each_message_of_both_memories_once_and_lists_no_questions(overviews: Overviews) -> None:
    overview = await digest(overviews)

    assert words(overview, "Most discussed") == [
        "#help, 7 messages from 3 people",
        "#ops, 4 messages from 2 people",
        "#forum, 3 messages from 2 people",
    ]
    assert words(overview, "Most reactions") == ["3 reactions", "3 reactions"]
    assert ids(overview, "Most reactions") == [200, 220]
    assert ids(overview, "Links") == [130]
    assert {150, 230, 1990}.isdisjoint(one.message_id for one in overview.messages)
    assert "question" not in " ".join(section.heading for section in overview.sections).casefold()


async def test_a_digest_knows_nothing_of_another_server_or_of_other_places(overviews: Overviews) -> None:
    elsewhere = await digest(overviews, guild=OTHER_GUILD, places=PLACES | {STAFF, ELSEWHERE})
    nowhere = await digest(overviews, places=frozenset())
    one_channel = await digest(overviews, places=frozenset({OPS}))

    assert elsewhere.is_empty
    assert nowhere.is_empty
    assert {one.channel_id for one in one_channel.messages} == {OPS}


async def test_a_digest_is_not_made_of_half_a_memory(overviews: Overviews, unused_tcp_port: int) -> None:
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        away = replace(overviews.databases[1], reading=sessions_of(engine))
        half = replace(overviews, databases=(overviews.databases[0], away))

        with pytest.raises(DatabaseUnavailableError):
            await digest(half)
        caught_up = await half.catch_up.overview(viewer(), "3 November 2026")

    assert any("memory did not answer" in note for note in caught_up.notes)
