"""Log in without coming online, and find the servers and channels that a command line names."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord

from bot.client import INTENT_REFUSED, intents, login
from bot.history.discord_history import DiscordHistory, Learn, answered, ignore, load_guild
from bot.history.pace import background_limiter, paced_by
from bot.login_check import shows_content
from bot.other_bots import ALL_BOTS, OtherBots
from db.shards import ShardRange
from errors import DiscordSetupError, DiscordUnavailableError, RefusedPlaceError


@dataclass(frozen=True, slots=True)
class Server:
    """A server whose past can be read."""

    client: discord.Client
    guild: discord.Guild
    other_bots: OtherBots = ALL_BOTS

    @property
    def name(self) -> str:
        """What people call it."""
        return self.guild.name

    def history(self, *, learn: Learn = ignore) -> DiscordHistory:
        """Return its past; `learn` is given each archived thread that is listed."""
        return DiscordHistory(self.client, self.guild, learn=learn, other_bots=self.other_bots)


_MOST_SERVERS = 200  # a bot in more of them has its servers named one by one


@asynccontextmanager
async def open_client(token: str) -> AsyncGenerator[discord.Client]:
    """Yield a client that is logged in, and whose background requests are paced; it never comes online.

    Raises DiscordSetupError for a token or an intent that Discord refuses, and when Discord is away.
    """
    async with discord.Client(intents=intents(), http_trace=paced_by(background_limiter())) as client:
        await login(client, token)
        if client.application is None or not shows_content(client.application.flags):
            raise DiscordSetupError(INTENT_REFUSED)
        yield client


async def find_servers(client: discord.Client, wanted: str, *, shards: ShardRange | None = None) -> list[Server]:
    """Return the servers of an id or a name, or all that the bot is in where neither is given.

    Those of other `shards` are left to the process that runs these. Raises DiscordSetupError when there is none, or
    when Discord is away.
    """
    try:
        async with answered():
            listed = await client.http.get_guilds(_MOST_SERVERS, with_counts=False)
        by_id = {str(guild["id"]): guild["name"] for guild in listed}
        name = wanted.strip().casefold()
        chosen = [one for one in by_id if not name or name in {one, by_id[one].casefold()}]
        if not chosen and name.isdecimal() and len(by_id) >= _MOST_SERVERS:
            chosen = [name]
        if not chosen:
            raise DiscordSetupError(_no_server(wanted, list(by_id.values())))
        chosen = [one for one in chosen if shards is None or shards.has_guild(int(one))]
        if not chosen:
            raise DiscordSetupError(
                f"No such server belongs to shards {shards} (DISCORD_SHARDS): run this where it does."
            )
        return [Server(client, await load_guild(client, int(one))) for one in chosen]
    except (DiscordUnavailableError, RefusedPlaceError) as error:
        raise DiscordSetupError(f"The servers cannot be listed ({error}): try again later.") from error


def _no_server(wanted: str, names: list[str]) -> str:
    if not names:
        return "The bot is in no server yet: invite it with the link that it prints at its start."
    known = ", ".join(names[:5])
    return f"The bot is in no server {wanted!r}: give the id or the name of one of its servers, such as {known}."


def find_channel(servers: Sequence[Server], wanted: str) -> tuple[Server, int]:
    """Return the id of the channel, or of the active thread, of an id or a name, and its server.

    An id that is unknown may be that of an archived thread. Raises DiscordSetupError for a name that no channel has
    which the bot can see, and for one that several have.
    """
    name = wanted.strip().removeprefix("#").casefold()
    found = [
        (server, channel.id)
        for server in servers
        for channel in (*server.guild.channels, *server.guild.threads)
        if name in {str(channel.id), channel.name.casefold()} and not isinstance(channel, discord.CategoryChannel)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(channel_id) for _, channel_id in found[:5])
        raise DiscordSetupError(f"Several channels are called {wanted!r}: give the id of one of them ({ids}).")
    if name.isdecimal() and len(servers) == 1:
        return servers[0], int(name)
    raise DiscordSetupError(f"There is no channel {wanted!r} that the bot can see: give its name or its id.")
