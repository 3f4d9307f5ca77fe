"""Say how the bot is: /status."""

from bot.features.status.commands import add_commands

__all__ = ["add_commands"]
