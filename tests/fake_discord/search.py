"""Discord's own search over the messages of a guild, as far as the fake has it."""

from collections.abc import Mapping

from multidict import MultiMapping

from tests.fake_discord.errors import ApiError
from tests.fake_discord.models import Channel, Guild, Message, Thread
from tests.fake_discord.payloads import Payload, message_payload, thread_payload
from tests.fake_discord.world import World

LARGEST_PAGE = 25
LAST_OFFSET = 9_975
MOST_CHANNELS = 500
_MOST_LOOKED_AT = 1_000_000
NOT_INDEXED: Payload = {
    "message": "Index not yet available. Try again later",
    "code": 110000,
    "documents_indexed": 0,
    "retry_after": 2,
}
"""What a guild answers, with status 202, whose messages are not indexed yet."""


def search(world: World, guild: Guild, query: MultiMapping[str]) -> Payload:
    """Return a page of what is found, each hit in a list of its own; raise ApiError for a query that is refused."""
    limit, offset = _number(query, "limit", 25, most=LARGEST_PAGE), _number(query, "offset", 0, most=LAST_OFFSET)
    wanted = {int(channel_id) for channel_id in query.getall("channel_id", [])}
    if len(wanted) > MOST_CHANNELS:
        raise ApiError(400, 50035, "Invalid Form Body")
    places = [place for place in guild.places() if world.sees(place) and _is_in(place, wanted)]
    if query.get("include_nsfw", "false") != "true":
        places = [place for place in places if not place.home.fields.get("nsfw")]
    found = [
        message for message in guild.messages((p.id for p in places), most=_MOST_LOOKED_AT) if _fits(message, query)
    ]
    found.sort(key=lambda message: message.id, reverse=query.get("sort_order", "desc") == "desc")
    page = found[offset : offset + limit]
    threads = {place.id: place for place in (message.channel for message in page) if isinstance(place, Thread)}
    return {
        "doing_deep_historical_index": False,
        "total_results": len(found),
        "messages": [[message_payload(message, world.me.id) | {"hit": True}] for message in page],
        "threads": [thread_payload(thread) for thread in threads.values()],
        "members": [],
    }


def _is_in(place: Channel, wanted: set[int]) -> bool:
    return not wanted or place.id in wanted or place.home.id in wanted


def _fits(message: Message, query: MultiMapping[str]) -> bool:
    authors = {int(author_id) for author_id in query.getall("author_id", [])}
    return (
        all(word in message.content.casefold() for word in query.get("content", "").casefold().split())
        and (not authors or message.author.id in authors)
        and int(query.get("min_id", 0)) < message.id
        and message.id < int(query.get("max_id", 1 << 63))
    )


def _number(query: Mapping[str, str], name: str, usual: int, *, most: int) -> int:
    text = query.get(name, str(usual))
    if not text.isdecimal() or int(text) > most:
        raise ApiError(400, 50035, "Invalid Form Body")
    return int(text)
