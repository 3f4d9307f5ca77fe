"""Keep one event of the gateway that discord.py cannot read from ending the connection, and with it the program."""

import logging
from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any

logger = logging.getLogger(__name__)

Parser = Callable[[Any], None]
Listener = Callable[[str, Any], None]

NEEDED = {"READY"}
"""Events without which there is nothing to go on with: an error in one of these ends the start, as it should."""


def guard_parsers(parsers: MutableMapping[str, Parser], *, seen: Listener, unread: Listener) -> None:
    """Let an error in reading one event be logged, and the event be handed to `unread` as it came.

    `parsers` are those of a discord.py client, by the names of the events; `seen` is told of each event beforehand.
    Without this, discord.py lets an error in any of them through to whoever runs the client.
    """
    for event, parser in list(parsers.items()):
        if event not in NEEDED:
            parsers[event] = partial(_parsed, event, parser, seen, unread)


def _parsed(event: str, parser: Parser, seen: Listener, unread: Listener, data: Any) -> None:
    try:
        seen(event, data)
    except Exception:
        logger.exception("an event %s is not understood", event)
    try:
        parser(data)
    except Exception:
        logger.exception("an event %s cannot be read as discord.py reads it", event)
        unread(event, data)
