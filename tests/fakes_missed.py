"""Stand-ins for Discord's history and for the ledger, made of lists, for tests of what reads them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.history.rest import Page
from bot.history.source import ReadablePlace
from bot.history.verification import Verifier
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at, merge
from memory.coverage.ledger import Stretch
from memory.message import Message, Place, merged
from memory.search.stored import StoredState, StoredStretch
from tests.builders import message
from tests.fakes_discord import NOW, FakeRecorder

GUILD_ID = 2
CREATED = first_id_at(NOW - timedelta(weeks=52))


def ago(**ago: float) -> datetime:
    """Return a moment so long before the tests' present."""
    return NOW - timedelta(**ago)


def sent(at: datetime, content: str = "hello", *, place_id: int = CREATED, **fields: object) -> Message:
    """Return a message of the guild whose id tells when it was sent."""
    defaults = {"message_id": first_id_at(at), "sent_at": at, "guild_id": GUILD_ID, "channel_id": place_id}
    return message(1, content, **{**defaults, **fields})


@dataclass
class FakeHistory:
    """Discord's history of some places: gives the oldest messages after an id and the newest before, as Discord does.

    `fails` are errors that the next requests for a place end with, in order.
    """

    clock: Callable[[], datetime] = lambda: NOW
    page_size: int = 4
    messages: dict[int, Message] = field(default_factory=dict)
    fails: dict[int, list[DiscordUnavailableError | RefusedPlaceError]] = field(default_factory=dict)
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None
    """Called when Discord has made its answer and the bot does not have it yet."""

    def send(self, *messages: Message) -> None:
        self.messages |= {message.message_id: message for message in messages}

    def edit(self, message_id: int, content: str, *, at: datetime) -> None:
        self.messages[message_id] = replace(self.messages[message_id], content=content, edited_at=at)

    def delete(self, message_id: int) -> None:
        del self.messages[message_id]

    async def page_after(self, place: ReadablePlace, message_id: int) -> Page:
        self._asked("after", place, message_id)
        asked_at = self.clock()
        shown = [one for one in self._of(place) if one.message_id > message_id][: self.page_size]
        is_last = len(shown) < self.page_size
        newest_id = max([*(one.message_id for one in shown), *([first_id_at(asked_at)] if is_last else [])])
        return self._page(Interval(message_id + 1, newest_id), shown, is_last=is_last, asked_at=asked_at)

    async def page_before(self, place: ReadablePlace, message_id: int) -> Page:
        self._asked("before", place, message_id)
        shown = [one for one in self._of(place) if one.message_id < message_id][-self.page_size :]
        is_last = len(shown) < self.page_size
        oldest_id = 0 if is_last else shown[0].message_id
        return self._page(Interval(oldest_id, message_id - 1), shown, is_last=is_last, asked_at=self.clock())

    async def look_up(self, place: ReadablePlace, message_id: int) -> Message | None:
        self._asked("one", place, message_id)
        return self.messages.get(message_id)

    def place(self, place_id: int = CREATED) -> ReadablePlace:
        """Return a place as Discord describes it when a bot comes back."""
        ids = [one.message_id for one in self.messages.values() if one.place_id == place_id]
        place = Place(guild_id=GUILD_ID, channel_id=place_id, channel_name="general")
        return ReadablePlace(place=place, last_message_id=max(ids, default=None))

    def _of(self, place: ReadablePlace) -> list[Message]:
        inside = [one for one in self.messages.values() if one.place_id == place.place_id]
        return sorted(inside, key=lambda one: one.message_id)

    def _asked(self, what: str, place: ReadablePlace, message_id: int) -> None:
        self.requests.append((what, place.place_id, message_id))
        if self.fails.get(place.place_id):
            raise self.fails[place.place_id].pop(0)

    def _page(self, interval: Interval, shown: Sequence[Message], *, is_last: bool, asked_at: datetime) -> Page:
        ids = frozenset(one.message_id for one in shown)
        page = Page(interval=interval, messages=tuple(shown), ids=ids, is_last=is_last, asked_at=asked_at)
        self.before_answer()
        return page


@dataclass
class RecordedMemory:
    """Holds what the recorder was given, as the memories would."""

    recorder: FakeRecorder

    async def stored_in(self, guild_id: int, place_id: int, interval: Interval) -> StoredStretch:
        states = {
            key: StoredState(
                message_id=key,
                edited_at=state.edited_at,
                deleted_at=state.deleted_at,
                is_empty=not state.content and not state.attachments,
                of_this_session=True,
            )
            for key, state in self.current().items()
            if state.place_id == place_id and interval.oldest_id <= key <= interval.newest_id
        }
        return StoredStretch(newest_id=interval.newest_id, states=states)

    def current(self) -> dict[int, Message]:
        """Return each message as it is known now."""
        known: dict[int, Message] = {}
        for state in self.recorder.messages:
            older = known.get(state.message_id)
            known[state.message_id] = state if older is None else merged(older, state)
        return known


@dataclass
class FakeLedger:
    """What was read, in memory alone."""

    seen: dict[int, list[Interval]] = field(default_factory=lambda: defaultdict(list))
    verified: list[tuple[int, Interval]] = field(default_factory=list)
    starts: set[int] = field(default_factory=set)
    read_times: dict[int, datetime] = field(default_factory=dict)
    fails: list[Exception] = field(default_factory=list)

    async def of_guild(self, guild_id: int) -> Mapping[int, Sequence[Stretch]]:
        if self.fails:
            raise self.fails.pop(0)
        return {place_id: [self._stretch(place_id, one) for one in merge(seen)] for place_id, seen in self.seen.items()}

    async def note_verified(self, place_id: int, interval: Interval, *, read_at: datetime) -> None:
        self.verified.append((place_id, interval))

    def add(self, place_id: int, guild_id: int | None, interval: Interval, *, reaches_start: bool = False) -> None:
        self.seen[place_id].append(interval)
        if reaches_start:
            self.starts.add(place_id)

    def _stretch(self, place_id: int, interval: Interval) -> Stretch:
        read_at = self.read_times.get(place_id, NOW - timedelta(days=3))
        return Stretch(
            place_id=place_id,
            guild_id=GUILD_ID,
            interval=interval,
            read_at=read_at,
            widened_at=read_at,
            journal_end=0,
        )


class FakeStretches:
    """A ledger that keeps what is written, and a journal that is on the disk."""

    progress = (0, 0)

    def __init__(self) -> None:
        self._written: dict[int, list[Interval]] = defaultdict(list)

    async def push(self) -> bool:
        return True

    async def add(self, stretches: Iterable[Stretch]) -> None:
        for stretch in stretches:
            self._written[stretch.place_id].append(stretch.interval)

    def of(self, place_id: int) -> list[Interval]:
        return merge(self._written[place_id])


def new_verifier(history: FakeHistory, recorder: FakeRecorder) -> Verifier:
    """Return a verifier between these."""
    return Verifier(
        history,
        stored=RecordedMemory(recorder),
        recorder=recorder,
        session="demo",
        clock=history.clock,
    )
