"""Read what may not be kept, as a program does that works on long-term memory for a while."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, inspect

from db.databases import Database
from db.engines import sessions_of, transaction
from db.schema import GuildSettingRow, OptOutRow
from memory.consent.opt_outs import OptOut, OptOuts, Wish
from memory.consent.pauses import Pause
from memory.consent.rules import NO_RULES, Rules
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, RETENTION_DAYS, GuildSettings


async def rules_of(long_term: Database, *, now: datetime) -> Rules:
    """Return what long-term memory says that may not be kept; nothing where it is not migrated so far.

    Raises DatabaseUnavailableError.
    """
    sessions = sessions_of(long_term.engine)
    async with transaction(sessions) as session:
        if not await (await session.connection()).run_sync(_has_tables):
            return NO_RULES
    guild_settings = GuildSettings(sessions)
    return rules_from(
        await OptOuts(sessions).all(),
        ignored=await guild_settings.of_every_guild(IGNORED_CHANNELS),
        pauses=await guild_settings.of_every_guild(PAUSES),
        retention=await guild_settings.of_every_guild(RETENTION_DAYS),
        now=now,
    )


def rules_from(
    wishes: Mapping[int, OptOut],
    *,
    ignored: Mapping[int, Mapping[int, datetime]],
    pauses: Mapping[int, tuple[Pause, ...]],
    retention: Mapping[int, int | None],
    now: datetime,
) -> Rules:
    """Return what the wishes of people, and what guilds have set, come to; `retention` is in days."""
    return Rules(
        opted_out={person: one.since for person, one in wishes.items() if one.wish is Wish.EVERYTHING},
        unlisted=frozenset(person for person, one in wishes.items() if one.wish is Wish.WHO_KNOWS),
        ignored={channel_id: since for channels in ignored.values() for channel_id, since in channels.items()},
        pauses=pauses,
        kept_since={guild_id: now - timedelta(days=days) for guild_id, days in retention.items() if days is not None},
    )


def _has_tables(connection: Connection) -> bool:
    tables = {OptOutRow.__tablename__, GuildSettingRow.__tablename__}
    return tables <= set(inspect(connection).get_table_names())
