"""Tell what happened in some time, channel by channel: /timeline."""

from bot.features.timeline.commands import add_commands

__all__ = ["add_commands"]
