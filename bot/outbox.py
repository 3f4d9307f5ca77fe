"""Keep each question from when it is acknowledged until its answer is delivered, so that a restart loses neither."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import discord

from agent.citations import footer
from agent.types import Answer
from bot.answering import Answered, Asking
from bot.buttons import Reply
from bot.caller import Caller
from bot.services import AnswerStore
from errors import TemporaryError
from memory.answers.kept import KeptAnswer, KeptPage, KeptQuestion

logger = logging.getLogger(__name__)

PAUSE = timedelta(seconds=30)
"""How long nothing is kept after the database did not take something: no answer waits for it again and again."""

Compose = Callable[[], Awaitable[Reply]]
"""Makes the reply to a question."""


class Delivery:
    """The delivery of the answer to one question; whoever sends the answer tells it how that goes."""

    def __init__(self, outbox: "Outbox", question_id: int) -> None:
        self._outbox = outbox
        self._question_id = question_id

    async def sending(self) -> None:
        """Note that the answer is about to be sent."""
        await self._outbox.sending(self._question_id)

    async def delivered(self, message_ids: Sequence[int]) -> None:
        """Note that Discord has taken all of the answer, and in which messages."""
        await self._outbox.delivered(self._question_id, message_ids)

    def failed(self) -> None:
        """Note that Discord has not taken the answer: it is owed, and sent again later."""
        self._outbox.close(self._question_id)


class Outbox:
    """Keeps questions with their answers while they are worked on here; nothing that it does holds an answer up.

    What is not kept, because the database is away, is answered all the same, and would be lost with this process.
    """

    def __init__(
        self,
        store: AnswerStore,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.is_stopping = False
        """Whether the program is being stopped: what is interrupted by that is answered at the next start."""
        self._clock = clock
        self._monotonic = monotonic
        self._open: dict[int, bool] = {}
        self._away_until = 0.0

    def is_open(self, question_id: int) -> bool:
        """Return whether a question is being worked on in this process."""
        return question_id in self._open

    def is_kept(self, question_id: int) -> bool:
        """Return whether a question that is being worked on would be found again after a restart."""
        return self._open.get(question_id, False)

    def open(self, question_id: int, *, kept: bool) -> None:
        """Work on a question from now on."""
        self._open[question_id] = kept

    def close(self, question_id: int) -> None:
        """Work on a question no longer, whatever has become of it."""
        self._open.pop(question_id, None)

    async def keep(self, asking: Asking, compose: Compose) -> Reply:
        """Keep a question while its reply is composed, and return the reply with the promise to deliver it.

        Where composing fails, whoever calls apologises; that is the answer then, and none is owed.
        """
        question_id = asking.caller.id
        self.open(question_id, kept=False)
        kept = await self._kept(question_id, self.store.asked(question_of(asking)))
        self.open(question_id, kept=kept)
        try:
            reply = await compose()
        except asyncio.CancelledError:
            if not self.is_stopping:  # it took too long, or the question was withdrawn
                await self.give_up(question_id)
            raise
        except Exception:
            await self.give_up(question_id)
            raise
        return replace(reply, promise=Delivery(self, question_id))

    async def ready(self, asking: Asking, answered: Answered) -> None:
        """Keep an answer before it is sent."""
        question_id = asking.caller.id
        if self.is_kept(question_id):
            await self._kept(question_id, self.store.ready(question_id, answer_of(answered), now=self._clock()))

    async def sending(self, question_id: int) -> None:
        """Note that an answer is about to be sent."""
        if self.is_kept(question_id):
            await self._kept(question_id, self.store.sending(question_id, now=self._clock()))

    async def delivered(self, question_id: int, message_ids: Sequence[int]) -> None:
        """Note that Discord has taken an answer."""
        if self.is_kept(question_id):
            done = self.store.delivered(question_id, message_ids=message_ids, now=self._clock())
            if not await self._kept(question_id, done, always=True):
                return  # it stays open here, so that it is not sent again
        self.close(question_id)

    async def give_up(self, question_id: int) -> None:
        """Note that a question will not be answered any more."""
        if self.is_kept(question_id):
            await self._kept(question_id, self.store.give_up(question_id, now=self._clock()), always=True)
        self.close(question_id)

    async def _kept(self, question_id: int, writing: Awaitable[Any], *, always: bool = False) -> bool:
        """Return whether the database has taken something; it is not asked just after it failed, unless `always`."""
        if self._monotonic() < self._away_until and not always:
            getattr(writing, "close", lambda: None)()
            return False
        try:
            await writing
        except TemporaryError as error:
            self._away_until = self._monotonic() + PAUSE.total_seconds()
            logger.warning("question %d is not kept, and would be lost with this process: %r", question_id, error)
            return False
        return True


def question_of(asking: Asking) -> KeptQuestion:
    """Return a question as it is kept; the token of an interaction goes with it."""
    caller = asking.caller
    interaction = caller if isinstance(caller, discord.Interaction) else None
    return KeptQuestion(
        question_id=caller.id,
        guild_id=caller.guild_id,
        channel_id=caller.channel_id or 0,
        access_id=_access_id(caller),
        asker_id=caller.user.id,
        text=asking.text,
        private=asking.private,
        all_time=asking.all_time,
        asked_at=caller.created_at,
        locale="" if caller.locale is None else caller.locale.value,
        about=asking.about,
        application_id=None if interaction is None else interaction.application_id,
        token=None if interaction is None else interaction.token,
    )


def answer_of(answered: Answered) -> KeptAnswer:
    """Return an answer as it is kept."""
    answer = answered.answer
    return KeptAnswer(
        text=answer.text,
        outcome=answer.outcome.value,
        sources={source.number: source.message.message_id for source in answer.sources},
        notes=answer.notes,
        footer=footer(answer.searched),
        places=answered.question.places,
        shown_places=answer.shown_places,
        versions=_versions(answer),
        beside={source.number: source.beside.message_id for source in answer.sources if source.beside is not None},
        pages=tuple(KeptPage(page.title, page.address, page.extract, page.site) for page in answer.pages),
        former=answer.searched is not None and answer.searched.former,
        edits_known_to=_edits_known_to(answer, asked_at=answered.question.now),
    )


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _edits_known_to(answer: Answer, *, asked_at: datetime) -> datetime:
    """Return the time of the newest edit that an answer surely takes account of: any later one may change it.

    What was edited while the answer was made may have been read before or after. An answer of former messages knows of
    later ones.
    """
    if answer.searched is not None and answer.searched.former:
        return asked_at
    messages = [message for source in answer.sources for message in (source.message, source.beside) if message]
    edits = [message.edited_at for message in messages if message.edited_at and message.edited_at <= asked_at]
    return max(edits, default=_LONG_AGO)


def _versions(answer: Answer) -> dict[str, str]:
    return {name: str(version) for name, version in asdict(answer.versions).items()}


def _access_id(caller: Caller) -> int:
    """Return what opens the place of a question: the channel of a public thread, or else the place itself."""
    channel = caller.channel
    if isinstance(channel, discord.Thread) and not channel.is_private():
        return channel.parent_id
    return caller.channel_id or 0
