"""Statements run over the connection that their session has, in each of its transactions."""

import pytest
from psycopg.sql import SQL

from db.databases import Database
from db.statements import fetch

pytestmark = pytest.mark.server

WHO = SQL("SELECT pg_backend_pid() AS connection, pg_current_xact_id() AS transaction")


async def test_a_session_runs_over_the_connection_of_its_present_transaction(long_term: Database) -> None:
    async with long_term.sessions() as session:
        (before,) = await fetch(session, WHO)
        (again,) = await fetch(session, WHO)
        await session.rollback()
        async with long_term.sessions() as other:
            (others,) = await fetch(other, WHO)
            (after,) = await fetch(session, WHO)

    assert before == again
    assert others["connection"] == before["connection"]  # which was given back
    assert after["connection"] != others["connection"]
    assert len({before["transaction"], others["transaction"], after["transaction"]}) == 3
