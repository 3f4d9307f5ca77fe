"""Show administrators what answers leave out and why, and take what they set for their server: /settings."""

from bot.features.settings.commands import add_commands

__all__ = ["add_commands"]
