"""Which messages ask the bot, as Discord's API tells of them: these are kept, and are no evidence."""

from typing import Any

import pytest

from bot.events import message_of_payload
from memory.mentions import nobody
from memory.message import Kind, Place

ME, ANA, BEN = 5, 6, 7
OF_THE_BOT = {"id": "90", "author": {"id": str(ME), "bot": True}}


def payload(content: str = "when is the deploy?", **fields: Any) -> dict[str, Any]:
    return {"id": "100", "channel_id": "1", "type": 0, "content": content, "author": {"id": str(ANA)}, **fields}


def kind_of(data: dict[str, Any], me: int | None = ME) -> Kind:
    place = Place(guild_id=2, channel_id=1, channel_name="general")
    return message_of_payload(data, session="s", place_of_id=lambda *_: place, names_in=lambda *_: nobody, me=me).kind


REPLY: dict[str, Any] = {"type": 19, "message_reference": {"message_id": "90", "channel_id": "1"}}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(payload(f"<@{ME}> when?", mentions=[{"id": str(ME)}]), id="a mention"),
        pytest.param(payload(**REPLY, referenced_message=OF_THE_BOT), id="a reply that does not ping"),
        pytest.param(payload(**REPLY, mentions=[{"id": str(ME)}], referenced_message=None), id="a reply that pings"),
    ],
)
def test_a_message_that_asks_the_bot_is_a_command(data: dict[str, Any]) -> None:
    assert kind_of(data) is Kind.COMMAND


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(payload("@everyone when?", mention_everyone=True, mentions=[]), id="everyone"),
        pytest.param(payload(f"<@{BEN}> when?", mentions=[{"id": str(BEN)}]), id="somebody else"),
        pytest.param(payload("<@&8> when?", mentions=[], mention_roles=["8"]), id="a role"),
        pytest.param(
            payload(f"<@{ME}> when?", mentions=[{"id": str(ME)}], author={"id": "8", "bot": True}), id="by a bot"
        ),
        pytest.param(payload(f"<@{ME}> when?", mentions=[{"id": str(ME)}], webhook_id="9"), id="by a webhook"),
        pytest.param(payload(**REPLY, referenced_message={"id": "90", "author": {"id": str(BEN)}}), id="to a person"),
        pytest.param(
            payload("", type=0, message_reference={"type": 1, "message_id": "90"}, referenced_message=OF_THE_BOT),
            id="a forward of an answer",
        ),
    ],
)
def test_any_other_message_is_said_to_people(data: dict[str, Any]) -> None:
    assert kind_of(data) is Kind.MESSAGE


def test_whoever_is_not_logged_in_is_asked_nothing() -> None:
    assert kind_of(payload(f"<@{ME}> when?", mentions=[{"id": str(ME)}]), me=None) is Kind.MESSAGE
