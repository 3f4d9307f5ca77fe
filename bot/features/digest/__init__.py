"""Post what happened in a week to channels that want it, and keep that true: /digest."""

from bot.features.digest.commands import add_commands

__all__ = ["add_commands"]
