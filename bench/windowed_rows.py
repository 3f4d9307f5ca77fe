"""Make many messages with realistic vectors, and put them into a memory fast.

Some hundreds of real sentences are embedded once. The vector of a row mixes two or three of theirs and some noise,
normalised: so neighbours are as near, and as many, as among real messages on the same matters. The text of a row is
put together from the same sentences. Channels are of very different sizes.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.psycopg import register_vector_async

from db.addresses import keywords_of, parse_address
from db.connections import connect
from memory.embedding.embedder import Embedder
from memory.embedding.model import Vectors
from util_async import Progress

SAMPLE = Path(__file__).resolve().parent.parent / "db" / "sample.csv"
START = datetime(2026, 8, 1, tzinfo=UTC)
SHARES = (0.40, 0.25, 0.15, 0.08, 0.05, 0.03, 0.025, 0.01, 0.005)
"""Which part of all messages is in channel 1, 2, and so on."""

_NOISE = 0.6  # the length of the noise beside a mixture of length about 0.7
_BLOCK = 5000
_TYPES = {
    "message_id": "int8",
    "sent_at": "timestamptz",
    "session": "text",
    "channel_id": "int8",
    "author_name": "text",
    "channel_name": "text",
    "kind": "text",
    "content": "text",
    "search_text": "text",
    "embedding": "vector",
    "embedding_model": "text",
}
_COPY = f"COPY messages ({', '.join(_TYPES)}) FROM STDIN (FORMAT BINARY)"
_CONNECT_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Sentences:
    """Distinct real sentences and their vectors."""

    texts: Sequence[str]
    vectors: Vectors

    def mixed(self, count: int, random: np.random.Generator) -> tuple[list[str], Vectors]:
        """Return so many texts and vectors that are mixtures of two or three."""
        parts = random.integers(0, len(self.texts), (count, 3))
        weights = random.dirichlet([1.0, 1.0, 0.5], count)
        noise = random.normal(0, _NOISE / np.sqrt(self.vectors.shape[1]), (count, self.vectors.shape[1]))
        vectors = np.einsum("nk,nkd->nd", weights, self.vectors[parts]) + noise
        texts = [f"{self.texts[one][:200]} {self.texts[other][:200]}" for one, other, _ in parts]
        return texts, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


async def embedded_sentences(embedder: Embedder) -> Sentences:
    """Return the sentences of the sample server with their vectors."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        texts = list(dict.fromkeys(row["content"] for row in csv.DictReader(file) if row["content"]))
    return Sentences(texts, await embedder.embed(texts))


async def copy_rows(dsn: str, sentences: Sentences, *, rows: int, days: int, report: Progress) -> None:
    """Copy so many messages of so many days, in time order, into the table of a memory."""
    async with await connect(keywords_of(parse_address(dsn)), timeout=_CONNECT_TIMEOUT) as connection:
        await register_vector_async(connection)
        async with connection.cursor().copy(_COPY.encode()) as copy:
            copy.set_types(list(_TYPES.values()))
            for number, row in enumerate(_rows(sentences, rows, days), 1):
                await copy.write_row(row)
                if number % _BLOCK == 0:
                    report(number, rows)


def _rows(sentences: Sentences, rows: int, days: int) -> Iterator[tuple[Any, ...]]:
    random = np.random.default_rng(1)
    seconds = np.sort(random.uniform(0, timedelta(days=days).total_seconds(), rows))
    channels = random.choice(len(SHARES), rows, p=SHARES) + 1
    for start in range(0, rows, _BLOCK):
        texts, vectors = sentences.mixed(min(_BLOCK, rows - start), random)
        for offset, (text, vector) in enumerate(zip(texts, vectors, strict=True)):
            number = start + offset
            yield _row(number + 1, float(seconds[number]), int(channels[number]), text, vector)


def _row(number: int, second: float, channel: int, text: str, vector: NDArray[np.float32]) -> tuple[Any, ...]:
    sent_at, author = START + timedelta(seconds=second), f"author {number % 40}"
    said = f"{author} ({sent_at:%A} {sent_at.day} {sent_at:%B %Y}): {text}\n{text}"
    return number, sent_at, "bench", channel, author, f"channel-{channel}", "message", text, said, Vector(vector), "m"
