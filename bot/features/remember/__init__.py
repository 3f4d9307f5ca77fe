"""Read the past of a server: /remember backfill, status and stop, for administrators."""

from bot.features.remember.commands import add_commands

__all__ = ["add_commands"]
