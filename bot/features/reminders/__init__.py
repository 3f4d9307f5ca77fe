"""Remind people of what they ask to be reminded of: /remind and "Remind me about this"."""

from bot.features.reminders.commands import add_commands

__all__ = ["add_commands"]
