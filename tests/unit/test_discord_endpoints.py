"""A script that logs in talks to the Discord that the settings name."""

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr

from cli.commands.startup import discord_token
from settings import Settings


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave discord.py as it was, and hide the settings of whoever runs the tests."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


def test_requests_and_the_gateway_go_where_the_settings_say() -> None:
    settings = Settings(
        discord_token=SecretStr("t"),
        discord_api_base="https://discord.example.org/api/v10/",
        discord_gateway_url="wss://gateway.example.org",
    )

    assert discord_token(settings) == "t"
    assert Route("GET", "/users/@me").url == "https://discord.example.org/api/v10/users/@me"
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "wss://gateway.example.org"


def test_an_address_that_is_not_set_stays_discords_own() -> None:
    gateway = DiscordWebSocket.DEFAULT_GATEWAY

    discord_token(Settings(discord_token=SecretStr("t"), discord_api_base="http://127.0.0.1:8080"))

    assert Route.BASE == "http://127.0.0.1:8080"
    assert gateway == DiscordWebSocket.DEFAULT_GATEWAY


def test_without_a_token_nothing_is_pointed_anywhere() -> None:
    base = Route.BASE

    assert discord_token(Settings(discord_token=None, discord_api_base="http://127.0.0.1:8080")) is None
    assert base == Route.BASE
