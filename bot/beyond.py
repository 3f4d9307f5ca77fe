"""Find beyond memory: ask Discord's search about what was not read yet, and store what it finds."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.caller import Caller
from bot.discord_search import Coverage, Index, Unread, search_discord
from bot.services import Services
from errors import TemporaryError
from memory.question.parse import ParsedQuestion
from time_expressions.window import ALL_TIME

logger = logging.getLogger(__name__)

SETTLE_LIMIT = timedelta(seconds=2)
LEDGER_LIMIT = timedelta(seconds=2)  # for what memory has read, before Discord's search is asked
RECORD_LIMIT = timedelta(seconds=2)  # for writing down what that finds while the disk is full

FOUND_BY_DISCORD = "{} found by Discord's search; I have not read that far yet."
INDEX_NOT_READY = (
    "I have not read all of that time yet, and Discord's own search is not ready here: there may be more. Please ask "
    "again in a few minutes."
)
NOT_SEARCHED = "I have not read all of that time yet, and Discord's own search did not answer: there may be more."


@dataclass(frozen=True, slots=True)
class Beyond:
    """What Discord's search added to memory: the ids of messages that memory had not read."""

    message_ids: frozenset[int] = frozenset()
    index: Index = Index.ANSWERED

    def notes(self, found: str, *, is_empty: bool) -> list[str]:
        """Return what to say of it; a search that failed matters where nothing at all is shown.

        `found` names those of its messages that are shown, and is empty when none is.
        """
        notes = [FOUND_BY_DISCORD.format(found)] if found else []
        if self.index is Index.NOT_READY:
            notes.append(INDEX_NOT_READY)
        elif self.index is Index.FAILED and is_empty:
            notes.append(NOT_SEARCHED)
        return notes


async def ask_beyond_memory(
    caller: Caller,
    *,
    places: frozenset[int],
    parse: Callable[[], Awaitable[ParsedQuestion]],
    services: Services,
    coverage: Coverage | None,
) -> Beyond:
    """Ask Discord's search about what memory has not read of some places and of the time that is asked for.

    `parse` says what is asked for, if there is anything that was not read. Without a `coverage` nobody knows that.
    """
    if coverage is None or caller.guild is None or not places:
        return Beyond()
    try:
        async with asyncio.timeout(LEDGER_LIMIT.total_seconds()):
            stretches = await coverage.of_places(places)
        unread = Unread(stretches, places, now=services.clock())
        if not unread.places(ALL_TIME):
            return Beyond()
        parsed = await parse()
        asked = unread.places(parsed.windows) & parsed.places
        found = await search_discord(
            caller, parsed, places=asked, session=services.session, other_bots=services.other_bots
        )
        for message in found.messages:
            await services.recorder.record(message, patience=RECORD_LIMIT)
        if found.messages:
            await services.recorder.settle(timeout=SETTLE_LIMIT)
    except (TemporaryError, TimeoutError) as error:
        logger.warning("command %d is answered without Discord's search: %r", caller.id, error)
        return Beyond(index=Index.FAILED)
    return Beyond(frozenset(one.message_id for one in found.messages if unread.has(one)), found.index)
