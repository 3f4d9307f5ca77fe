"""Delete turns of conversations whose answers cite what was deleted or edited since: they would keep the old words.

A turn stands in long-term memory and what it cites in either one, so no transaction spans both: they are looked through
now and then, in bounded steps.
"""

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from sqlalchemy import text

from db.engines import Sessions, transaction
from util_async import repeated

logger = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(minutes=10)
_AT_ONCE = 5000  # messages that are looked up together

_CITED = text("SELECT DISTINCT unnest(cites) FROM conversation_turns")
_DELETED = text("SELECT message_id FROM messages WHERE message_id = ANY (:ids) AND deleted_at IS NOT NULL")
_EDITED = text("SELECT message_id, edited_at FROM messages WHERE message_id = ANY (:ids) AND edited_at IS NOT NULL")
_DROP_DELETED = text("DELETE FROM conversation_turns WHERE cites && CAST(:ids AS bigint[]) RETURNING number")
_DROP_EDITED = text(
    "DELETE FROM conversation_turns USING unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[]))"
    " AS edited(message_id, edited_at) WHERE message_id = ANY (cites) AND edited_at > asked_at RETURNING number"
)


def kept_free_of_stale_turns(
    long_term: Sessions, short_term: Sessions, *, every: timedelta = _LOOK_EVERY
) -> AbstractAsyncContextManager[None]:
    """Delete such turns now and then for as long as the context lasts, the first time at once."""

    async def look() -> None:
        try:
            await drop_stale_turns(long_term, short_term)
        except Exception as error:  # noqa: BLE001  # whatever it is, the bot goes on, and the next look comes soon
            logger.warning("conversations could not be looked through: %s", type(error).__name__)

    return repeated(look, every=every, at_once=True)


async def drop_stale_turns(long_term: Sessions, short_term: Sessions) -> int:
    """Delete the turns that cite a message which either memory knows to be deleted, or edited after the question.

    Return how many those were. Raises DatabaseUnavailableError.
    """
    async with transaction(long_term) as session:
        cited = list(await session.scalars(_CITED))
    dropped = 0
    for start in range(0, len(cited), _AT_ONCE):
        for memory in (short_term, long_term):
            dropped += await _drop(long_term, memory, cited[start : start + _AT_ONCE])
    if dropped:
        logger.info("%d turns of conversations are gone, with what was deleted or edited since", dropped)
    return dropped


async def _drop(long_term: Sessions, memory: Sessions, ids: Sequence[int]) -> int:
    async with transaction(memory) as session:
        deleted = list(await session.scalars(_DELETED, {"ids": ids}))
        edited = (await session.execute(_EDITED, {"ids": ids})).all()
    if not deleted and not edited:
        return 0
    times = {"ids": [row.message_id for row in edited], "times": [row.edited_at for row in edited]}
    async with transaction(long_term) as session:
        gone = (await session.execute(_DROP_DELETED, {"ids": deleted})).all()
        outdated = (await session.execute(_DROP_EDITED, times)).all()
    return len(gone) + len(outdated)
