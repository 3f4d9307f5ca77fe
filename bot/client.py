"""The Discord client: what it listens to, how it starts, how it stops."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.backoff import ExponentialBackoff

from bot.answer_updates import AnswerUpdates
from bot.audience import Readers
from bot.buttons import Buttons
from bot.command_runner import JOURNAL_LIMIT, CommandRunner
from bot.commands import SlashCommands, add_commands
from bot.events import (
    authorship_of,
    counted_of,
    deletion_of,
    edit_of,
    message_of,
    message_of_payload,
    names_in_channel,
    place_of_id,
)
from bot.features import (
    catchup,
    consent,
    coverage,
    decisions,
    digest,
    forget,
    limits,
    memory,
    mentions,
    remember,
    reminders,
    search,
    settings,
    status,
    time_zones,
    timeline,
    unanswered,
    who,
)
from bot.features.digest.keeper import DigestKeeper
from bot.features.mentions.answers import Mentions
from bot.features.reminders.delivery import ReminderDelivery
from bot.history.keeper import HistoryKeeper
from bot.history.pace import background_limiter, paced_by
from bot.history.running import RunningBackfills
from bot.join_notice import give_notice
from bot.live_replies import LiveReplies
from bot.outbox import Outbox
from bot.owed_answers import OwedAnswers
from bot.parts import Parts
from bot.places import Places
from bot.private_threads import PrivateThreads, load_none
from bot.reactions import PAUSE, ReactedTo, ReactionCounts
from bot.running_handlers import RunningHandlers
from bot.services import Services
from bot.shards import ShardedClient, has_direct_messages
from bot.text_files import ReadFile, ReadingFiles, TextFiles, download
from bot.withdrawals import Withdrawals
from db.shards import ONE_SHARD, ShardRange
from errors import DiscordSetupError, JournalUnavailableError
from memory.message import Kind, Message

logger = logging.getLogger(__name__)

_ReactionEvent = discord.RawReactionActionEvent | discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent

Parser = Callable[[Any], None]
Listener = Callable[[str, Any], None]

NEEDED = {"READY"}
"""Events without which there is nothing to go on with: an error in one of these ends the start, as it should."""


def guard_parsers(parsers: MutableMapping[str, Parser], *, seen: Sequence[Listener], unread: Listener) -> None:
    """Let an error in reading one event be logged, and the event be handed to `unread` as it came.

    `parsers` are those of a discord.py client, by the names of the events; each of `seen` gets each event afterwards,
    when the client's cache has learnt from it. Without this, discord.py lets an error in any of them through to whoever
    runs the client.
    """
    for event, parser in list(parsers.items()):
        if event not in NEEDED:
            parsers[event] = partial(_parsed, event, parser, seen, unread)


def _parsed(event: str, parser: Parser, seen: Sequence[Listener], unread: Listener, data: Any) -> None:
    try:
        parser(data)
    except Exception:
        logger.exception("an event %s cannot be read as discord.py reads it", event)
        unread(event, data)
    for learn in seen:
        try:
            learn(event, data)
        except Exception:
            logger.exception("an event %s is not understood", event)


LOGIN_LIMIT = timedelta(seconds=60)
PUBLISHING_LIMIT = timedelta(seconds=60)
CLOSING_GRACE = timedelta(seconds=2)  # for what is being recorded
CLOSING_FAREWELL = timedelta(seconds=5)  # for telling those who wait for an answer
FETCHING_LIMIT = timedelta(seconds=20)

TOKEN_REFUSED = "Discord refuses DISCORD_TOKEN: copy the token again from the Bot page of the Developer Portal."  # noqa: S105
INTENT_REFUSED = (
    'Discord refuses to show message texts: switch on "Message Content Intent" on the Bot page of the Developer '
    "Portal (https://discord.com/developers/applications), then start again."
)
SHARDS_REFUSED = (
    "Discord does not accept these shards: leave DISCORD_SHARDS empty in .env, or give it more shards, as in 0-7/8; "
    "every process has to name the same count."
)
REFUSED = {4004: TOKEN_REFUSED, 4010: SHARDS_REFUSED, 4011: SHARDS_REFUSED}
"""What to do about a connection that Discord closes for good, by its close code."""

FEATURES = (
    time_zones.add_commands,
    settings.add_commands,
    limits.add_commands,
    consent.add_commands,
    status.add_commands,
    coverage.add_commands,
    remember.add_commands,
    decisions.add_commands,
    forget.add_commands,
    memory.add_commands,
    mentions.add_commands,
    reminders.add_commands,
    catchup.add_commands,
    unanswered.add_commands,
    search.add_commands,
    timeline.add_commands,
    who.add_commands,
    digest.add_commands,
)
"""What each package of bot/features puts on the command tree."""


class Bot(ShardedClient):
    """Records every message that it sees, and answers slash commands.

    With `shards` None it runs as many as Discord recommends.
    """

    def __init__(
        self,
        services: Services,
        *,
        server_id: int | None = None,
        announce: Callable[[str], None] | None = None,
        shards: ShardRange | None = ONE_SHARD,
        read_file: ReadFile = download,
        reaction_pause: timedelta = PAUSE,
    ) -> None:
        super().__init__(
            shards=shards,
            intents=intents(),
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=paced_by(background_limiter()),
        )
        self._services = services
        self._server_id = server_id
        self._announce = announce
        self._in_flight = RunningHandlers()
        self._reactions = ReactionCounts(self._count_reactions, pause=reaction_pause)
        self._text_files = TextFiles(self._record, clock=services.clock, read=read_file)
        self.places = Places(
            services.places, clock=services.clock, guild_of=self.get_guild, rules=lambda: services.rules
        )
        private_threads = PrivateThreads(load_none if services.places is None else services.places.private_threads)
        readers = Readers(services.guild_settings, spoilers=self.places, private_threads=private_threads)
        learning: list[Listener] = [readers.note, self.places.note]
        guard_parsers(self._connection.parsers, seen=learning, unread=partial(self.dispatch, "unread_event"))
        self._history = self._new_history_keeper()
        self._digests = self._new_digest_keeper(readers)
        if self._digests is not None:
            learning.append(self._digests.note)
        self._unavailable: set[int] = set()
        self._buttons = Buttons(self._in_flight)
        outbox = None if services.answers is None else Outbox(services.answers, clock=services.clock)
        self._outbox = outbox
        self._withdrawals = Withdrawals()
        runner = CommandRunner(services, self._buttons, outbox, self._withdrawals)
        cited_check = None if self._history is None else self._history.cited_check
        self._commands = SlashCommands(services, runner, self._in_flight, readers, cited_check, outbox)
        self.add_dynamic_items(self._commands.answer_buttons.kind)
        self._owed = None if outbox is None else self._new_owed_answers(outbox, runner)
        self._updates = self._new_answer_updates()
        self.tree = app_commands.CommandTree(self)
        self.tree.error(runner.apologise)
        add_commands(self.tree, self._commands)
        self._backfills = self._new_backfills()
        self._live_replies = LiveReplies(self._buttons, services.answer_style)
        parts = Parts(
            client=self,
            services=services,
            runner=runner,
            readers=readers,
            in_flight=self._in_flight,
            buttons=self._buttons,
            live_replies=self._live_replies,
            chat=self._commands,
            withdrawals=self._withdrawals,
            outbox=outbox,
            backfills=self._backfills,
        )
        for add_feature in FEATURES:
            add_feature(self.tree, parts)
        self._mentions = Mentions(parts)
        self._reminders = ReminderDelivery(parts, shards)

    def _new_owed_answers(self, outbox: Outbox, runner: CommandRunner) -> OwedAnswers:
        return OwedAnswers(
            self,
            outbox,
            answerer=self._commands.answerer,
            compose=self._commands.reply_late,
            deliverer=runner,
            clock=self._services.clock,
        )

    def _new_history_keeper(self) -> HistoryKeeper | None:
        services = self._services
        if services.history is None:
            return None
        return HistoryKeeper(
            self,
            memory=services.history,
            recorder=ReadingFiles(services.recorder, self._text_files),
            session=services.session,
            clock=services.clock,
            time_zone=services.time_zone,
            is_busy=lambda: self._in_flight.any_running,
            learn=self.places.note_payload,
            other_bots=services.other_bots,
        )

    def _new_digest_keeper(self, readers: Readers) -> DigestKeeper | None:
        services = self._services
        if services.digests is None or services.overviews is None:
            return None
        return DigestKeeper(
            self, services=services, readers=readers, digests=services.digests, digest=services.overviews.digest
        )

    def _new_answer_updates(self) -> AnswerUpdates | None:
        services = self._services
        if services.answer_changes is None or services.lookup is None:
            return None
        return AnswerUpdates(
            self,
            services,
            changes=services.answer_changes,
            lookup=services.lookup,
            answerer=self._commands.answerer,
            under=self._commands.answer_buttons,
            buttons=self._buttons,
        )

    def _new_backfills(self) -> RunningBackfills | None:
        services = self._services
        if services.history is None:
            return None
        return RunningBackfills(
            self,
            memory=services.history,
            recorder=ReadingFiles(services.recorder, self._text_files),
            session=services.session,
            clock=services.clock,
            learn=self.places.note_payload,
            other_bots=services.other_bots,
        )

    async def setup_hook(self) -> None:
        """Make the bot's commands known to Discord, once for all processes that share its shards; begin to remind."""
        self._reminders.start()
        if has_direct_messages(self):
            await self._publish_commands()

    async def on_connect(self) -> None:
        """Tell once how to invite the bot, now that Discord has taken its token and its intents."""
        announce, self._announce = self._announce, None
        if announce is not None:
            invitation = f"Invite the bot with {invite_link(self.application_id or 0)}"
            logger.info("%s", invitation)
            announce(invitation)

    async def on_shard_ready(self, shard_id: int) -> None:
        """Read again what a shard has missed: a connection that is ready, and not resumed, is told nothing of it."""
        self._read_missed(guild for guild in self.guilds if guild.shard_id == shard_id)
        if self._owed is not None:
            self._owed.connected()
        if self._updates is not None:
            self._updates.connected()
        if self._digests is not None:
            self._digests.start()

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that a shard hears nothing, until it is connected again."""
        if self._history is not None:
            self._history.disconnected(guild.id for guild in self.guilds if guild.shard_id == shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that a shard has heard all that happened while its connection was lost."""
        if self._history is not None:
            self._history.resumed(guild.id for guild in self.guilds if guild.shard_id == shard_id)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        """Listen to a new channel."""
        self._note_sight([channel])

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, channel: discord.abc.GuildChannel
    ) -> None:
        """Listen to a channel that the bot has come to see, and no more to one that is hidden from it.

        `channel` is as it is by now; `before` may be the only sign that it was hidden for a moment.
        """
        self._note_sight([before, channel])

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Listen no more to a channel that is gone."""
        self._note_hidden(channel)

    def _note_sight(self, states: Iterable[discord.abc.GuildChannel]) -> None:
        """Note of the states of a channel, in their order, whether the bot sees it."""
        for channel in states:
            if not channel.permissions_for(channel.guild.me).view_channel:
                self._note_hidden(channel)
            elif self._history is not None and isinstance(channel, discord.abc.Messageable):
                self._history.seen(channel.guild.id, channel.id)

    def _note_hidden(self, channel: discord.abc.GuildChannel) -> None:
        if self._history is not None:
            threads = (thread.id for thread in channel.guild.threads if thread.parent_id == channel.id)
            self._history.hidden(channel.guild.id, [channel.id, *threads])

    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """Note that Discord cannot serve a server just now."""
        self._unavailable.add(guild.id)
        if self._history is not None:
            self._history.disconnected([guild.id])

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Read again what was missed of a server that Discord could not serve for a while."""
        if guild.id in self._unavailable:
            self._unavailable.discard(guild.id)
            self._read_missed([guild])

    def _read_missed(self, guilds: Iterable[discord.Guild]) -> None:
        if self._history is not None:
            self._history.connected(guild.id for guild in guilds)

    async def close(self) -> None:
        """Let the running handlers end, take the buttons away, then close the connection."""
        if self._outbox is not None:
            self._outbox.is_stopping = True
        if self._owed is not None:
            await self._owed.close()
        if self._updates is not None:
            await self._updates.close()
        await self._in_flight.finish(grace=CLOSING_GRACE, farewell=CLOSING_FAREWELL)
        if self._backfills is not None:
            await self._backfills.close()
        await self._live_replies.close()
        await self._reminders.close()
        if self._digests is not None:
            await self._digests.close()
        if self._history is not None:
            await self._history.close()
        await self._reactions.close()
        await self._text_files.close()
        await self._buttons.close()
        await super().close()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Publish the commands in the bot's server once the bot is invited there, and read what it missed."""
        self._read_missed([guild])  # it may have been there before
        with self._in_flight.entered():
            await give_notice(guild, self._services)
        if guild.id == self._server_id:
            await self._publish_commands()

    async def on_message(self, message: discord.Message) -> None:
        """Record a message, and answer it if it asks the bot; the bot's own are recorded where they are sent."""
        state = message_of(message, session=self._services.session, me=self._me)
        is_question = state.kind is Kind.COMMAND
        patience = JOURNAL_LIMIT if is_question else None  # whoever asks does not wait for a disk that is full
        await self._record_state(state, authorship_of(message), is_new=True, patience=patience)
        if is_question:
            await self._mentions.answer(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Record what a message says after an edit."""
        edit = edit_of(payload, session=self._services.session, now=self._services.clock(), me=self._me)
        if edit is not None:
            await self._record_state(edit, authorship_of(payload.message))

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        """Record that a message was deleted."""
        await self._delete({payload.message_id}, payload.channel_id, payload.guild_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        """Record that many messages were deleted at once."""
        await self._delete(payload.message_ids, payload.channel_id, payload.guild_id)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        """Count reactions after one was added."""
        self._note_reaction(payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        """Count reactions after one was taken back."""
        self._note_reaction(payload)

    async def on_raw_reaction_clear(self, payload: discord.RawReactionClearEvent) -> None:
        """Count reactions after all were removed."""
        self._note_reaction(payload)

    async def on_raw_reaction_clear_emoji(self, payload: discord.RawReactionClearEmojiEvent) -> None:
        """Count reactions after all with one emoji were removed."""
        self._note_reaction(payload)

    async def on_unread_event(self, event: str, data: Any) -> None:
        """Record a message or a deletion of which discord.py could not read something, from the event as it came."""
        match event:
            case "MESSAGE_CREATE" | "MESSAGE_UPDATE":
                state = self._state_of(data)
                if event == "MESSAGE_CREATE" or state.edited_at:
                    await self._record_state(state, data)
            case "MESSAGE_DELETE":
                await self._delete({int(data["id"])}, int(data["channel_id"]), _guild_of(data))
            case "MESSAGE_DELETE_BULK":
                ids = {int(message_id) for message_id in data["ids"]}
                await self._delete(ids, int(data["channel_id"]), _guild_of(data))

    async def _publish_commands(self) -> None:
        """Publish the commands: at once in the bot's server when it has one, else wherever the bot is."""
        server = None if self._server_id is None else discord.Object(self._server_id)
        if server is not None:
            self.tree.copy_global_to(guild=server)
        try:
            async with asyncio.timeout(PUBLISHING_LIMIT.total_seconds()):
                await self.tree.sync(guild=server)
        except discord.Forbidden:
            if server is None:
                raise
            logger.warning(
                "The bot is not in server %d (DISCORD_SERVER_ID) yet: invite it with the link that it prints",
                self._server_id,
            )

    async def _delete(self, message_ids: set[int], channel_id: int, guild_id: int | None) -> None:
        """Answer no more what was deleted, and record that it was."""
        self._withdrawals.deleted(message_ids)
        await self._record_deletions(message_ids, channel_id, guild_id)
        await self._mentions.deleted(message_ids)

    async def _record_deletions(self, message_ids: set[int], channel_id: int, guild_id: int | None) -> None:
        place, now = place_of_id(self, channel_id, guild_id), self._services.clock()
        for message_id in sorted(message_ids):
            await self._record(deletion_of(message_id, place, session=self._services.session, deleted_at=now))

    async def _record(self, message: Message, *, is_new: bool = False, patience: timedelta | None = None) -> None:
        with self._in_flight.entered():
            try:
                await self._services.recorder.record(message, patience=patience)
            except JournalUnavailableError:  # the recorder has counted and logged it
                if self._history is not None:
                    self._history.not_recorded(message)
            else:
                if self._history is not None and is_new:
                    self._history.heard(message)

    async def _record_state(
        self, state: Message, authorship: Mapping[str, Any], *, is_new: bool = False, patience: timedelta | None = None
    ) -> None:
        """Record what somebody else says, unless they are a bot that is left out; then read its text files."""
        if not self._is_mine(authorship) and self._services.other_bots.keeps(authorship):
            await self._record(state, is_new=is_new, patience=patience)
            self._text_files.note(state)

    def _note_reaction(self, event: _ReactionEvent) -> None:
        self._reactions.note(ReactedTo(event.message_id, event.channel_id, event.guild_id))

    async def _count_reactions(self, reacted_to: ReactedTo) -> bool:
        """Record how often a message was reacted to; return whether Discord had to be asked for it."""
        session, now = self._services.session, self._services.clock()
        known = self._connection._get_message(reacted_to.message_id)  # noqa: SLF001 - the cache has no other way in
        authorship = await self._fetched(reacted_to) if known is None else authorship_of(known)
        state = (
            counted_of(known, session=session, now=now, me=self._me) if known else self._state_of(authorship, now=now)
        )
        if self._is_mine(authorship):
            state = replace(state, kind=Kind.ANSWER)
        if self._services.other_bots.keeps(authorship):
            await self._record(state)
        return known is None

    async def _fetched(self, message: ReactedTo) -> Mapping[str, Any]:
        """Return a message as Discord's API gives it."""
        async with asyncio.timeout(FETCHING_LIMIT.total_seconds()):
            data = await self.http.get_message(message.channel_id, message.message_id)
        return {**data, "guild_id": message.guild_id}

    def _state_of(self, data: Mapping[str, Any], *, now: datetime | None = None) -> Message:
        return message_of_payload(
            data,
            session=self._services.session,
            place_of_id=partial(place_of_id, self),
            names_in=partial(names_in_channel, self),
            me=self._me,
            now=now,
        )

    @property
    def _me(self) -> int | None:
        return None if self.user is None else self.user.id

    def _is_mine(self, authorship: Mapping[str, Any]) -> bool:
        author = authorship.get("author")
        return self.user is not None and isinstance(author, Mapping) and str(author.get("id")) == str(self.user.id)


def _guild_of(data: Any) -> int | None:
    return int(data["guild_id"]) if data.get("guild_id") else None


def intents() -> discord.Intents:
    """Return the intents that are needed and no more; only message content is a privileged one."""
    return discord.Intents(
        guilds=True,
        guild_messages=True,
        dm_messages=True,
        guild_reactions=True,
        dm_reactions=True,
        message_content=True,
    )


def invite_link(application_id: int) -> str:
    """Return the address under which the owner of a server invites the bot, with the permissions it needs."""
    permissions = discord.Permissions(
        view_channel=True,
        read_message_history=True,
        send_messages=True,
        send_messages_in_threads=True,
        embed_links=True,
    )
    return discord.utils.oauth_url(application_id, permissions=permissions, scopes=("bot", "applications.commands"))


async def serve(bot: ShardedClient, token: str) -> None:
    """Run the bot until it is cancelled, and close it in any case; raise DiscordSetupError when Discord refuses."""
    async with bot:
        await login(bot, token)
        await _connect(bot)


async def login(bot: discord.Client, token: str) -> None:
    """Show Discord the token; raise DiscordSetupError when it is refused or Discord is away."""
    try:
        async with asyncio.timeout(LOGIN_LIMIT.total_seconds()):
            await bot.login(token)
    except discord.LoginFailure as error:
        raise DiscordSetupError(TOKEN_REFUSED) from error
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        reason = str(error) or type(error).__name__
        raise DiscordSetupError(f"Discord cannot be reached: {reason}; try again later.") from error


async def _connect(bot: ShardedClient) -> None:
    """Stay connected, also beyond what discord.py cannot read of the connection itself; raise when Discord refuses."""
    pauses = ExponentialBackoff()  # grows to a quarter of an hour: Discord allows a thousand log-ins a day
    while not bot.is_closed():
        try:
            await bot.connect()
        except discord.PrivilegedIntentsRequired as error:
            raise DiscordSetupError(INTENT_REFUSED) from error
        except discord.ConnectionClosed as error:
            reason = REFUSED.get(error.code, f"Discord closed the connection for good (code {error.code}).")
            raise DiscordSetupError(reason) from error
        except Exception:
            pause = pauses.delay()
            logger.exception("the connection to Discord cannot be read; connecting anew in %.1f s", pause)
            await bot.hang_up()
            await asyncio.sleep(pause)
