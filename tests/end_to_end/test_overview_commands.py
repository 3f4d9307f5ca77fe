"""/search, /timeline and /who knows in a simulated Discord: their pages, and what they show to whom."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import discord
import pytest
import simcord

from agent.types import Answer
from bot.buttons import BUTTON_LIMIT
from bot.client import Bot
from bot.events import message_of
from bot.paging import BACK, FIRST, FORWARD, LAST, NOT_YOURS
from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.message import Message
from memory.search.memory import Memory
from overviews.all import Overviews
from tests.builders import remember
from tests.fakes_discord import FakeAsker, FakeRecorder, services
from tests.seen import buttons, seen
from tests.unit.test_who_knows import SOLID

pytestmark = pytest.mark.server

HIDDEN = discord.PermissionOverwrite(view_channel=False)
SHOWN = discord.PermissionOverwrite(view_channel=True)

Say = Callable[..., Awaitable[discord.Message]]


@dataclass
class Chosen:
    """Who has chosen not to be listed."""

    ids: frozenset[int] = field(default_factory=frozenset)


@pytest.fixture
def chosen() -> Chosen:
    return Chosen()


@pytest.fixture
def asker() -> FakeAsker:
    return FakeAsker(Answer(text="-"))


@pytest.fixture
def simcord_bot(memory: Memory, chosen: Chosen, asker: FakeAsker) -> Bot:
    overviews = Overviews(memory=memory, databases=(memory.short_term, memory.long_term), not_listed=lambda: chosen.ids)
    given = services(FakeRecorder(), asker)
    return Bot(replace(given, overviews=overviews, clock=discord.utils.utcnow))


@pytest.fixture
def guild(simcord_env: simcord.Env) -> simcord.GuildHandle:
    return simcord_env.create_guild("Guild")


@pytest.fixture
def general(guild: simcord.GuildHandle) -> simcord.ChannelHandle:
    return guild.create_text_channel("general")


@pytest.fixture
def mods(guild: simcord.GuildHandle) -> simcord.RoleHandle:
    return guild.create_role("mods")


@pytest.fixture
def staff(simcord_env: simcord.Env, guild: simcord.GuildHandle, mods: simcord.RoleHandle) -> simcord.ChannelHandle:
    assert simcord_env.bot.user is not None
    return guild.create_text_channel(
        "staff", overwrites={guild.default_role: HIDDEN, mods: SHOWN, simcord_env.bot.user: SHOWN}
    )


@pytest.fixture
def ana(simcord_env: simcord.Env, guild: simcord.GuildHandle, mods: simcord.RoleHandle) -> simcord.MemberActor:
    """A moderator."""
    return guild.add_member(simcord_env.create_user("ana"), roles=[mods])


@pytest.fixture
def bob(simcord_env: simcord.Env, guild: simcord.GuildHandle) -> simcord.MemberActor:
    """Somebody without any role."""
    return guild.add_member(simcord_env.create_user("bob"))


@pytest.fixture
def say(simcord_env: simcord.Env, short_term: Database, embedder: Embedder) -> Say:
    """Lets somebody say things, and memory hold them; returns the last."""

    async def saying(
        member: simcord.MemberActor, channel: simcord.ChannelHandle, *texts: str, copies: int = 1
    ) -> discord.Message:
        states: list[Message] = []
        for text in texts:
            said = await member.send(channel, text)
            cached = discord.utils.get(simcord_env.bot.cached_messages, id=said.id)
            assert cached is not None
            state = message_of(cached, session="test")
            states += [replace(state, message_id=state.message_id + number) for number in range(copies)]
        await remember(short_term, embedder, states)
        return said

    return saying


async def response(
    member: simcord.MemberActor, here: simcord.ChannelHandle, command: str, **options: object
) -> simcord.results.ResponseMessage:
    result = await member.slash(here, command, **options)
    assert result.response is not None
    assert not result.followups
    assert result.response.ephemeral is not options.get("public", False)
    return result.response


async def shown(member: simcord.MemberActor, here: simcord.ChannelHandle, command: str, **options: object) -> str:
    """Return what a member sees, who alone sees it unless it is public."""
    return seen(await response(member, here, command, **options))


def labels(message: simcord.results.ResponseMessage) -> list[tuple[str, bool]]:
    """Return the buttons under a message, each with whether it can be pressed."""
    return list(buttons(message).items())


async def test_a_search_lists_messages_with_links_and_how_well_they_match(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, bob: simcord.MemberActor
) -> None:
    said = await say(bob, general, "the ferry leaves at nine")
    await say(ana, general, "tea is ready")

    found = await shown(ana, general, "search", text="ferry leaves")

    assert found.startswith("**Search for ferry leaves: 1 message**\n- 100%: **bob** in #general, [")
    assert f"/{said.id}>): the ferry leaves at nine" in found


@pytest.mark.parametrize(
    ("command", "options"),
    [
        pytest.param("search", {"text": "ferry"}, id="search"),
        pytest.param("search", {"when": "today"}, id="a listing"),
        pytest.param("timeline", {"when": "today"}, id="timeline"),
        pytest.param("who knows", {"topic": "ferry"}, id="who knows"),
    ],
)
async def test_everybody_sees_what_they_may_read_and_in_public_what_everybody_may(
    say: Say,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    bob: simcord.MemberActor,
    command: str,
    options: dict[str, str],
) -> None:
    tail = "leaves from the northern pier behind a red warehouse, tickets cost ten euros, dogs travel free"
    await say(ana, general, f"the open ferry {tail}")
    await say(ana, staff, f"the secret ferry {tail}")

    own = await shown(ana, general, command, **options)
    of_others = await shown(bob, general, command, **options)
    in_public = await shown(ana, general, command, **options, public=True)
    among_mods = await shown(ana, staff, command, **options, public=True)

    assert "open ferry" in own
    assert "secret ferry" in own
    assert "secret ferry" in among_mods
    for other in (of_others, in_public):
        assert "open ferry" in other
        assert "secret" not in other
        assert "staff" not in other


@pytest.mark.parametrize(
    ("command", "options"),
    [
        pytest.param("search", {"text": "ferry"}, id="search"),
        pytest.param("timeline", {"when": "today"}, id="timeline"),
    ],
)
async def test_a_channel_that_not_everybody_reads_shows_nothing_in_public(
    say: Say,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    command: str,
    options: dict[str, str],
) -> None:
    await say(ana, staff, "the secret ferry")

    assert "secret ferry" in await shown(ana, general, command, **options, channel=staff)
    in_public = await shown(ana, general, command, **options, channel=staff, public=True)
    assert "secret" not in in_public
    assert "staff" not in in_public


async def test_a_search_is_confined_by_its_options(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, bob: simcord.MemberActor
) -> None:
    await say(ana, general, "the ferry timetable: https://ferry.example/times")
    await say(bob, general, "the ferry is late")

    by_ana = await shown(bob, general, "search", text="ferry", author=ana)
    by_me = await shown(bob, general, "search", text="ferry", from_me=True)
    with_link = await shown(bob, general, "search", text="ferry", has="link")
    yesterday = await shown(bob, general, "search", text="ferry", when="yesterday")
    senseless = await shown(bob, general, "search", text="ferry", when="blue")

    assert ("timetable" in by_ana, "late" in by_ana) == (True, False)
    assert ("timetable" in by_me, "late" in by_me) == (False, True)
    assert ("timetable" in with_link, "late" in with_link) == (True, False)
    assert "I found nothing" in yesterday
    assert "-# searched " in yesterday
    assert senseless.startswith("I do not read a time in")


async def test_a_time_is_completed_with_the_window_that_is_understood(
    general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    suggested = await ana.autocomplete(general, "search", "when", "")
    typed = await ana.autocomplete(general, "timeline", "when", "3 november 2025")
    senseless = await ana.autocomplete(general, "search", "when", "blue")

    assert [choice["value"] for choice in suggested][:2] == ["today", "yesterday"]
    assert [(choice["value"], choice["name"]) for choice in typed] == [
        ("3 november 2025", "3 november 2025: Mon 3 Nov 2025 00:00 - 24:00 Europe/Paris")
    ]
    assert senseless == []


async def test_pages_are_turned_in_place_by_whoever_asked(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, bob: simcord.MemberActor
) -> None:
    await say(ana, general, "the ferry is late again", copies=30)

    page = await response(ana, general, "search", text="ferry", public=True)
    first = seen(page)
    [*_, last_label] = [label for label, _ in labels(page) if " of " in label]
    count = int(last_label.partition(" of ")[2])
    assert labels(page) == [(FIRST, False), (BACK, False), (f"1 of {count}", False), (FORWARD, True), (LAST, True)]

    refused = await bob.click(page, label=FORWARD)
    assert [(words.content, words.ephemeral) for words in (refused.response,) if words] == [(NOT_YOURS, True)]
    assert seen(page) == first

    await ana.click(page, label=FORWARD)
    second = seen(page)
    await ana.click(page, label=LAST)
    assert labels(page)[2:] == [(f"{count} of {count}", False), (FORWARD, False), (LAST, False)]
    await ana.click(page, label=FIRST)

    assert seen(page) == first
    assert second != first
    assert "**Search for ferry: 30 messages**" in first


async def test_a_page_never_shows_what_may_be_read_no_more(
    simcord_env: simcord.Env,
    say: Say,
    guild: simcord.GuildHandle,
    mods: simcord.RoleHandle,
    general: simcord.ChannelHandle,
    staff: simcord.ChannelHandle,
    ana: simcord.MemberActor,
) -> None:
    await say(ana, general, "the open ferry is late again", copies=20)
    await say(ana, staff, "the secret ferry is late again", copies=20)
    page = await response(ana, general, "search", text="ferry", order="newest")
    assert "secret" in seen(page)

    simcord_env.backend.remove_member_role(guild.id, ana.id, mods.id)
    await simcord_env.settle()
    await ana.click(page, label=FORWARD)

    assert "open ferry" in seen(page)
    assert "secret" not in seen(page)
    assert "2 of 2" in dict(labels(page)) or "2 of 3" in dict(labels(page))


async def test_what_was_deleted_since_is_on_no_page(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, short_term: Database, embedder: Embedder
) -> None:
    said = await say(ana, general, "the ferry is late again", copies=30)
    page = await response(ana, general, "search", text="ferry", order="newest")
    await ana.click(page, label=LAST)
    assert str(said.id) in seen(page)

    gone = message_of(said, session="test")
    await remember(short_term, embedder, [replace(gone, content="", parts=(), deleted_at=discord.utils.utcnow())])
    await ana.click(page, label=FIRST)
    await ana.click(page, label=LAST)

    assert f"{said.id}>" not in seen(page)
    assert "ferry" in seen(page)


async def test_the_buttons_end_when_nobody_turns_pages_any_more(
    simcord_env: simcord.Env, say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    await say(ana, general, "the ferry is late again", copies=30)
    page = await response(ana, general, "search", text="ferry")
    await ana.click(page, label=FORWARD)

    await simcord_env.advance_time(BUTTON_LIMIT.total_seconds() + 1)

    assert [can_be_pressed for _, can_be_pressed in labels(page)] == [False] * 5


async def test_a_list_of_one_page_has_no_buttons(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor
) -> None:
    await say(ana, general, "the ferry is late")

    assert labels(await response(ana, general, "search", text="ferry")) == []


async def test_a_timeline_counts_and_links(
    say: Say, general: simcord.ChannelHandle, ana: simcord.MemberActor, bob: simcord.MemberActor
) -> None:
    await say(ana, general, "good morning")
    said = await say(bob, general, "the ferry leaves at nine")

    told = await shown(ana, general, "timeline", when="today")

    assert "**#general: 2 messages by 2 people**" in told
    assert f"/{said.id}>)" in told


async def test_bots_those_who_left_and_those_who_chose_it_are_not_listed(
    simcord_env: simcord.Env,
    chosen: Chosen,
    asker: FakeAsker,
    say: Say,
    guild: simcord.GuildHandle,
    general: simcord.ChannelHandle,
    ana: simcord.MemberActor,
    bob: simcord.MemberActor,
) -> None:
    eve = guild.add_member(simcord_env.create_user("eve"))
    robot = guild.add_member(simcord_env.create_user("robot", bot=True))
    for knower in (eve, robot, bob):
        await say(knower, general, *SOLID)

    simcord_env.backend.remove_member(guild.id, eve.id)

    listed = await shown(ana, general, "who knows", topic="copper glaze")
    chosen.ids = frozenset({bob.id})
    without_bob = await shown(ana, general, "who knows", topic="copper glaze")

    assert "**bob: 5 messages, last on " in listed
    assert "**bob" not in without_bob
    for told in (listed, without_bob):
        assert "**robot" not in told
        assert "**eve" not in told

    await ana.slash(general, "chat", text="who knows about copper glaze?")
    may_be_listed = asker.questions[0].may_be_listed

    assert may_be_listed is not None
    assert await may_be_listed([eve.id, robot.id, bob.id]) == {bob.id}
