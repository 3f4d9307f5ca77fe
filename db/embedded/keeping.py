"""Note that an operator has started the server: it then runs until they stop it, whoever comes and goes."""

import os
from contextlib import suppress
from pathlib import Path

from db.embedded.server import EmbeddedServer


def keep(server: EmbeddedServer) -> None:
    """Let the server that runs now go on when its last client leaves; raise OSError when that cannot be noted."""
    # Whoever may write to the folder, which is not root, must not choose what is written to.
    note = os.open(_note(server), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(note, "w", encoding="utf-8") as file:
        file.write(_run_of(server) or "")


def is_kept(server: EmbeddedServer) -> bool:
    """Return whether an operator has started the run of the server that goes on now."""
    with suppress(OSError, UnicodeDecodeError):
        kept = _note(server).read_text(encoding="utf-8")
        return bool(kept) and kept == _run_of(server)
    return False


def keep_no_longer(server: EmbeddedServer) -> None:
    """Take the note back."""
    with suppress(OSError):
        _note(server).unlink(missing_ok=True)


def _note(server: EmbeddedServer) -> Path:
    return server.home / "kept"


def _run_of(server: EmbeddedServer) -> str | None:
    """Return what no other run of the server has: its process and the moment of its start."""
    with suppress(OSError, IndexError):
        lines = (server.data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return f"{lines[0]} {lines[2]}"
    return None
