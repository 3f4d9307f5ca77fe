"""Tell people what is held of them, and hand it over: /memory."""

from bot.features.memory.commands import add_commands

__all__ = ["add_commands"]
