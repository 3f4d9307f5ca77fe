"""Choose a time zone: /timezone and /servertimezone."""

from bot.features.time_zones.commands import add_commands

__all__ = ["add_commands"]
