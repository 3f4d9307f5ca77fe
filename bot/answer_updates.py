"""Update the messages that show an answer, in Discord, after what the answer cites was edited or deleted.

While the token of an interaction lives its messages are edited by that, private ones too; later a public answer is
edited in its channel. What nobody but the asker sees cannot be reached any more then: the button for its sources tells
what has changed. A message in an archived thread waits, for whoever edits there must not take the thread out of the
archive. What fails is tried again, at growing pauses, for a week.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import aiohttp
import discord

from agent.changed_answers import as_it_stands
from agent.types import Answer
from bot.answer_buttons import Action, AnswerButtons, actions_under
from bot.answering import Answerer, Asking
from bot.buttons import Buttons, Reply
from bot.layout import AnswerStyle, Posting, laid_out
from bot.owed_answers import naming
from bot.rendering import render
from bot.services import Lookup, Services
from bot.shards import available_guilds, has_direct_messages
from bot.shown import SEND_LIMIT
from bot.stored_caller import TOKEN_LIFE, AskerGoneError, has_token, stored_caller, webhook_of
from errors import TemporaryError
from memory.answers.changes import AnswerChanges, ChangedAnswer
from memory.answers.kept import KeptQuestion
from util_async import FailureLog

logger = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=5)
FORGET_EVERY = timedelta(minutes=1)
AT_ONCE = 4  # answers that are updated side by side; discord.py waits where Discord's limits ask for it
FIRST_PAUSE = timedelta(seconds=10)  # before a second attempt; it doubles with each
LONGEST_PAUSE = timedelta(hours=1)
OLD_MESSAGE_PAUSE = timedelta(minutes=10)  # messages older than an hour may be edited now and then only
ARCHIVED_PAUSE = timedelta(minutes=10)
GIVEN_UP_AFTER = timedelta(days=7)
TRY_LIMIT = timedelta(minutes=3)

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, NOT_MINE = 10003, 10008, 50005
ARCHIVED, TOO_MANY_EDITS_OF_OLD = 50083, 30046
_FOR_GOOD = {UNKNOWN_CHANNEL, NOT_MINE}
_FOR_NOW = {ARCHIVED: ARCHIVED_PAUSE, TOO_MANY_EDITS_OF_OLD: OLD_MESSAGE_PAUSE}
"""How long is waited where Discord refuses to edit a message, by its code."""

_Failure = (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError, TemporaryError)


class UnreachableError(Exception):
    """What shows an answer cannot be edited, now or ever; `str(error)` says why."""


class WaitingError(Exception):
    """What shows an answer cannot be edited for now, though nothing has failed."""


class AnswerUpdates:
    """Looks now and then for answers to update, of the guilds of this process, from when it is first connected."""

    def __init__(
        self,
        client: discord.AutoShardedClient,
        services: Services,
        *,
        changes: AnswerChanges,
        lookup: Lookup,
        answerer: Answerer,
        under: AnswerButtons,
        buttons: Buttons,
    ) -> None:
        self._client = client
        self._services = services
        self._changes = changes
        self._lookup = lookup
        self._answerer = answerer
        self._under = under
        self._buttons = buttons
        self._failures = FailureLog(logger)
        self._task: asyncio.Task[None] | None = None
        self._forgotten: datetime | None = None

    def connected(self) -> None:
        """Look from now on: guilds are known."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        """Look no more; what is to be updated stays so."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except TemporaryError as error:
                self._failures.failed("look", f"it cannot be looked up which answers are to be updated: {error!r}")
            except Exception as error:  # noqa: BLE001 - one look that fails must not be the last
                self._failures.failed("look", f"answers to update were not looked for: {error!r}", error)
            else:
                self._failures.worked("look")
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Update what is due, a few answers side by side; raise DatabaseUnavailableError."""
        now = self._services.clock()
        if self._forgotten is None or now >= self._forgotten + FORGET_EVERY:
            await self._changes.forget_tokens(before=now - TOKEN_LIFE)
            self._forgotten = now
        guilds = [guild.id for guild in available_guilds(self._client)]
        due = await self._changes.due(guilds, direct_messages=has_direct_messages(self._client), now=now)
        turns = asyncio.Semaphore(AT_ONCE)

        async def take(changed: ChangedAnswer) -> None:
            async with turns:
                await self._take(changed)

        await asyncio.gather(*map(take, due))

    async def _take(self, changed: ChangedAnswer) -> None:
        """Update one answer, and take it out of the queue unless that is to be tried again."""
        now = self._services.clock()
        pause = min(FIRST_PAUSE * 2 ** min(changed.tries, 20), LONGEST_PAUSE)
        await self._changes.try_at(changed, now + pause)  # first: a kill in between costs this pause
        wait = await self._updated(changed)
        if wait is None:
            self._failures.worked(changed.kept.question.question_id)
            await self._changes.done(changed, now=self._services.clock())
        elif wait:
            await self._changes.try_at(changed, now + max(wait, pause))

    async def _updated(self, changed: ChangedAnswer) -> timedelta | None:
        """Update one answer, if that can be; return how long to wait at least for another attempt, None for none."""
        question_id = changed.kept.question.question_id
        wait: timedelta | None = None
        try:
            async with asyncio.timeout(TRY_LIMIT.total_seconds()):
                await self._update(changed)
        except WaitingError as error:
            wait = self._wait(changed, str(error), ARCHIVED_PAUSE)
        except UnreachableError as error:
            logger.info("answer to question %d stays as it is: %s", question_id, error)
        except _Failure as error:
            code = int(getattr(error, "code", None) or 0)
            wait = None if code in _FOR_GOOD else self._wait(changed, repr(error), _FOR_NOW.get(code, timedelta()))
        except Exception:
            logger.exception("answer to question %d cannot be updated", question_id)
        else:
            logger.info("answer to question %d is updated: what it cites has changed", question_id)
        return wait

    def _wait(self, changed: ChangedAnswer, why: str, pause: timedelta) -> timedelta | None:
        """Return how long to wait; None, and the log says so, when it has been tried for long enough."""
        question_id = changed.kept.question.question_id
        if self._services.clock() < changed.since + GIVEN_UP_AFTER:
            self._failures.failed(question_id, f"answer to question {question_id} is not updated yet: {why}")
            return pause
        logger.warning("answer to question %d is not updated any more: %s", question_id, why)
        return None

    async def _update(self, changed: ChangedAnswer) -> None:
        question = changed.kept.question
        posts = await self._posts(changed)
        style = AnswerStyle.CARD if posts[0].flags.components_v2 else AnswerStyle.TEXT
        reply = await self._reply(changed, actions_under(posts))
        if question.application_id is not None and posts[0].interaction_metadata is None and not question.private:
            reply = naming(question, reply)
        postings = laid_out(reply, style)[: len(posts)]
        for post, posting in zip(posts, postings, strict=False):
            await self._edit(post, posting)
        for post in posts[len(postings) :]:
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                await post.delete()

    async def _edit(self, post: discord.Message, posting: Posting) -> None:
        view = posting.view(self._buttons)
        async with asyncio.timeout(SEND_LIMIT.total_seconds()):
            await post.edit(**posting.fields(view) | {"view": cast("Any", view)})

    # ---- what it says by now

    async def _reply(self, changed: ChangedAnswer, actions: tuple[Action, ...]) -> Reply:
        """Return the answer as it may be shown by now, with the buttons that are under it."""
        question = changed.kept.question
        zone = await self._services.zone_of(question.asker_id, question.guild_id)
        shown = render(await self._answer(changed, zone.zone), zone.zone)
        buttons = tuple(self._under.kind(action, question.question_id) for action in actions)
        return Reply([shown.text], buttons, sources=shown.sources, notes=shown.notes)

    async def _answer(self, changed: ChangedAnswer, time_zone: ZoneInfo) -> Answer:
        kept = changed.kept
        if kept.answer is None:
            return as_it_stands(kept, {}, may_quote=(), time_zone=time_zone)
        found = await self._lookup.lookup(kept.answer.cites, places=kept.answer.places)
        allowed = await self._allowed_places(changed) if kept.edited else frozenset()
        may_quote = {message_id for message_id, message in found.items() if message.place_id in allowed}
        return as_it_stands(kept, found, may_quote=may_quote, time_zone=time_zone)

    async def _allowed_places(self, changed: ChangedAnswer) -> frozenset[int]:
        """Return the places of an answer from which its readers may be shown something new; none for nobody."""
        kept = changed.kept
        if kept.answer is None:
            return frozenset()
        try:
            caller = await stored_caller(self._client, kept.question)
        except AskerGoneError:
            return frozenset()
        asking = Asking(caller=caller, text=kept.question.text, private=kept.question.private)
        return await self._answerer.still_allowed(asking, kept.answer.places)

    # ---- where it stands

    async def _posts(self, changed: ChangedAnswer) -> list[discord.Message]:
        """Return the messages that show an answer, at least one.

        Raises UnreachableError where none can be edited ever, WaitingError where none can be now.
        """
        question, ids = changed.kept.question, changed.kept.message_ids
        posts: list[discord.Message] | None = None
        if has_token(question, self._services.clock()):
            posts = await self._posts_by_token(question, ids)
        if posts is None:
            if question.private:
                raise UnreachableError("only its asker sees it, and its token has ended")
            channel = await self._channel(question)
            posts = [post async for post in _found(channel.fetch_message, ids)]
        if not posts:
            raise UnreachableError("it was deleted")
        return posts

    async def _posts_by_token(self, question: KeptQuestion, ids: tuple[int, ...]) -> list[discord.Message] | None:
        """Return the messages of an interaction; None where its token has ended."""
        try:
            return [post async for post in _found(webhook_of(self._client, question).fetch_message, ids)]
        except discord.HTTPException as error:
            if error.status not in {401, 404}:
                raise
            return None

    async def _channel(self, question: KeptQuestion) -> Any:
        """Return the channel or thread that shows an answer."""
        if question.guild_id is None:
            return self._client.get_partial_messageable(question.channel_id)
        guild = self._client.get_guild(question.guild_id)
        if guild is None:
            raise WaitingError("its server is not there")
        try:
            channel = guild.get_channel_or_thread(question.channel_id)
            channel = channel or await guild.fetch_channel(question.channel_id)
        except discord.NotFound as error:
            raise UnreachableError("its channel is gone") from error
        if isinstance(channel, discord.Thread) and channel.archived:
            raise WaitingError("its thread is archived")
        return channel


async def _found(
    fetch: Callable[[int], Awaitable[discord.Message]], message_ids: Iterable[int]
) -> AsyncGenerator[discord.Message]:
    """Yield those of some messages that are still there."""
    for message_id in message_ids:
        try:
            async with asyncio.timeout(SEND_LIMIT.total_seconds()):
                message = await fetch(message_id)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
        else:
            yield message
