"""Keep through a restore what people and servers have said that may not be kept: the newest of both counts."""

from typing import LiteralString

from db.table_copy import Connection
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, RETENTION_DAYS

_KEPT = [setting.name for setting in (IGNORED_CHANNELS, PAUSES, RETENTION_DAYS)]
_REMEMBER: tuple[LiteralString, ...] = (
    "CREATE TEMPORARY TABLE opt_outs_before ON COMMIT DROP AS SELECT * FROM opt_outs",
    "CREATE TEMPORARY TABLE settings_before ON COMMIT DROP AS SELECT * FROM guild_settings",
)
_OPT_OUTS: LiteralString = """
    INSERT INTO opt_outs (person_id, kind, opted_out_at) SELECT person_id, kind, opted_out_at FROM opt_outs_before
    ON CONFLICT (person_id) DO UPDATE SET kind = excluded.kind, opted_out_at = excluded.opted_out_at
    WHERE opt_outs.opted_out_at < excluded.opted_out_at
"""
_SETTINGS: LiteralString = """
    INSERT INTO guild_settings (guild_id, name, value, set_at)
    SELECT guild_id, name, value, set_at FROM settings_before WHERE name = ANY (%s)
    ON CONFLICT (guild_id, name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at
    WHERE guild_settings.set_at < excluded.set_at
"""


async def remember_consent(connection: Connection) -> None:
    """Remember until the end of the transaction what a database says that may not be kept."""
    for statement in _REMEMBER:
        await connection.execute(statement)


async def bring_back_consent(connection: Connection) -> None:
    """Write what was remembered into a database that was restored, where that knows of nothing later."""
    await connection.execute(_OPT_OUTS)
    await connection.execute(_SETTINGS, [_KEPT])
