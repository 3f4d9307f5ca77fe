"""Find the people who know about a topic: /who knows."""

from bot.features.who.commands import add_commands

__all__ = ["add_commands"]
