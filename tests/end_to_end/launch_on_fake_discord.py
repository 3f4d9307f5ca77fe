"""Run a script, main_async.py by default, with discord.py pointed at a Discord of the tests' own."""

import os
import runpy
import sys
from pathlib import Path

from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL


def main() -> None:
    """Point discord.py elsewhere, then become the script."""
    Route.BASE = os.environ["FAKE_DISCORD_REST"]
    DiscordWebSocket.DEFAULT_GATEWAY = URL(os.environ["FAKE_DISCORD_GATEWAY"])
    script = Path(__file__).resolve().parents[2] / os.environ.get("FAKE_DISCORD_SCRIPT", "main_async.py")
    sys.path[0] = str(script.parent)
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
