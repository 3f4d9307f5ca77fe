"""Keep which digests were posted, and from which messages: first the row, which claims a digest, then its message."""

import hashlib
from collections.abc import Collection, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.schema import DigestRow
from memory.guild_settings import DigestTime
from memory.message import Message

KEPT_FOR = timedelta(days=30)
"""How long a digest is rewritten when what it quotes goes; then it stays as it is, and its row goes."""

SHORTEST_PAUSE = timedelta(days=6)
"""How long after a digest of a channel there is no other one."""

_TIMEOUT = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The messages that a digest quotes, and a checksum of their words."""

    ids: tuple[int, ...] = ()
    checksum: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDigest:
    """A digest of the time from `starts_at` to `due_at`; it is open while it is claimed and not posted.

    One that has been posted without a `message_id` had nothing to tell.
    """

    guild_id: int
    channel_id: int
    starts_at: datetime
    due_at: datetime
    claimed_at: datetime
    message_id: int | None = None
    posted_at: datetime | None = None
    sources: Sources = Sources()

    @property
    def is_open(self) -> bool:
        """Whether it is yet to be posted."""
        return self.posted_at is None


def last_due(time: DigestTime, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the newest week [start, end) whose digest is due by now; both ends are the same time of day in a zone."""
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=(local.weekday() - time.weekday) % 7)
    end = _at(day, time.minute, zone)
    if end > now:
        day -= timedelta(days=7)
        end = _at(day, time.minute, zone)
    return _at(day - timedelta(days=7), time.minute, zone), end


def _at(day: date, minute: int, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock_time(minute // 60, minute % 60), tzinfo=zone).astimezone(UTC)


def sources_of(messages: Iterable[Message]) -> Sources:
    """Return messages as the sources of a digest."""
    unique = {message.message_id: message for message in messages}
    checksum = hashlib.sha256()
    for message_id in sorted(unique):
        names = ",".join(file.name for file in unique[message_id].attachments)
        said = f"{message_id}\0{unique[message_id].content}\0{names}\0"
        checksum.update(said.encode("utf-8", "surrogatepass"))
    return Sources(ids=tuple(sorted(unique)), checksum=checksum.hexdigest())


@dataclass(frozen=True, slots=True)
class Digests:
    """The digests that one database knows of; every method raises DatabaseUnavailableError."""

    sessions: Sessions

    async def claim(
        self, guild_id: int, channel_id: int, *, starts_at: datetime, due_at: datetime, now: datetime
    ) -> StoredDigest | None:
        """Return a digest that is from now on the caller's to post; None when somebody has claimed it before.

        It counts as claimed when another one of the channel was due less than SHORTEST_PAUSE before or after it: the
        clock or the day of a channel may have been changed since.
        """
        row = insert(DigestRow).values(
            guild_id=guild_id, channel_id=channel_id, starts_at=starts_at, due_at=due_at, claimed_at=now
        )
        claiming = row.on_conflict_do_nothing().returning(DigestRow.channel_id)
        near = select(DigestRow.due_at).where(
            DigestRow.channel_id == channel_id,
            DigestRow.due_at.between(due_at - SHORTEST_PAUSE, due_at + SHORTEST_PAUSE),
        )
        async with self._transaction() as session:
            if await session.scalar(near) is not None or await session.scalar(claiming) is None:
                return None
        return StoredDigest(
            guild_id=guild_id, channel_id=channel_id, starts_at=starts_at, due_at=due_at, claimed_at=now
        )

    async def note_posted(
        self, digest: StoredDigest, message_id: int | None, sources: Sources, *, at: datetime
    ) -> None:
        """Note which message a digest has become, None when it had nothing to tell, and what that quotes."""
        await self._update(
            digest, message_id=message_id, posted_at=at, source_ids=list(sources.ids), checksum=sources.checksum
        )

    async def note_rewritten(self, digest: StoredDigest, sources: Sources) -> None:
        """Note what a digest quotes by now."""
        await self._update(digest, source_ids=list(sources.ids), checksum=sources.checksum)

    async def drop(self, digest: StoredDigest) -> None:
        """Forget a digest whose message is gone."""
        async with self._transaction() as session:
            await session.execute(delete(DigestRow).where(*_is(digest)))

    async def recent(self, guild_ids: Collection[int], *, now: datetime) -> list[StoredDigest]:
        """Return the digests of some guilds that are to be kept true, the newest first."""
        statement = (
            select(DigestRow)
            .where(DigestRow.guild_id.in_(sorted(guild_ids)), DigestRow.due_at > now - KEPT_FOR)
            .order_by(DigestRow.due_at.desc(), DigestRow.channel_id)
        )
        async with self._transaction() as session:
            return [_digest(row) for row in await session.scalars(statement)]

    async def forget_old(self, *, now: datetime) -> None:
        """Forget the digests that stay as they are from now on."""
        async with self._transaction() as session:
            await session.execute(delete(DigestRow).where(DigestRow.due_at <= now - KEPT_FOR))

    async def _update(self, digest: StoredDigest, **values: object) -> None:
        async with self._transaction() as session:
            await session.execute(update(DigestRow).where(*_is(digest)).values(values))

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self.sessions, timeout=_TIMEOUT, about="digests")


def _is(digest: StoredDigest) -> tuple[ColumnElement[bool], ...]:
    return DigestRow.channel_id == digest.channel_id, DigestRow.due_at == digest.due_at


def _digest(row: DigestRow) -> StoredDigest:
    return StoredDigest(
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        starts_at=row.starts_at,
        due_at=row.due_at,
        claimed_at=row.claimed_at,
        message_id=row.message_id,
        posted_at=row.posted_at,
        sources=Sources(ids=tuple(row.source_ids), checksum=row.checksum),
    )
