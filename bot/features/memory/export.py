"""Hand over what is held of a person, as files that only they see."""

import asyncio
import io
import logging
from contextlib import aclosing
from datetime import timedelta

import discord

from bot.buttons import AskersButton
from bot.parts import Parts
from errors import TemporaryError
from memory.personal import MOST_PARTS, PersonalData

logger = logging.getLogger(__name__)

EXPORT = "Export"
EXPORT_LIMIT = timedelta(minutes=10)
_SENDING_LIMIT = timedelta(seconds=60)

HERE = "All that I hold of you: your messages and their earlier texts as CSV, your choices and questions as JSON."
PART = "Part {} of what I hold of you, newest messages first."
CUT = f"There may be older messages beyond {MOST_PARTS} parts: whoever runs me can export those."
NO_MEMORY = "My memory cannot be reached just now, so I cannot export anything. Please try again in a few minutes."
NOT_WHOLE = "The export ended too early: please try again, or ask whoever runs me."


class ExportButton(AskersButton):
    """Sends whoever has asked what is held of them."""

    words = EXPORT

    def __init__(self, asker_id: int, personal: PersonalData, parts: Parts) -> None:
        async def repeat(interaction: discord.Interaction, button: AskersButton) -> None:
            await _export(interaction, button, personal, parts)

        super().__init__(asker_id=asker_id, repeat=repeat, buttons=parts.buttons)


async def _export(interaction: discord.Interaction, button: AskersButton, personal: PersonalData, parts: Parts) -> None:
    """Acknowledge the press, then send one archive after the other."""
    with parts.in_flight.entered():
        async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
            await interaction.response.defer(ephemeral=True, thinking=True)
        await button.retire()
        try:
            async with asyncio.timeout(EXPORT_LIMIT.total_seconds()):
                await _send_all(interaction, personal)
        except TemporaryError as error:
            logger.warning("nothing was exported: %r", error)
            await _say(interaction, NO_MEMORY)
        except Exception:
            logger.exception("what is held of somebody was not exported whole")
            await _say(interaction, NOT_WHOLE)


async def _send_all(interaction: discord.Interaction, personal: PersonalData) -> None:
    number = 0
    async with aclosing(personal.export(interaction.user.id)) as archives:
        async for archive in archives:
            number += 1
            words = HERE if number == 1 else PART.format(number)
            if number == MOST_PARTS:
                words = f"{words} {CUT}"
            file = discord.File(io.BytesIO(archive), f"backscroll-{number}.zip")
            async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
                await interaction.followup.send(words, file=file, ephemeral=True)


async def _say(interaction: discord.Interaction, words: str) -> None:
    try:
        async with asyncio.timeout(_SENDING_LIMIT.total_seconds()):
            await interaction.followup.send(words, ephemeral=True)
    except Exception:
        logger.exception("nobody is told that an export failed")
