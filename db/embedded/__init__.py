"""Run the PostgreSQL server that comes with Backscroll."""

from db.embedded.accounts import Account
from db.embedded.binaries import copy_binaries, find_binaries
from db.embedded.clients import ensure_database
from db.embedded.folders import is_reachable
from db.embedded.lifecycle import is_running, open_embedded, start_embedded, stop_embedded
from db.embedded.places import location, socket_folder
from db.embedded.programs import server_settings
from db.embedded.server import EmbeddedServer

__all__ = [
    "Account",
    "EmbeddedServer",
    "copy_binaries",
    "ensure_database",
    "find_binaries",
    "is_reachable",
    "is_running",
    "location",
    "open_embedded",
    "server_settings",
    "socket_folder",
    "start_embedded",
    "stop_embedded",
]
