"""Put /status on a command tree."""

import math
from collections.abc import Iterator
from datetime import datetime

import discord
from discord import app_commands

from agent.markdown import inline
from bot.buttons import Reply
from bot.parts import Parts
from bot.rendering import render_text
from memory.consent.opt_outs import Wish
from memory.health import LOOKED_BACK, Health

ALL_IS_WELL = "**All is well.**"
SOMETHING_IS_WRONG = "**Something is not well.** Nothing that was said is lost by it."
NOT_KNOWN = "How I am is not known here."
WELL, NOT_WELL = discord.Colour.green(), discord.Colour.orange()


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody see how the bot is."""

    @tree.command(name="status", description="See how I am, and whether what is said here is kept; only you see it.")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def status(interaction: discord.Interaction) -> None:
        async def answer() -> Reply:
            return await reply(interaction, parts)

        await parts.runner.run(interaction, said="/status", private=True, compose=answer)


async def reply(interaction: discord.Interaction, parts: Parts) -> Reply:
    """Return how the bot is, for whoever asks."""
    if parts.services.health is None:
        return Reply(render_text(NOT_KNOWN))
    health = await parts.services.health(interaction.guild_id)
    shards = shards_of(parts.client)
    is_well = not (health.silent or health.journal_is_failing or health.models_rest) and shards[0] == shards[1]
    lines = [
        ALL_IS_WELL if is_well else SOMETHING_IS_WRONG,
        *_lines(health, shards),
        *_here(interaction, health, parts),
    ]
    return Reply(render_text("\n".join(lines)), accent=WELL if is_well else NOT_WELL)


def shards_of(client: discord.Client) -> tuple[int, int]:
    """Return how many connections to Discord stand, and how many there should be."""
    shards = getattr(client, "shards", {}).values()
    standing = sum(not shard.is_closed() and math.isfinite(shard.latency) for shard in shards)
    return standing, len(shards)


def _lines(health: Health, shards: tuple[int, int]) -> Iterator[str]:
    yield f"- **Discord**: {shards[0]} of {shards[1]} connections stand"
    for name in health.answering:
        yield f"- **{inline(name)} memory**: answers"
    for name in health.silent:
        yield f"- **{inline(name)} memory**: does not answer just now; what is said waits in a file"
    waiting = "nothing" if not health.waiting_bytes else f"{health.waiting_bytes:,} bytes"
    yield f"- **Waits to be stored**: {waiting}"
    if health.journal_is_failing:
        yield "- **The file of this session** cannot be written just now: tell whoever runs me"
    yield f"- **Models**: {inline(health.models, longest=500)}"
    for line in health.language_models:
        yield f"- **Language model** {inline(line, longest=500)}"
    yield f"- **Version**: {inline(health.version)}"


def _here(interaction: discord.Interaction, health: Health, parts: Parts) -> Iterator[str]:
    """Yield what holds where somebody asks, and for them."""
    services, guild_id = parts.services, interaction.guild_id
    if guild_id is not None:
        yield f"- **Last message kept on this server**: {_moment(health.last_message_at)}"
        parent_id = getattr(interaction.channel, "parent_id", None)
        places = interaction.channel_id, parent_id
        if services.rules.ignores(*places):
            yield "- **This channel** is ignored: nothing of it is kept"
        elif services.rules.is_paused(guild_id, *places, at=services.clock()):
            yield "- **Paused**: nothing that is said here is kept, until somebody uses `/resume` or the time is over"
        else:
            yield "- **Paused**: no"
    if services.consent is not None and services.consent.wish_of(interaction.user.id).wish is Wish.EVERYTHING:
        yield "- **You** have opted out: nothing of what you write is kept"
    if services.privacy_url is not None:
        yield f"- **Privacy page**: <{services.privacy_url}>"


def _moment(moment: datetime | None) -> str:
    return f"none for {LOOKED_BACK.days} days" if moment is None else f"<t:{int(moment.timestamp())}:R>"
