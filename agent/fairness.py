"""Let questions through a few at a time: guilds in turn, and in each of them people in turn, who know their place."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import zip_longest
from typing import NamedTuple

from agent.types import Question
from errors import BusyError
from memory.filters import Guild

TellPlace = Callable[[int], None]
"""Is told a place in the queue, 1 for the next one, and again whenever it changes; it returns at once."""


class Person(NamedTuple):
    """Somebody in a guild; the same person in another guild waits there by themselves."""

    guild: Guild
    person_id: Hashable


def asker_of(question: Question) -> Person:
    """Return who asks a question, in the guild where they do."""
    return Person(question.guild, question.asker_id)


@dataclass(slots=True, eq=False)
class _Waiting:
    """A question that waits."""

    person: Person
    tell: TellPlace
    admitted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    place: int = 0


class FairQueue:
    """Lets `at_once` questions through at a time, of each person one after the other; the rest wait in a queue.

    Whose turn it is goes round the guilds, and within a guild round its people, so that nobody who asks much keeps
    others from their turn. A guild that has none under way is let in beyond `at_once`, as long as there are `spare`
    places. With `at_once` 0 it is closed until it is opened. At most `longest` questions wait, and as many more of
    guilds that have none waiting.
    """

    def __init__(self, at_once: int, *, spare: int = 0, longest: int = 256) -> None:
        self._at_once = at_once
        self._spare = spare
        self._longest = longest
        self._under_way: Counter[Person] = Counter()
        self._guilds: OrderedDict[Guild, OrderedDict[Person, deque[_Waiting]]] = OrderedDict()

    @property
    def length(self) -> int:
        """How many questions wait."""
        return sum(len(line) for people in self._guilds.values() for line in people.values())

    @property
    def under_way(self) -> int:
        """How many questions were let through and have not ended."""
        return self._under_way.total()

    def open(self, at_once: int, *, spare: int = 0) -> None:
        """Let so many through at a time from now on."""
        self._at_once, self._spare = at_once, spare
        self._admit()

    @asynccontextmanager
    async def turn(self, person: Person, *, patience: timedelta, tell: TellPlace) -> AsyncGenerator[None]:
        """Wait for a turn, and have it for the length of the block; raise BusyError when it does not come.

        It does not come when the queue is full, or when `patience` ends before.
        """
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._enter(person, tell)
        except TimeoutError as error:
            raise BusyError("the turn of this question did not come in time") from error
        try:
            yield
        finally:
            self._leave(person)

    async def _enter(self, person: Person, tell: TellPlace) -> None:
        if self._may_enter(person):
            self._under_way[person] += 1
            return
        if not self._has_room_for(person.guild):
            raise BusyError("the queue is full")
        waiting = _Waiting(person, tell)
        self._guilds.setdefault(person.guild, OrderedDict()).setdefault(person, deque()).append(waiting)
        self._tell_places()
        try:
            await waiting.admitted
        except asyncio.CancelledError:
            if waiting.admitted.done() and not waiting.admitted.cancelled():
                self._leave(person)
            else:
                self._remove(waiting)
                self._tell_places()
            raise

    def _may_enter(self, person: Person) -> bool:
        if self._under_way[person]:
            return False
        has_some = any(other.guild == person.guild for other in self._under_way)
        return self.under_way < self._at_once + (0 if has_some else self._spare)

    def _may_be_admitted(self, waiting: _Waiting) -> bool:
        return not waiting.admitted.done() and self._may_enter(waiting.person)

    def _has_room_for(self, guild: Guild) -> bool:
        return self.length < self._longest * (1 if guild in self._guilds else 2)

    def _leave(self, person: Person) -> None:
        self._under_way -= Counter({person: 1})
        self._admit()

    def _admit(self) -> None:
        """Let through whoever's turn it is, as long as there are places; those who give up are on their way out."""
        while waiting := next((one for one in self._in_order() if self._may_be_admitted(one)), None):
            self._remove(waiting)
            self._move_back(waiting.person)
            self._under_way[waiting.person] += 1
            waiting.admitted.set_result(None)
        self._tell_places()

    def _in_order(self) -> list[_Waiting]:
        """Return who waits in the order of their turns."""
        return _interleaved(_interleaved(people.values()) for people in self._guilds.values())

    def _remove(self, waiting: _Waiting) -> None:
        people = self._guilds[waiting.person.guild]
        people[waiting.person].remove(waiting)
        if not people[waiting.person]:
            del people[waiting.person]
        if not people:
            del self._guilds[waiting.person.guild]

    def _move_back(self, person: Person) -> None:
        """Let the other people of a guild, and the other guilds, come before the next turn of this one."""
        if people := self._guilds.get(person.guild):
            self._guilds.move_to_end(person.guild)
            if person in people:
                people.move_to_end(person)

    def _tell_places(self) -> None:
        for place, waiting in enumerate(self._in_order(), 1):
            if waiting.place != place:
                waiting.place = place
                waiting.tell(place)


def _interleaved(lines: Iterable[Iterable[_Waiting]]) -> list[_Waiting]:
    """Return the first of every line, then the second of every line, and so on."""
    return [waiting for row in zip_longest(*lines) for waiting in row if waiting]
