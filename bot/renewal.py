"""Make a reply anew when somebody may not read any more what it was made from, before it is shown."""

import logging
from collections.abc import Awaitable, Callable

from bot.buttons import Renew, Reply
from bot.rendering import render_text

logger = logging.getLogger(__name__)

MOST_RENEWALS = 2


def renewed_when(
    is_outdated: Callable[[], Awaitable[bool]],
    again: Callable[[int], Awaitable[Reply]],
    *,
    tries: int,
    otherwise: str,
    command_id: int,
) -> Renew:
    """Return what makes a reply to a command anew when it is outdated: so often at most, then some words replace it.

    `again` is given how many tries are left.
    """

    async def renew() -> Reply | None:
        if not await is_outdated():
            return None
        logger.info("what may be read has changed before command %d was answered", command_id)
        return await again(tries - 1) if tries else Reply(render_text(otherwise))

    return renew
