"""Stop the bot, send, edit and delete messages, start it again and ask: print what it then says.

The whole bot runs as a process of its own, twice on the same storage, with an embedded PostgreSQL, on a Discord of our
own (`tests.fake_discord`). No language model takes part: the answers are quotations.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import typer

from bench.processes import PATIENCE, Program, Workplace, open_program, open_workplace, until
from db.embedded import open_embedded
from tests.fake_discord import Channel, FakeDiscord, Member, open_fake_discord

SESSION = "away"
_GLANCE = 0.2  # seconds
_LISTENS = 4.0  # seconds; discord.py waits two for further servers before it calls a connection ready
_CAUGHT_UP = 60.0  # seconds that reading what was missed may take here

NOON, AT_TWO = "the ferry leaves at noon on Saturday", "the ferry leaves at two on Saturday"
SOLD = "the harbour office is sold, I heard"
BICYCLES = "the ferry takes bicycles from now on"


@dataclass
class Transcript:
    """What happened, line by line, and what should have been said and was not."""

    lines: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        """Add a line."""
        self.lines.append(line)

    def expect(self, answer: str, *, says: str = "", hides: str = "") -> None:
        """Note a fault where an answer lacks some words, or has others."""
        if says and says not in answer:
            self.faults.append(f"an answer lacks {says!r}")
        if hides and hides in answer:
            self.faults.append(f"an answer still has {hides!r}")

    def text(self) -> str:
        """Return it for a person to read."""
        verdict = [f"WRONG: {fault}" for fault in self.faults] or ["All that was missed is known."]
        return "\n".join([*self.lines, "", *verdict])


@dataclass(frozen=True, slots=True)
class Chat:
    """A channel with two members, in which everything is noted."""

    fake: FakeDiscord
    channel: Channel
    ana: Member
    ben: Member
    transcript: Transcript

    async def ask(self, who: Member, command: str, **options: str) -> str:
        """Let a member use a command, and return the answer."""
        asked = self.fake.interactions.use(self.channel, who, command, **options)
        answer = await self.fake.interactions.answered(asked)
        typed = " ".join([f"/{command}", *options.values()])
        self.transcript.note(f"> {who.user.display_name}: {typed}")
        self.transcript.note("\n".join(f"  {line}" for line in answer.splitlines()))
        return answer


async def show() -> Transcript:
    """Return the transcript of one absence."""
    transcript = Transcript()
    with open_workplace() as place:
        async with open_embedded(place.embedded_dir, start_timeout=PATIENCE), open_fake_discord() as fake:
            world = fake.world
            guild = world.guild("Harbour")
            general = world.channel(guild, "general")
            chat = Chat(fake, general, world.member(guild, "Ana"), world.member(guild, "Ben"), transcript)
            async with _running(place, fake, transcript):
                plan = world.say(general, NOON, author=chat.ana)
                rumour = world.say(general, SOLD, author=chat.ben)
                transcript.note(f"Ana: {NOON}\nBen: {SOLD}")
                transcript.expect(await chat.ask(chat.ben, "chat", text="when does the ferry leave?"), says=NOON)
            world.edit(plan, AT_TWO)
            world.delete(rumour)
            world.say(general, BICYCLES, author=chat.ben)
            transcript.note(f'(Ana edits: "{AT_TWO}"; Ben deletes "{SOLD}")\nBen: {BICYCLES}')
            async with _running(place, fake, transcript):
                await _until_known(fake, general)
                when = await chat.ask(chat.ben, "chat", text="when does the ferry leave?")
                transcript.expect(when, says=AT_TWO, hides=NOON)
                transcript.expect(await chat.ask(chat.ben, "chat", text="is the harbour office sold?"), hides=SOLD)
                taken = await chat.ask(chat.ana, "chat", text="does the ferry take bicycles?")
                transcript.expect(taken, says=BICYCLES)
                transcript.expect(await chat.ask(chat.ana, "coverage"), says="**#general**")
    return transcript


@asynccontextmanager
async def _running(place: Workplace, fake: FakeDiscord, transcript: Transcript) -> AsyncGenerator[Program]:
    """Run the bot for the length of the block; it is stopped as Ctrl+C stops it."""
    ready = fake.gateway.ready
    async with open_program(replace(place, settings=fake.settings), "--yes", "--session", SESSION) as program:
        await until(lambda: fake.gateway.ready > ready, program)
        await asyncio.sleep(_LISTENS)
        transcript.note("(the bot is started)")
        yield program
        program.process.send_signal(signal.SIGINT)
        finished = await program.finish()
        transcript.note(f"(the bot is stopped, exit status {finished.status})")


async def _until_known(fake: FakeDiscord, channel: Channel) -> None:
    """Wait until the bot has read both what was said since and what was said before, and looked for the deleted."""
    async with asyncio.timeout(_CAUGHT_UP):
        while fake.rest.count(f"channels/{channel.id}/messages") < 3:  # noqa: ASYNC110  # two pages and one message
            await asyncio.sleep(_GLANCE)


def main() -> None:
    """Print the transcript; exit status 1 when something that was missed is not known."""
    transcript = asyncio.run(show())
    typer.echo(transcript.text())
    raise typer.Exit(1 if transcript.faults else 0)


if __name__ == "__main__":
    typer.run(main)
