"""Ask the bot questions, and time what its answers cost beside the model, and what is seen of them meanwhile.

The whole bot runs as a process of its own on a Discord of our own (`tests.fake_discord`), with a language model that
says what it is told to (`bench.scripted_model`). First the model answers at once while messages arrive: what an answer
takes then is all but the model. Then the model is slow: timed are the first sign of work in the message that waits, and
the distances between the edits of each message.
"""

import asyncio
import random
import re
import signal
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated

import typer

from bench.acknowledge import acknowledged, answered, ask, ask_often, percentile, say, wait_for_answers, wait_for_stored
from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, until
from bench.scripted_model import ScriptedModel, settings_of
from bench.tables import table
from db.embedded import open_embedded
from tests.fake_discord import FakeDiscord, Interaction, open_fake_discord
from tests.fake_discord.worlds import fill
from tests.fakes_openai import served

SESSION = "answering"
WANTED = 150.0  # milliseconds, of the slowest in twenty
FIRST_SIGN = 1500.0  # milliseconds
SMALLEST_GAP = 1200.0  # milliseconds between two edits of a message
TIMER = 10.0  # milliseconds by which a timer may be early, and a request late
SHOWN = 0  # slow answers whose edits are printed

_LINK = re.compile(r"\]\(<[^<>\s]{1,200}>\)")
_PLACES = 20
_SAID_BEFORE = 1_000  # messages that memory holds when the questions begin
_THINK = 3.0  # seconds before each reply of the slow model
_PAUSE = 0.06  # seconds between two pieces of its prose
_QUICK_PIECE, _SLOW_PIECE = 120, 4  # letters at a time: pieces are read while a model writes, which costs no time


@dataclass(frozen=True, slots=True)
class Watched:
    """A slow answer: when each edit of its message came, in milliseconds from the question, and what it showed then."""

    edits: list[float]
    shown: list[str]

    @property
    def gaps(self) -> list[float]:
        """The distances between two edits, without that before the final one, which waits as long."""
        return [later - earlier for earlier, later in pairwise(self.edits)]


@dataclass(frozen=True, slots=True)
class Measured:
    """The questions that were asked while messages arrived, and those of the slow model."""

    quick: list[Interaction]
    messages: int
    seconds: float
    slow: list[Interaction]
    watched: list[Watched]

    @property
    def first_signs(self) -> list[float]:
        """When each slow question was acknowledged, which shows that the bot is thinking."""
        return acknowledged(self.slow)

    @property
    def first_edits(self) -> list[float]:
        """When the message that waits for a slow answer first said something."""
        return [watched.edits[0] for watched in self.watched if watched.edits]

    @property
    def gaps(self) -> list[float]:
        """All distances between two edits of one message."""
        return [gap for watched in self.watched for gap in watched.gaps]

    @property
    def is_right(self) -> bool:
        """Whether all was answered, fast enough, with a sign in time and edits far enough from each other."""
        complete = len(answered(self.quick)) == len(self.quick) and len(self.first_signs) == len(self.slow)
        in_time = percentile(answered(self.quick), 95) < WANTED and percentile(self.first_signs, 100) <= FIRST_SIGN
        return complete and in_time and all(gap >= SMALLEST_GAP - TIMER for gap in self.gaps)

    def text(self, *, shown: int) -> str:
        """Return the figures for a person to read, and the edits of some slow answers."""
        rows: list[tuple[str | float, ...]] = [
            (name, len(times), *(percentile(times, share) for share in (50, 95, 99, 100)))
            for name, times in (
                ("acknowledged, messages arriving", acknowledged(self.quick)),
                ("answered, all but the model", answered(self.quick)),
                ("slow model: acknowledged", self.first_signs),
                ("slow model: first words of work", self.first_edits),
                ("slow model: answered", [watched.edits[-1] for watched in self.watched if watched.edits]),
                ("slow model: between two edits", self.gaps),
            )
        ]
        figures = table(("", "count", "p50 ms", "p95 ms", "p99 ms", "longest ms"), rows)
        smallest = min(self.gaps, default=0.0)
        edits = sum(len(watched.edits) for watched in self.watched)
        said = f"{self.messages:,} messages in {self.seconds:.1f} s, {self.messages / self.seconds:.1f} a second"
        closing = f"{said}; {edits} edits of {len(self.watched)} slow answers, the closest two {smallest:.0f} ms apart"
        return "\n\n".join([figures, closing, *map(_transcript, self.watched[:shown])])


def _transcript(watched: Watched) -> str:
    seen = zip(watched.edits, watched.shown, strict=False)  # the last may be on its way
    return "\n".join(f"{at / 1000:6.2f} s  {' '.join(_LINK.sub(']', text).split())[:200]}" for at, text in seen)


async def measure(*, seconds: float, rate: float, every: float, slow: int) -> Measured:
    """Ask while messages arrive at a rate, in messages a second; then ask so many questions of a slow model."""
    with open_workplace() as place:
        async with (
            open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server,
            open_fake_discord() as fake,
            served(ScriptedModel([])) as model,
        ):
            model.piece = _QUICK_PIECE
            world = fake.world
            town = fill(world, messages=0, places=_PLACES, now=world.clock(), threads=0)
            async with _open_bot(place, fake, model) as program:
                said = await say(fake, town, seconds=_SAID_BEFORE / 200, rate=200)
                await wait_for_stored(
                    server.dsn("short_term"), len(said)
                )  # else answers wait for what is still to come
                await fake.interactions.answered(ask(fake, town, random.Random(1)))  # noqa: S311 - the first one loads
                loop = asyncio.get_running_loop()
                begun = loop.time()
                async with asyncio.TaskGroup() as group:
                    saying = group.create_task(say(fake, town, seconds=seconds, rate=rate))
                    asking = group.create_task(ask_often(fake, town, seconds=seconds, every=every))
                took, quick = loop.time() - begun, asking.result()
                await wait_for_answers(fake, quick)
                model.think, model.pause, model.piece = _THINK, _PAUSE, _SLOW_PIECE
                asked = await ask_often(fake, town, seconds=slow * 0.5, every=0.5)
                await wait_for_answers(fake, asked)
                watched = await _edits(fake, asked)
                program.process.send_signal(signal.SIGINT)
                await program.finish()
    return Measured(quick, len(saying.result()), took, asked, watched)


async def _edits(fake: FakeDiscord, asked: Sequence[Interaction]) -> list[Watched]:
    """Return what was seen of slow answers, once nothing has changed for a while."""
    await asyncio.sleep(2 * (_THINK + FIRST_SIGN / 1000) + 10)
    times: dict[str, list[float]] = defaultdict(list)
    for request in list(fake.rest.requests):
        if (
            request.route.startswith("PATCH /webhooks/")
            and request.path.endswith("@original")
            and request.status == 200
        ):
            times[request.path.split("/")[-3]].append(request.at)
    return [Watched([1000 * (at - one.sent) for at in times[one.token]], one.shown) for one in asked]


@asynccontextmanager
async def _open_bot(place: Workplace, fake: FakeDiscord, model: ScriptedModel) -> AsyncGenerator[Program]:
    """Yield the running bot once it has logged in."""
    there = replace(place, settings={**fake.settings, **settings_of(model)})
    async with open_program(there, "--yes", "--session", SESSION) as program:
        await until(lambda: fake.gateway.ready > 0, program)
        yield program


def main(
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long messages arrive.")] = 60,
    rate: Annotated[float, typer.Option(min=1, max=1000, help="How many arrive in a second.")] = 50,
    every: Annotated[float, typer.Option(min=0.05, max=60, help="Seconds between two questions.")] = 0.5,
    slow: Annotated[int, typer.Option(min=1, max=1000, help="Questions of the slow model.")] = 12,
    show: Annotated[int, typer.Option(min=0, max=100, help="Slow answers whose edits are printed.")] = SHOWN,
) -> None:
    """Time answers beside the model, and the edits of slow ones; exit status 1 when a figure is not as it should be."""
    measured = asyncio.run(measure(seconds=seconds, rate=rate, every=every, slow=slow))
    typer.echo(measured.text(shown=show))
    raise typer.Exit(0 if measured.is_right else 1)


if __name__ == "__main__":
    typer.run(main)
