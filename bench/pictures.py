"""Draw what people see: answers and lists of the whole bot on a simulated Discord, as pictures for the documents.

The sample's conversations are brought in as messages of a simulated server with real dates; memory, search and the
embedding model are those of the product. It needs `pip install simcord[screenshot]` and `playwright install chromium`.
"""

import asyncio
import csv
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import discord
import simcord
import typer
from simcord.results import InteractionResult

from bench.models import shared_models_dir
from bench.processes import ROOT, open_workplace
from bot.client import Bot
from cli.commands.front_end import FrontEnd
from cli.commands.serve import RunningSession, discord_services, open_memory, open_program
from memory.capture.message_csv import from_row_leniently
from memory.decisions import Decision, Decisions
from memory.message import Kind, Message
from settings import Settings
from storage.sessions import choose_session, open_session_folder

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
"""The morning after the sample ends."""

PICTURES = ROOT / "docs" / "pictures"
SAMPLE = ROOT / "db" / "sample.csv"
WIDTH, HEIGHT = 760, 1400  # pixels at most
COLOURS = 64
PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Scene:
    """A simulated server in which the conversations of the sample were held."""

    env: simcord.Env
    program: RunningSession
    guild: simcord.GuildHandle
    channels: dict[str, simcord.ChannelHandle]
    people: dict[str, simcord.MemberActor]
    said: list[Message] = field(default_factory=list)

    async def use(self, who: str, command: str, *, where: str = "general", **options: Any) -> InteractionResult:
        """Return what somebody gets for a command."""
        return await self.people[who].slash(self.channels[where], command, **options)


def sample() -> list[Message]:
    """Return the messages of the sample."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        messages = [from_row_leniently(row) for row in csv.DictReader(file)]
    return [message for message in messages if message.kind is Kind.MESSAGE]


@asynccontextmanager
async def open_scene() -> AsyncGenerator[Scene]:
    """Yield the scene, with all that was said made searchable."""
    with open_workplace() as place:
        settings = Settings(
            storage_dir=place.storage_dir,
            embedded_dir=place.embedded_dir,
            backup_dir=place.backup_dir,
            embedding_dir=shared_models_dir(),
        )
        session = choose_session(
            settings.storage_dir, name="pictures", add_date=False, add_number=False, today=NOW.date()
        )
        open_session_folder(session)
        front_end = FrontEnd(in_terminal=False, speaker="", time_zone=None, date_order=None, heartbeat=None)
        async with (
            open_memory(settings) as (databases, embedder),
            open_program(settings, session, databases, embedder, front_end) as program,
        ):
            await embedder.ready()
            services = discord_services(program, settings, clock=lambda: NOW)
            bot = Bot(replace(services, history=None))  # the simulation has no search of Discord's own
            async with simcord.run(bot, settle_timeout=40) as env:
                scene = _scene(env, program)
                scene.said.extend(_moved(sample(), scene))
                for message in scene.said:
                    await program.recorder.record(message)
                await program.recorder.settle(timeout=PATIENCE)
                await program.recorder.settle_vectors(timeout=PATIENCE)
                yield scene


def _scene(env: simcord.Env, program: RunningSession) -> Scene:
    """Make the server with the channels and people of the sample."""
    env.backend.bot_user.name = "Backscroll"
    guild = env.create_guild("Lanternfish")
    messages = sample()
    channels = {name: guild.create_text_channel(name) for name in sorted({one.channel_name for one in messages})}
    people = {
        name: guild.add_member(env.create_user(name))
        for name in sorted({one.author_name for one in messages} - {"ana"})
    }
    maintainers = guild.create_role("maintainers", permissions=discord.Permissions(administrator=True))
    people["ana"] = guild.add_member(env.create_user("ana"), roles=[maintainers])
    return Scene(env, program, guild, channels, people)


def _moved(messages: list[Message], scene: Scene) -> list[Message]:
    """Return messages as if they had been sent in the simulated server."""
    return [
        replace(
            message,
            guild_id=scene.guild.id,
            channel_id=scene.channels[message.channel_name].id,
            thread_id=None,
            author_id=scene.people[message.author_name].id,
            session=scene.program.recorder.session,
        )
        for message in messages
    ]


async def chat(scene: Scene) -> InteractionResult:
    """Ask what is asked in the README."""
    text = "What went wrong with the deploy on the first Thursday of November 2026?"
    return await scene.use("hana", "chat", text=text)


async def catch_up(scene: Scene) -> InteractionResult:
    """Let somebody catch up."""
    return await scene.use("hana", "catchup", since="last Wednesday")


async def who(scene: Scene) -> InteractionResult:
    """Ask who knows about something."""
    return await scene.use("hana", "who knows", topic="the database migration")


DECIDED = {
    1565304488514813978: ("The database of 0.4", None),
    1565696984101158967: ("Telemetry", None),
    1568243757982154812: ("Telemetry", 1565696984101158967),
    1565048545533231111: ("The logo", None),
    1567467198966923266: ("The logo", 1565048545533231111),
}
"""Messages of the sample that were marked as decisions: under which title, and in the place of which other one."""


async def decisions(scene: Scene) -> InteractionResult:
    """List what was decided, once it is marked."""
    kept = Decisions(scene.program.databases[1].sessions)
    for message in scene.said:
        if message.message_id in DECIDED:
            title, supersedes = DECIDED[message.message_id]
            await kept.mark(
                Decision(
                    guild_id=scene.guild.id,
                    message_id=message.message_id,
                    channel_id=message.channel_id,
                    thread_id=None,
                    author_id=message.author_id,
                    sent_at=message.sent_at,
                    marked_by=scene.people["ana"].id,
                    marked_at=NOW,
                    title=title,
                    supersedes=supersedes,
                )
            )
    return await scene.use("hana", "decisions")


async def settings_(scene: Scene) -> InteractionResult:
    """Open the settings."""
    return await scene.use("ana", "settings")


SHOWN: dict[str, Callable[[Scene], Awaitable[InteractionResult]]] = {
    "chat": chat,
    "catchup": catch_up,
    "who": who,
    "decisions": decisions,
    "settings": settings_,
}


async def draw(folder: Path, names: list[str]) -> None:
    """Draw these pictures into a folder."""
    async with open_scene() as scene:
        for name in names:
            result = await SHOWN[name](scene)
            viewer = scene.people["ana" if name == "settings" else "hana"]
            async with scene.env.preview(
                scene.channels["general"], viewers=[viewer], width=WIDTH, height=HEIGHT, presentation_time=NOW
            ) as preview:
                await preview.show(result)
                await preview.screenshot(folder / f"{name}.png", target=result, allow_incomplete=True)
            _make_small(folder / f"{name}.png")
            typer.echo(f"{name}.png")


def _make_small(picture: Path) -> None:
    """Keep as many colours of a picture as its few are told apart by, which is a third of the file."""
    from PIL import Image

    with Image.open(picture) as whole:
        whole.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Which pictures; all of them without one.")] = None,
    folder: Annotated[Path, typer.Option(help="Where to put them.")] = PICTURES,
) -> None:
    """Draw what people see of commands."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(folder, names or list(SHOWN)))


if __name__ == "__main__":
    typer.run(main)
