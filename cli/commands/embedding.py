"""Prepare the embedding model; embed all memory anew with another one."""

import asyncio

from cli.commands.startup import opened_databases, opened_embedder
from cli.console import progress_bar, tell
from cli.logs import write_logs
from cli.script import errors_end_the_script
from db.vector_index import build
from memory.capture.members import refuse_while_running
from memory.index.reembed import reembed
from settings import Settings, read_settings
from storage.sessions import session_lock
from util_async import run_until_first_ends

_BATCH = 64  # messages that are embedded and written together


def prepare_model() -> None:
    """Load the embedding model, which exports it where that has not been done, and show how far that is."""
    with errors_end_the_script():
        settings = read_settings()
        with write_logs(settings.storage_dir / "logs" / "prepare"):
            asyncio.run(run_until_first_ends(_prepare(settings)))


async def _prepare(settings: Settings) -> None:
    async with opened_embedder(settings) as embedder:
        with progress_bar("Preparing the embedding model, once") as report:
            await embedder.ready(report)


def reembed_memory() -> None:
    """Embed both memories anew, and index the vectors; what is stopped goes on when it is run again."""
    with errors_end_the_script():
        settings = read_settings()
        with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs"):
            asyncio.run(run_until_first_ends(_reembed(settings)))


async def _reembed(settings: Settings) -> None:
    async with opened_databases(settings.database) as databases, opened_embedder(settings) as embedder:
        await refuse_while_running(databases[0])
        for database in databases:
            with progress_bar(f"Embedding the {database.name} memory") as report:
                count = await reembed(database, embedder, batch=_BATCH, report=report)
            with progress_bar(f"Indexing the {database.name} memory") as report:
                await build(database.engine, database.layout, report=report)
            tell(f"{database.name} memory: {count} messages embedded with {embedder.name}.")
