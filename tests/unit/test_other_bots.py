"""Other bots are kept as the deployment wants it, and webhooks as the people that they are."""

from typing import Any

import pytest

from bot.other_bots import OtherBots
from memory.authors import bots_named

PERSON: dict[str, Any] = {"author": {"id": "1", "username": "ana"}}
HELPER: dict[str, Any] = {"author": {"id": "2", "username": "helper", "bot": True}}
DYNO: dict[str, Any] = {"author": {"id": "3", "username": "dyno", "bot": True}}
PROXY: dict[str, Any] = {"author": {"id": "4", "username": "Luna", "bot": True}, "webhook_id": "4"}


@pytest.mark.parametrize(
    ("setting", "kept"),
    [
        pytest.param("all", [PERSON, HELPER, DYNO, PROXY, {}], id="all"),
        pytest.param(" None ", [PERSON, PROXY, {}], id="none"),
        pytest.param("2", [PERSON, HELPER, PROXY, {}], id="one"),
        pytest.param("2, 3", [PERSON, HELPER, DYNO, PROXY, {}], id="some"),
    ],
)
def test_which_messages_are_kept(setting: str, kept: list[dict[str, Any]]) -> None:
    bots = OtherBots(bots_named(setting))

    assert [message for message in (PERSON, HELPER, DYNO, PROXY, {}) if bots.keeps(message)] == kept
