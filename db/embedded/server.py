"""Know one embedded server: its folders, its programs, its account and its address."""

import logging
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from db.embedded.accounts import SERVICE_USER, Account, find_account
from db.embedded.binaries import COPY_TIMEOUT, usable_binaries
from db.embedded.folders import check_private, is_reachable, make_home, make_open, make_private
from db.embedded.places import digest, location, reported_socket_dir, socket_folder, substitute_of
from db.embedded.reports import operator_errors
from errors import DatabaseSetupError

logger = logging.getLogger(__name__)


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
    base_dir = _absolute(base_dir)
    with operator_errors(base_dir, COPY_TIMEOUT):
        base_dir.parent.mkdir(parents=True, exist_ok=True)
        server = _find(base_dir, state_dir)
        _make_folders(server)
    if server.home != base_dir:
        logger.info("%s is closed to the user %s: the server lives in %s", base_dir, SERVICE_USER, server.home)
    return server


def existing_server(base_dir: Path, state_dir: Path) -> EmbeddedServer:
    """Return the server of `base_dir`; raise DatabaseSetupError when there is none."""
    base_dir = _absolute(base_dir)
    with operator_errors(base_dir, COPY_TIMEOUT):
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


def _absolute(folder: Path) -> Path:
    return folder.resolve()
