"""A small server on the simulated Discord, in which many tests take place."""

from dataclasses import dataclass

from tests.fake_discord import Channel, FakeDiscord, Guild, Member


@dataclass(frozen=True, slots=True)
class Harbour:
    """A server with two members and a channel."""

    guild: Guild
    general: Channel
    ana: Member
    ben: Member


def new_harbour(fake: FakeDiscord) -> Harbour:
    """Make such a server."""
    guild = fake.world.guild("Harbour")
    general = fake.world.channel(guild, "general")
    return Harbour(guild, general, fake.world.member(guild, "Ana"), fake.world.member(guild, "Ben"))
