"""Keep messages in a hypertable where TimescaleDB is there.

This is no revision of its own: a server may learn TimescaleDB, or a database move to one that knows it, after the last
revision has run. So it is looked at after every migration, as the search indexes are.
"""

import logging
from datetime import timedelta

from sqlalchemy import Connection, Interval, bindparam, text

from db.vector_index import DROP_PLAIN

logger = logging.getLogger(__name__)

_EXTENSION = text("CREATE EXTENSION IF NOT EXISTS timescaledb")
_INTERVAL = text(
    "SELECT time_interval FROM timescaledb_information.dimensions"
    " WHERE hypertable_schema = current_schema() AND hypertable_name = 'messages'"
)
_CREATE = text(
    "SELECT create_hypertable('messages', by_range('sent_at', :interval),"
    " create_default_indexes => false, migrate_data => true)"
).bindparams(bindparam("interval", type_=Interval()))
_SET_INTERVAL = text("SELECT set_chunk_time_interval('messages', :interval)").bindparams(
    bindparam("interval", type_=Interval())
)


def ensure_hypertable(connection: Connection, *, interval: timedelta) -> None:
    """Make `messages` a hypertable with chunks of this length, rows and all; chunks that are there keep theirs."""
    connection.execute(_EXTENSION)
    known = connection.scalar(_INTERVAL)
    if known is None:
        connection.execute(DROP_PLAIN)  # else every chunk that is to come would begin with one
        connection.execute(_CREATE, {"interval": interval})
        logger.info("messages are a hypertable now, a chunk for every %s", interval)
    elif known != interval:
        connection.execute(_SET_INTERVAL, {"interval": interval})
        logger.info("new chunks of messages hold %s; those that are there hold %s", interval, known)
