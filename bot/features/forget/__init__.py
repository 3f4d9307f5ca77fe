"""Let people have erased what is held of them, and moderators messages and channels: /forget and "Forget this"."""

from bot.features.forget.commands import add_commands

__all__ = ["add_commands"]
