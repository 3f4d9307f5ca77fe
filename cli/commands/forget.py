"""Erase a person, once somebody agrees."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from rich.prompt import Confirm

from cli.commands.startup import discord_token, opened_memory
from cli.console import progress_bar, show
from cli.script import script_run
from errors import OperatorError
from memory.capture.members import refuse_while_running
from ops.erasure.erase import Receipt, forget
from ops.erasure.ledger import strike_posts
from ops.promotion.history import promotion_lock
from settings import Settings
from storage.sessions import session_lock

_DISCORD_LIMIT = timedelta(minutes=30)  # a channel takes about one deletion a second


def forget_person(user_id: int, *, asks: bool) -> None:
    """Erase a person, once somebody at the terminal agrees."""
    with script_run("db_save") as settings:
        if asks and not sys.stdin.isatty():
            raise OperatorError(f"Nobody is here to agree: python db_save.py forget {user_id} --yes asks nothing.")
        with session_lock(settings.storage_dir):
            question = f"Erase all that user {user_id} has said, for ever?"
            if not asks or Confirm.ask(question, default=False):
                asyncio.run(_forget(settings, user_id))


async def _forget(settings: Settings, user_id: int) -> None:
    receipt = await _erase(settings, user_id)
    if receipt.posts and (token := discord_token(settings)) is not None:
        receipt = await _delete_posts(receipt, token)
    show(receipt.text())


async def _erase(settings: Settings, user_id: int) -> Receipt:
    async with (
        opened_memory(settings.database) as (short_term, long_term),
        promotion_lock(long_term, timeout=settings.db_timeout),
    ):
        await refuse_while_running(short_term)
        with progress_bar(f"Forgetting user {user_id}") as report:
            return await forget(
                user_id,
                short_term=short_term,
                long_term=long_term,
                storage_dir=settings.storage_dir,
                backup_dir=settings.backup_dir,
                now=datetime.now(UTC),
                timeout=settings.db_timeout,
                report=report,
            )


async def _delete_posts(receipt: Receipt, token: str) -> Receipt:
    """Delete the noted posts in Discord; those that it leaves stay noted."""
    from bot.posts import delete_posts

    with progress_bar("Deleting posts in Discord") as report:
        deletion = await delete_posts(token, receipt.posts, timeout=_DISCORD_LIMIT, report=report)
    await asyncio.to_thread(strike_posts, receipt.posts_file, deletion.gone)
    return receipt.with_deleted(deletion.gone, deletion.problem)
