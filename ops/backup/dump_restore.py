"""Load the rows of our tables from a dump, and nothing else of it.

A dump is a program: whoever restores it runs its functions, checks and extensions with all rights of the user. So it is
never restored. `pg_restore` prints the rows of chosen tables as text, without a database, and they are copied into
tables that our own migrations have made.
"""

import re
import tempfile
from asyncio import StreamReader
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from db.metadata import FACTS
from db.programs import PATIENCE, find_program, open_output, run_program
from db.table_copy import NOT_OWN, Connection, names
from errors import InputFileError, OperatorError
from ops.backup.manifest import DatabaseEntry, FileEntry, TableEntry, path_of
from ops.backup.table_files import translate_refusals
from util_async import Progress

_PIECE = 256 * 1024  # bytes
_LONGEST_LINE = 1024 * 1024  # bytes, of a line that is no row
_NAME = r'(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'
_HEADER = re.compile(rf"COPY ({_NAME})\.({_NAME}) \(({_NAME}(?:, {_NAME})*)\) FROM stdin;")
_EACH_NAME = re.compile(_NAME)
_ENCODING = re.compile(r"SET client_encoding = '(\w{1,20})';")
_END = b"\n\\.\n"

_Name = tuple[str, str]
"""A schema, and a table in it."""

# A line such as `4123; 0 16412 TABLE DATA public messages owner`.
_ITEM = re.compile(r"(\d{1,10}); \d+ \d+ TABLE DATA (\S+) (\S+) .*")
_USUAL_SCHEMA = "public"
# In which tables TimescaleDB notes which tables hold the rows of which.
_HYPERTABLE, _CHUNK = ("_timescaledb_catalog", "hypertable"), ("_timescaledb_catalog", "chunk")
_LONGEST_CATALOG = 64 * 1024 * 1024  # bytes
_NULL = r"\N"

_COPY = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT TEXT, ENCODING {encoding})")
_DELETE_OWN_FACTS = sql.SQL("DELETE FROM {} WHERE NOT ({})").format(sql.Identifier(FACTS), NOT_OWN)


@dataclass(frozen=True, slots=True)
class CopyHeader:
    """The statement in a script before the rows of a table."""

    schema: str
    table: str
    columns: tuple[str, ...]
    """In the order of the values."""
    encoding: str
    """The encoding of the rows, as PostgreSQL calls it."""

    @property
    def name(self) -> tuple[str, str]:
        """The schema and the table."""
        return self.schema, self.table


class CopyScript:
    """Read the rows of one table after the other, as `pg_restore` prints them; a part at a time is in memory."""

    def __init__(self, output: StreamReader) -> None:
        self._output = output
        self._rest = bytearray()
        self._encoding = "UTF8"

    async def next_table(self) -> CopyHeader | None:
        """Return the header of the next table, whose rows follow; None at the end.

        Raises InputFileError for a line that is too long to be a statement.
        """
        while (line := await self._line()) is not None:
            text = line.decode(errors="replace")
            if encoding := _ENCODING.fullmatch(text):
                self._encoding = encoding[1]
            elif header := _HEADER.fullmatch(text):
                columns = tuple(map(_unquote, _EACH_NAME.findall(header[3])))
                return CopyHeader(_unquote(header[1]), _unquote(header[2]), columns, self._encoding)
        return None

    async def blocks(self) -> AsyncGenerator[bytes]:
        """Yield the rows of a table as COPY takes them in its text format; they end early where the script does."""
        self._rest[:0] = b"\n"  # so that the mark of the end is found where it comes first
        start = 1
        while (end := self._rest.find(_END)) < 0:
            whole = len(self._rest) - len(_END)
            if whole > start:
                yield bytes(self._rest[start:whole])
                del self._rest[:whole]
                start = 0
            if not await self._read():
                yield bytes(self._rest[start:])
                self._rest.clear()
                return
        yield bytes(self._rest[start : end + 1])
        del self._rest[: end + len(_END)]

    async def _line(self) -> bytes | None:
        """Return the next line without its end; None when there is no more."""
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > _LONGEST_LINE:
                raise InputFileError("A dump has a statement that is too long to be one: take another backup.")
            if not await self._read():
                return None
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        return line

    async def _read(self) -> bool:
        """Read some more; return False at the end."""
        piece = await self._output.read(_PIECE)
        self._rest += piece
        return bool(piece)


def _unquote(name: str) -> str:
    """Return a name without its quotation marks."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


@dataclass(frozen=True, slots=True)
class _Dump:
    """A dump, what can read it, and the number of the rows of each table in its list of contents."""

    path: Path
    program: Path
    numbers: Mapping[_Name, str]


def dump_of(entry: DatabaseEntry) -> FileEntry:
    """Return the dump of a database; raise InputFileError when the backup has none."""
    if entry.dump is None:
        raise InputFileError(f"The backup has no dump of the {entry.name} database: restore from another format.")
    return entry.dump


async def load_dump(connection: Connection, folder: Path, entry: DatabaseEntry, report: Progress) -> int:
    """Append the rows of a database's dump to the tables of the same names; return their number.

    The report counts bytes of the dump, in proportion to the rows. Raises InputFileError that names the dump when it
    cannot be read, lacks a table or holds rows that its table does not take; OperatorError when pg_restore is missing.
    """
    file = dump_of(entry)
    path = path_of(folder, file)
    program = find_program("pg_restore", entry.dump_made_by or entry.server_version)
    total, done = max(1, sum(table.rows for table in entry.tables)), 0

    def report_rows(rows: int) -> None:
        nonlocal done
        done += rows
        report(min(file.size, file.size * done // total), file.size)

    try:
        dump = _Dump(path, program, await _numbers(program, path))
        sources = await _sources(dump, entry)
        async with _open_script(dump, sources) as script:
            rows = await _load(connection, path, script, sources, report_rows)
    except OperatorError as error:
        if isinstance(error, InputFileError):
            raise
        raise InputFileError(f"{path} could not be read ({str(error).rstrip('.')}): take another backup.") from error
    if FACTS in {table.name for table in entry.tables}:
        await connection.execute(_DELETE_OWN_FACTS)
    return rows


async def _numbers(program: Path, path: Path) -> dict[_Name, str]:
    listed = await run_program(program, "--list", str(path), timeout=PATIENCE)
    items = (_ITEM.fullmatch(line) for line in listed.splitlines())
    return {(item[2], item[3]): item[1] for item in items if item}


async def _sources(dump: _Dump, entry: DatabaseEntry) -> dict[_Name, TableEntry]:
    """Return the tables of a dump that hold rows of ours: the one of the same name, and the chunks of a hypertable."""
    schema = _schema(dump, [table.name for table in entry.tables])
    own = {(schema, table.name): table for table in entry.tables}
    if not {_HYPERTABLE, _CHUNK} <= dump.numbers.keys():
        return own
    catalog = await _catalog(dump)
    tables = {row["id"]: own.get((row["schema_name"], row["table_name"])) for row in catalog[_HYPERTABLE]}
    chunks: dict[_Name, TableEntry] = {}
    for row in catalog[_CHUNK]:
        table, name = tables.get(row["hypertable_id"]), (row["schema_name"], row["table_name"])
        if table is None or name not in dump.numbers:  # of another hypertable, or dropped
            continue
        if row.get("compressed_chunk_id", _NULL) != _NULL:
            raise InputFileError(
                f"{dump.path} holds rows of the table {table.name} as TimescaleDB compresses them: restore from the "
                "format csv or binary."
            )
        chunks[name] = table
    return {**own, **chunks}


def _schema(dump: _Dump, tables: Sequence[str]) -> str:
    """Return the schema with all of these tables; raise InputFileError when there is none, or more than one."""
    schemas = {schema for schema, _ in dump.numbers}
    whole = sorted(schema for schema in schemas if {(schema, table) for table in tables} <= dump.numbers.keys())
    if _USUAL_SCHEMA in whole:
        return _USUAL_SCHEMA
    if len(whole) != 1:
        raise InputFileError(f"{dump.path} does not hold the tables that its manifest names: take another backup.")
    return whole[0]


async def _catalog(dump: _Dump) -> dict[_Name, list[dict[str, str]]]:
    """Return the rows of TimescaleDB's catalog, each value as text."""
    rows: dict[_Name, list[dict[str, str]]] = {_HYPERTABLE: [], _CHUNK: []}
    async with _open_script(dump, rows) as script:
        while (header := await script.next_table()) is not None:
            content = bytearray()
            async with aclosing(script.blocks()) as blocks:
                async for block in blocks:
                    content += block
                    if len(content) > _LONGEST_CATALOG:
                        raise InputFileError(f"{dump.path} has more parts than can be read: take another backup.")
            lines = content.decode(errors="replace").split("\n")[:-1]
            values = [dict(zip(header.columns, line.split("\t"), strict=False)) for line in lines]
            needed = {"id", "schema_name", "table_name"} | ({"hypertable_id"} if header.name == _CHUNK else set())
            rows[header.name] = [row for row in values if row.keys() >= needed]
    return rows


@asynccontextmanager
async def _open_script(dump: _Dump, tables: Iterable[_Name]) -> AsyncGenerator[CopyScript]:
    """Run pg_restore and yield the rows of these tables, as it prints them."""
    with tempfile.NamedTemporaryFile("w", prefix="backscroll-", encoding="ascii") as use_list:
        use_list.writelines(f"{dump.numbers[table]};\n" for table in tables)
        use_list.flush()
        options = ("--data-only", f"--use-list={use_list.name}", "--file=-")
        async with open_output(dump.program, *options, str(dump.path), timeout=PATIENCE) as output:
            yield CopyScript(output)
            while await output.read(1 << 16):  # a program that cannot print its last words does not end
                pass


async def _load(
    connection: Connection,
    path: Path,
    script: CopyScript,
    sources: Mapping[_Name, TableEntry],
    report: Callable[[int], None],
) -> int:
    rows = 0
    while (header := await script.next_table()) is not None:
        table = sources.get(header.name)
        if table is None or set(header.columns) != table.columns.keys():
            raise InputFileError(
                f"{path} holds a table {header.name[1]} that is not as its manifest says: take another backup."
            )
        with translate_refusals(path, table.name):
            async with connection.cursor() as cursor:
                async with cursor.copy(_statement(header, table.name)) as copy, aclosing(script.blocks()) as blocks:
                    async for block in blocks:
                        await copy.write(block)
                        report(block.count(b"\n"))
                rows += cursor.rowcount
    return rows


def _statement(header: CopyHeader, table: str) -> sql.Composed:
    return _COPY.format(
        table=sql.Identifier(table), columns=names(list(header.columns)), encoding=sql.Literal(header.encoding)
    )
