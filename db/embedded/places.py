"""Decide where a server's data and socket are kept."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from db.embedded.accounts import SERVICE_USER
from errors import DatabaseSetupError

STATE_DIR = Path("/var/lib/backscroll")
"""Where root's server lives when the service user may not enter the folder that was asked for."""

SOCKET = ".s.PGSQL.5432"

_SOCKET_PATH_BYTES = 103  # what macOS takes; Linux takes 107


def location(base_dir: Path, *, state_dir: Path, as_root: bool, reachable: bool, here: bool, moved: bool) -> Path:
    """Return the folder that holds the server of `base_dir`.

    `reachable` says whether the account that runs the server may enter `base_dir`; `here` and `moved` whether
    there is data in `base_dir` or in its substitute already. Data that exists decides, since a second, empty
    server would look like a lost memory. Raises DatabaseSetupError when the data cannot be used.
    """
    substitute = substitute_of(base_dir, state_dir)
    if moved and not as_root:
        raise DatabaseSetupError(
            f"The data of {base_dir} was made by root and is kept in {substitute}: "
            "start Backscroll as root, or choose another folder with EMBEDDED_DIR."
        )
    if as_root and here and not reachable:
        raise DatabaseSetupError(
            f"The data in {base_dir} is out of reach of the system user {SERVICE_USER}: "
            "start Backscroll as the owner of that folder, or open the folders above it with chmod o+x."
        )
    return substitute if moved or (as_root and not reachable) else base_dir


def substitute_of(base_dir: Path, state_dir: Path) -> Path:
    """Return the folder that takes the place of `base_dir` when the service user may not enter that."""
    return state_dir / digest(base_dir)


def socket_folder(home: Path, *, uid: int, temporary: Path) -> Path:
    """Return the folder for the socket: in `home` where a socket's path may be that long, else in `temporary`.

    Raises DatabaseSetupError when neither will do.
    """
    for folder in (home / "socket", temporary / f"backscroll-{uid}-{digest(home)}"):
        # PostgreSQL's clients take a comma for the border between two hosts
        if len(os.fsencode(folder / SOCKET)) <= _SOCKET_PATH_BYTES and "," not in str(folder):
            return folder
    raise DatabaseSetupError(
        f"{home} and {temporary} are both too long for the path of a socket: "
        "choose a shorter EMBEDDED_DIR or TMPDIR, without commas."
    )


def reported_socket_dir(data_dir: Path) -> Path | None:
    """Return the folder that a running server names in postmaster.pid: TMPDIR may have been another one then."""
    with suppress(OSError, IndexError):
        folder = Path((data_dir / "postmaster.pid").read_text().splitlines()[4])
        if folder.is_absolute() and folder.is_dir():
            return folder
    return None


def digest(folder: Path) -> str:
    """Return a short name that no other folder has."""
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
