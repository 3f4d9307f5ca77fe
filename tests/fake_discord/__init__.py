"""A Discord of our own on the loopback: REST and gateway, in which an unmodified client does all that the bot needs.

    async with open_fake_discord() as fake:  # clients made in this process log in here; others by `fake.settings`
        guild = fake.world.guild("Harbour")
        general = fake.world.channel(guild, "general")
        fake.world.say(general, "the ferry leaves at noon", author=fake.world.member(guild, "Ana"))
        ...  # start a bot with `fake.token`, `await fake.ready()`, then say, edit, delete: it is told of each

`world` holds guilds, channels and messages, and emits an event for what changes while a client is connected. `gateway`
drops, reconnects and ends sessions; `rest` fails on demand and counts requests; `limits` are those of Discord, enforced
(`limits=unlimited()` for tests about something else), and `throttled` has all requests that came too early;
`interactions` uses commands and presses buttons as a member. `python -m tests.fake_discord` serves one by hand.
"""

from tests.fake_discord.interactions import Interaction
from tests.fake_discord.limits import Limits, Rate, Refusal, unlimited
from tests.fake_discord.models import Channel, Guild, Member, Message, Overwrite, Role, Thread, User
from tests.fake_discord.server import GOOD_TOKEN, FakeDiscord, open_fake_discord
from tests.fake_discord.world import World

__all__ = [
    "GOOD_TOKEN",
    "Channel",
    "FakeDiscord",
    "Guild",
    "Interaction",
    "Limits",
    "Member",
    "Message",
    "Overwrite",
    "Rate",
    "Refusal",
    "Role",
    "Thread",
    "User",
    "World",
    "open_fake_discord",
    "unlimited",
]
