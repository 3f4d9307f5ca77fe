"""Let people opt out, and moderators pause: /optout, /pause and /resume."""

from bot.features.consent.commands import add_commands

__all__ = ["add_commands"]
