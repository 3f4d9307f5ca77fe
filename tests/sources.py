"""Sources of messages as `ops.promotion.sources.detect` opens them, made of messages and chunks that a test names."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pandas import DataFrame

from memory.capture.journal import encoded
from memory.capture.message_csv import to_row
from memory.message import COLUMNS, Message
from ops.promotion.records import MessageSource, RawBatch, Reject


def source_of(
    *chunks: Sequence[Message],
    refused: Sequence[Reject] = (),
    vectors: Mapping[int, tuple[str, str]] | None = None,
    between: Callable[[int], None] = lambda _: None,
) -> MessageSource:
    """Return a source with these chunks; `between` is called with the number of each before it is read.

    `refused` stands in the first chunk. `vectors` are the columns of vector and model, by the id of the message.
    """

    def read() -> Iterator[RawBatch]:
        for number, messages in enumerate(chunks):
            between(number)
            yield _chunk(number, messages, refused=refused if number == 0 else (), vectors=vectors or {})

    content = encoded(to_row(message) for messages in chunks for message in messages)
    return MessageSource(
        title="session demo",
        session="demo",
        paths=(Path("demo.csv"),),
        digest=hashlib.sha256(content).hexdigest(),
        size=len(chunks),
        chunks=read,
    )


def _chunk(
    number: int, messages: Sequence[Message], *, refused: Sequence[Reject], vectors: Mapping[int, tuple[str, str]]
) -> RawBatch:
    rows = [[*to_row(message), *vectors.get(message.message_id, ("", ""))] for message in messages]
    return RawBatch(
        source="demo.csv",
        first_record=1,
        frame=DataFrame(rows, columns=[*COLUMNS, "embedding", "embedding_model"], dtype=str),
        end_bytes=number + 1,
        ours=True,
        rejects=refused,
    )
