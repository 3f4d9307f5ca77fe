"""See what is remembered of which channel: /coverage."""

from bot.features.coverage.commands import add_commands

__all__ = ["add_commands"]
