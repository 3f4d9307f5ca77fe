"""Know the processes that share one short-term memory: the shards, the session and the CSV of each."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import transaction
from db.locks import held_locks, standing_lock
from db.metadata import set_metadata
from db.schema import FactRow
from db.shards import ShardRange
from errors import SessionError, SessionInUseError

SESSION_FACT = "session"
JOURNAL_FACT = "journal"
"""Facts of the process that runs all shards; those of another one have its shards behind the name."""

_PATIENCE = timedelta(seconds=5)  # a server notices within moments that a process of its own host was killed
_HAS_FACTS = text("SELECT to_regclass('facts') IS NOT NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A process that short-term memory knows, be it running or not; `shards` None stands for all of them."""

    shards: ShardRange | None
    session: str
    journal: Path | None

    @property
    def label(self) -> str:
        """Return who that is, for a sentence."""
        return label_of(self.shards)


def label_of(shards: ShardRange | None) -> str:
    """Return which shards a process runs, for a sentence."""
    return "all shards" if shards is None else f"shards {shards}"


async def read_members(session: AsyncSession) -> list[Member]:
    """Return the processes that a short-term memory knows, by their shards."""
    of_members = or_(*(FactRow.name.startswith(name, autoescape=True) for name in (SESSION_FACT, JOURNAL_FACT)))
    facts = {
        row.name: row.value for row in await session.execute(select(FactRow.name, FactRow.value).where(of_members))
    }
    members = []
    for name, value in sorted(facts.items()):
        fact, _, shards = name.partition(" ")
        if fact == SESSION_FACT:
            journal = facts.get(_fact(JOURNAL_FACT, shards))
            members.append(
                Member(shards=_parsed(shards), session=value, journal=None if journal is None else Path(journal))
            )
    return members


async def note_member(session: AsyncSession, member: Member) -> None:
    """Note which session a process has, and where its CSV lies."""
    shards = _written(member.shards)
    await set_metadata(session, _fact(SESSION_FACT, shards), member.session)
    if member.journal is not None:
        await set_metadata(session, _fact(JOURNAL_FACT, shards), str(member.journal))


async def forget_member(session: AsyncSession, member: Member) -> None:
    """Forget a process."""
    names = [_fact(fact, _written(member.shards)) for fact in (SESSION_FACT, JOURNAL_FACT)]
    await session.execute(delete(FactRow).where(FactRow.name.in_(names)))


async def running_members(session: AsyncSession, members: Sequence[Member]) -> list[Member]:
    """Return which of these processes run now."""
    held = await held_locks(session, {_lock_of(member.shards) for member in members})
    return [member for member in members if _lock_of(member.shards) in held]


@asynccontextmanager
async def claimed_shards(database: Database, shards: ShardRange | None, *, timeout: timedelta) -> AsyncGenerator[None]:
    """Be the one process that runs these shards with this short-term memory, for as long as the context lasts.

    Raises SessionInUseError when another one does, DatabaseUnavailableError.
    """
    holding = standing_lock(database.dsn, _lock_of(shards), timeout=timeout, patience=_PATIENCE)
    async with holding as is_free:
        if not is_free:
            raise in_use(shards)
        yield


def in_use(shards: ShardRange | None) -> SessionInUseError:
    """Return the error that says that another process runs these shards."""
    return SessionInUseError(
        f"Another Backscroll runs {label_of(shards)} with this short-term memory: stop it first, or give each of them "
        "shards of its own with DISCORD_SHARDS; one that crashed on another computer is noticed within half a minute."
    )


async def refuse_while_running(database: Database) -> None:
    """Raise SessionInUseError when a process uses this short-term memory."""
    async with transaction(database.sessions) as session:
        members = await read_members(session) if await session.scalar(_HAS_FACTS) else []
        everybody = Member(shards=None, session="", journal=None)
        running = await running_members(session, [*members, everybody])
    if running:
        raise SessionInUseError(
            f"A Backscroll that runs {running[0].label} uses this short-term memory: stop it first, as every other one "
            "that shares it."
        )


def _lock_of(shards: ShardRange | None) -> str:
    return f"backscroll.shards {_written(shards) or 'all'}"


def _fact(name: str, shards: str) -> str:
    return f"{name} {shards}" if shards else name


def _written(shards: ShardRange | None) -> str:
    return "" if shards is None else str(shards)


def _parsed(shards: str) -> ShardRange | None:
    try:
        return ShardRange.parse(shards) if shards else None
    except ValueError as error:
        raise SessionError(
            f"Short-term memory names a process by shards that cannot be ({shards[:40]!r}): restore it from a backup."
        ) from error
