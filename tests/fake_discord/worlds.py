"""Fill the fake Discord with a server in which much has been said."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.fake_discord.models import FORUM, Channel, Guild, Member
from tests.fake_discord.world import World

PEOPLE = ("Ana", "Ben", "Cleo", "Dora", "Emil", "Finn", "Greta", "Hugo", "Ida", "Jon", "Kaja", "Leo")
TOPICS = ("release", "harbour", "backup", "invoice", "garden", "printer", "ferry", "budget", "kitchen", "deploy")
_VERBS = (
    "moved",
    "checked",
    "forgot",
    "repaired",
    "cancelled",
    "ordered",
    "measured",
    "planned",
    "wrote down",
    "tested",
)
_ENDS = ("before lunch", "again", "with the others", "for next week", "as we agreed", "twice", "in the rain", "at last")


@dataclass(frozen=True, slots=True)
class Town:
    """A server with its members and every place where something is said."""

    guild: Guild
    members: list[Member]
    places: list[Channel]


def fill(
    world: World,
    *,
    messages: int,
    places: int,
    now: datetime,
    days: float = 365,
    threads: float = 0.3,
    seed: int = 7,
) -> Town:
    """Make a server of so many places, and let so much be said there in the `days` before `now`, evenly everywhere.

    A share of the places are `threads`: public ones of channels and posts of a forum, every other of them archived. The
    same numbers make the same texts; who says them, where and when differ from one message to the next.
    """
    town = _build(world, places, now - timedelta(days=days), share_of_threads=threads)
    chance = random.Random(seed)  # noqa: S311 - it decides what people say
    step = timedelta(days=days) / max(1, messages)
    for number, text in enumerate(sentences(messages, chance)):
        place, author = town.places[number % len(town.places)], chance.choice(town.members)
        world.say(place, text, author=author, at=now - step * (messages - number))
    return town


def sentences(count: int, chance: random.Random) -> Iterator[str]:
    """Yield what people say, each with a number by which it can be told from all others."""
    for number in range(count):
        topic, verb, end = chance.choice(TOPICS), chance.choice(_VERBS), chance.choice(_ENDS)
        yield f"{chance.choice(PEOPLE)} {verb} the {topic} {end}, note {number}"


def _build(world: World, places: int, begun: datetime, *, share_of_threads: float) -> Town:
    guild = world.guild("Harbour")
    members = [world.member(guild, name) for name in PEOPLE]
    posts = min(int(places * share_of_threads), places - 1)
    channels = [world.channel(guild, _name(number)) for number in range(places - posts)]
    if not posts:
        return Town(guild, members, channels)
    forum = world.channel(guild, "questions", kind=FORUM)
    made = []
    for number in range(posts):
        parent = forum if number % 2 else channels[number % len(channels)]
        owner = members[number % len(members)]
        made.append(world.thread(parent, f"about number {number}", owner=owner, archived=number % 4 > 1, at=begun))
    return Town(guild, members, [*channels, *made])


def _name(number: int) -> str:
    return "general" if number == 0 else f"{TOPICS[number % len(TOPICS)]}-{number}"
