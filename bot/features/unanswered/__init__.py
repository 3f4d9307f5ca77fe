"""List open questions for those who help: /unanswered."""

from bot.features.unanswered.commands import add_commands

__all__ = ["add_commands"]
