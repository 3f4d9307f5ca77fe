"""Ask Discord, without coming online, whether the bot could start."""

from dataclasses import dataclass

import discord

from bot.client import intents, login


@dataclass(frozen=True, slots=True)
class Registration:
    """What Discord says of the bot; `in_server` is None where no server was asked for."""

    name: str
    reads_content: bool
    in_server: bool | None


async def look_up(token: str, *, server_id: int | None) -> Registration:
    """Return what Discord says of the bot of this token; raise DiscordSetupError when it refuses or is away."""
    async with discord.Client(intents=intents()) as client:
        await login(client, token)
        return Registration(
            name=str(client.user),
            reads_content=client.application is not None and shows_content(client.application.flags),
            in_server=None if server_id is None else await _is_in(client, server_id),
        )


def shows_content(flags: discord.ApplicationFlags) -> bool:
    """Return whether the bot of an application may read message texts."""
    # The second stands for a bot in so few servers that Discord has not reviewed it.
    return flags.gateway_message_content or flags.gateway_message_content_limited


async def _is_in(client: discord.Client, server_id: int) -> bool:
    try:
        await client.fetch_guild(server_id, with_counts=False)
    except (discord.Forbidden, discord.NotFound):
        return False
    return True
