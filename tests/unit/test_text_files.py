"""Text files are read from Discord alone, within bounds, and recorded as what completes their message."""

import asyncio
import gzip
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import Route

from bot.text_files import LARGEST, LONGEST, TextFiles, TooLargeError, download, is_allowed, is_text, text_of
from memory.message import Attachment, Message, Source, authored
from tests.builders import message, minute

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
RUSSIAN = "Сегодня печь горит ровно, и мы ждём до вечера. Принеси, пожалуйста, глину и воду для всех нас."
NOTES = Attachment(name="notes.txt", url="https://cdn.discordapp.com/notes.txt", content_type="text/plain", size=9)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="a text"),
        pytest.param({"content_type": None}, True, id="a text by its name"),
        pytest.param({"name": "Deploy.LOG", "content_type": "application/octet-stream"}, True, id="a log"),
        pytest.param(
            {"name": "data", "content_type": "application/json; charset=utf-8"}, True, id="a text by its type"
        ),
        pytest.param({"name": "kiln.png", "content_type": "image/png"}, False, id="a picture"),
        pytest.param({"name": "txt", "content_type": None}, False, id="a name without an ending"),
        pytest.param({"size": LARGEST}, True, id="the largest"),
        pytest.param({"size": LARGEST + 1}, False, id="too large"),
        pytest.param({"size": 0}, False, id="empty"),
        pytest.param({"size": None}, False, id="of unknown size"),
    ],
)
def test_which_files_are_read(changes: dict[str, object], expected: bool) -> None:
    assert is_text(replace(NOTES, **changes)) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        pytest.param(b" plain\n", None, "plain", id="ASCII"),
        pytest.param("naïve ☃".encode(), None, "naïve ☃", id="UTF-8"),
        pytest.param("naïve".encode("utf-8-sig"), None, "naïve", id="UTF-8 with a mark"),
        pytest.param("naïve".encode("utf-16"), None, "naïve", id="UTF-16"),
        pytest.param("Хорошо".encode("koi8-r"), "text/plain; charset=koi8-r", "Хорошо", id="as its type says"),
        pytest.param(b"caf\xe9", "text/plain; charset=nonsense", "café", id="a charset that is none"),
        pytest.param(RUSSIAN.encode("cp1251"), None, RUSSIAN, id="by its letters"),
        pytest.param(b"\x7fELF\0\0", None, "", id="no text"),
        pytest.param(b"", None, "", id="nothing"),
    ],
)
def test_the_text_of_a_file(content: bytes, content_type: str | None, text: str) -> None:
    assert text_of(content, content_type) == text


# ---- where from


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param("https://cdn.discordapp.com/attachments/1/2/a.txt?ex=1", True, id="Discord's files"),
        pytest.param("https://media.discordapp.net/a.txt", True, id="Discord's media"),
        pytest.param("http://cdn.discordapp.com/a.txt", False, id="in clear"),
        pytest.param("https://cdn.discordapp.com:8443/a.txt", False, id="another port"),
        pytest.param("https://cdn.discordapp.com.example.org/a.txt", False, id="a near name"),
        pytest.param("https://ana:pw@cdn.discordapp.com/a.txt", False, id="with a password"),
        pytest.param("https://discord.com/a.txt", False, id="Discord's API"),
        pytest.param("http://127.0.0.1/a.txt", False, id="this computer"),
        pytest.param("file:///etc/passwd", False, id="a file here"),
        pytest.param("https://[", False, id="no address"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_only_discord_is_asked(url: str, allowed: bool) -> None:
    assert is_allowed(url) is allowed


@pytest.fixture
async def files(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    """A server of files that stands in for Discord."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 64 * 1024)
        return response

    async def answer(request: web.Request) -> web.StreamResponse:
        match request.match_info["name"]:
            case "plain":
                return web.Response(body=b"words")
            case "endless":
                return await endless(request)
            case "packed":
                return web.Response(body=gzip.compress(b"x" * 10 * LARGEST), headers={"Content-Encoding": "gzip"})
            case "elsewhere":
                raise web.HTTPFound("http://127.0.0.1:1/secret")
            case _:
                raise web.HTTPNotFound

    app = web.Application()
    app.router.add_get("/api/{name}", answer)
    server = TestServer(app)
    async with server:
        monkeypatch.setattr(Route, "BASE", str(server.make_url("/api")))
        yield server


async def test_a_file_is_downloaded_as_it_is(files: TestServer) -> None:
    assert await download(str(files.make_url("/api/plain"))) == b"words"
    assert len(await download(str(files.make_url("/api/packed")))) < LARGEST


@pytest.mark.parametrize(
    ("name", "error"), [("endless", TooLargeError), ("elsewhere", ValueError), ("missing", ValueError)]
)
async def test_what_is_too_large_elsewhere_or_gone_is_not(name: str, error: type[Exception], files: TestServer) -> None:
    with pytest.raises(error):
        await download(str(files.make_url(f"/api/{name}")))


async def test_nobody_else_is_asked(files: TestServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", "https://discord.com/api/v10")

    with pytest.raises(ValueError, match="not at Discord"):
        await download(str(files.make_url("/api/plain")))


# ---- what becomes of it


class Recorded:
    """Records what completes a message."""

    def __init__(self, contents: dict[str, bytes | Exception], *, capacity: int = 10) -> None:
        self.states: asyncio.Queue[Message] = asyncio.Queue()
        self._contents = contents
        self.text_files = TextFiles(self.states.put, clock=lambda: NOW, read=self._read, capacity=capacity)

    async def _read(self, url: str) -> bytes:
        content = self._contents[url]
        if isinstance(content, Exception):
            raise content
        return content


@asynccontextmanager
async def closing(text_files: TextFiles) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await text_files.close()


def with_files(*files: Attachment, text: str = "look") -> Message:
    return message(1, text, attachments=files, parts=authored(text))


async def test_what_a_file_says_completes_its_message() -> None:
    recorded = Recorded({NOTES.url: b"the kiln is at 900"})
    async with asyncio.timeout(10), closing(recorded.text_files):
        recorded.text_files.note(with_files(NOTES))
        state = await recorded.states.get()

    assert state.content == "look\nthe kiln is at 900"
    assert (state.edited_at, state.completed_at) == (None, NOW)
    assert [(part.source, state.content[part.start : part.end]) for part in state.parts] == [
        (Source.AUTHORED, "look"),
        (Source.FILE, "the kiln is at 900"),
    ]


async def test_a_state_that_was_completed_already_is_completed_later() -> None:
    recorded = Recorded({NOTES.url: b"words"})
    async with asyncio.timeout(10), closing(recorded.text_files):
        recorded.text_files.note(replace(with_files(NOTES, text=""), edited_at=minute(3), completed_at=NOW))
        state = await recorded.states.get()

    assert state.said_at > (minute(3), NOW)
    assert state.content == "words"


async def test_a_long_file_is_kept_with_its_beginning_and_a_hidden_one_hidden() -> None:
    recorded = Recorded({NOTES.url: b"x" * 2 * LONGEST, "hidden": b"she did it"})
    hidden = replace(NOTES, url="hidden", name="SPOILER_end.txt", spoiler=True)
    async with asyncio.timeout(10), closing(recorded.text_files):
        recorded.text_files.note(with_files(NOTES, hidden))
        state = await recorded.states.get()

    _, long, last = state.content.split("\n")
    assert LONGEST - 3 <= len(long) <= LONGEST
    assert last == "||she did it||"


async def test_a_file_that_cannot_be_read_costs_no_other_and_its_address_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    secret = "https://cdn.discordapp.com/a.txt?hm=secret"
    recorded = Recorded({secret: OSError(secret), NOTES.url: b"words"})
    async with asyncio.timeout(10), closing(recorded.text_files):
        recorded.text_files.note(with_files(replace(NOTES, url=secret)))
        recorded.text_files.note(with_files(replace(NOTES, url=secret), NOTES))
        state = await recorded.states.get()

    assert state.content == "look\nwords"
    assert "secret" not in caplog.text
    assert "is not read: OSError" in caplog.text


async def test_what_waits_is_bounded_and_messages_without_texts_do_not_wait() -> None:
    recorded = Recorded({NOTES.url: b"words"}, capacity=2)
    recorded.text_files.note(with_files(replace(NOTES, name="a.png", content_type="image/png")))
    async with asyncio.timeout(10), closing(recorded.text_files):
        for number in range(5):
            recorded.text_files.note(replace(with_files(NOTES), message_id=number))
        states = [await recorded.states.get() for _ in range(2)]
        await asyncio.sleep(0.05)

    assert {state.message_id for state in states} == {0, 1}
    assert recorded.states.empty()
