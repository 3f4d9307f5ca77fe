"""Print figures as plain tables."""

from collections.abc import Sequence


def table(heads: Sequence[str], rows: Sequence[Sequence[str | float]]) -> str:
    """Return rows under their heads: text to the left, numbers to the right with one decimal, counts with none."""
    cells = [list(heads), *([_written(cell) for cell in row] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(heads))]
    to_the_left = [all(isinstance(row[place], str) for row in rows) for place in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(line, widths, to_the_left, strict=True)
        ).rstrip()
        for line in cells
    )


def _written(cell: str | float) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.1f}"
