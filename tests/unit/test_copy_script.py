"""Of a script of SQL only the rows of tables are read, wherever its pieces happen to end."""

import asyncio

import pytest

from errors import InputFileError
from ops.backup import dump_restore
from ops.backup.dump_restore import CopyHeader, CopyScript

ROWS = rb"""1	a line that ends \\.	\N
2	\\.	x
"""
SCRIPT = (
    rb"""\restrict abc
SET client_encoding = 'LATIN1';
DROP TABLE messages;
COPY public.messages (message_id, "order", "a""b") FROM stdin;
%b\.


COPY "Some schema".facts (name) FROM stdin;
\.

COPY public.time_zones (zone); DROP TABLE messages; --) FROM stdin;
COPY messages (message_id) FROM PROGRAM 'touch hit';
"""
    % ROWS
)


async def read(script: bytes) -> list[tuple[CopyHeader, bytes]]:
    output = asyncio.StreamReader()
    output.feed_data(script)
    output.feed_eof()
    found, reading = [], CopyScript(output)
    while (header := await reading.next_table()) is not None:
        found.append((header, b"".join([block async for block in reading.blocks()])))
    return found


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7, 64, 1 << 18])
async def test_each_table_comes_with_its_rows(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(dump_restore, "_PIECE", piece)

    found = await read(SCRIPT)

    assert found == [
        (CopyHeader("public", "messages", ("message_id", "order", 'a"b'), "LATIN1"), ROWS),
        (CopyHeader("Some schema", "facts", ("name",), "LATIN1"), b""),
    ]


async def test_nothing_comes_of_nothing() -> None:
    assert await read(b"") == []


@pytest.mark.parametrize("piece", [1, 5, 1 << 18])
async def test_rows_that_are_cut_short_are_given_as_far_as_they_go(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(dump_restore, "_PIECE", piece)

    ((_, rows),) = await read(b"COPY public.facts (name) FROM stdin;\none\ntwo\n\\.")

    assert rows == b"one\ntwo\n\\."


async def test_a_statement_without_an_end_is_refused_before_it_fills_memory() -> None:
    with pytest.raises(InputFileError, match="too long"):
        await read(b"COPY public.facts (" + b"name, " * (1 << 20))
