"""Search what was said by words, people, channels, time and what messages hold: /search."""

from bot.features.search.commands import add_commands

__all__ = ["add_commands"]
