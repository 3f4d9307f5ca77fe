"""The side of whoever starts a script, with processes that look as those of asyncio do."""

import asyncio
import atexit
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.streams import FlowControlMixin
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.warm.requests import NUMBER, Request

_ROOT = Path(__file__).resolve().parents[2]
_FAREWELL = 60  # seconds
_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""For libraries that start threads when they are imported: a fork would not have them."""


@dataclass(slots=True, kw_only=True)
class WarmProcess:
    """A running script; as far as it goes, what `asyncio.subprocess.Process` is."""

    pid: int
    stdin: StreamWriter | None
    stdout: StreamReader | None
    stderr: StreamReader | None
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _watch: "asyncio.Task[None] | None" = None
    _transports: list[asyncio.BaseTransport] = field(default_factory=list)

    async def wait(self) -> int:
        """Wait for the end and return the exit status, that of a signal below zero."""
        await self._ended.wait()
        return self.returncode or 0

    async def communicate(self, last_words: bytes | None = None) -> tuple[bytes, bytes]:
        """Write, close standard input, read all that there is to read, and wait for the end."""
        _, out, err = await asyncio.gather(self._feed(last_words), _all_of(self.stdout), _all_of(self.stderr))
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        """Send a signal; raise ProcessLookupError when the process has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def close(self) -> None:
        """Close our ends of its pipes."""
        for transport in self._transports:
            transport.close()

    async def _feed(self, last_words: bytes | None) -> None:
        if self.stdin is not None:
            with suppress(BrokenPipeError, ConnectionResetError):
                self.stdin.write(last_words or b"")
                await self.stdin.drain()
            self.stdin.close()

    async def watch(self, reply: socket.socket) -> None:
        """Wait in a task for the exit status, which comes over a socket."""
        self._watch = asyncio.create_task(self._hear(reply))

    async def _hear(self, reply: socket.socket) -> None:
        with reply:
            self.returncode = await _number(reply)
        self._ended.set()


async def start_warm(request: Request, *, terminal: int | None = None) -> WarmProcess:
    """Run a script at a terminal, or with three pipes."""
    if terminal is not None:
        return await _start(request, [terminal] * 3)
    (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = os.pipe(), os.pipe(), os.pipe()
    try:
        process = await _start(request, [stdin, stdout, stderr])
    finally:
        for file in (stdin, stdout, stderr):
            os.close(file)
    process.stdin = await _writer(to_stdin, process._transports)
    process.stdout = await _reader(from_stdout, process._transports)
    process.stderr = await _reader(from_stderr, process._transports)
    return process


async def _start(request: Request, files: list[int]) -> WarmProcess:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        content = json.dumps(asdict(request)).encode()
        await asyncio.to_thread(socket.send_fds, _server(), [content], [*files, theirs.fileno()])
    process = WarmProcess(pid=await _number(ours), stdin=None, stdout=None, stderr=None)
    await process.watch(ours)
    return process


async def _number(reply: socket.socket) -> int:
    content = await asyncio.get_running_loop().sock_recv(reply, NUMBER.size)
    if not content:
        raise RuntimeError("The server of warm processes has ended: its last words are above.")
    (number,) = NUMBER.unpack(content)
    return int(number)


async def _writer(file: int, transports: list[asyncio.BaseTransport]) -> StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(FlowControlMixin, os.fdopen(file, "wb", buffering=0))
    transports.append(transport)
    return StreamWriter(transport, protocol, None, loop)


async def _reader(file: int, transports: list[asyncio.BaseTransport]) -> StreamReader:
    reader = StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(file, "rb", buffering=0)
    )
    transports.append(transport)
    return reader


async def _all_of(stream: StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()


@functools.cache
def _server() -> socket.socket:
    """Start the server of this process, and return the socket that it takes requests from."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=_ROOT,
            env={**os.environ, **_WITHOUT_THREADS},
            start_new_session=True,  # Ctrl+C is for whoever runs the tests
        )
    atexit.register(_stop, process, ours)
    return ours


def _stop(process: "subprocess.Popen[bytes]", control: socket.socket) -> None:
    control.close()
    process.wait(_FAREWELL)
