"""Searches share few connections to two memories, and none waits for what another one will not give back."""

import asyncio
import random

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from memory.search_session import SearchableDatabase, open_search_session, searchable_database

pytestmark = pytest.mark.server


async def test_many_searches_over_few_connections_all_end(short_term: Database, long_term: Database) -> None:
    chance = random.Random(7)  # noqa: S311
    databases = [searchable_database(short_term), searchable_database(long_term)]

    async def query(session: AsyncSession, _: SearchableDatabase) -> list[int]:
        await asyncio.sleep(chance.random() / 100)
        return list(await session.scalars(text("SELECT 1")))

    async def search() -> None:
        await asyncio.sleep(chance.random() / 10)
        async with open_search_session() as search_session:
            for _ in range(2):
                assert len(await search_session.ask(databases, query)) == 2

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for _ in range(200):
            group.create_task(search())
