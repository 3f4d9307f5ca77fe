"""Make a server's data folder on first use."""

import asyncio
import shutil

from db.embedded import programs
from db.embedded.folders import check_private, make_private
from db.embedded.server import EmbeddedServer
from errors import DatabaseSetupError
from util_async import sync_folder


async def ensure_data(server: EmbeddedServer, *, durable: bool) -> None:
    """Make the data folder unless it is there: it appears whole, or not at all.

    Raises DatabaseSetupError when it cannot be made, or when what is there is not one.
    """
    if server.data_dir.exists():
        _check_data(server)
        return
    partial = server.home / "data.partial"
    await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    make_private(partial, server.account)
    await programs.make_data(server, partial, durable=durable)
    partial.rename(server.data_dir)
    if durable:
        sync_folder(server.home)


def _check_data(server: EmbeddedServer) -> None:
    check_private(server.data_dir, server.account)
    if not (server.data_dir / "PG_VERSION").exists():
        raise DatabaseSetupError(
            f"{server.data_dir} holds no PostgreSQL data (it has no PG_VERSION): "
            "move it away for a new start, or restore it from a backup."
        )
