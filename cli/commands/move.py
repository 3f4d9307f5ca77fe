"""Copy both memories to another server, and compare every table."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import compress

from rich.console import JustifyMethod

from cli.commands.startup import opened_databases, refuse_without_server
from cli.console import in_columns, progress_bar, show, shown_while
from cli.logs import write_logs
from cli.script import errors_end_the_script
from db.config import Addresses, DatabaseConfig
from db.databases import Database
from db.table_copy import TableComparison
from db.vector_index import build
from errors import DatabaseSetupError, DatabaseUnavailableError, SettingsError
from memory.capture.members import refuse_while_running
from ops.move import open_move
from settings import read_settings
from storage.sessions import session_lock

Line = tuple[str, TableComparison]
"""The name of a database, and one of its tables on both sides."""

_HEADS: dict[str, JustifyMethod] = {
    "database": "left",
    "table": "left",
    "rows at the source": "right",
    "rows at the target": "right",
    "contents": "left",
}
_UNEQUAL = (
    "The two sides do not hold the same: unless one of them has been written to since, empty the target and move again."
)


def move_memory(*, back: bool, verify: bool) -> None:
    """Copy and compare; an error that is raised on purpose ends the program with its sentence."""
    with errors_end_the_script():
        settings = read_settings()
        if settings.short_term_dsn is None and settings.long_term_dsn is None:
            raise SettingsError(
                "Neither SHORT_TERM_DSN nor LONG_TERM_DSN is set: write into .env where the memory is to be moved."
            )
        with session_lock(settings.storage_dir), write_logs(settings.storage_dir / "logs" / "move"):
            asyncio.run(_run(settings.database, back=back, verify=verify))


async def _run(config: DatabaseConfig, *, back: bool, verify: bool) -> None:
    try:
        async with _open_pairs(config, back=back) as pairs:
            compared = [await _move(*pair, timeout=config.timeout, verify=verify) for pair in pairs]
            show(_table([line for lines in compared for line in lines]))
            if not all(table.is_equal for lines in compared for _, table in lines):
                raise DatabaseSetupError(_UNEQUAL)
            for _, target in [] if verify else pairs:
                await _index(target)
    except DatabaseUnavailableError as error:
        raise DatabaseUnavailableError(f"{error}: run python backups.py move again, it goes on where it was") from error


async def _move(source: Database, target: Database, *, timeout: timedelta, verify: bool) -> list[Line]:
    """Copy one database, unless this is to `verify` only, make its words searchable and compare both sides."""
    async with open_move(source, target, timeout=timeout) as move:
        if not verify:
            with progress_bar(f"Moving the {source.name} database") as report:
                await move.fill(report=report)
            migrated = target.migrate(dimensions=await move.width())
            await shown_while(migrated, f"Indexing the words of the {target.name} database")
        compared = await shown_while(move.compare(), f"Comparing the {target.name} database")
        return [(target.name, table) for table in compared]


async def _index(target: Database) -> None:
    """Build the vector indexes; when that is interrupted, the bot goes on with it."""
    with progress_bar(f"Indexing the vectors of the {target.name} database") as report:
        await build(target.engine, target.layout, report=report)


@asynccontextmanager
async def _open_pairs(config: DatabaseConfig, *, back: bool) -> AsyncGenerator[list[tuple[Database, Database]]]:
    """Yield each source with its target; a database without an address of its own stays where it is."""
    addresses = config.addresses
    embedded = Addresses(short_term=None, long_term=None, embedded_dir=addresses.embedded_dir)
    if not back:
        await refuse_without_server(embedded)
    async with opened_databases(config, embedded) as here, opened_databases(config) as there:
        pairs = list(zip(there, here, strict=True) if back else zip(here, there, strict=True))
        addressed = (addresses.short_term is not None, addresses.long_term is not None)
        for side in (here, there):
            await refuse_while_running(side[0])
        yield list(compress(pairs, addressed))


def _table(lines: Sequence[Line]) -> str:
    return in_columns(
        _HEADS,
        [
            (name, one.table, f"{one.there.rows:,}", f"{one.here.rows:,}", "equal" if one.is_equal else "DIFFERENT")
            for name, one in lines
        ],
    )
