"""What was decided is listed as its messages read now, for those who may read them, and as it stood at a moment."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from db.databases import Database
from memory.decisions import LONGEST_TITLE, Decision, Decisions
from memory.embedding.embedder import Embedder
from memory.filters import EVERY_GUILD
from memory.message import Message
from memory.search.memory import Memory
from overviews.decisions import NONE_FITS, NONE_YET, NOT_A_TIME, DecisionList
from overviews.overview import Overview, Viewer
from tests.builders import deletion, edit, message, minute, remember

pytestmark = pytest.mark.server

GUILD, GENERAL, STAFF = 5, 1, 2
NOW = minute(10_000)  # Tuesday 10 November 2026, 07:40
HARBOUR = message(10, "We moor at the north pier from now on.", guild_id=GUILD, author_id=7)
PIER = message(3000, "The north pier is closed, so we moor at the south pier.", guild_id=GUILD, author_id=8)
PAINT = message(20, "The hull is painted green.", guild_id=GUILD, author_id=7)
WAGES = message(30, "Wages rise by a tenth.", guild_id=GUILD, author_id=7, channel_id=STAFF, channel_name="staff")
ALL = (HARBOUR, PIER, PAINT, WAGES)


@pytest.fixture
def marks(long_term: Database) -> Decisions:
    return Decisions(long_term.sessions)


@pytest.fixture
def decisions(marks: Decisions, memory: Memory) -> DecisionList:
    return DecisionList(marks, memory)


@pytest.fixture
async def _said(short_term: Database, embedder: Embedder) -> None:
    await remember(short_term, embedder, ALL)


def decided(said: Message, title: str = "", *, at: float = 0, supersedes: Message | None = None) -> Decision:
    return Decision(
        guild_id=said.guild_id or 0,
        message_id=said.message_id,
        channel_id=said.channel_id,
        thread_id=said.thread_id,
        author_id=said.author_id,
        sent_at=said.sent_at,
        marked_by=9,
        marked_at=minute(at) if at else said.sent_at,
        title=title,
        supersedes=None if supersedes is None else supersedes.message_id,
    )


def viewer(*places: int, now: datetime = NOW) -> Viewer:
    return Viewer(
        guild=GUILD,
        places=frozenset(places),
        person_id=9,
        channel_id=GENERAL,
        now=now,
        time_zone=ZoneInfo("Europe/Paris"),
    )


def listed(overview: Overview) -> list[tuple[str, int]]:
    lines = [line for section in overview.sections for line in section.lines]
    return [(line.words, line.message.message_id) for line in lines if line.message is not None]


@pytest.mark.usefixtures("_said")
async def test_decisions_stand_newest_first_and_what_replaces_another_leads_to_it(
    marks: Decisions, decisions: DecisionList
) -> None:
    for one in (decided(HARBOUR, "Where we moor"), decided(PAINT), decided(PIER, "South pier", supersedes=HARBOUR)):
        await marks.mark(one)

    overview = await decisions.overview(viewer(GENERAL))

    assert listed(overview) == [
        ("South pier", 3000),
        ("\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS} replaces Where we moor", 10),
        ("", 20),
    ]


@pytest.mark.usefixtures("_said")
async def test_as_of_a_moment_what_counted_then_is_listed_with_what_has_replaced_it_since(
    marks: Decisions, decisions: DecisionList
) -> None:
    await marks.mark(decided(HARBOUR, "Where we moor"))
    await marks.mark(decided(PIER, "South pier", at=9000, supersedes=HARBOUR))
    await marks.mark(decided(PAINT, "Green"))
    await marks.withdraw(GUILD, PAINT.message_id, at=minute(5000))

    then = await decisions.overview(viewer(GENERAL), as_of="last Tuesday")
    now = await decisions.overview(viewer(GENERAL))

    assert listed(then) == [
        ("Green (withdrawn since)", 20),
        ("Where we moor", 10),
        ("\N{DOWNWARDS ARROW WITH TIP RIGHTWARDS} replaced since by South pier", 3000),
    ]
    assert then.title == "Decisions as of Tue 3 Nov 2026 23:59 (Europe/Paris)"
    assert [number for _, number in listed(now)] == [3000, 10]


@pytest.mark.usefixtures("_said")
async def test_whoever_may_not_read_a_message_learns_neither_of_its_title_nor_of_what_it_replaced(
    marks: Decisions, decisions: DecisionList
) -> None:
    secret = replace(WAGES, message_id=4000, sent_at=minute(4000))
    await marks.mark(decided(PAINT, "Green"))
    await marks.mark(
        decided(replace(secret, message_id=WAGES.message_id, sent_at=WAGES.sent_at), "Wages", supersedes=PAINT)
    )

    assert listed(await decisions.overview(viewer(GENERAL))) == [("Green", 20)]
    assert listed(await decisions.overview(viewer(GENERAL, STAFF)))[0] == ("Wages", 30)
    assert (await decisions.overview(viewer())).is_empty
    assert listed(await decisions.overview(replace(viewer(GENERAL), guild=6))) == []


@pytest.mark.usefixtures("_said")
async def test_the_message_is_the_source_edited_or_deleted(
    marks: Decisions, decisions: DecisionList, short_term: Database, embedder: Embedder
) -> None:
    await marks.mark(decided(PAINT, "Colour", at=21))
    await marks.mark(decided(HARBOUR, "Mooring"))
    await remember(short_term, embedder, [edit(20, "The hull is painted blue.", at=40, guild_id=GUILD)])
    await remember(short_term, embedder, [deletion(10, at=50, guild_id=GUILD)])

    overview = await decisions.overview(viewer(GENERAL))

    assert listed(overview) == [("Colour (edited since)", 20)]
    assert overview.messages[0].content == "The hull is painted blue."


@pytest.mark.usefixtures("_said")
async def test_a_topic_finds_words_of_titles_and_messages_in_any_form(
    marks: Decisions, decisions: DecisionList
) -> None:
    for one in (decided(HARBOUR, "Moorings"), decided(PAINT, "Colour of the boat"), decided(PIER)):
        await marks.mark(one)

    async def about(topic: str) -> list[int]:
        return [number for _, number in listed(await decisions.overview(viewer(GENERAL), topic=topic))]

    assert await about("the piers") == [3000, 10]
    assert await about("mooring") == [3000, 10]
    assert await about("boat") == [20]
    assert await about("boat pier") == []
    assert (await decisions.overview(viewer(GENERAL), topic="submarine")).empty == NONE_FITS
    assert (await decisions.overview(viewer(STAFF))).empty == NONE_YET


@pytest.mark.usefixtures("_said")
async def test_only_one_channel_is_listed_where_one_is_named(marks: Decisions, decisions: DecisionList) -> None:
    await marks.mark(decided(PAINT))
    await marks.mark(decided(WAGES))

    overview = await decisions.overview(viewer(GENERAL, STAFF), channel_id=STAFF)

    assert listed(overview) == [("", 30)]


@pytest.mark.usefixtures("_said")
async def test_the_terminal_lists_every_server_and_takes_topic_and_moment_in_one_text(
    marks: Decisions, decisions: DecisionList
) -> None:
    await marks.mark(decided(PAINT))
    await marks.mark(decided(HARBOUR))
    owner = replace(viewer(GENERAL, STAFF), guild=EVERY_GUILD)

    assert listed(await decisions.command(owner, "hull as of yesterday")) == [("", 20)]
    assert len(listed(await decisions.command(owner, "as of yesterday"))) == 2
    assert len(listed(await decisions.command(owner, ""))) == 2
    with pytest.raises(ValueError, match="which time") as caught:
        await decisions.command(owner, "hull as of the blue moon")
    assert str(caught.value) == NOT_A_TIME


async def test_marking_again_takes_the_place_of_the_first_mark_and_of_its_withdrawal(marks: Decisions) -> None:
    await marks.mark(decided(PAINT, "first"))
    assert await marks.withdraw(GUILD, PAINT.message_id, at=minute(100))
    assert not await marks.withdraw(GUILD, PAINT.message_id, at=minute(101))
    await marks.mark(decided(PAINT, f"  second\n{'x' * 200}", at=200))

    (mark,) = await marks.of(GUILD)

    assert mark.withdrawn_at is None
    assert mark.title == f"second {'x' * (LONGEST_TITLE - 7)}"
    assert await marks.of(None) == []


@pytest.mark.usefixtures("_said")
async def test_the_earlier_decisions_that_are_most_like_a_message_are_offered_first(
    marks: Decisions, decisions: DecisionList
) -> None:
    for one in (decided(HARBOUR), decided(PAINT), decided(WAGES)):
        await marks.mark(one)

    offered = await decisions.earlier_ones(viewer(GENERAL), than=PIER)

    assert [known.message.message_id for known in offered] == [10, 20]
    assert await decisions.earlier_ones(viewer(GENERAL), than=HARBOUR) == []


@pytest.mark.usefixtures("_said")
async def test_no_decision_can_take_the_place_of_a_later_one(marks: Decisions, decisions: DecisionList) -> None:
    await marks.mark(decided(HARBOUR, supersedes=PIER))
    await marks.mark(decided(PIER, supersedes=HARBOUR))

    assert [number for _, number in listed(await decisions.overview(viewer(GENERAL)))] == [3000, 10]
