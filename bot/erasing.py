"""What the front end asks of whoever erases, and what it is told."""

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.post_deletion import Post


class Forgotten(Protocol):
    """What was erased, and what still holds it."""

    @property
    def found_nothing(self) -> bool:
        """Whether there was nothing."""

    @property
    def amounts(self) -> str:
        """What was erased, in words."""

    @property
    def posts(self) -> Sequence[Post]:
        """Messages of the bot in Discord that repeat what was erased, now or earlier."""

    @property
    def backups(self) -> tuple[str, ...]:
        """The names of backups that may still hold it."""


class Erasing(Protocol):
    """Erases while the bot runs; see `ops.erasure.live.LiveErasure`."""

    async def forget(
        self, *, people: Sequence[int] = (), messages: Sequence[int] = (), channels: Sequence[int] = ()
    ) -> Forgotten:
        """Erase; an error means that it is noted, and done later, or that it cannot be noted."""

    async def strike_posts(self, gone: Collection[int]) -> None:
        """Note that posts are deleted in Discord."""
