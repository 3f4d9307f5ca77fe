"""Keep what a run writes in memory: a disk takes ten times as long to make the files of a database."""

import os
import shutil
import tempfile
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system that is memory, as far as a system has one
_ENOUGH = 8 * 2**30  # bytes: four workers, each with a server whose log may grow to 2 GB

_SETTING = "TMPDIR"


def has_room() -> bool:
    """Tell whether memory can hold what servers of tests write."""
    return _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ENOUGH


def use_memory() -> Path | None:
    """Put temporary files, the servers of the tests among them, into memory if there is room; return the folder.

    Whoever has chosen a folder with TMPDIR keeps it, as the workers do that inherit it from here. The caller removes
    the folder.
    """
    if _SETTING in os.environ or not has_room():
        return None
    folder = Path(tempfile.mkdtemp(prefix="backscroll-", dir=_MEMORY))
    folder.chmod(0o755)  # root's server runs as another user
    os.environ[_SETTING] = str(folder)
    tempfile.tempdir = None  # it is found anew
    return folder
