"""A real TimescaleDB with pgvector, pgvectorscale and pg_textsearch for the tests, without Docker."""

from tests.timescale.folders import Place, find_place
from tests.timescale.needs import Machine, why_not
from tests.timescale.serving import find_address, is_running, remove, start, stop
from tests.timescale.versions import versions

__all__ = [
    "Machine",
    "Place",
    "find_address",
    "find_place",
    "is_running",
    "remove",
    "start",
    "stop",
    "versions",
    "why_not",
]
