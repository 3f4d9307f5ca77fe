"""Point discord.py at another Discord than the real one."""

from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL


def use_endpoints(api_base: str | None, gateway_url: str | None) -> None:
    """Let every client of this process that is made from now on talk to these addresses.

    `api_base` is where the paths of Discord's REST API begin, such as https://discord.com/api/v10; `gateway_url` is
    that of the websocket, such as wss://gateway.discord.gg. None leaves an address as it is.
    """
    if api_base is not None:
        Route.BASE = api_base.rstrip("/")
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)
