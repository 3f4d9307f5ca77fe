"""Let those who manage a server limit how many questions a day people may ask."""

from bot.features.limits.commands import add_commands

__all__ = ["add_commands"]
