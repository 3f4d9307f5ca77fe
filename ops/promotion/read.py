"""Read and clean a source in a thread, a chunk ahead of whoever wants it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeVar
from zoneinfo import ZoneInfo

from errors import BackscrollError, InputFileError
from ops.promotion.clean import clean
from ops.promotion.derived_ids import Occurrences
from ops.promotion.records import CleanBatch, RawBatch, Source
from util_async import background_task

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A chunk of a source, cleaned."""

    source: str
    """The name of its file."""
    cleaned: CleanBatch
    end_bytes: int
    """How many bytes of the whole source are read after it."""
    ours: bool = False
    """Whether this program wrote the file."""
    damage: str = ""
    """A sentence about the file, of which nothing follows behind this chunk."""


async def read(source: Source, *, time_zone: ZoneInfo) -> AsyncGenerator[Read]:
    """Yield the chunks of a source; raise InputFileError when it is not what it should be."""
    chunks, earlier = source.chunks(), _Earlier()
    while (chunk := await asyncio.to_thread(_next, chunks, source, time_zone, earlier)) is not None:
        yield chunk


async def one_ahead(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Yield what another generator yields, which is at work on the next one meanwhile; it is closed on exit."""
    async with aclosing(items):
        item = await anext(items, None)
        while item is not None:
            async with background_task(_next_of(items)) as coming:
                yield item
                item = await coming


async def _next_of(items: AsyncIterator[T]) -> T | None:
    return await anext(items, None)


@dataclass(slots=True)
class _Earlier:
    """What earlier chunks tell of the next one."""

    occurrences: dict[str, Occurrences] = field(default_factory=dict)
    """Of the file that is being read."""

    def of_file(self, name: str) -> Occurrences:
        """Return what the chunks of a file have said so far; files come one after the other."""
        if name not in self.occurrences:
            self.occurrences = {name: Occurrences()}
        return self.occurrences[name]


def _next(chunks: Iterator[RawBatch], source: Source, time_zone: ZoneInfo, earlier: _Earlier) -> Read | None:
    """Return the next chunk; what nobody foresaw of the contents of a file is a refusal of it, too."""
    try:
        chunk = next(chunks, None)
        if chunk is None:
            return None
        occurrences = earlier.of_file(chunk.source)
        cleaned = clean(chunk, session=source.session, time_zone=time_zone, occurrences=occurrences)
    except BackscrollError:
        raise
    except Exception as error:
        logger.exception("%s cannot be read", source.title)
        raise InputFileError(
            f"The {source.title} cannot be read ({type(error).__name__}, see the log): name another file, and report "
            "what the log says."
        ) from error
    return Read(source=chunk.source, cleaned=cleaned, end_bytes=chunk.end_bytes, ours=chunk.ours, damage=chunk.damage)
