"""Tell which versions a server has."""

from dataclasses import dataclass
from datetime import timedelta

import psycopg

_PATIENCE = timedelta(seconds=30)
_AVAILABLE = "SELECT name, default_version FROM pg_available_extensions WHERE name = ANY(%s)"
_EXTENSIONS = ["timescaledb", "vector", "vectorscale", "pg_textsearch"]


@dataclass(frozen=True, slots=True)
class Versions:
    """The version of PostgreSQL, and that of each extension that it offers."""

    postgresql: str
    extensions: dict[str, str]

    @property
    def timescaledb(self) -> str | None:
        """The version of TimescaleDB, where it is offered."""
        return self.extensions.get("timescaledb")

    def __str__(self) -> str:
        return ", ".join(
            f"{name} {version}" for name, version in {"PostgreSQL": self.postgresql, **self.extensions}.items()
        )


def versions(address: str) -> Versions:
    """Return the versions of the server at an address; raise psycopg.Error when it does not answer."""
    with psycopg.connect(address, connect_timeout=int(_PATIENCE.total_seconds())) as connection:
        available = connection.execute(_AVAILABLE, [_EXTENSIONS]).fetchall()
        version = connection.info.parameter_status("server_version") or "unknown"
    return Versions(version.partition(" ")[0], dict(sorted(available)))
