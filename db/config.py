"""How the messages of a database are laid out: what a deployment may choose, with the measured defaults."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The chunks of the hypertable, where there is one, and the StreamingDiskANN indexes (docs/decisions/0007)."""

    chunk_interval: timedelta = timedelta(days=90)
    """How much time one chunk holds; it shapes chunks that are yet to come."""
    num_neighbors: int = 20
    """Edges of each vector in the graph. pgvectorscale's own 50 takes rows in four times as slowly."""
    search_list_size: int = 50
    """How many candidates are weighed for the edges of a new vector; pgvectorscale's own is 100."""
    closed_rows: int = 2_000
    """Rows from which a chunk that is not the newest has an index: fewer are compared faster than it answers."""
    hot_rows: int = 20_000
    """Rows from which the newest chunk has an index too; until then it takes rows in fast and is compared whole."""


SHORT_TERM_LAYOUT = Layout(chunk_interval=timedelta(days=7))
LONG_TERM_LAYOUT = Layout()
