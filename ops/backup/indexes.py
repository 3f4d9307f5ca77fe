"""Take the indexes of a table away while it is filled: to make them at once is faster than to keep them up."""

from psycopg import sql

from db.table_copy import Connection, fetch

_SEARCH_METHODS = ["bm25", "diskann"]
_SEARCH_INDEXES = ["messages_full_text"]
# Written by the server, which knows how its own definitions are quoted.
_INDEXES = """
    SELECT
        CASE WHEN conname IS NULL THEN format('DROP INDEX %%s', indexrelid::regclass)
        ELSE format('ALTER TABLE %%s DROP CONSTRAINT %%I', indrelid::regclass, conname) END,
        CASE WHEN conname IS NULL THEN pg_get_indexdef(indexrelid)
        ELSE format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', indrelid::regclass, conname,
                    pg_get_constraintdef(pg_constraint.oid)) END,
        amname = ANY (%(methods)s) OR pg_class.relname = ANY (%(names)s)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
    LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u', 'x')
    WHERE indrelid = %(table)s::regclass
"""


async def take_away(connection: Connection, table: str, *, search_only: bool) -> list[bytes]:
    """Drop the indexes of a table, or only those of searches; return the statements that make the others again.

    Those of searches are made by the next migration, and by `db.vector_index.build`.
    """
    named = sql.Identifier(table).as_string(connection)
    asked = {"methods": _SEARCH_METHODS, "names": _SEARCH_INDEXES, "table": named}
    statements = []
    for dropping, making, searches in await fetch(connection, _INDEXES, asked):
        if searches or not search_only:
            await connection.execute(dropping.encode(), prepare=False)
            statements += [] if searches else [making.encode()]
    return statements


async def put_back(connection: Connection, statements: list[bytes]) -> None:
    """Make indexes again."""
    for statement in statements:
        await connection.execute(statement, prepare=False)
