"""Serve the fake Discord on the loopback."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import discord.gateway
import discord.http
from aiohttp import web

from bot.endpoints import use_endpoints
from tests.fake_discord.gateway import Gateway
from tests.fake_discord.interactions import Interactions
from tests.fake_discord.limits import Limits, Refusal
from tests.fake_discord.rest import API, Rest
from tests.fake_discord.waiting import PATIENCE, Changes
from tests.fake_discord.world import World

GOOD_TOKEN = "good"


class FakeDiscord:
    """A Discord of our own: its world, its gateway, its REST API and its limits."""

    def __init__(self, world: World, limits: Limits) -> None:
        self.world = world
        self.limits = limits
        self.token = GOOD_TOKEN
        self._changes = Changes()
        self.gateway = Gateway(world, self._changes, token=self.token)
        self.interactions = Interactions(world, self._changes)
        self.rest = Rest(world, self.gateway, self.interactions, limits, self._changes, token=self.token)
        self.api_base = ""

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which a script logs in here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_BASE": self.api_base,
            "DISCORD_GATEWAY_URL": self.gateway.url,
        }

    @property
    def throttled(self) -> list[Refusal]:
        """The requests that were refused because they came too early; those of `rest.throttle` are not among them."""
        return self.limits.refused

    def ready(self, times: int = 1) -> Awaitable[None]:
        """Wait until clients have been let in or have resumed so many times since the start."""
        return self.gateway.wait_until_ready(times)

    async def until(self, condition: Callable[[], bool], *, timeout: float = PATIENCE) -> None:
        """Wait for a condition on what clients have done here; raise TimeoutError after so many seconds."""
        await self._changes.until(condition, timeout=timeout)

    async def requested(self, words: str, times: int = 1, *, timeout: float = PATIENCE) -> None:
        """Wait until so many requests were answered whose route and path contain some words."""
        await self._changes.until(lambda: self.rest.count(words) >= times, timeout=timeout)


@asynccontextmanager
async def open_fake_discord(
    world: World | None = None, *, limits: Limits | None = None, port: int = 0
) -> AsyncGenerator[FakeDiscord]:
    """Yield a Discord that listens on a port of the loopback, any free one for 0.

    Clients of this process that are made in the block log in to it, those of others by its `settings`.
    """
    fake = FakeDiscord(world or World(), limits or Limits())
    runner = web.AppRunner(fake.rest.app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    pointed_at = discord.http.Route.BASE, str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, port = runner.addresses[0][:2]
        fake.api_base, fake.gateway.url = f"http://{host}:{port}{API}", f"ws://{host}:{port}/gateway/socket"
        fake.world.files_url = f"http://{host}:{port}"
        use_endpoints(fake.api_base, fake.gateway.url)
        yield fake
    finally:
        use_endpoints(*pointed_at)
        await fake.gateway.close()
        await runner.cleanup()
