"""Know what of a database is content: what goes along to another server, and into a backup."""

from psycopg import sql

from db.checksums import EVERY_ROW, Table
from db.copying import names

MOVE_FACT = "moved_from"
"""Names the fact that says how far a database was filled from another one."""

WORD_INDEX_FACT = "word_index_whole_since"
"""Names the fact that says at which start of the server the word index was looked at last."""

OWN_FACTS = (MOVE_FACT, WORD_INDEX_FACT)
"""The facts that a database says of its own server: they mean nothing elsewhere, or later."""

FACTS = "facts"
NOT_OWN = sql.SQL("name <> ALL ({})").format(sql.Literal(list(OWN_FACTS)))
"""The condition for a row of the facts to be content."""

_ALL = sql.SQL("SELECT {columns} FROM {table} WHERE {condition}")
_NOT_CONTENT = frozenset({"alembic_version"})  # how far each database is migrated


def content_tables(known: dict[str, dict[str, str]]) -> list[Table]:
    """Return what of the tables of a database, given with the types of their columns, is content."""
    return [content_table(name, columns) for name, columns in known.items() if name not in _NOT_CONTENT]


def content_table(name: str, columns: dict[str, str]) -> Table:
    """Return what of a table is content."""
    return Table(name=name, columns=columns, condition=NOT_OWN if name == FACTS else None)


def all_rows(table: Table) -> sql.Composed:
    """Return the query of all rows of a table that are content."""
    condition = table.condition or EVERY_ROW
    return _ALL.format(columns=names(list(table.columns)), table=sql.Identifier(table.name), condition=condition)
