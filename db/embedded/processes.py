"""Tell from processes and lock files whether a server runs."""

import logging
from contextlib import suppress
from enum import Enum
from pathlib import Path

from db.embedded import programs
from db.embedded.places import SOCKET
from db.embedded.server import EmbeddedServer

logger = logging.getLogger(__name__)


class State(Enum):
    """What is true of a server now."""

    RUNNING = "running"
    ENDING = "ending"  # the postmaster is gone, some of its children are not yet
    STALE = "stale"  # a lock file names a process that is not a server
    STOPPED = "stopped"


async def state_of(server: EmbeddedServer) -> State:
    """Return whether the server runs, told by more than a process id that something else may have by now.

    Raises DatabaseSetupError when PostgreSQL cannot tell.
    """
    if _stale_locks(server):
        return State.STALE
    if await programs.has_postmaster(server):
        return State.RUNNING
    return State.ENDING if _has_children(server) else State.STOPPED


def remove_stale_locks(server: EmbeddedServer) -> None:
    """Remove the lock files that a crash left behind and that are in the way."""
    for lock in _stale_locks(server):
        logger.warning("%s is left over from a crash: removed", lock)
        lock.unlink(missing_ok=True)


def _stale_locks(server: EmbeddedServer) -> list[Path]:
    locks = (server.data_dir / "postmaster.pid", server.socket_dir / f"{SOCKET}.lock")
    return [lock for lock in locks if lock.exists() and _is_mistaken(_process_id(lock))]


def _process_id(lock: Path) -> int | None:
    """Return the process id in a lock file; None when a crash left no number in it."""
    with suppress(OSError, ValueError, IndexError):
        return int(lock.read_text().splitlines()[0])
    return None


def _is_mistaken(process_id: int | None) -> bool:
    """Tell whether something else has this process id, which pg_ctl and PostgreSQL would take for a server.

    That is common in a container, whose few process ids come back after a restart; a process that has died but
    is not buried counts too. An id that nobody has is left to PostgreSQL, which knows best.
    """
    if process_id is None:
        return True
    with suppress(OSError):
        name, _, rest = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")
        return not name.endswith("(postgres") or rest.split()[0] == "Z"
    return False


def _has_children(server: EmbeddedServer) -> bool:
    """Tell whether processes of the server outlive its postmaster; they hold on to its memory for a moment."""
    return any(_is_child(folder, server.label) for folder in Path("/proc").glob("[0-9]*"))


def _is_child(process: Path, label: str) -> bool:
    with suppress(OSError):
        return f"postgres: {label}:".encode() in (process / "cmdline").read_bytes()
    return False
