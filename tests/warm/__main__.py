"""The server: import the libraries, then fork a process for each request until whoever asks has gone."""

import atexit
import faulthandler
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import termios
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import cli.commands
from tests.warm.requests import LARGEST, NUMBER, Request

_LIBRARIES = (
    *(f"cli.commands.{name}" for _, name, _ in pkgutil.iter_modules(cli.commands.__path__)),
    *(
        "agent.agent",
        "agent.models.language_model",
        "agent.conversations",
        "ops.backup.create",
        "ops.backup.restore",
        "bot.client",
    ),
    *("db.migrate", "ops.erasure.erase", "memory.embedding.embedder", "ops.promotion.promote", "terminal.channel"),
    *("alembic.command", "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.ext.asyncio"),
    *("discord", "langchain_core.language_models", "langgraph.graph", "langchain_openai", "openai"),
    *("numpy", "pandas", "prompt_toolkit", "pyarrow.parquet", "rich.progress", "rich.prompt", "tokenizers"),
)
"""What scripts import somewhere, as far as it starts no thread; what is not installed is passed over."""


class _Fork(NamedTuple):
    """A process that runs a script, and the socket of whoever has asked for it."""

    process_id: int
    reply: int


def main(control: socket.socket) -> None:
    """Serve; what goes on after that is a fork, and runs its script."""
    for name in _LIBRARIES:
        if find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        sys.exit("a library has started a thread, which no fork would have: take it out of the list")
    gc.collect()
    gc.freeze()  # else a collection in a fork would copy every page
    request = _serve(control)
    if request is not None:
        sys.argv = [request.script, *request.arguments]
        sys.path[:1] = [str(Path(request.script).parent), *_import_path(request)]
        _leave(_run(request.script))


def _run(script: str) -> int:
    """Run a script and return its exit status; what Python has more to say of at the end is raised."""
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as leaving:
        if leaving.code is None or isinstance(leaving.code, int):
            return leaving.code or 0
        raise
    return 0


def _leave(status: int) -> None:
    """End as Python does, except that no library is taken apart: a fork would first copy each page of all of them.

    That takes three times as long as refusing a command. What is not used any more is taken apart: it may complain.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # it waits for threads, and for those of executors
    atexit._run_exitfuncs()
    gc.collect()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):  # Python has a status and words of its own for this
        sys.exit(status)
    os._exit(status)


def _import_path(request: Request) -> list[str]:
    """Return the folders of PYTHONPATH, which Python reads only once."""
    return [folder for folder in request.environment.get("PYTHONPATH", "").split(os.pathsep) if folder]


def _serve(control: socket.socket) -> Request | None:
    """Fork for each request; return it in the fork that it is for, and None once there will be no more."""
    running: dict[int, _Fork] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd != control.fileno():
                    selector.unregister(key.fd)
                    _tell_end(key.fd, running.pop(key.fd))
                    continue
                content, files, _, _ = socket.recv_fds(control, LARGEST, 4)
                if not content:
                    return None
                *streams, reply = files
                process_id = os.fork()
                if process_id == 0:
                    _close(control.detach(), reply, *running, *(fork.reply for fork in running.values()))
                    request = Request(**json.loads(content))
                    _become(request, *streams)
                    return request
                _close(*streams)
                _tell(reply, process_id)
                ending = os.pidfd_open(process_id)
                running[ending] = _Fork(process_id, reply)
                selector.register(ending, selectors.EVENT_READ)


def _tell_end(ending: int, fork: _Fork) -> None:
    """Tell how a process has ended, of which `ending` is a descriptor."""
    _, status = os.waitpid(fork.process_id, 0)
    _tell(fork.reply, os.waitstatus_to_exitcode(status))
    _close(ending, fork.reply)


def _tell(reply: int, number: int) -> None:
    with suppress(OSError):  # whoever has asked may be gone
        os.write(reply, NUMBER.pack(number))


def _close(*files: int) -> None:
    for file in files:
        os.close(file)


def _become(request: Request, *files: int) -> None:
    """Make this process look as one that was just started."""
    if request.at_terminal:
        os.setsid()
        fcntl.ioctl(files[0], termios.TIOCSCTTY, 0)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.stdin = sys.__stdin__ = _text(0, "r", sys.stdin.errors)  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = _text(1, "w", sys.stdout.errors)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _text(2, "w", sys.stderr.errors)  # type: ignore[misc]
    if request.environment.get("PYTHONFAULTHANDLER"):
        faulthandler.enable(sys.stderr)


def _text(number: int, mode: str, errors: str | None) -> io.TextIOWrapper:
    """Return a standard stream as Python makes it: a terminal and the error stream write line by line."""
    binary = open(number, f"{mode}b", closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(binary, encoding="utf-8", errors=errors, line_buffering=number == 2 or os.isatty(number))


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
