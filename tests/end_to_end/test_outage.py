"""What is said while the database is away."""

import pytest

from bench import outage

MESSAGES = 100


@pytest.mark.own_server
async def test_messages_of_an_outage_are_stored_exactly_once_when_the_database_is_back() -> None:
    counts = await outage.measure(MESSAGES)

    assert counts.is_right(at_least=MESSAGES), counts.table()
