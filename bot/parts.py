"""The parts of the running bot that features are built from."""

from dataclasses import dataclass

import discord

from bot.audience import Readers
from bot.buttons import Buttons
from bot.command_runner import CommandRunner
from bot.commands import SlashCommands
from bot.history.running import RunningBackfills
from bot.live_replies import LiveReplies
from bot.outbox import Outbox
from bot.running_handlers import RunningHandlers
from bot.services import Services
from bot.withdrawals import Withdrawals


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a feature may use: the bot makes these once, and closes them when it stops."""

    client: discord.Client
    services: Services
    runner: CommandRunner
    readers: Readers
    in_flight: RunningHandlers
    buttons: Buttons
    live_replies: LiveReplies
    chat: SlashCommands
    withdrawals: Withdrawals
    outbox: Outbox | None = None
    """None where no question outlives the program."""
    backfills: RunningBackfills | None = None
    """None where nothing is kept of what was said before."""
