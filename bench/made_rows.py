"""Make many messages with realistic vectors, as the bulk path takes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from bench.models import MODEL, shared_model
from bench.vectors import open_remembering_embedder
from bench.windowed_rows import SHARES, START, embedded_sentences
from memory.index.bulk import BATCH, MessageBatch
from memory.index.store import Indexed
from memory.message import Message

_DAYS = 400


@dataclass(frozen=True, slots=True)
class Rows:
    """What messages are made from, in the order of their times."""

    texts: list[str]
    vectors: NDArray[np.float32]
    seconds: NDArray[np.float64]
    channels: NDArray[np.int64]
    first: int = 0
    """How many messages were before these."""

    def part(self, start: int, end: int) -> "Rows":
        """Return the messages from one place to before another."""
        some = slice(start, end)
        return Rows(self.texts[some], self.vectors[some], self.seconds[some], self.channels[some], self.first + start)

    def batches(self) -> Iterator[MessageBatch]:
        """Yield the messages as the bulk path takes them."""
        for start in range(0, len(self.texts), BATCH):
            numbers = range(start, min(start + BATCH, len(self.texts)))
            yield MessageBatch(rows=[self._row(number) for number in numbers], journal="bench", position=numbers.stop)

    def _row(self, number: int) -> Indexed:
        channel, content = int(self.channels[number]), self.texts[number]
        author = f"author {(self.first + number) % 40}"
        message = Message(
            message_id=self.first + number + 1,
            sent_at=START + timedelta(seconds=float(self.seconds[number])),
            session="bench",
            channel_id=channel,
            channel_name=f"channel-{channel}",
            author_name=author,
            content=content,
        )
        return Indexed(message, f"{author}: {content}\n{content}", self.vectors[number], MODEL)


async def make_rows(count: int) -> Rows:
    """Return what so many messages of 400 days are made from, the same in every run."""
    async with open_remembering_embedder(shared_model()) as embedder:
        sentences = await embedded_sentences(embedder)
    random = np.random.default_rng(1)
    texts: list[str] = []
    vectors = np.empty((count, sentences.vectors.shape[1]), np.float32)
    for start in range(0, count, BATCH):
        end = min(start + BATCH, count)
        some, vectors[start:end] = sentences.mixed(end - start, random)
        texts += some
    seconds = np.sort(random.uniform(0, timedelta(days=_DAYS).total_seconds(), count))
    return Rows(texts, vectors, seconds, random.choice(len(SHARES), count, p=SHARES) + 1)
