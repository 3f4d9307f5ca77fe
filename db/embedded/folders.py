"""Make and check folders on behalf of the account that runs the server."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from db.embedded.accounts import Account
from errors import DatabaseSetupError


def is_reachable(path: Path, account: Account) -> bool:
    """Tell whether an account may pass the folders above `path`, as far as they exist, and use `path` itself."""
    if not all(account.may(os.X_OK, folder.stat()) for folder in path.parents if folder.exists()):
        return False
    return not path.exists() or account.may(os.X_OK if path.is_dir() else os.R_OK, path.stat())


def make_open(folder: Path) -> None:
    """Make a folder that everybody may pass, whatever the umask; leave one that exists as it is."""
    with suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o755)


def make_home(folder: Path, account: Account) -> None:
    """Make a folder that only the account may enter, and that is the account's from the moment it appears.

    Another process that saw it earlier would hold it for closed to the account, and would put the data elsewhere.
    """
    partial = Path(tempfile.mkdtemp(prefix=".backscroll-", dir=folder.parent))
    make_private(partial, account)
    try:
        partial.rename(folder)
    except OSError:  # another process was faster
        partial.rmdir()
    check_private(folder, account)


def make_private(folder: Path, account: Account) -> None:
    """Make a folder that only the account may enter; raise DatabaseSetupError when one is there that is not so."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if account.is_service and folder.lstat().st_uid == 0:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
    check_private(folder, account)


def check_private(folder: Path, account: Account) -> None:
    """Raise DatabaseSetupError unless a folder is the account's and closed to everybody else."""
    entry = folder.lstat()
    if not stat.S_ISDIR(entry.st_mode) or entry.st_uid != account.uid:
        raise DatabaseSetupError(
            f"{folder} is not a folder of the user that runs the server (uid {account.uid}): "
            "start Backscroll as its owner, or move it away."
        )
    if entry.st_mode & 0o077:
        raise DatabaseSetupError(f"{folder} is open to other users: close it with chmod 700.")
