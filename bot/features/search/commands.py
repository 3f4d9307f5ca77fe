"""Put /search on a command tree."""

from typing import Literal

import discord
from discord import app_commands

from bot.features.search.asking import Asking, Channel
from bot.paging import answer_in_pages
from bot.parts import Parts
from bot.time_choices import TimeText, complete_time
from memory.authors import Authors
from memory.holding import Holding
from overviews.search import Wanted
from overviews.wanted import LONGEST, Order


def add_commands(tree: app_commands.CommandTree, parts: Parts) -> None:
    """Let everybody search what they may read, where nobody else sees it, or what everybody here may read."""
    overviews = parts.services.overviews
    if overviews is None:
        return
    search = overviews.search

    @tree.command(name="search", description="Find messages in the channels that you can read; only you see them.")
    @app_commands.describe(
        text="Words to search for; without any, the newest messages are listed",
        author="Only what this person wrote",
        channel="One channel or thread; else all channels",
        when='Only from some time, as in "last week" or "3 to 5 November"',
        has="Only messages with one of these",
        from_me="Only what you wrote yourself",
        order="Which messages come first",
        public="Show it to everybody here, from what everybody here can read",
    )
    @app_commands.guild_only()
    @app_commands.allowed_installs(guilds=True, users=False)
    async def search_(
        interaction: discord.Interaction,
        text: app_commands.Range[str, 1, LONGEST] = "",
        author: discord.User | None = None,
        channel: Channel | None = None,
        when: TimeText = "",
        has: Literal["link", "file", "picture", "poll"] | None = None,
        from_me: bool = False,
        order: Literal["best", "newest"] = "best",
        public: bool = False,
    ) -> None:
        people = {author.id for author in (author, interaction.user if from_me else None) if author is not None}
        wanted = Wanted(
            text=text,
            authors=Authors(frozenset(people)) if people else None,
            conversations=None if channel is None else frozenset({channel.id}),
            holding=frozenset() if has is None else frozenset({Holding(has)}),
            when=when,
            order=Order(order),
        )

        asking = Asking(interaction, channel, wanted, search, parts)
        said = " ".join(filter(None, ("/search", text, f"when:{when}" if when else "", f"has:{has}" if has else "")))
        await answer_in_pages(interaction, asking.compose, said=said, private=not public, parts=parts)

    @search_.autocomplete("when")
    async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return await complete_time(interaction, typed, parts.services)
