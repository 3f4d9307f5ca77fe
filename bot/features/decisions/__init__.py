"""Mark messages as decisions and list them: "Mark as decision" and /decisions."""

from bot.features.decisions.commands import add_commands

__all__ = ["add_commands"]
