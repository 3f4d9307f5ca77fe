"""Deliver the answers that an earlier run of the program, or a failed request, has left undelivered.

While the token of an interaction lives, the message that waits for the answer is edited, which shows nothing twice
however often it is done. Later a public answer is sent to the channel of the question, which it names; that is done
only where the channel does not show it yet. A private answer that nobody else may see has no other way than the token,
so the question is given up then. Who may read what is computed anew, and what is cited is checked again.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

import aiohttp
import discord

from agent.markdown import inline
from bot.answering import Answered, Answerer, Asking
from bot.buttons import Reply
from bot.caller import Caller
from bot.events import message_of
from bot.layout import AnswerStyle
from bot.live_answer import LiveAnswer, is_under_way
from bot.outbox import Outbox
from bot.shards import available_guilds, has_direct_messages
from bot.shown import Sender
from bot.stored_caller import AskerGoneError, StoredCaller, has_token, stored_caller, webhook_of
from errors import TemporaryError
from memory.answers.kept import Kept, KeptQuestion, State

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=15)
TIDY_EVERY = timedelta(hours=1)
OWED_FOR = timedelta(hours=24)
"""How old a question may be that is still answered: later nobody waits for it."""

FIRST_PAUSE = timedelta(seconds=10)  # before a second attempt; it doubles with each
MOST_ATTEMPTS = 8
AT_ONCE = 16  # questions that are taken up side by side; the model has a queue of its own
ATTEMPT_LIMIT = timedelta(minutes=12)
LOOK_LIMIT = timedelta(seconds=20)  # for looking whether Discord shows an answer already
MOST_LOOKED_AT = 100  # messages after a question
LONGEST_NAMED = 200  # characters of a question

LATE = "-# I was away when <@{}> asked this {}: {}"
"""Begins an answer that stands in the channel without its question."""

_COMPARED = 120  # letters and digits with which two texts begin


class GivenUpError(Exception):
    """A question cannot be answered any more; `str(error)` says why."""


class Deliverer(Protocol):
    """Sends replies, and records what Discord took of them."""

    async def deliver(
        self,
        sender: Sender,
        caller: Caller,
        compose: Callable[[LiveAnswer | None], Awaitable[Reply]],
        *,
        style: AnswerStyle | None,
    ) -> tuple[int, ...]:
        """Send what `compose` returns; return the ids of its messages. Raises what Discord, or a time-out, raises.

        A live answer shows how it comes about.
        """


Compose = Callable[[Asking, Answered | None, LiveAnswer | None], Awaitable[Reply]]
"""Makes the reply to a question, from its answer where there is one; a live answer is told how that goes."""


class OwedAnswers:
    """Looks now and then for what is owed to the guilds of this process, from when it is first connected."""

    def __init__(
        self,
        client: discord.AutoShardedClient,
        outbox: Outbox,
        *,
        answerer: Answerer,
        compose: Compose,
        deliverer: Deliverer,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._outbox = outbox
        self._answerer = answerer
        self._compose = compose
        self._deliverer = deliverer
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._tidied: datetime | None = None

    def connected(self) -> None:
        """Look from now on: guilds are known."""
        if self._task is None and not self._outbox.is_stopping:
            self._task = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        """Look no more; what is owed stays owed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
                await self._tidy()
            except TemporaryError as error:
                logger.warning("it cannot be looked up which answers are owed: %r", error)
            except Exception:
                logger.exception("answers that are owed were not looked for")
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Take up all that is owed and not being worked on, a few side by side; raise DatabaseUnavailableError."""
        guilds = [guild.id for guild in available_guilds(self._client)]
        owed = await self._outbox.store.owed(guilds, direct_messages=has_direct_messages(self._client))
        turns, of_asker = asyncio.Semaphore(AT_ONCE), defaultdict[int, list[Kept]](list)
        for kept in filter(self._is_due, owed):
            of_asker[kept.question.asker_id].append(kept)

        async def take_up(questions: list[Kept]) -> None:
            for kept in questions:  # one after the other: somebody who has many open is turned away
                async with turns:
                    await self._take_up(kept)

        await asyncio.gather(*map(take_up, of_asker.values()))

    def _is_due(self, kept: Kept) -> bool:
        if self._outbox.is_open(kept.question.question_id):
            return False
        pause = FIRST_PAUSE * 2 ** (kept.attempts - 1) if kept.attempts else timedelta()
        return self._clock() >= kept.changed_at + pause

    async def _tidy(self) -> None:
        now = self._clock()
        if self._tidied is None or now >= self._tidied + TIDY_EVERY:
            await self._outbox.store.drop_old(now)
            self._tidied = now

    async def _take_up(self, kept: Kept) -> None:
        """Answer a question, and deliver the answer; what fails now is tried again later, so often at most."""
        question = kept.question
        question_id = question.question_id
        self._outbox.open(question_id, kept=True)
        try:
            self._give_up_old(kept)
            await self._outbox.store.taken_up(question_id, now=self._clock())
            async with asyncio.timeout(ATTEMPT_LIMIT.total_seconds()):
                message_ids = await self._delivered(kept)
        except (GivenUpError, AskerGoneError) as error:
            logger.warning("question %d is given up: %s", question_id, error)
            await self._outbox.give_up(question_id)
        except (TemporaryError, TimeoutError, discord.HTTPException, aiohttp.ClientError, OSError) as error:
            logger.warning("question %d is not answered yet: %r", question_id, error)
            self._outbox.close(question_id)
        except Exception:
            logger.exception("question %d is not answered yet", question_id)
            self._outbox.close(question_id)
        else:
            logger.info("question %d has its answer now, %s late", question_id, self._clock() - question.asked_at)
            await self._outbox.delivered(question_id, message_ids)

    def _give_up_old(self, kept: Kept) -> None:
        if self._clock() > kept.question.asked_at + OWED_FOR:
            raise GivenUpError("it is too old")
        if kept.attempts >= MOST_ATTEMPTS:
            raise GivenUpError("it was tried too often")
        if kept.question.private and not self._has_token(kept.question):
            raise GivenUpError("its answer is for the asker alone, and its token has ended")

    def _has_token(self, question: KeptQuestion) -> bool:
        return has_token(question, self._clock())

    async def _delivered(self, kept: Kept) -> tuple[int, ...]:
        """Send the answer to a question; return the ids of its messages."""
        question = kept.question
        caller = await stored_caller(self._client, question)
        asking = Asking(
            caller=caller,
            text=question.text,
            private=question.private,
            all_time=question.all_time,
            about=question.about,
        )
        answered = None if kept.answer is None else await self._answerer.restored(asking, kept)
        if self._has_token(question):
            try:
                return await self._edit_original(kept, asking, answered)
            except discord.HTTPException as error:
                if error.status not in {401, 404} or question.private:
                    raise
                logger.info("the token of question %d has ended: %r", question.question_id, error)
        return await self._send_to_channel(kept, caller, asking, answered)

    async def _edit_original(self, kept: Kept, asking: Asking, answered: Answered | None) -> tuple[int, ...]:
        """Show in the message that waits for an answer how the answer comes about, and then the answer."""
        sender = await _LateInteraction.open(self._client, kept.question)
        reply: Reply | None = None
        if kept.state is State.SENDING:
            reply = await self._compose(asking, answered, None)
            if says(sender.original, reply) and len(reply.parts) < 2:
                return (sender.original.id,)

        async def compose(live: LiveAnswer | None) -> Reply:
            made = reply or await self._compose(asking, answered, live)
            await self._outbox.sending(kept.question.question_id)
            return made

        return await self._deliverer.deliver(sender, asking.caller, compose, style=sender.style)

    async def _send_to_channel(
        self, kept: Kept, caller: StoredCaller, asking: Asking, answered: Answered | None
    ) -> tuple[int, ...]:
        """Send the answer to where it was asked for, unless it stands there already."""
        question = kept.question
        await self._check_channel(caller, question)
        reply = await self._compose(asking, answered, None)
        if kept.state is State.SENDING and (sent := await self._sent_already(caller, reply)) is not None:
            return (sent,)
        named = reply if question.application_id is None else naming(question, reply)

        async def compose(_: LiveAnswer | None) -> Reply:
            await self._outbox.sending(question.question_id)
            return named

        return await self._deliverer.deliver(_LateMessage(caller.channel, question), caller, compose, style=None)

    async def _check_channel(self, caller: StoredCaller, question: KeptQuestion) -> None:
        """Raise GivenUpError when an answer may not be shown there to everybody."""
        rights = caller.app_permissions
        is_thread = isinstance(caller.channel, discord.Thread)
        may_send = rights.send_messages_in_threads if is_thread else rights.send_messages
        if question.private:
            raise GivenUpError("its answer is for the asker alone, and its token has ended")
        if caller.channel is None or not (rights.view_channel and may_send):
            raise GivenUpError("the bot may not send to its channel, and its token has ended")
        if question.application_id is None:
            await self._find_question(caller)

    async def _find_question(self, caller: StoredCaller) -> None:
        """Raise GivenUpError when the message that asked was deleted."""
        try:
            async with asyncio.timeout(LOOK_LIMIT.total_seconds()):
                await caller.channel.fetch_message(caller.id)
        except discord.NotFound as error:
            raise GivenUpError("it was deleted") from error
        except discord.Forbidden:
            logger.info("question %d cannot be looked at", caller.id)

    async def _sent_already(self, caller: StoredCaller, reply: Reply) -> int | None:
        """Return the id of the message that shows an answer already: it may have been sent just before a crash."""
        if not caller.app_permissions.read_message_history:
            raise GivenUpError("it may have been answered, and the bot may not look")
        async with asyncio.timeout(LOOK_LIMIT.total_seconds()):
            after = discord.Object(caller.id)
            async for message in caller.channel.history(after=after, limit=MOST_LOOKED_AT, oldest_first=True):
                if message.author.id == getattr(self._client.user, "id", None) and says(message, reply):
                    return int(message.id)
        return None


class _LateInteraction:
    """Answers an interaction of an earlier run: the message that waits for the answer is edited."""

    def __init__(self, webhook: discord.Webhook, original: discord.WebhookMessage, *, private: bool) -> None:
        self._webhook = webhook
        self._private = private
        self.original = original

    @classmethod
    async def open(cls, client: discord.Client, question: KeptQuestion) -> "_LateInteraction":
        """Return an interaction whose token lives; raise discord.NotFound where its answer was deleted."""
        webhook = webhook_of(client, question)
        async with asyncio.timeout(LOOK_LIMIT.total_seconds()):
            original = await webhook.fetch_message(cast("int", "@original"))
        return cls(webhook, original, private=question.private)

    @property
    def style(self) -> AnswerStyle | None:
        """How the answer has to look: what is a card already can never become plain text again."""
        return AnswerStyle.CARD if self.original.flags.components_v2 else None

    async def send(self, *, first: bool, **fields: Any) -> discord.Message:
        """Send a message, the first one in the place of what stands there."""
        if first:
            return await self._webhook.edit_message(self.original.id, **fields)
        return cast("discord.Message", await self._webhook.send(ephemeral=self._private, wait=True, **fields))


@dataclass(frozen=True, slots=True)
class _LateMessage:
    """Answers a question in its channel: as a reply to it where it was a message."""

    channel: Any
    question: KeptQuestion

    async def send(self, *, first: bool, **fields: Any) -> discord.Message:
        """Send a message to everybody who reads there; Discord takes the first one but once."""
        if first:
            fields["nonce"] = self.question.question_id
        if first and self.question.application_id is None:
            fields["reference"] = discord.MessageReference(
                message_id=self.question.question_id, channel_id=self.question.channel_id, fail_if_not_exists=False
            )
            fields["mention_author"] = False
        return cast("discord.Message", await self.channel.send(**fields))


def naming(question: KeptQuestion, reply: Reply) -> Reply:
    """Return a reply that tells which question it answers, of whom and when."""
    when = discord.utils.format_dt(question.asked_at, "R")
    name = LATE.format(question.asker_id, when, inline(question.text, longest=LONGEST_NAMED))
    first, *rest = reply.parts or [""]
    return replace(reply, parts=[f"{name}\n{first}", *rest])


def says(message: discord.Message, reply: Reply) -> bool:
    """Return whether a message shows the beginning of a reply, with or without the name of its question before it.

    A draft does not, which ends in what is being done: the process was killed before it was the answer.
    """
    wanted = _letters(reply.parts[0] if reply.parts else "")[:_COMPARED]
    shown = message_of(message, session="").content
    if is_under_way(shown):
        return False
    lines = [shown, shown.partition("\n")[2]]
    return bool(wanted) and any(_letters(line).startswith(wanted) for line in lines)


def _letters(text: str) -> str:
    """Return the letters and digits of a text: what Discord does to its marks changes none of these."""
    return "".join(character for character in text if character.isalnum())
