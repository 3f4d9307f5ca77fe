"""Two real processes with shards of their own share both databases, and each is killed and started again."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from bench.processes import PATIENCE, Program, Workplace
from tests.end_to_end.conftest import NewPlace
from tests.end_to_end.processes import MAIN, ROOT, journal_rows, open_program, run_program, stored_rows
from tests.fake_discord import Channel, FakeDiscord, open_fake_discord, unlimited

BURST = 40  # messages to each process between two interruptions


@dataclass(frozen=True, slots=True)
class Share:
    """One of the two processes: its shard, its folder, and the channel of a guild that it hears of."""

    shards: str
    session: str
    place: Workplace
    channel: Channel

    @property
    def csv(self) -> Path:
        name = f"{self.session}-shards-{self.shards.replace('/', '-of-')}"
        return self.place.journal_path(name)

    @asynccontextmanager
    async def runs(self, fake: FakeDiscord) -> AsyncGenerator[Program]:
        """Run the process, from when Discord has let it in."""
        times = fake.gateway.ready + 1
        arguments = ("--yes", "--session", self.session)
        settings = {**fake.settings, "DISCORD_SHARDS": self.shards}
        async with open_program(self.place, *arguments, script=MAIN, **settings) as program:
            ready = asyncio.ensure_future(fake.ready(times))
            ended = asyncio.ensure_future(program.process.wait())
            await asyncio.wait([ready, ended], return_when=asyncio.FIRST_COMPLETED)
            assert ready.done(), await program.finish()
            ended.cancel()
            yield program


@pytest.fixture
def places(new_place: NewPlace, tmp_path: Path) -> tuple[Workplace, Workplace]:
    """Two storage folders of processes that share their databases."""
    first = new_place()
    second = tmp_path / "second"
    second.mkdir()
    return first, replace(first, folder=second)


def shares(fake: FakeDiscord, places: tuple[Workplace, Workplace]) -> list[Share]:
    guilds = [fake.world.guild(name, guild_id=(2000 + number) << 22) for number, name in enumerate(("Left", "Right"))]
    return [
        Share(f"{number}/2", "both", place, fake.world.channel(guild, "general"))
        for number, (guild, place) in enumerate(zip(guilds, places, strict=True))
    ]


async def say(fake: FakeDiscord, share: Share, said: dict[str, list[int]]) -> None:
    """Say a number of things in a channel, one after the other."""
    for number in range(BURST):
        text = f"{share.channel.guild.name if share.channel.guild else ''} {len(said[share.shards])} {number}"
        said[share.shards].append(fake.world.say(share.channel, text).id)
        await asyncio.sleep(0.02)


async def until(happened: Callable[[], bool]) -> None:
    """Look again and again, beside the fake Discord, which serves in this very loop."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not await asyncio.to_thread(happened):  # noqa: ASYNC110  # neither rows nor files set an event
            await asyncio.sleep(0.1)


def stored(share: Share) -> list[int]:
    guild = share.channel.guild
    assert guild is not None
    return [row["message_id"] for row in stored_rows(share.place) if row["guild_id"] == guild.id]


def written(share: Share) -> set[int]:
    return {int(row["message_id"]) for row in journal_rows(share.csv)}


def is_covered(share: Share) -> bool:
    """Return whether the ledger says that the channel was listened to, as it does from a few seconds on."""
    with psycopg.connect(share.place.settings["LONG_TERM_DSN"]) as connection:
        rows = connection.execute("SELECT 1 FROM coverage WHERE place_id = %s LIMIT 1", [share.channel.id])
        return rows.fetchone() is not None


async def say_until_covered(fake: FakeDiscord, listening: list[Share], said: dict[str, list[int]]) -> None:
    """Say one thing after the other until the ledger knows of all channels: it waits until a process is caught up."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not all([await asyncio.to_thread(is_covered, share) for share in listening]):
            for share in listening:
                said[share.shards].append(fake.world.say(share.channel, "is anybody listening?").id)
            await asyncio.sleep(0.5)


async def interrupted(fake: FakeDiscord, share: Share, program: Program, said: dict[str, list[int]]) -> None:
    """Kill a process while messages arrive, some of which it has written down."""
    before = len(written(share)) if share.csv.exists() else 0
    async with asyncio.TaskGroup() as group:
        group.create_task(say(fake, share, said))
        await until(lambda: share.csv.exists() and len(written(share)) >= before + BURST // 4)
        program.process.kill()
        await program.process.wait()


async def test_each_of_two_processes_is_killed_and_started_again_and_every_message_is_stored_once(
    places: tuple[Workplace, Workplace],
) -> None:
    async with open_fake_discord(limits=unlimited()) as fake:
        left, right = shares(fake, places)
        said: dict[str, list[int]] = {left.shards: [], right.shards: []}
        async with right.runs(fake) as second:
            async with left.runs(fake) as first:
                await asyncio.gather(say(fake, left, said), say(fake, right, said))
                await say_until_covered(fake, [left, right], said)
                await asyncio.gather(interrupted(fake, left, first, said), say(fake, right, said))
            async with left.runs(fake) as first:
                await asyncio.gather(say(fake, left, said), interrupted(fake, right, second, said))
                async with right.runs(fake) as second:
                    await asyncio.gather(say(fake, left, said), say(fake, right, said))
                    await until(lambda: all({*stored(share)} >= {*said[share.shards]} for share in (left, right)))
                    for program in (first, second):
                        program.process.send_signal(signal.SIGINT)
                    ends = [await program.finish() for program in (first, second)]

        assert [end.status for end in ends] == [0, 0], ends
        for share in (left, right):
            assert sorted(stored(share)) == sorted(said[share.shards]), "what came while it was down is read again"
            assert written(share) == set(said[share.shards]), "each CSV has what its own process heard, and all of it"
        sessions = {row["session"] for row in stored_rows(left.place)}
        assert sessions == {left.csv.stem, right.csv.stem}


async def test_a_second_process_of_the_same_shards_and_what_needs_all_to_stop_are_refused_in_one_sentence(
    places: tuple[Workplace, Workplace],
) -> None:
    async with open_fake_discord(limits=unlimited()) as fake:
        left, right = shares(fake, places)
        async with left.runs(fake):
            settings = {**fake.settings, "DISCORD_SHARDS": left.shards}
            again = await run_program(right.place, "--yes", "--session", "other", script=MAIN, **settings)
            forgetting = await run_program(right.place, "forget", "7", "--yes", script=ROOT / "db_save.py")
            embedding = await run_program(right.place, "re-embed", script=MAIN)
            backup = await run_program(right.place, "create", "--database", "both", script=ROOT / "backups.py")

        for refused in (forgetting, embedding):
            assert refused.status == 2
            assert "A Backscroll that runs shards 0/2 uses this short-term memory: stop it first" in refused.err
        assert backup.status == 0, backup.err
        assert again.status == 2
        assert again.err.startswith("Another Backscroll runs shards 0/2 with this short-term memory: stop it first")
        assert again.err.count("\n") == 1
        assert fake.gateway.ready == 1
