"""Keep which messages somebody has marked as decisions, and which decision takes the place of which."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.sql import SQL
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.statements import execute, fetch
from memory.filters import EVERY_GUILD, Guild
from memory.message import sanitize

MOST_DECISIONS = 1000
"""Of a guild, the newest; what was decided before those is not listed."""

LONGEST_TITLE = 100  # characters

_ANSWER_LIMIT = timedelta(seconds=5)  # somebody waits for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A message that somebody has marked; the message itself says what was decided.

    `title` is empty where nobody gave one. `supersedes` is the message whose decision this one takes the place of.
    """

    guild_id: int
    message_id: int
    channel_id: int
    thread_id: int | None
    author_id: int | None
    sent_at: datetime
    marked_by: int | None
    marked_at: datetime
    title: str = ""
    supersedes: int | None = None
    withdrawn_at: datetime | None = None

    def counts_at(self, moment: datetime) -> bool:
        """Return whether it was decided by a moment, and not withdrawn by then."""
        return self.sent_at <= moment and (self.withdrawn_at is None or self.withdrawn_at > moment)

    def may_supersede(self, other: "Decision") -> bool:
        """Return whether another decision is one of the same guild from before: so none can take its own place."""
        is_earlier = (other.sent_at, other.message_id) < (self.sent_at, self.message_id)
        return self.guild_id == other.guild_id and is_earlier


_COLUMNS = SQL(
    "guild_id, message_id, channel_id, thread_id, author_id, sent_at, marked_by, marked_at, title, supersedes,"
    " withdrawn_at"
)
_OF_GUILD = SQL(
    "SELECT {} FROM decisions WHERE %(guild_id)s::bigint IS NULL OR guild_id = %(guild_id)s::bigint"
    " ORDER BY sent_at DESC, message_id DESC LIMIT %(limit)s"
).format(_COLUMNS)
_MARK = SQL("""
    INSERT INTO decisions ({}) VALUES (
        %(guild_id)s, %(message_id)s, %(channel_id)s, %(thread_id)s, %(author_id)s, %(sent_at)s, %(marked_by)s,
        %(marked_at)s, %(title)s, %(supersedes)s, NULL
    )
    ON CONFLICT (guild_id, message_id) DO UPDATE SET
        marked_by = excluded.marked_by, marked_at = excluded.marked_at, title = excluded.title,
        supersedes = excluded.supersedes, withdrawn_at = NULL
""").format(_COLUMNS)
_WITHDRAW = SQL("""
    UPDATE decisions SET withdrawn_at = %(at)s
    WHERE guild_id = %(guild_id)s AND message_id = %(message_id)s AND withdrawn_at IS NULL
""")


class Decisions:
    """The marks in one database."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = _ANSWER_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def of(self, guild: Guild) -> list[Decision]:
        """Return what is marked in a guild, or in every one, newest message first, withdrawn ones too.

        Raises DatabaseUnavailableError.
        """
        if guild is None:
            return []
        guild_id = None if guild is EVERY_GUILD else guild
        async with self._transaction() as session:
            rows = await fetch(session, _OF_GUILD, {"guild_id": guild_id, "limit": MOST_DECISIONS})
        return [Decision(**row) for row in rows]

    async def mark(self, decision: Decision) -> None:
        """Note a decision, in the place of what was noted about its message before.

        Raises DatabaseUnavailableError when it cannot be stored now.
        """
        title = " ".join(sanitize(decision.title).split())[:LONGEST_TITLE]
        values = {name: getattr(decision, name) for name in Decision.__slots__}
        async with self._transaction() as session:
            await execute(session, _MARK, values | {"title": title})

    async def withdraw(self, guild_id: int, message_id: int, *, at: datetime) -> bool:
        """Let a decision count no more from a moment on; return whether there was one that did.

        Raises DatabaseUnavailableError when that cannot be stored now.
        """
        values = {"guild_id": guild_id, "message_id": message_id, "at": at}
        async with self._transaction() as session:
            return bool(await execute(session, _WITHDRAW, values))

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="decisions")


@dataclass(frozen=True, slots=True)
class Standing:
    """A decision as it stood at a moment, with what took its place by then and what it took the place of."""

    decision: Decision
    replaced_by: Decision | None = None
    replaces: Decision | None = None


def standing_at(decisions: list[Decision], moment: datetime) -> list[Standing]:
    """Return the decisions that counted at a moment, replaced ones too, in the order given.

    The caller leaves out those of which the reader may not know: they take the place of nothing then.
    """
    counting = {decision.message_id: decision for decision in decisions if decision.counts_at(moment)}
    followers: dict[int, Decision] = {}
    for decision in sorted(counting.values(), key=lambda known: (known.sent_at, known.message_id)):
        earlier = counting.get(decision.supersedes or 0)
        if earlier is not None and decision.may_supersede(earlier):
            followers[earlier.message_id] = decision  # of several the latest
    return [
        Standing(
            decision,
            replaced_by=followers.get(decision.message_id),
            replaces=counting.get(decision.supersedes or 0),
        )
        for decision in counting.values()
    ]
