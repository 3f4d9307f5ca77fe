"""What Discord shows is brought into memory, and only what Discord confirms counts as deleted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.history.rest import Page
from bot.history.source import ReadablePlace
from bot.history.verification import Verified, Verifier
from errors import DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval
from memory.message import Message, Place
from memory.search.stored import StoredState, StoredStretch
from tests.builders import edit, message, minute
from tests.fakes_discord import NOW, FakeRecorder

PLACE = ReadablePlace(place=Place(guild_id=2, channel_id=1, channel_name="general"), last_message_id=None)
GONE = None


@dataclass
class Messages:
    """Answers questions about single messages: with one, with GONE, or with an error."""

    known: Mapping[int, Message | DiscordUnavailableError | RefusedPlaceError | None] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    async def look_up(self, place: ReadablePlace, message_id: int) -> Message | None:
        assert place == PLACE
        self.asked.append(message_id)
        answer = self.known[message_id]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Stored:
    """Holds these states, and gives at most `at_once`."""

    states: list[StoredState]
    at_once: int = 1000

    async def stored_in(self, guild_id: int, place_id: int, interval: Interval) -> StoredStretch:
        assert (guild_id, place_id) == (2, PLACE.place_id)
        inside = [state for state in self.states if interval.oldest_id <= state.message_id <= interval.newest_id]
        given = inside[: self.at_once]
        newest_id = interval.newest_id if len(given) == len(inside) else given[-1].message_id
        return StoredStretch(newest_id=newest_id, states={state.message_id: state for state in given})


def page(*shown: Message, interval: Interval) -> Page:
    ids = frozenset(one.message_id for one in shown)
    return Page(interval=interval, messages=shown, ids=ids, is_last=True, asked_at=minute(100))


def verifier(recorder: FakeRecorder, stored: Stored, messages: Messages | None = None) -> Verifier:
    return Verifier(
        messages or Messages(),
        stored=stored,
        recorder=recorder,
        session="demo",
        clock=lambda: NOW,
    )


def states(*ids: int, **known: Any) -> list[StoredState]:
    return [StoredState(message_id=message_id, **known) for message_id in ids]


@pytest.fixture
def recorder() -> FakeRecorder:
    return FakeRecorder()


async def test_new_and_edited_messages_are_recorded_oldest_first(recorder: FakeRecorder) -> None:
    shown = page(message(3), edit(4, "changed", at=9), message(5), interval=Interval(1, 9))

    counted = await verifier(recorder, Stored(states(4, 5))).verify(PLACE, shown)

    assert recorder.messages == [message(3), edit(4, "changed", at=9)]
    assert counted == Verified(new=1, edited=1)


async def test_a_page_that_shows_what_memory_holds_adds_nothing(recorder: FakeRecorder) -> None:
    counted = await verifier(recorder, Stored(states(3, 4))).verify(
        PLACE, page(message(3), message(4), interval=Interval(1, 9))
    )

    assert (counted, recorder.messages) == (Verified(), [])


async def test_a_missing_message_that_discord_does_not_know_is_recorded_as_deleted_now(recorder: FakeRecorder) -> None:
    discord = Messages({7: GONE})

    counted = await verifier(recorder, Stored(states(3, 7)), discord).verify(
        PLACE, page(message(3), interval=Interval(1, 9))
    )

    (recorded,) = recorder.messages
    assert (recorded.message_id, recorded.deleted_at, recorded.channel_id) == (7, NOW, 1)
    assert counted == Verified(deleted=1)


async def test_a_missing_message_that_discord_still_has_is_left_alone(recorder: FakeRecorder) -> None:
    counted = await verifier(recorder, Stored(states(7)), Messages({7: message(7)})).verify(
        PLACE, page(interval=Interval(1, 9))
    )

    assert (counted, recorder.messages) == (Verified(), [])


async def test_an_error_leaves_a_missing_message_open_and_the_others_are_asked_about(recorder: FakeRecorder) -> None:
    discord = Messages({7: DiscordUnavailableError("503"), 8: GONE})

    counted = await verifier(recorder, Stored(states(7, 8)), discord).verify(PLACE, page(interval=Interval(1, 9)))

    assert [one.message_id for one in recorder.messages] == [8]
    assert counted == Verified(deleted=1, left_open=1)


async def test_a_place_that_is_closed_meanwhile_has_no_deletion(recorder: FakeRecorder) -> None:
    discord = Messages({7: RefusedPlaceError("unknown channel")})

    with pytest.raises(RefusedPlaceError):
        await verifier(recorder, Stored(states(7, 8)), discord).verify(PLACE, page(interval=Interval(1, 9)))

    assert recorder.messages == []
    assert discord.asked == [7]


async def test_only_what_lies_in_the_span_of_the_page_is_missing_from_it(recorder: FakeRecorder) -> None:
    discord = Messages({5: GONE})

    await verifier(recorder, Stored(states(3, 5, 12)), discord).verify(PLACE, page(interval=Interval(4, 9)))

    assert discord.asked == [5]


async def test_a_span_of_which_memory_holds_more_than_it_gives_at_once_is_compared_in_parts(
    recorder: FakeRecorder,
) -> None:
    discord = Messages({1: GONE, 4: GONE, 9: GONE})
    shown = page(message(2), message(3), message(10), interval=Interval(0, 10))

    counted = await verifier(recorder, Stored(states(1, 2, 3, 4, 9), at_once=2), discord).verify(PLACE, shown)

    assert counted == Verified(new=1, deleted=3)
    assert [one.message_id for one in recorder.messages if one.deleted_at is None] == [10]


async def test_a_stretch_that_this_session_shall_have_whole_is_recorded_but_for_what_it_has(
    recorder: FakeRecorder,
) -> None:
    stored = Stored([*states(3, of_this_session=True), *states(4), *states(5, deleted_at=minute(9))])
    shown = page(message(3), message(4), message(6), interval=Interval(1, 9))

    counted = await verifier(recorder, stored).verify(PLACE, shown, keep_all=True)

    assert recorder.messages == [message(4), message(6)]
    assert counted == Verified(new=1)
