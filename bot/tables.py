"""Show the tables that a model writes: Discord has none, and shows their bars and dashes as they are.

A table of plain words becomes aligned columns in a block of code. One with links, marks, mentions or long cells becomes
a list with the names of its columns, as code would show none of these; each row is a line of its own, wherever the text
is split. A table with double bars is left as it is: they may hide something, and hide it there as well.
"""

import re
from collections.abc import Iterator, Sequence

from agent.spoilers import split_code

MOST_COLUMNS = 12
WIDEST_CELL = 30  # characters
WIDEST = 70  # characters of a line of code, which a narrow window would break

_BAR = re.compile(r"(?<!\\)\|")
_ESCAPE = re.compile(r"\\(?P<sign>[^0-9A-Za-z\s])")
_NOT_PLAIN = re.compile(r"[\[\]<>*_~`@]|https?:")


def with_tables(text: str) -> str:
    """Return an answer whose tables, outside of blocks of code, are shown as code or as lists."""
    shown: list[str] = []
    words: list[str] = []
    for is_code, part in split_code(text):
        if is_code and part.startswith("```"):
            shown += ["\n".join(_lines("".join(words).split("\n"))), part]
            words = []
        else:
            words.append(part)
    return "".join([*shown, "\n".join(_lines("".join(words).split("\n")))])


def _lines(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        end = _end_of_table(lines, at)
        rows = lines[at:end]
        if rows and not any("||" in row for row in rows):
            yield from _table([_cells(row) for number, row in enumerate(rows) if number != 1])
        else:
            yield from rows or [lines[at]]
        at = max(end, at + 1)


def _end_of_table(lines: Sequence[str], at: int) -> int:
    """Return the number of the line behind the table that begins at one; that line itself where none does."""
    if at + 1 >= len(lines) or "|" not in lines[at] or not _is_delimiter(lines[at + 1]):
        return at
    columns = len(_cells(lines[at]))
    if columns != len(_cells(lines[at + 1])) or columns > MOST_COLUMNS:
        return at
    end = at + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return end


def _is_delimiter(line: str) -> bool:
    """Return whether a line parts the names of the columns from the rows: `| --- | :-: |`."""
    cells = _cells(line) if "|" in line or "-" in line else []
    return bool(cells) and all(cell and set(cell) <= {"-", ":"} and "-" in cell for cell in cells)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _BAR.split(line.strip().removeprefix("|").removesuffix("|"))]


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = len(rows[0])
    whole = [[*row[:columns], *[""] * (columns - len(row))] for row in rows]
    widths = [max(len(row[column]) for row in whole) for column in range(columns)]
    is_plain = not any(_NOT_PLAIN.search(cell) for row in whole for cell in row)
    if is_plain and max(widths) <= WIDEST_CELL and sum(widths) + 2 * (columns - 1) <= WIDEST:
        yield from _as_code(whole)
    else:
        yield from _as_list(whole)


def _as_code(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [[_ESCAPE.sub(r"\g<sign>", cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(rows[0]))]
    yield "```"
    for number, row in enumerate(shown):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        if number == 0:
            yield "  ".join("-" * width for width in widths)
    yield "```"


def _as_list(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    names, *others = rows
    for row in others:
        named = [f"{name}: {cell}" if name else cell for name, cell in zip(names, row, strict=True) if cell]
        if named:
            yield f"- {' · '.join(named)}"
    if not others:
        yield f"- {' · '.join(filter(None, names))}"
