"""Read the past of servers while the bot runs: one reading for each, in the background, until the bot closes."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import discord

from bot.history.backfill import Backfill, BackfillRequest
from bot.history.discord_history import DiscordHistory, Learn
from bot.history.memory import HistoryMemory
from bot.history.pages import PageReader, Recorder
from bot.history.progress import Progress
from bot.other_bots import OtherBots
from errors import BackscrollError, RefusedPlaceError

logger = logging.getLogger(__name__)

NOT_BEGUN = "I could not begin, as Discord or my memory did not answer. Please try again soon."
FAILED = "Something went wrong on my side, and it has been logged. What was read is kept."


@dataclass(slots=True)
class Reading:
    """The last reading of one server's past, and why it has failed, if it has."""

    backfill: Backfill
    task: asyncio.Task[None]
    failure: str = ""

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self.backfill.progress

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return not self.task.done()


class RunningBackfills:
    """Starts readings and ends them; `close` ends them all, and what they have read is kept."""

    def __init__(
        self,
        client: discord.Client,
        *,
        memory: HistoryMemory,
        recorder: Recorder,
        session: str,
        clock: Callable[[], datetime],
        learn: Learn,
        other_bots: OtherBots,
    ) -> None:
        self._client = client
        self._memory = memory
        self._recorder = recorder
        self._session = session
        self._clock = clock
        self._learn = learn
        self._other_bots = other_bots
        self._readings: dict[int, Reading] = {}

    def start(self, guild: discord.Guild, request: BackfillRequest) -> Reading:
        """Begin to read the past of a server; where that is being done already, return how far it is."""
        known = self._readings.get(guild.id)
        if known is not None and known.is_running:
            return known
        history = DiscordHistory(self._client, guild, learn=self._learn, other_bots=self._other_bots)
        pages = PageReader(history, writer=self._memory.writer, recorder=self._recorder, session=self._session)
        backfill = Backfill(history, pages, ledger=self._memory.ledger, clock=self._clock, request=request)
        reading = Reading(backfill, asyncio.create_task(self._run(guild.id, backfill)))
        self._readings[guild.id] = reading
        return reading

    def of(self, guild_id: int) -> Reading | None:
        """Return the last reading of a server's past since the bot runs."""
        return self._readings.get(guild_id)

    async def stop(self, guild_id: int) -> Reading | None:
        """Stop the reading of a server's past; return it, None where nothing was being read."""
        reading = self._readings.get(guild_id)
        if reading is None or not reading.is_running:
            return None
        await self._end([reading])
        return reading

    async def close(self) -> None:
        """Stop all."""
        await self._end(list(self._readings.values()))

    async def _end(self, readings: list[Reading]) -> None:
        for reading in readings:
            reading.task.cancel()
        await asyncio.gather(*(reading.task for reading in readings), return_exceptions=True)
        await self._memory.writer.flush()

    async def _run(self, guild_id: int, backfill: Backfill) -> None:
        try:
            await self._memory.writer.flush()  # then the ledger knows what was read a moment ago
            await backfill.run()
            await self._memory.writer.flush()
        except RefusedPlaceError as error:
            self._fail(guild_id, f"I cannot read that: {error}.")
        except BackscrollError as error:
            logger.warning("the past of guild %d is not read: %r", guild_id, error)
            self._fail(guild_id, NOT_BEGUN)
        except Exception:
            logger.exception("the past of guild %d is not read", guild_id)
            self._fail(guild_id, FAILED)

    def _fail(self, guild_id: int, sentence: str) -> None:
        self._readings[guild_id].failure = sentence
