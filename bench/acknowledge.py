"""Ask the bot questions while messages keep arriving, and time how soon it acknowledges each.

The whole bot runs as a process of its own, with its recorder, an embedded PostgreSQL and the embedder, on a Discord of
our own (`tests.fake_discord`). Discord waits three seconds for a command to be acknowledged. Before messages begin to
arrive, questions are asked without any: what these wait is owed to the machine and to whatever else it does.
"""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from bench.counts import Counts, compare, journalled_texts, stored_texts
from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, patience_for, until
from bench.tables import table
from db.embedded import open_embedded
from tests.fake_discord import FakeDiscord, Interaction, open_fake_discord
from tests.fake_discord.worlds import TOPICS, Town, fill, sentences

SESSION = "acknowledge"
WANTED = 300.0  # milliseconds, of the slowest in a hundred
LIMIT = 3000.0  # milliseconds; Discord gives up then

_PLACES = 20
_GLANCE = 0.5  # seconds
_ANSWERED = 60.0  # seconds that the last answers may take


@dataclass(frozen=True, slots=True)
class LoopTime:
    """What the thread of the bot's event loop did, in seconds: computed, or was ready to and had no processor."""

    computing: float
    waiting: float

    def since(self, before: "LoopTime") -> "LoopTime":
        """Return what came after an earlier look."""
        return LoopTime(self.computing - before.computing, self.waiting - before.waiting)


def loop_time(pid: int) -> LoopTime | None:
    """Return the times of a process's first thread since its start; None where the system does not count them."""
    try:
        computing, waiting, _ = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()
    except OSError:
        return None
    return LoopTime(int(computing) / 1e9, int(waiting) / 1e9)


@dataclass(frozen=True, slots=True)
class Measured:
    """What was counted, and the questions that were asked before messages arrived and while they did."""

    counts: Counts
    seconds: float
    before: list[Interaction]
    meanwhile: list[Interaction]
    loop: LoopTime | None

    @property
    def is_right(self) -> bool:
        """Whether nothing was lost, nobody was left waiting, and the slowest in a hundred was fast enough."""
        waits = acknowledged(self.meanwhile)
        everything = self.counts.is_right(at_least=self.counts.sent) and len(waits) == len(self.meanwhile)
        return everything and percentile(waits, 99) < WANTED

    def text(self) -> str:
        """Return the figures for a person to read."""
        rows: list[tuple[str | float, ...]] = [
            (name, len(times), *(percentile(times, share) for share in (50, 95, 99, 100)))
            for name, times in (
                ("acknowledged, no messages", acknowledged(self.before)),
                ("acknowledged", acknowledged(self.meanwhile)),
                ("answered, no messages", answered(self.before)),
                ("answered", answered(self.meanwhile)),
            )
        ]
        asked = len(self.meanwhile)
        late = asked - sum(time < LIMIT for time in acknowledged(self.meanwhile))
        sent = self.counts.sent
        figures = table(("of the questions", "count", "p50 ms", "p95 ms", "p99 ms", "longest ms"), rows)
        questions = f"{asked} questions, {late} of them not acknowledged in time;"
        messages = f"{sent:,} messages in {self.seconds:.1f} s, {sent / self.seconds:.1f} a second:"
        return f"{figures}\n\n{self._machine()}{questions} {messages}\n{self.counts.table()}"

    def _machine(self) -> str:
        """Return a line on how much of the machine there was for the bot; empty when that is not known."""
        if self.loop is None:
            return ""
        computing, waiting = (100 * share / self.seconds for share in (self.loop.computing, self.loop.waiting))
        return (
            f"The event loop computed {computing:.0f} % of the time, and {waiting:.0f} % it waited for a processor.\n"
        )


def acknowledged(asked: list[Interaction]) -> list[float]:
    """Return after how many milliseconds each was acknowledged that was."""
    return [1000 * each.acknowledged_after for each in asked if each.acknowledged_after is not None]


def answered(asked: list[Interaction]) -> list[float]:
    """Return after how many milliseconds each was answered that was."""
    return [1000 * each.answered_after for each in asked if each.answered_after is not None]


def percentile(times: list[float], share: float) -> float:
    """Return the time within which this share of them lies, in percent, by the nearest rank; 0.0 of none."""
    if not times:
        return 0.0
    rank = max(1, -(-len(times) * share // 100))
    return sorted(times)[int(rank) - 1]


async def measure(*, seconds: float, rate: float, every: float) -> Measured:
    """Let messages arrive at a rate, in messages a second, and ask a question `every` so many seconds meanwhile."""
    with open_workplace() as place:
        async with open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server, open_fake_discord() as fake:
            world = fake.world
            town = fill(world, messages=0, places=_PLACES, now=world.clock(), threads=0)
            async with _open_bot(place, fake) as program:
                await fake.interactions.answered(ask(fake, town, random.Random(1)))  # noqa: S311 - the first one loads
                before = await ask_often(fake, town, seconds=seconds / 2, every=every)
                await wait_for_answers(fake, before)
                loop, spent = asyncio.get_running_loop(), loop_time(program.process.pid)
                begun = loop.time()
                async with asyncio.TaskGroup() as group:
                    saying = group.create_task(say(fake, town, seconds=seconds, rate=rate))
                    asking = group.create_task(ask_often(fake, town, seconds=seconds, every=every))
                took, by_now = loop.time() - begun, loop_time(program.process.pid)
                sent, asked = saying.result(), asking.result()
                await wait_for_answers(fake, asked)
                stored = await wait_for_stored(server.dsn("short_term"), len(sent))
                program.process.send_signal(signal.SIGINT)
                await program.finish()
            journalled = journalled_texts(place.journal_path(SESSION))
    share = by_now.since(spent) if spent and by_now else None
    return Measured(compare(sent, journalled, stored), took, before, asked, share)


@asynccontextmanager
async def _open_bot(place: Workplace, fake: FakeDiscord) -> AsyncGenerator[Program]:
    """Yield the running bot once it has logged in and its pipes are read."""
    there = replace(place, settings=fake.settings)
    async with open_program(there, "--yes", "--session", SESSION) as program:
        await until(lambda: fake.gateway.ready > 0, program)
        yield program


async def say(fake: FakeDiscord, town: Town, *, seconds: float, rate: float) -> list[str]:
    """Let messages arrive evenly, none of them late because one before it was; return their texts."""
    loop, chance = asyncio.get_running_loop(), random.Random(7)  # noqa: S311 - it decides what people say
    begun, sent = loop.time(), []
    for number, text in enumerate(sentences(round(seconds * rate), chance)):
        await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
        fake.world.say(chance.choice(town.places), text, author=chance.choice(town.members))
        sent.append(text)
    return sent


async def ask_often(fake: FakeDiscord, town: Town, *, seconds: float, every: float) -> list[Interaction]:
    """Ask a question every so often, whether or not those before it are answered; return them all."""
    loop, chance = asyncio.get_running_loop(), random.Random(8)  # noqa: S311 - it decides what people ask
    begun, asked = loop.time(), []
    for number in range(round(seconds / every)):
        await asyncio.sleep(max(0.0, begun + number * every - loop.time()))
        asked.append(ask(fake, town, chance))
    return asked


def ask(fake: FakeDiscord, town: Town, chance: random.Random) -> Interaction:
    """Let somebody ask what somebody said about something, somewhere, in public or in private."""
    text = f"what did {chance.choice(town.members).user.display_name} say about the {chance.choice(TOPICS)}?"
    place, asker, private = chance.choice(town.places), chance.choice(town.members), chance.random() < 0.5
    return fake.interactions.use(place, asker, "chat", text=text, private=private)


async def wait_for_stored(dsn: str, count: int) -> list[str]:
    """Return the texts in short-term memory once there are so many, or once patience is at its end."""
    stored: list[str] = []
    with suppress(TimeoutError):  # the counts will tell
        async with asyncio.timeout(patience_for(count).total_seconds()):
            while len(stored) < count:
                await asyncio.sleep(_GLANCE)
                stored = await stored_texts(dsn)
    return stored


async def wait_for_answers(fake: FakeDiscord, asked: list[Interaction]) -> None:
    """Wait for the answers that are still to come; the figures tell of those that do not come."""
    with suppress(TimeoutError):
        await fake.until(lambda: all(each.is_answered for each in asked), timeout=_ANSWERED)


def main(
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long messages arrive.")] = 60,
    rate: Annotated[float, typer.Option(min=1, max=1000, help="How many arrive in a second.")] = 50,
    every: Annotated[float, typer.Option(min=0.05, max=60, help="Seconds between two questions.")] = 0.5,
) -> None:
    """Time acknowledgements while messages arrive; exit status 1 when the slowest in a hundred takes 300 ms or more."""
    measured = asyncio.run(measure(seconds=seconds, rate=rate, every=every))
    typer.echo(measured.text())
    raise typer.Exit(0 if measured.is_right else 1)


if __name__ == "__main__":
    typer.run(main)
