"""Set rows out in columns, each row on a line of its own."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from agent.visible import visible

_UNWRAPPED = 10_000  # columns; whoever reads a pipe wants a line to stay one


def in_columns(heads: Mapping[str, JustifyMethod], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as lines under heads, each of which says to which side its column is aligned."""
    console = Console(width=_UNWRAPPED)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head, justify in heads.items():
        table.add_column(head, justify=justify)
    for row in rows:
        # As Text, nothing in the words is taken for a style.
        table.add_row(*(Text(visible(cell).replace("\n", " ")) for cell in row))
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
