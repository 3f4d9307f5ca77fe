"""Know whom the server runs as, since PostgreSQL refuses to run as root."""

import os
import subprocess
from dataclasses import dataclass

from db.embedded.reports import last_line
from errors import DatabaseSetupError

SERVICE_USER = "backscroll"
"""Whom the server runs as when Backscroll runs as root."""

_USERADD = ("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVICE_USER)
_USERADD_SECONDS = 30
_EXISTS = 9  # another process has just created it


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as; `is_service` when that is not who runs this process."""

    uid: int
    gid: int
    is_service: bool = False

    def may(self, access: int, entry: os.stat_result) -> bool:
        """Tell whether a file's or folder's mode allows `os.R_OK` or `os.X_OK`."""
        shift = 6 if entry.st_uid == self.uid else 3 if entry.st_gid == self.gid else 0
        return bool(entry.st_mode >> shift & access)


def find_account() -> Account:
    """Return whom the server runs as: us, or the service user, made when missing, when we are root.

    Raises DatabaseSetupError when that user cannot be made.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    import pwd  # not there on Windows

    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _create_service_user()
        entry = pwd.getpwnam(SERVICE_USER)
    return Account(entry.pw_uid, entry.pw_gid, is_service=True)


def _create_service_user() -> None:
    try:
        useradd = subprocess.run(
            _USERADD,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_USERADD_SECONDS,
        )
        problem = "" if useradd.returncode in (0, _EXISTS) else last_line(useradd.stdout)
    except FileNotFoundError:
        problem = "useradd is not installed"
    except subprocess.TimeoutExpired:
        problem = "useradd did not end"
    if problem:
        raise DatabaseSetupError(
            f"PostgreSQL does not run as root and the system user {SERVICE_USER} cannot be created "
            f"({problem}): create it, or start Backscroll as another user."
        )
