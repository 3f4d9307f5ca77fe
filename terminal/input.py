"""Read lines from whoever talks to the terminal channel: a person at a prompt, or a pipe."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress

logger = logging.getLogger(__name__)

_WAITING_LINES = 1000  # read ahead from a pipe


async def typed_lines(prompt: str) -> AsyncGenerator[str]:
    """Yield what a person types, line by line, until Ctrl+D or Ctrl+C; output above does not break the line."""
    from prompt_toolkit import PromptSession  # a pipe needs none of it
    from prompt_toolkit.patch_stdout import patch_stdout

    session: PromptSession[str] = PromptSession()
    with patch_stdout():
        while True:
            try:
                yield await session.prompt_async(prompt, handle_sigint=False)  # the program's own handler
            except (EOFError, KeyboardInterrupt):
                return


async def piped_lines(descriptor: int) -> AsyncGenerator[str]:
    """Yield the lines of an open pipe or file; bytes that are not UTF-8, and NUL, are kept as escapes.

    A thread reads them, as a file cannot be awaited. It is a daemon: a pipe that stays silent must not keep the
    program from ending. Its reader is its own: Python aborts when it finds `sys.stdin` in use at its end.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(_WAITING_LINES)

    def hand_over(line: str | None) -> None:
        room.acquire()
        with suppress(RuntimeError):  # the loop is closed: the program has ended
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as source:
                for line in source:
                    hand_over(_text_of(line))
        except OSError as error:
            logger.warning("the input cannot be read any further: %s", error)
        hand_over(None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        room.release()
        yield line


def _text_of(line: bytes) -> str:
    """Return a line as text that every database takes."""
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n").replace("\0", r"\x00")
