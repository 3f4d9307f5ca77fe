"""Share the language model among guilds, so that a flood of questions in one never starves another."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager


class Slots:
    """Counts who is with the model, of `total` at once: each guild that is there may have its equal share.

    A guild that has nobody there is let in beyond `total`, up to twice as many in all.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._taken: Counter[Hashable] = Counter()

    def take(self, guild: Hashable) -> bool:
        """Take a slot for a guild, to be given back; return False when it may have none just now."""
        taken = self._taken.total()
        guilds = len(self._taken.keys() | {guild})
        has_share = taken < self._total and self._taken[guild] < max(1, self._total // guilds)
        is_let_in = has_share or (not self._taken[guild] and taken < 2 * self._total)
        self._taken += Counter({guild: 1} if is_let_in else {})
        return is_let_in

    def give_back(self, guild: Hashable) -> None:
        """Give a slot of a guild back."""
        self._taken -= Counter({guild: 1})


class FairTurns:
    """Lets one after the other do something: guilds in turn, and within one in the order of their coming."""

    def __init__(self) -> None:
        self._is_taken = False
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, guild: Hashable) -> AsyncGenerator[None]:
        """Wait for the turn of a guild, and have it for the length of the block."""
        await self._take(guild)
        try:
            yield
        finally:
            self._pass_on()

    async def _take(self, guild: Hashable) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        called = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(guild, deque()).append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Call whoever is next; those who have given up meanwhile are passed over."""
        while self._waiting:
            guild, queue = self._waiting.popitem(last=False)
            while queue and queue[0].done():
                queue.popleft()
            if queue:
                queue.popleft().set_result(None)
                self._waiting |= {guild: queue} if queue else {}  # behind the others
                return
        self._is_taken = False
