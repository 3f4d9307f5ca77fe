"""Open an embedder for work that may need no vector at all."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from commands.startup import opened_embedder
from db.databases import Database
from memory.embedder import Embedder
from promotion.embeddings import known_width
from settings import Settings


@asynccontextmanager
async def open_embedder_for(settings: Settings, *databases: Database) -> AsyncGenerator[Embedder]:
    """Yield an embedder that loads its model, which takes a moment and memory, only when a text needs it."""
    widths = [await known_width(one, settings.embedding_model, timeout=settings.db_timeout) for one in databases]
    width = next(filter(None, widths), None)
    async with opened_embedder(settings, at_once=False, width=width) as embedder:
        yield embedder
