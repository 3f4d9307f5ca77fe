"""Ask the bot by mentioning it, by a reply to it, or about a message."""

from bot.features.mentions.commands import add_commands

__all__ = ["add_commands"]
