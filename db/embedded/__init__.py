"""Run the PostgreSQL server that comes with Backscroll."""

from db.embedded.control import ensure_database, server_settings
from db.embedded.lifecycle import is_running, open_embedded, start_embedded, stop_embedded
from db.embedded.server import (
    Account,
    EmbeddedServer,
    copy_binaries,
    is_reachable,
    location,
    socket_folder,
)

__all__ = [
    "Account",
    "EmbeddedServer",
    "copy_binaries",
    "ensure_database",
    "is_reachable",
    "is_running",
    "location",
    "open_embedded",
    "server_settings",
    "socket_folder",
    "start_embedded",
    "stop_embedded",
]
