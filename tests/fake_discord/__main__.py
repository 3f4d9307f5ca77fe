"""Serve a Discord of our own by hand: `python -m tests.fake_discord`."""

import asyncio
import random
from contextlib import suppress
from typing import Annotated

import typer

from tests.fake_discord import FakeDiscord, Limits, World, open_fake_discord, unlimited
from tests.fake_discord.world import now
from tests.fake_discord.worlds import Town, fill, sentences

_Port = Annotated[int, typer.Option(min=0, max=65535, help="The port on loopback; 0 is any free one.")]
_Messages = Annotated[int, typer.Option(min=0, max=1_000_000, help="How much has been said already.")]
_Places = Annotated[int, typer.Option(min=1, max=50_000, help="In how many channels, threads and posts.")]
_Days = Annotated[float, typer.Option(min=0.01, max=4_000, help="In how many days up to now.")]
_Rate = Annotated[float, typer.Option(min=0, max=1_000, help="Messages a second that are said from now on.")]
_Limited = Annotated[bool, typer.Option("--limits/--no-limits", help="Whether Discord's rate limits hold.")]
_MOST = 10_000_000  # messages that are said while it serves


def serve(
    port: _Port = 8765,
    messages: _Messages = 1_000,
    places: _Places = 20,
    days: _Days = 365,
    rate: _Rate = 0,
    limits: _Limited = True,
) -> None:
    """Serve a made-up server until Ctrl+C; print the settings with which the bot logs in to it."""
    world = World()
    town = fill(world, messages=messages, places=places, now=now(), days=days)
    with suppress(KeyboardInterrupt):
        try:
            asyncio.run(_serve(world, town, port, rate, Limits() if limits else unlimited()))
        except OSError as error:
            typer.echo(f"Port {port} cannot be used ({error.strerror or error}): choose another with --port.", err=True)
            raise typer.Exit(2) from error


async def _serve(world: World, town: Town, port: int, rate: float, limits: Limits) -> None:
    async with open_fake_discord(world, port=port, limits=limits) as fake:
        for name, value in fake.settings.items():
            typer.echo(f"{name}={value}")
        said = sum(len(place.messages) for place in town.places)
        typer.echo(f"# {said:,} messages in {len(town.places):,} places of server {town.guild.id}; Ctrl+C stops it.")
        async with asyncio.TaskGroup() as group:
            group.create_task(_report(fake))
            if rate:
                group.create_task(_talk(world, town, rate))


async def _talk(world: World, town: Town, rate: float) -> None:
    chance = random.Random()  # noqa: S311 - it decides what people say
    for text in sentences(_MOST, chance):
        world.say(chance.choice(town.places), text, author=chance.choice(town.members))
        await asyncio.sleep(1 / rate)


async def _report(fake: FakeDiscord) -> None:
    """Print each minute how much was asked for, if anything was."""
    before = 0
    while True:
        await asyncio.sleep(60)
        if len(fake.rest.requests) != before:
            before = len(fake.rest.requests)
            typer.echo(f"# {before:,} requests so far, {len(fake.throttled):,} of them too early")


if __name__ == "__main__":
    typer.run(serve)
