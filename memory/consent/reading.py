"""Read what may not be kept, as a program does that works on long-term memory for a while."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, inspect

from db.databases import Database
from db.engines import sessions_of, transaction
from db.schema import GuildSettingRow, OptOutRow
from memory.consent.opt_outs import OptOut, OptOuts, Wish
from memory.consent.pauses import Pause
from memory.consent.rules import NO_RULES, Rules
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, GuildSettings


async def rules_of(long_term: Database) -> Rules:
    """Return what long-term memory says that may not be kept; nothing where it is not migrated so far.

    Raises DatabaseUnavailableError.
    """
    sessions = sessions_of(long_term.engine)
    async with transaction(sessions) as session:
        if not await (await session.connection()).run_sync(_has_tables):
            return NO_RULES
    return await read_rules(OptOuts(sessions), GuildSettings(sessions))


async def read_rules(opt_outs: OptOuts, guild_settings: GuildSettings) -> Rules:
    """Return what people and servers have said that may not be kept; raise DatabaseUnavailableError."""
    return rules_from(
        await opt_outs.all(),
        ignored=await guild_settings.of_every_guild(IGNORED_CHANNELS),
        pauses=await guild_settings.of_every_guild(PAUSES),
    )


def rules_from(
    wishes: Mapping[int, OptOut],
    *,
    ignored: Mapping[int, Mapping[int, datetime]],
    pauses: Mapping[int, tuple[Pause, ...]],
) -> Rules:
    """Return what the wishes of people, and the ignored channels and pauses of guilds, come to."""
    return Rules(
        opted_out={person: one.since for person, one in wishes.items() if one.wish is Wish.EVERYTHING},
        unlisted=frozenset(person for person, one in wishes.items() if one.wish is Wish.WHO_KNOWS),
        ignored={channel_id: since for channels in ignored.values() for channel_id, since in channels.items()},
        pauses=pauses,
    )


def _has_tables(connection: Connection) -> bool:
    tables = {OptOutRow.__tablename__, GuildSettingRow.__tablename__}
    return tables <= set(inspect(connection).get_table_names())
