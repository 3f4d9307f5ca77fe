"""Tell people what they missed: /catchup."""

from bot.features.catchup.commands import add_commands

__all__ = ["add_commands"]
