"""Run the programs that make the tree and drive the server."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from errors import DatabaseSetupError

_FAREWELL = timedelta(seconds=20)  # debootstrap takes its mounts away when it is told to end


def run(
    *command: str,
    log: Path,
    limit: timedelta,
    name: str | None = None,
    says: Path | None = None,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end, and raise DatabaseSetupError when it fails.

    What it says goes to the log: a server that it leaves running would keep a pipe open. `name` is what it is called
    where the command begins with another; `says` is the file whose last line tells why it failed, if not the log.
    """
    name, says = name or command[0], says or log
    with log.open("wb") as out:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "LC_ALL": "C", **(settings or {})},
            )
        except OSError as error:
            raise DatabaseSetupError(f"{command[0]} cannot be run ({error.strerror}): install it first.") from error
        try:
            status = process.wait(limit.total_seconds())
        except subprocess.TimeoutExpired as error:
            raise DatabaseSetupError(
                f"{name} was not done within {limit.total_seconds():g} s: {_last_line(says)} (see {says})."
            ) from error
        finally:
            _end(process)
    if status != 0:
        raise DatabaseSetupError(f"{name} failed: {_last_line(says)} (see {says}).")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program that still runs, and what it has started."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_FAREWELL.total_seconds())


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1].strip().rstrip(".") if lines else "it said nothing"
