"""Build messages and put them where a test needs them."""

import asyncio
import logging
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, TypeVar

from db.databases import Database
from db.engines import transaction
from memory.capture.journal import Journal, JournalBatch
from memory.embedding.embedder import Embedder
from memory.index import store
from memory.index.index_text import search_text
from memory.index.store import Indexed
from memory.message import Attachment, Kind, Message, Part, Reaction, Source

T = TypeVar("T")

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    """Return the time so many minutes after the tests' first moment."""
    return START + timedelta(minutes=number)


def message(number: int = 1, content: str = "hello", **changes: Any) -> Message:
    """Return message `number`, which Ana sent in #general (channel 1) in that minute, unless changes say otherwise."""
    fields: dict[str, Any] = {
        "message_id": number,
        "sent_at": minute(number),
        "session": "demo",
        "channel_id": 1,
        "channel_name": "general",
        "author_name": "ana",
    }
    return Message(content=content, **{**fields, **changes})


FULL = message(
    7,
    "everything: \N{SNOWMAN} \\N\t'\"\n",
    guild_id=2,
    thread_id=3,
    author_id=4,
    reply_to=5,
    kind=Kind.COMMAND,
    attachments=(
        Attachment(name="plän.pdf", url="https://example.org/", content_type=None, size=9, description="our plan"),
    ),
    edited_at=minute(8),
    deleted_at=minute(9),
    forwarded_from=6,
    completed_at=minute(10),
    parts=(Part(source=Source.AUTHORED, start=0, end=11), Part(source=Source.CARD, start=12, end=20)),
    reactions=(Reaction(emoji="👍", count=2), Reaction(emoji=":kiln:", count=1)),
    reactions_at=minute(11),
)
"""A message with something in every field."""


def edit(number: int, content: str, *, at: float, **changes: Any) -> Message:
    """Return message `number` as it stands after an edit in minute `at`."""
    return message(number, content, edited_at=minute(at), **changes)


def deletion(number: int, *, at: float, **changes: Any) -> Message:
    """Return what is known of message `number` once it has been deleted in minute `at`."""
    return message(number, "", deleted_at=minute(at), **changes)


def already(value: T) -> asyncio.Future[T]:
    """Return a value that somebody waits for, and that is there."""
    waited_for: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    waited_for.set_result(value)
    return waited_for


async def remember(database: Database, embedder: Embedder, messages: Iterable[Message]) -> None:
    """Write messages into a memory, with real vectors and without a journal."""
    listed = list(messages)
    texts = [search_text(one, ()) for one in listed]
    vectors = iter(await embedder.embed([text for text in texts if text]))
    batch = [
        Indexed(one, text, next(vectors) if text else None, embedder.name if text else None)
        for one, text in zip(listed, texts, strict=True)
    ]
    async with transaction(database.sessions) as session:
        await store.write(session, batch=batch, revisions=(), journal="test", position=0)


def every_order_of_states() -> list[list[Message]]:
    """Return the states of a message in every order in which they may be heard of, each of a message of its own."""

    def states(number: int) -> list[Message]:
        return [
            message(number, "first"),
            edit(number, "second", at=500, reactions=(Reaction(emoji="👍", count=3),), reactions_at=minute(800)),
            edit(number, "second and its file", at=500, completed_at=minute(950)),
            edit(number, "third", at=900, reactions=(Reaction(emoji="👍", count=1),), reactions_at=minute(600)),
            deletion(number, at=700),
        ]

    return [[states(number)[index] for index in order] for number, order in enumerate(permutations(range(5)), 1)]


def whole(journal: Journal) -> JournalBatch:
    """Return all that the file of a journal holds as one batch, whether the disk has it already or not."""
    batches = list(Journal(journal.path).read_all())
    return JournalBatch(
        tuple(one for batch in batches for one in batch.messages),
        tuple(record for batch in batches for record in batch.bad),
        batches[-1].position if batches else 0,
    )


class _Heard(logging.Handler):
    """Sets an event when a phrase is logged."""

    def __init__(self, phrase: str) -> None:
        super().__init__()
        self.event = asyncio.Event()
        self._phrase = phrase

    def emit(self, record: logging.LogRecord) -> None:
        if self._phrase in record.getMessage():
            self.event.set()


@contextmanager
def hears(phrase: str) -> Iterator[asyncio.Event]:
    """Yield an event that is set as soon as the phrase is logged by this thread's event loop."""
    heard = _Heard(phrase)
    logging.getLogger().addHandler(heard)
    try:
        yield heard.event
    finally:
        logging.getLogger().removeHandler(heard)


def closed_port() -> int:
    """Return a port on the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
