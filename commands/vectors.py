"""Open an embedder for work that may need no vector at all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from db.databases import Database
from memory.embedder import Embedder, open_embedder
from promotion.embeddings import known_width
from settings import Settings


@asynccontextmanager
async def open_embedder_for(settings: Settings, *databases: Database) -> AsyncGenerator[Embedder]:
    """Yield an embedder that loads its model, which takes a third of a gigabyte, only when a text needs it."""
    name = settings.embedding_model
    widths = [await known_width(one, name, timeout=settings.db_timeout) for one in databases]
    width = next(filter(None, widths), None)
    async with open_embedder(name, batch_size=settings.embedding_batch_size, at_once=False, width=width) as embedder:
        yield embedder
