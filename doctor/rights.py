"""Look at what the bot and the agent's tools may do in a database."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.databases import Database
from db.engines import transaction
from doctor.findings import Finding, ok, warning, wrong

_WHO = text(
    "SELECT current_user AS name, current_user = session_user AS is_owner,"
    " current_setting('transaction_read_only') = 'on' AS reads_only,"
    " has_table_privilege('messages', 'SELECT') AS may_read, has_table_privilege('messages', 'INSERT') AS may_write"
)
_WRITABLE = text(
    "SELECT oid::regclass::text FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Whom a connection acts as, and what it may do."""

    name: str
    is_owner: bool
    reads_only: bool
    may_read: bool
    may_write: bool
    writable: tuple[str, ...]


async def roles(database: Database) -> Finding:
    """Tell whether the bot may do what it has to, and the agent's tools no more than read."""
    async with transaction(database.sessions) as session:
        writer = await _rights(session)
    async with transaction(database.reading) as session:
        reader = await _rights(session)
    return judged(writer, reader)


async def _rights(session: AsyncSession) -> Rights:
    row = (await session.execute(_WHO)).mappings().one()
    return Rights(**row, writable=tuple(await session.scalars(_WRITABLE)))


def judged(writer: Rights, reader: Rights) -> Finding:
    """Judge what both may do."""
    if not writer.may_write:
        return wrong(f"The bot ({writer.name}) may not write messages: GRANT it that, or use the database's owner.")
    if not reader.may_read:
        return wrong(f"The agent's tools ({reader.name}) may not read messages: GRANT them SELECT on it.")
    if not reader.reads_only:
        return wrong(f"The transactions of the agent's tools ({reader.name}) are not read-only: restart the bot.")
    if reader.is_owner:
        return warning(
            f"The agent's tools read as the owner ({reader.name}), in read-only transactions: give it CREATEROLE, and "
            "the next start makes a role for them that may do no more."
        )
    if reader.writable:
        return wrong(
            f"The agent's tools ({reader.name}) may write {', '.join(reader.writable)}: run "
            f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON {', '.join(reader.writable)} FROM that role."
        )
    return ok(f"the bot writes as {writer.name}, the agent's tools read as {reader.name} and may do no more")
