"""Do something again and again, whatever comes of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from errors import BackscrollError

logger = logging.getLogger(__name__)

_STEP = timedelta(seconds=30)  # after a night in which the computer slept nobody waits for long


async def run_every(
    interval: timedelta, work: Callable[[], Awaitable[object]], *, now: Callable[[], datetime], step: timedelta = _STEP
) -> None:
    """Do the work at once and then each time that `interval` has passed since it began last, until cancelled.

    Work that fails is logged, and tried again at its next time. A clock that was set back does not delay it.
    """
    while True:
        began = now()
        await _survive(work)
        while timedelta(0) < (left := began + interval - now()) <= interval:  # noqa: ASYNC110  # time sets no event
            await asyncio.sleep(min(step, left).total_seconds())


async def _survive(work: Callable[[], Awaitable[object]]) -> None:
    try:
        await work()
    except BackscrollError as error:
        logger.error("%s It is tried again at the next time.", error)  # noqa: TRY400  # one sentence for a person
    except Exception:
        logger.exception("this run failed, and is tried again at the next time")
