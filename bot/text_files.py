"""Read the text files of a message after it was recorded, and record what they say with it."""

import asyncio
import codecs
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import aiohttp
from discord.http import Route
from yarl import URL

from bot.history.pages import Recorder
from bot.workers import Workers
from memory.message import EARLIEST, Attachment, Message, Source
from memory.message_text import Words, cut, hidden_text, with_more

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of the largest file that is read."""

LONGEST = 8192
"""Characters that are kept of what a file says."""

CAPACITY = 200
"""Messages whose files may wait to be read; of others only the names are kept."""

_READERS = 2  # files that are read at the same time
_MOST_FILES = 4  # of one message
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_CHUNK = 32 * 1024  # bytes
_GUESSED_FROM = 16 * 1024  # bytes
_TICK = timedelta(microseconds=1)
_HOSTS = frozenset({URL("https://cdn.discordapp.com"), URL("https://media.discordapp.net")})
_DISCORD = "discord.com"
_TYPES = {"application/json", "application/xml", "application/x-sh", "application/sql", "application/toml"}
_TYPES |= {"application/yaml", "application/x-yaml", "application/javascript", "application/csv"}
_ENDINGS = {
    *(".txt", ".md", ".markdown", ".rst", ".log", ".csv", ".tsv", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml"),
    *(".ini", ".cfg", ".conf", ".diff", ".patch", ".py", ".js", ".ts", ".java", ".kt", ".c", ".h", ".cpp", ".hpp"),
    *(".cs", ".go", ".rs", ".rb", ".php", ".lua", ".sh", ".ps1", ".bat", ".sql", ".css", ".srt", ".vtt", ".tex"),
}

ReadFile = Callable[[str], Awaitable[bytes]]
"""Returns what stands at an address; raises whatever it is that prevents it."""


class TooLargeError(Exception):
    """A file has more bytes than are read."""


def is_text(file: Attachment) -> bool:
    """Return whether a file is one whose text is read, by its type, its name and its size."""
    if file.size is None or not 0 < file.size <= LARGEST:
        return False
    kind = (file.content_type or "").partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TYPES or PurePosixPath(file.name.lower()).suffix in _ENDINGS


async def download(url: str) -> bytes:
    """Return a file of Discord's; raise ValueError for one of anybody else's, TooLargeError, or an error of aiohttp."""
    if not is_allowed(url):
        raise ValueError("the file is not at Discord")
    async with (
        aiohttp.ClientSession(timeout=_TIMEOUT, auto_decompress=False) as session,
        session.get(URL(url, encoded=True), allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response,
    ):
        if response.status != 200:
            raise ValueError(f"Discord answers with status {response.status}")
        content = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            content += chunk
            if len(content) > LARGEST:
                raise TooLargeError
        return bytes(content)


def is_allowed(url: str) -> bool:
    """Return whether an address is one of Discord's files, or of the API that stands in for it."""
    try:
        address, api = URL(url), URL(Route.BASE)
        origin = address.origin()
        is_stand_in = api.host is not None and not f".{api.host}".endswith(f".{_DISCORD}")
        return address.user is None and (origin in _HOSTS or (is_stand_in and origin == api.origin()))
    except ValueError:
        return False


def text_of(content: bytes, content_type: str | None) -> str:
    """Return the text of a file: by its byte order mark, as UTF-8, as its type says, or as its letters suggest.

    It is empty for a file that is no text.
    """
    text = _decoded(content, content_type)
    return "" if "\0" in text else text.removeprefix("\ufeff").strip()


def _decoded(content: bytes, content_type: str | None) -> str:
    for encoding in _encodings(content, content_type):
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def _encodings(content: bytes, content_type: str | None) -> Iterator[str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield "utf-16"
    yield "utf-8"
    named = (content_type or "").lower().partition("charset=")[2].strip(" \"';")
    if named and len(named) < 30 and named.replace("-", "").replace("_", "").isalnum():
        yield named
    import chardet  # takes a moment, and most files are UTF-8

    if guessed := chardet.detect(content[:_GUESSED_FROM]).get("encoding"):
        yield guessed


class TextFiles:
    """Reads the files of one message after the other; what cannot be read is logged and passed over."""

    def __init__(
        self,
        record: Callable[[Message], Awaitable[None]],
        *,
        clock: Callable[[], datetime],
        read: ReadFile = download,
        capacity: int = CAPACITY,
    ) -> None:
        self._record = record
        self._clock = clock
        self._read = read
        self._capacity = capacity
        self._waiting: deque[Message] = deque()
        self._workers = Workers(self._read_all, most=_READERS)

    def note(self, state: Message) -> None:
        """Have the text files of a state of a message read, if it has any, unless too many wait already."""
        if not any(map(is_text, state.attachments)):
            return
        if len(self._waiting) >= self._capacity:
            logger.info("the text files of message %d are not read: too many wait", state.message_id)
            return
        self._waiting.append(state)
        self._workers.wake()

    async def close(self) -> None:
        """Leave what waits unread."""
        await self._workers.close()

    async def _read_all(self) -> None:
        while self._waiting:
            state = self._waiting.popleft()
            try:
                await self._complete(state)
            except Exception:
                logger.exception("the text files of message %d are not kept", state.message_id)

    async def _complete(self, state: Message) -> None:
        files = [file for file in state.attachments if is_text(file)][:_MOST_FILES]
        texts = [(Source.FILE, text) for file in files if (text := await self._text_of(file, state.message_id))]
        if not texts:
            return
        words = with_more(Words(state.content, state.parts), texts)
        now = max(self._clock(), (state.completed_at or EARLIEST) + _TICK)
        await self._record(replace(state, content=words.text, parts=words.parts, completed_at=now))

    async def _text_of(self, file: Attachment, message_id: int) -> str:
        """Return what a file says, as far as it is kept; empty when it cannot be read."""
        try:
            content = await self._read(file.url)
            text = await asyncio.to_thread(text_of, content[:LARGEST], file.content_type)
        except Exception as error:  # noqa: BLE001 - whatever it is, the message is kept without it
            logger.info("a text file of message %d is not read: %s", message_id, _reason(error))
            return ""
        kept = cut(text, LONGEST) if len(text) > LONGEST else text
        return hidden_text(kept) if file.spoiler and kept else kept


class ReadingFiles:
    """Records what another recorder does, and has the text files of what was recorded read."""

    def __init__(self, recorder: Recorder, text_files: TextFiles) -> None:
        self._recorder = recorder
        self._text_files = text_files

    async def record(self, message: Message, *, patience: timedelta | None = None) -> None:
        """Record a message as `agent.front_end.Recorder` says, then have its text files read."""
        await self._recorder.record(message, patience=patience)
        self._text_files.note(message)

    async def settle(self, *, timeout: timedelta, newest: bool = True) -> bool:
        """Wait as `agent.front_end.Recorder` says."""
        return await self._recorder.settle(timeout=timeout, newest=newest)

    @property
    def progress(self) -> tuple[int, int]:
        """How many bytes of the journal are searchable, and how many there are."""
        return self._recorder.progress

    @property
    def journal_is_failing(self) -> bool:
        """Whether the journal cannot be written just now."""
        return self._recorder.journal_is_failing


def _reason(error: Exception) -> str:
    """Return why a file is not read; addresses, which open it, are not for the log."""
    return str(error) if type(error) is ValueError else type(error).__name__
