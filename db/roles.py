"""Create the roles of a database, and grant each the rights that it needs, and no more.

The owner of a database, whom its address names, migrates it and looks after its indexes. The bot writes rows as the
role `<database>_writer`; the agent's tools read as `<database>_reader`, which may only SELECT from messages, their
former texts, names and places, and see when a batch was brought in or taken back. Neither can log in: a connection of
the owner assumes one of them before anything else is asked over it (docs/decisions/0008).
"""

import hashlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from db.errors import NO_RIGHT, suppress_sqlstates
from db.schema import JournalPositionRow, MessageRow, NameRow, PlaceRow, PromotionRow, RevisionRow, TurnRow

ASSUME = "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = %s AND pg_has_role(oid, 'MEMBER')"
"""Assumes a role for as long as a connection lives; does nothing where there is no such role.

By its number: asked by name, PostgreSQL fails when another database's role is dropped while it looks through all.
"""

_LONGEST = 63  # bytes of a name; PostgreSQL would cut it, and two databases share what is left
_DATABASE = text("SELECT current_database()")
_SCHEMA = text("SELECT current_schema()")
_IS_THERE = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_IS_MEMBER = text("SELECT pg_has_role(:role, 'MEMBER')")
_EMPTIED = (MessageRow, RevisionRow, JournalPositionRow, NameRow)


class Role(StrEnum):
    """Whom a connection acts as."""

    WRITER = "writer"
    READER = "reader"


def role_name(database: str, role: Role) -> str:
    """Return the name of a database's own role: what other databases on the server have is none of its business."""
    name = f"{database}_{role}"
    if len(name.encode()) <= _LONGEST:
        return name
    return f"{hashlib.sha256(database.encode()).hexdigest()[:32]}_{role}"


def ensure_roles(connection: Connection, *, may_empty: bool) -> bool:
    """Create the roles of this database and grant what they need; return False where the user may not create roles.

    `may_empty` lets the writer empty the messages, as each new session does with short-term memory.
    """
    database = connection.execute(_DATABASE).scalar_one()
    names = {role: role_name(database, role) for role in Role}
    may_create = False
    with suppress_sqlstates(NO_RIGHT), connection.begin_nested():
        for name in names.values():
            _create(connection, name)
        may_create = True
    if not may_create:
        return False
    writer, reader = (_quoted(connection, names[role]) for role in (Role.WRITER, Role.READER))
    schema = _quoted(connection, connection.execute(_SCHEMA).scalar_one())
    for statement in (*_rights_to_write(writer, schema, may_empty=may_empty), *_rights_to_read(reader, schema)):
        connection.execute(text(statement))
    return True


def _create(connection: Connection, name: str) -> None:
    if not connection.scalar(_IS_THERE, {"role": name}):
        connection.execute(text(f"CREATE ROLE {_quoted(connection, name)} NOLOGIN"))
    if not connection.scalar(_IS_MEMBER, {"role": name}):
        connection.execute(text(f"GRANT {_quoted(connection, name)} TO CURRENT_USER"))


def _quoted(connection: Connection, name: str) -> str:
    """Return a name as a statement needs it: PostgreSQL takes no parameter for one."""
    return connection.dialect.identifier_preparer.quote(name).replace(":", r"\:")


def _rights_to_write(writer: str, schema: str, *, may_empty: bool) -> Iterator[str]:
    rights = "SELECT, INSERT, UPDATE, DELETE"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {writer}"
    yield f"GRANT {rights} ON ALL TABLES IN SCHEMA {schema} TO {writer}"
    yield f"REVOKE ALL ON alembic_version FROM {writer}"
    yield f"REVOKE UPDATE ON {TurnRow.__tablename__} FROM {writer}"
    # Earlier versions gave it rights to tables that were yet to be made.
    yield f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE ALL ON TABLES FROM {writer}"
    if may_empty:
        yield f"GRANT TRUNCATE ON {', '.join(row.__tablename__ for row in _EMPTIED)} TO {writer}"


def _rights_to_read(reader: str, schema: str) -> Iterator[str]:
    yield f"GRANT USAGE ON SCHEMA {schema} TO {reader}"
    readable = ", ".join(row.__tablename__ for row in (MessageRow, RevisionRow, NameRow, PlaceRow))
    yield f"GRANT SELECT ON {readable} TO {reader}"
    # What tells that another process has brought messages in, or taken some back.
    yield f"GRANT SELECT (promotion_id, finished_at, undone_at) ON {PromotionRow.__tablename__} TO {reader}"


async def assume(connection: psycopg.AsyncConnection[Any], role: Role) -> None:
    """Let a connection of the owner act as one of the roles from now on, where there is one."""
    await connection.execute(ASSUME.encode(), [role_name(connection.info.dbname, role)])
