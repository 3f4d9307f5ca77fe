"""What a deployment chooses for its databases: where they are, and how their messages are laid out."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path


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


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where each database is, None means on the embedded server; the password is for addresses that have none."""

    short_term: str | None
    long_term: str | None
    embedded_dir: Path
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Layouts:
    """How each database is laid out."""

    short_term: Layout = SHORT_TERM_LAYOUT
    long_term: Layout = LONG_TERM_LAYOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseConfig:
    """Where the databases are, how they are laid out, and how they are connected to; an address may be secret."""

    addresses: Addresses = field(repr=False)
    layouts: Layouts
    pool_size: int
    """Connections to each database that write, and as many that read."""
    timeout: timedelta
    """How long a statement may take, and a connection to be made."""
