"""Read the rows of tables out of a script of SQL, of which not a statement is run."""

import re
from asyncio import StreamReader
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from errors import InputFileError

_PIECE = 256 * 1024  # bytes
_LONGEST_LINE = 1024 * 1024  # bytes, of a line that is no row
_NAME = r'(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")'
_HEADER = re.compile(rf"COPY ({_NAME})\.({_NAME}) \(({_NAME}(?:, {_NAME})*)\) FROM stdin;")
_EACH_NAME = re.compile(_NAME)
_ENCODING = re.compile(r"SET client_encoding = '(\w{1,20})';")
_END = b"\n\\.\n"


@dataclass(frozen=True, slots=True)
class CopyHeader:
    """What a script says before the rows of a table."""

    schema: str
    table: str
    columns: tuple[str, ...]
    """In the order of the values."""
    encoding: str
    """In which the rows are written, as PostgreSQL calls it."""

    @property
    def name(self) -> tuple[str, str]:
        """The schema and the table."""
        return self.schema, self.table


class CopyScript:
    """The rows of one table after the other, as `pg_restore` prints them; a part of them at a time is in memory."""

    def __init__(self, output: StreamReader) -> None:
        self._output = output
        self._rest = bytearray()
        self._encoding = "UTF8"

    async def next_table(self) -> CopyHeader | None:
        """Return what is said of the next table, whose rows come then; None at the end.

        Raises InputFileError for a line that is too long to be a statement.
        """
        while (line := await self._line()) is not None:
            text = line.decode(errors="replace")
            if encoding := _ENCODING.fullmatch(text):
                self._encoding = encoding[1]
            elif header := _HEADER.fullmatch(text):
                columns = tuple(map(_plain, _EACH_NAME.findall(header[3])))
                return CopyHeader(_plain(header[1]), _plain(header[2]), columns, self._encoding)
        return None

    async def blocks(self) -> AsyncGenerator[bytes]:
        """Yield the rows of a table as COPY takes them in its text format; they end early where the script does."""
        self._rest[:0] = b"\n"  # so that the mark of the end is found where it comes first
        begun = 1
        while (end := self._rest.find(_END)) < 0:
            whole = len(self._rest) - len(_END)
            if whole > begun:
                yield bytes(self._rest[begun:whole])
                del self._rest[:whole]
                begun = 0
            if not await self._read():
                yield bytes(self._rest[begun:])
                self._rest.clear()
                return
        yield bytes(self._rest[begun : end + 1])
        del self._rest[: end + len(_END)]

    async def _line(self) -> bytes | None:
        """Return the next line without its end; None when there is no more."""
        looked_at = 0
        while (end := self._rest.find(b"\n", looked_at)) < 0:
            looked_at = len(self._rest)
            if looked_at > _LONGEST_LINE:
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


def _plain(name: str) -> str:
    """Return a name without its quotation marks."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
