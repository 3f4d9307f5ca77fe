"""Keep each shard's connection to Discord up, whatever comes over it, without holding up the other shards."""

import asyncio
import logging
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.shard import EventItem, EventType, Shard

from db.shards import ShardRange

if TYPE_CHECKING:
    import yarl

logger = logging.getLogger(__name__)

HANG_UP_LIMIT = timedelta(seconds=5)
NORMAL_CLOSURE = 1000  # a close code that Discord also sends for no reason, after which a client comes back

_GREETING_LIMIT = timedelta(seconds=60)  # for connecting, as discord.py has it
_IDENTIFYING = timedelta(seconds=5)  # that Discord asks for between two new sessions


class SteadyShard(Shard):
    """A shard that connects again by itself, with the session that it had as long as Discord knows that one.

    discord.py's own ends the whole client where it cannot read a frame, begins a new session after every connection
    that failed, which costs what was said meanwhile, and lets all shards wait while one of them does.
    """

    _client: discord.AutoShardedClient

    async def worker(self) -> None:
        """Take in what Discord sends until the client is closed, or Discord refuses the shard for good."""
        while not self._client.is_closed():
            resume = await self._listen()
            if resume is None:
                return
            await hang_up(self.ws)
            if not await self._connect_again(resume=resume):
                return

    async def _listen(self) -> bool | None:
        """Take in what Discord sends until the connection is lost.

        Returns whether its session can be taken up again; None when Discord refuses the shard for good or it is closed.
        """
        try:
            while not self._client.is_closed():
                await self.ws.poll_event()
        except asyncio.CancelledError:
            return None
        except ReconnectWebSocket as error:
            return error.resume
        except discord.ConnectionClosed as error:
            return None if self._is_final(error) else await self._pause_before(resume=True)
        except (OSError, aiohttp.ClientError) as error:
            logger.warning("shard %s lost its connection: %r", self.id, error)
            return await self._pause_before(resume=True)
        except Exception:
            logger.exception("what comes over shard %s cannot be read; connecting anew", self.id)
            return await self._pause_before(resume=False)  # the same frame would come again
        return None

    async def _pause_before(self, *, resume: bool) -> bool:
        await asyncio.sleep(self._backoff.delay())  # grows to a quarter of an hour: Discord allows a thousand log-ins
        return resume

    async def reidentify(self, exc: ReconnectWebSocket) -> None:
        """Connect again from outside of the shard, as `discord.shard.ShardInfo` lets one do."""
        await self._restart(resume=exc.resume)

    async def reconnect(self) -> None:
        """Connect again from outside of the shard, as `discord.shard.ShardInfo` lets one do."""
        await self._restart(resume=True)

    async def _restart(self, *, resume: bool) -> None:
        self._cancel_task()
        await hang_up(self.ws)
        if await self._connect_again(resume=resume):
            self.launch()

    async def _connect_again(self, *, resume: bool) -> bool:
        """Connect, however long that takes; return False when Discord refuses the shard for good or it is closed."""
        self._dispatch("disconnect")
        self._dispatch("shard_disconnect", self.id)
        while not self._client.is_closed():
            try:
                self.ws = await self._connected(resume=resume)
            except asyncio.CancelledError:
                return False
            except ReconnectWebSocket as error:
                resume = error.resume
            except discord.ConnectionClosed as error:
                if self._is_final(error):
                    return False
            except Exception as error:  # noqa: BLE001  # whatever it is, it may work later
                logger.warning("shard %s cannot be connected again: %r", self.id, error)
            else:
                return True
            await asyncio.sleep(self._backoff.delay())
        return False

    async def _connected(self, *, resume: bool) -> DiscordWebSocket:
        resume = resume and self.ws.session_id is not None
        shards = len(self._client._connection.shard_ids)  # noqa: SLF001  # which may all wait to begin a new session
        async with asyncio.timeout((_GREETING_LIMIT + shards * _IDENTIFYING).total_seconds()):
            return await DiscordWebSocket.from_client(
                self._client,
                resume=resume,
                gateway=self.ws.gateway if resume else None,
                shard_id=self.id,
                session=self.ws.session_id if resume else None,
                sequence=self.ws.sequence if resume else None,
            )

    def _is_final(self, error: discord.ConnectionClosed) -> bool:
        """Hand on a refusal to whoever runs the client, and return whether it was one."""
        is_final = error.code != NORMAL_CLOSURE
        if is_final:
            self._queue_put(EventItem(EventType.close, self, error))
        return is_final


class ShardedClient(discord.AutoShardedClient):
    """A client whose shards outlive what discord.py cannot read of their connections.

    With `shards` None it runs as many as Discord recommends.
    """

    def __init__(self, *, shards: ShardRange | None, **options: Any) -> None:
        if shards is not None:
            options |= {"shard_count": shards.count, "shard_ids": shards.ids}
        super().__init__(**options)
        self._identifying = asyncio.Lock()

    def is_connected(self) -> bool:
        """Return whether every shard is connected and has had an answer to a heartbeat."""
        shards = self.shards
        if not self.is_ready() or len(shards) < len(self._connection.shard_ids):
            return False
        return all(not shard.is_closed() and math.isfinite(shard.latency) for shard in shards.values())

    async def launch_shard(self, _: "yarl.URL", shard_id: int, *, initial: bool = False) -> None:
        """Connect a shard for the first time, however long that takes, to where the settings say that Discord is."""
        await super().launch_shard(DiscordWebSocket.DEFAULT_GATEWAY, shard_id, initial=initial)
        shards: dict[int, Shard] = vars(self)["_AutoShardedClient__shards"]
        first = shards[shard_id]
        if not isinstance(first, SteadyShard):
            first._cancel_task()  # noqa: SLF001  # it has taken nothing in yet
            shards[shard_id] = SteadyShard(first.ws, self, first._queue_put)  # noqa: SLF001
            shards[shard_id].launch()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Let shards that begin a new session take turns, with the pause that Discord asks for."""
        async with self._identifying:
            await super().before_identify_hook(shard_id, initial=initial)

    async def hang_up(self) -> None:
        """Close the connections of all shards, and let none of them come back by itself."""
        shards: dict[int, Shard] = vars(self)["_AutoShardedClient__shards"]
        for shard in shards.values():
            shard._cancel_task()  # noqa: SLF001
        await asyncio.gather(*(hang_up(shard.ws) for shard in shards.values()))


async def hang_up(gateway: DiscordWebSocket) -> None:
    """Close a connection that nobody reads any more, and end its heartbeat."""
    try:
        async with asyncio.timeout(HANG_UP_LIMIT.total_seconds()):
            await gateway.close()
    except Exception:
        logger.exception("a broken connection to Discord cannot be closed")


def available_guilds(client: discord.Client) -> list[discord.Guild]:
    """Return the servers that this process serves and that are not in an outage of Discord's."""
    return [guild for guild in client.guilds if not guild.unavailable]


def has_direct_messages(client: discord.AutoShardedClient) -> bool:
    """Return whether direct messages come to this process, and commands are published by it: it has shard 0."""
    return client.shard_ids is None or 0 in client.shard_ids
