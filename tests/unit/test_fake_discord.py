"""The fake Discord that the tests of the wire rely on: its limits, its permissions, its made-up servers."""

from datetime import UTC, datetime, timedelta

import discord
import pytest

from tests.fake_discord import Limits, Overwrite, Rate, World
from tests.fake_discord.limits import HISTORY
from tests.fake_discord.models import ADMINISTRATOR, EVERYTHING, MANAGE_THREADS, SEND, VIEW, may_see, permissions_in
from tests.fake_discord.worlds import fill

NOW = datetime(2026, 11, 3, 15, tzinfo=UTC)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_window_of_requests_ends_and_another_begins() -> None:
    clock = Clock()
    limits = Limits(rates={HISTORY: Rate(2, 5)}, clock=clock)

    within = [limits.judge(HISTORY, "1").retry_after for _ in range(3)]
    clock.now += 5
    after = limits.judge(HISTORY, "1").retry_after

    assert within == [None, None, 5.0]
    assert after is None
    assert len(limits.refused) == 1


def test_each_channel_has_a_window_of_its_own_and_the_headers_tell_what_is_left() -> None:
    limits = Limits(rates={HISTORY: Rate(2, 5)}, clock=Clock())

    first, other = limits.judge(HISTORY, "1").headers, limits.judge(HISTORY, "2").headers
    second = limits.judge(HISTORY, "1").headers

    assert [headers["X-RateLimit-Remaining"] for headers in (first, other, second)] == ["1", "1", "0"]
    assert first["X-RateLimit-Bucket"] == other["X-RateLimit-Bucket"]
    assert first["X-RateLimit-Reset-After"] == "5.000"


def test_interactions_are_outside_the_limit_for_everything() -> None:
    limits = Limits(rates={}, usual=None, per_client=Rate(1, 1), clock=Clock())
    limits.judge("GET /gateway", "")

    assert limits.judge("GET /gateway", "").is_global
    assert limits.judge("POST /interactions/{interaction_id}/{token}/callback", "t").retry_after is None


@pytest.mark.parametrize(
    ("role", "everyone", "own", "expected"),
    [
        pytest.param(0, Overwrite(), Overwrite(), True, id="nothing is written"),
        pytest.param(0, Overwrite(deny=VIEW), Overwrite(), False, id="everybody is kept out"),
        pytest.param(0, Overwrite(deny=VIEW), Overwrite(allow=VIEW), True, id="a role lets in again"),
        pytest.param(0, Overwrite(allow=VIEW), Overwrite(deny=VIEW), False, id="a role keeps out"),
        pytest.param(ADMINISTRATOR, Overwrite(deny=VIEW), Overwrite(deny=VIEW), True, id="an administrator"),
    ],
)
def test_who_sees_a_channel(role: int, everyone: Overwrite, own: Overwrite, expected: bool) -> None:
    world = World()
    guild = world.guild("Harbour")
    staff = world.role(guild, "staff", permissions=role)
    ana = world.member(guild, "Ana", roles=[staff])
    channel = world.channel(guild, "general", overwrites={guild.everyone: everyone, staff: own})

    assert may_see(ana, channel) is expected
    assert bool(permissions_in(ana, channel) & SEND) is expected


def test_an_overwrite_for_a_person_counts_more_than_those_of_roles() -> None:
    world = World()
    guild = world.guild("Harbour")
    staff = world.role(guild, "staff")
    ana = world.member(guild, "Ana", roles=[staff])
    channel = world.channel(guild, "general", overwrites={staff: Overwrite(deny=VIEW), ana: Overwrite(allow=VIEW)})

    assert may_see(ana, channel)
    assert permissions_in(world.guilds[guild.id].members[guild.owner.id], channel) == EVERYTHING


def test_a_private_thread_is_for_its_members_and_for_those_who_manage_threads() -> None:
    world = World()
    guild = world.guild("Harbour")
    ana, ben, cleo = (world.member(guild, name) for name in ("Ana", "Ben", "Cleo"))
    world.give(cleo, world.role(guild, "staff", permissions=MANAGE_THREADS))
    thread = world.thread(world.channel(guild, "general"), "between us", owner=ana, private=True)

    assert [may_see(member, thread) for member in (ana, ben, cleo)] == [True, False, True]


def test_ids_are_snowflakes_of_their_moments_and_rise() -> None:
    world = World()
    channel = world.channel(world.guild("Harbour"), "general")

    ids = [world.say(channel, "hello", at=NOW).id for _ in range(100)]

    assert ids == sorted(set(ids))
    assert discord.utils.snowflake_time(ids[0]) == NOW


def test_a_message_of_an_earlier_time_takes_its_place_in_the_history() -> None:
    world = World()
    channel = world.channel(world.guild("Harbour"), "general")
    late = world.say(channel, "late", at=NOW)
    early = world.say(channel, "early", at=NOW - timedelta(days=1))

    assert channel.page(limit=10) == [late, early]
    world.delete(early)
    assert channel.page(limit=10) == [late]


def test_a_made_up_server_has_what_was_asked_for() -> None:
    world = World()

    town = fill(world, messages=500, places=20, now=NOW, days=30)

    texts = [message.content for place in town.places for message in place.messages.values()]
    times = [message.sent_at for place in town.places for message in place.messages.values()]
    assert len(town.places) == 20
    assert len(set(texts)) == len(texts) == 500
    assert (min(times), max(times)) == (NOW - timedelta(days=30), NOW - timedelta(days=30) / 500)
    assert {thread.archived for thread in town.guild.threads.values()} == {True, False}
