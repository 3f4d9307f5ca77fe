"""Let many people ask at once, kill the bot with kill -9 in the middle of its answers, start it again, and count.

The whole bot runs as a process of its own on a Discord of our own (`tests.fake_discord`), with a language model that
says what it is told to (`bench.scripted_model`) and is slow enough for a queue.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from bench.acknowledge import acknowledged, percentile, wait_for_stored
from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, until
from bench.scripted_model import PROSE, ScriptedModel, settings_of
from bench.tables import table
from bot.live_answer import is_under_way
from db.embedded import open_embedded
from tests.fake_discord import Channel, FakeDiscord, Interaction, Member, open_fake_discord
from tests.fakes_openai import served

SESSION = "askers"

_PLACES = 10
_SAID = 200  # messages that memory holds
_THINK = 1.0  # seconds before each reply of the model
_PAUSE = 0.02  # seconds between two pieces of its prose
_ANSWERED = 600.0  # seconds that the last answers may take
_QUIET = 20.0  # seconds in which an answer that comes twice would come again
_IN_QUEUE = "in the queue"
_BEGINNING = PROSE.partition(" [")[0]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one asker has seen: a sign within the three seconds of Discord, a place in the queue, answers."""

    acknowledged: bool
    waited: bool
    told_place: bool
    before: bool
    answers: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What all of them have seen, how long an acknowledgement took at most, and how long the second run took."""

    seen: list[Seen]
    slowest_sign: float
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether nobody waited without a sign, and nobody's answer was lost or came twice."""
        in_time = all(one.acknowledged and (one.told_place or not one.waited) for one in self.seen)
        return in_time and all(one.answers == 1 for one in self.seen)

    def text(self) -> str:
        """Return the counts for a person to read."""
        rows: list[tuple[str | float, ...]] = [
            ("asked at once", len(self.seen)),
            ("acknowledged", sum(one.acknowledged for one in self.seen)),
            ("had to wait for a turn", sum(one.waited for one in self.seen)),
            ("of these saw their place in the queue", sum(one.waited and one.told_place for one in self.seen)),
            ("answered before the kill", sum(one.before for one in self.seen)),
            ("answered in the end", sum(one.answers > 0 for one in self.seen)),
            ("lost", sum(one.answers == 0 for one in self.seen)),
            ("answered twice", sum(one.answers > 1 for one in self.seen)),
        ]
        figures = table(("people", "count"), rows)
        signs = f"the slowest was acknowledged after {self.slowest_sign:.0f} ms"
        return f"{figures}\n\n{signs}; after the kill all was answered {self.seconds:.1f} s after the start"


async def measure(*, people: int, share: float, think: float = _THINK, quiet: float = _QUIET) -> Counts:
    """Let so many people ask at once, and kill the bot once a share of them is answered.

    The model thinks for so many seconds before each reply, and answers that come twice are waited for so many.
    """
    with open_workplace() as place:
        async with (
            open_embedded(place.embedded_dir, start_timeout=PATIENCE) as server,
            open_fake_discord() as fake,
            served(ScriptedModel([], pause=_PAUSE)) as model,
        ):
            channels, members = _crowd(fake, people)
            async with _open_bot(place, fake, model) as program:
                for number in range(_SAID):
                    fake.world.say(channels[number % _PLACES], f"the ferry leaves at noon, note {number}")
                await wait_for_stored(server.dsn("short_term"), _SAID)
                await fake.interactions.answered(_ask(fake, channels[0], members[0]))  # the first one loads
                model.think = think
                asked = [_ask(fake, channels[number % _PLACES], one) for number, one in enumerate(members)]
                await until(lambda: sum(map(_is_answered, asked)) >= share * people, program)
                await program.kill()
            before = [_is_answered(one) for one in asked]
            told_before = [_saw_place(one) for one in asked]
            loop = asyncio.get_running_loop()
            begun = loop.time()
            async with _open_bot(place, fake, model) as program:
                await _wait(lambda: all(map(_is_answered, asked)), program)
                took = loop.time() - begun
                await asyncio.sleep(quiet)
    told = [earlier or _saw_place(one) for earlier, one in zip(told_before, asked, strict=True)]
    seen = [
        Seen(one.acknowledged_after is not None, _waited(one), place, early, _answers(one, channels))
        for one, early, place in zip(asked, before, told, strict=True)
    ]
    return Counts(seen, percentile(acknowledged(asked), 100), took)


def _crowd(fake: FakeDiscord, people: int) -> tuple[list[Channel], list[Member]]:
    world = fake.world
    guild = world.guild("Harbour")
    channels = [world.channel(guild, f"pier-{number}") for number in range(_PLACES)]
    return channels, [world.member(guild, f"Asker {number}") for number in range(people)]


def _ask(fake: FakeDiscord, channel: Channel, member: Member) -> Interaction:
    return fake.interactions.use(channel, member, "chat", text="when does the ferry leave?")


def _is_answered(asked: Interaction) -> bool:
    return _is_answer(asked.text)


def _is_answer(text: str) -> bool:
    """Return whether a text is a whole answer, by the model or, where that was too slow, of quotations."""
    return "Sources" in text and not is_under_way(text)


def _saw_place(asked: Interaction) -> bool:
    return any(_IN_QUEUE in text for text in asked.shown)


def _waited(asked: Interaction) -> bool:
    """Return whether somebody waited for a turn so long that a step had to be shown, and was told about none other."""
    return bool(asked.shown) and not asked.shown[0].startswith(_BEGINNING) and "searching" not in asked.shown[0]


def _answers(asked: Interaction, channels: Sequence[Channel]) -> int:
    """Return how many messages answer a question: that which waited for it, further ones, late ones in a channel."""
    name = f"<@{asked.member.user.id}>"
    own = [message for message in asked.messages() if _is_answer(message.text)]
    late = [
        message
        for channel in channels
        for message in channel.messages.values()
        if name in message.text and _is_answer(message.text) and message not in own
    ]
    return len(own) + len(late)


async def _wait(happened: Callable[[], bool], program: Program) -> None:
    """Wait until something has happened; the counts tell when it has not."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_ANSWERED):
            await until(happened, program)


@asynccontextmanager
async def _open_bot(place: Workplace, fake: FakeDiscord, model: ScriptedModel) -> AsyncGenerator[Program]:
    """Yield the running bot once it has logged in."""
    there, ready = replace(place, settings={**fake.settings, **settings_of(model)}), fake.gateway.ready
    async with open_program(there, "--yes", "--session", SESSION) as program:
        await until(lambda: fake.gateway.ready > ready, program)
        yield program


def main(
    people: Annotated[int, typer.Option(min=1, max=1000, help="How many ask.")] = 100,
    share: Annotated[float, typer.Option(min=0, max=1, help="How many are answered before the kill.")] = 0.3,
) -> None:
    """Kill the bot while many wait for answers; exit status 1 when one is lost, comes twice, or without a sign."""
    counts = asyncio.run(measure(people=people, share=share))
    typer.echo(counts.text())
    raise typer.Exit(0 if counts.is_right else 1)


if __name__ == "__main__":
    typer.run(main)
