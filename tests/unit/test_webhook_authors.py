"""A webhook speaks as a person of its own for each name that it bears."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.authors import author_in, webhook_author_id

PROXY: dict[str, Any] = {"author": {"id": "900", "username": "Luna", "bot": True}, "webhook_id": "900"}


def test_the_id_of_a_name_of_a_webhook_is_the_same_for_ever() -> None:
    assert webhook_author_id(900, "Luna") == -5989059993955780673


@given(st.integers(0, 2**64), st.text(st.characters(exclude_categories=()), max_size=40))
def test_it_fits_into_the_table_and_is_no_id_of_discord(webhook_id: int, name: str) -> None:
    assert -(2**63) < webhook_author_id(webhook_id, name) < 0


def test_each_name_and_each_webhook_is_another_person() -> None:
    people = {webhook_author_id(webhook_id, name) for webhook_id in (900, 901) for name in ("Luna", "luna", "Sol", "")}

    assert len(people) == 8


@pytest.mark.parametrize(
    ("fields", "author_id"),
    [
        pytest.param({}, webhook_author_id(900, "Luna"), id="a webhook"),
        pytest.param({"application_id": "5"}, webhook_author_id(900, "Luna"), id="a webhook that a bot made"),
        pytest.param({"application_id": "900"}, 900, id="an application that answers"),
        pytest.param({"interaction_metadata": {"id": "1"}}, 900, id="an answer to a command"),
        pytest.param({"webhook_id": "7"}, 900, id="an account that answers by a webhook"),
        pytest.param({"webhook_id": None}, 900, id="an account"),
        pytest.param({"author": {"id": "900"}}, webhook_author_id(900, ""), id="a webhook without a name"),
        pytest.param({"author": None}, None, id="nobody"),
        pytest.param({"author": {"id": "x"}}, None, id="an id that is none"),
    ],
)
def test_whose_a_message_is(fields: dict[str, Any], author_id: int | None) -> None:
    assert author_in(PROXY | fields) == author_id
