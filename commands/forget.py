"""Erase a person, once somebody agrees."""

import asyncio
import sys
from datetime import UTC, datetime

from rich.prompt import Confirm

from commands.startup import opened_memory
from erasure.forgetting import forget
from errors import OperatorError
from promotion.batches import promotion_lock
from sessions import session_lock
from settings import Settings
from terminal.progress import progress_bar
from terminal.screen import show


def forget_person(settings: Settings, user_id: int, *, asks: bool) -> None:
    """Erase a person, once somebody at the terminal agrees."""
    if asks and not sys.stdin.isatty():
        raise OperatorError(f"Nobody is here to agree: python db_save.py --forget {user_id} --yes asks nothing.")
    with session_lock(settings.storage_dir):
        question = f"Erase all that user {user_id} has said, for ever?"
        if not asks or Confirm.ask(question, default=False):
            asyncio.run(_erase(settings, user_id))


async def _erase(settings: Settings, user_id: int) -> None:
    async with (
        opened_memory(settings) as (short_term, long_term),
        promotion_lock(long_term, timeout=settings.db_timeout),
    ):
        with progress_bar(f"Forgetting user {user_id}") as report:
            receipt = await forget(
                user_id,
                short_term=short_term,
                long_term=long_term,
                storage_dir=settings.storage_dir,
                backup_dir=settings.backup_dir,
                now=datetime.now(UTC),
                timeout=settings.db_timeout,
                report=report,
            )
    show(receipt.text())
