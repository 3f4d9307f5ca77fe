"""What was said, edited and deleted while the bot was away is known once it has caught up."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.history.catch_up import CatchUp
from bot.history.freshness import Freshness
from bot.history.source import ReadablePlace
from bot.history.verification import Verified
from errors import DatabaseUnavailableError, DiscordUnavailableError, RefusedPlaceError
from memory.coverage.intervals import Interval, first_id_at, is_covered
from memory.message import Message
from tests.fakes_discord import NOW, FakeRecorder
from tests.fakes_missed import CREATED, GUILD_ID, FakeHistory, FakeLedger, RecordedMemory, ago, new_verifier, sent

LEFT, BACK = ago(days=2), NOW
BACK_ID = first_id_at(BACK)
OTHER = CREATED + 1000


class Bot:
    """A bot that has listened from `since` until it left, and comes back now."""

    def __init__(self, *, since: timedelta = timedelta(days=30)) -> None:
        self.history = FakeHistory()
        self.recorder = FakeRecorder()
        self.ledger = FakeLedger()
        self.freshness = Freshness()
        self.archived: dict[int, datetime] = {}
        self.since = NOW - since

    async def heard(self, *messages: Message) -> None:
        """Let messages be sent while the bot listens."""
        self.history.send(*messages)
        for message in messages:
            await self.recorder.record(message)
            self.ledger.seen[message.place_id] = [Interval(first_id_at(self.since), first_id_at(LEFT))]

    async def catch_up(self, places: Sequence[int] = (), *, pauses: Sequence[timedelta] = ()) -> Verified:
        before = len(self.recorder.messages)
        self.freshness.began(GUILD_ID, from_id=BACK_ID)

        async def open_places(_: int) -> list[ReadablePlace]:
            return [self.history.place(place_id) for place_id in places or [CREATED]]

        async def archived_since(_: int, since: datetime) -> list[ReadablePlace]:
            return [self.history.place(place_id) for place_id, at in self.archived.items() if at >= since]

        catching_up = CatchUp(
            reader=self.history,
            verifier=new_verifier(self.history, self.recorder),
            stretches=self.ledger,
            coverage=self.ledger,
            freshness=self.freshness,
            open_places=open_places,
            archived_since=archived_since,
            pauses=pauses,
        )
        counted = await catching_up.run(GUILD_ID, listened_from=BACK_ID)
        self.new = self.recorder.messages[before:]
        return counted

    def says(self) -> dict[int, str | None]:
        """Return the words of each message as memory knows them now; None for one that is deleted."""
        known = RecordedMemory(self.recorder).current()
        return {key: None if state.deleted_at else state.content for key, state in known.items()}


@pytest.fixture
def bot() -> Bot:
    return Bot()


def pages(bot: Bot, what: str) -> int:
    return sum(request[0] == what for request in bot.history.requests)


async def test_messages_of_the_time_away_are_recorded_once_and_oldest_first(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    missed = [sent(ago(hours=40 - number), f"missed {number}") for number in range(10)]
    bot.history.send(*missed)

    counted = await bot.catch_up()

    assert bot.new == missed
    assert counted == Verified(new=10)
    assert is_covered(Interval(first_id_at(bot.since), BACK_ID), bot.ledger.seen[CREATED])


async def test_edits_and_deletions_of_the_time_away_are_known_afterwards(bot: Bot) -> None:
    messages = [sent(ago(days=3, hours=number), f"word {number}") for number in range(9)]
    await bot.heard(*messages)
    bot.history.edit(messages[2].message_id, "changed", at=ago(hours=30))
    bot.history.delete(messages[5].message_id)
    bot.history.delete(messages[0].message_id)  # the newest: nothing on the page lies after it

    counted = await bot.catch_up()

    expected: dict[int, str | None] = {message.message_id: message.content for message in messages}
    expected |= {messages[2].message_id: "changed", messages[5].message_id: None, messages[0].message_id: None}
    assert bot.says() == expected
    assert counted == Verified(edited=1, deleted=2)


async def test_what_is_deleted_at_the_very_end_of_the_time_away_is_seen_too(bot: Bot) -> None:
    only = sent(ago(days=3))
    await bot.heard(only)
    bot.history.delete(only.message_id)
    bot.history.send(sent(ago(hours=3), "the next"))

    await bot.catch_up()

    assert bot.says()[only.message_id] is None


async def test_catching_up_twice_records_nothing_twice(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.send(sent(ago(hours=30)))
    await bot.catch_up()

    assert await bot.catch_up() == Verified()
    assert bot.new == []


async def test_an_event_that_arrives_before_the_page_does_wins_over_it(bot: Bot) -> None:
    edited, deleted = sent(ago(days=3), "a"), sent(ago(days=4), "b")
    await bot.heard(deleted, edited)
    for message in (edited, deleted):
        bot.history.edit(message.message_id, "changed while away", at=ago(hours=30))

    def events() -> None:
        now = sent(ago(days=3), "changed since", edited_at=NOW)
        gone = sent(ago(days=4), "", deleted_at=NOW)
        bot.recorder.messages += [] if now in bot.recorder.messages else [now, gone]

    bot.history.before_answer = events
    await bot.catch_up()

    assert bot.says() == {edited.message_id: "changed since", deleted.message_id: None}


async def test_only_the_last_week_before_the_time_away_is_read_again(bot: Bot) -> None:
    await bot.heard(*(sent(ago(days=number), f"day {number}") for number in range(3, 29)))

    await bot.catch_up()

    checked = [interval for place_id, interval in bot.ledger.verified if place_id == CREATED]
    oldest = min(interval.oldest_id for interval in checked)
    assert first_id_at(LEFT - timedelta(days=12)) < oldest <= first_id_at(LEFT - timedelta(days=7))


async def test_of_a_busy_place_the_last_five_hundred_messages_are_read_again(bot: Bot) -> None:
    bot.history.page_size = 100
    await bot.heard(*(sent(LEFT - timedelta(minutes=number)) for number in range(2000)))

    await bot.catch_up()

    assert pages(bot, "before") == 5


async def test_a_place_that_was_silent_for_long_costs_no_request(bot: Bot) -> None:
    await bot.heard(sent(ago(days=20)))

    await bot.catch_up()

    assert bot.history.requests == []
    assert is_covered(Interval(first_id_at(bot.since), BACK_ID - 1), bot.ledger.seen[CREATED])


async def test_a_place_that_was_made_while_the_bot_was_away_is_read_from_its_beginning(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    new_place = first_id_at(ago(hours=30))
    bot.history.send(sent(ago(hours=29), "first", place_id=new_place))

    await bot.catch_up([CREATED, new_place])

    assert [message.content for message in bot.new] == ["first"]
    assert bot.ledger.starts == {new_place}


async def test_an_old_thread_that_became_active_is_read_from_when_the_bot_left(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.send(sent(ago(days=25), "long ago", place_id=OTHER), sent(ago(hours=9), "again", place_id=OTHER))

    await bot.catch_up([CREATED, OTHER])

    assert [message.content for message in bot.new] == ["again"]
    assert bot.ledger.starts == set()


async def test_an_old_thread_in_which_nobody_wrote_costs_no_request_and_no_row(bot: Bot) -> None:
    await bot.heard(sent(ago(days=20)))
    bot.history.send(sent(ago(days=25), place_id=OTHER))

    await bot.catch_up([CREATED, OTHER])

    assert bot.history.requests == []
    assert OTHER not in bot.ledger.seen


async def test_a_thread_that_became_active_and_was_archived_again_is_read(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.send(sent(ago(hours=9), "a short talk", place_id=OTHER))
    bot.history.send(sent(ago(days=25), "long over", place_id=OTHER + 1))
    bot.archived = {OTHER: ago(hours=8), OTHER + 1: ago(days=24)}

    await bot.catch_up()

    assert [message.content for message in bot.new] == ["a short talk"]


async def test_in_a_server_of_which_nothing_was_ever_heard_nothing_was_missed(bot: Bot) -> None:
    bot.history.send(sent(ago(days=3)))

    assert await bot.catch_up() == Verified()
    assert bot.history.requests == []


async def test_a_gap_that_an_earlier_start_left_is_read_too(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.ledger.seen[CREATED] = [
        Interval(first_id_at(ago(days=30)), first_id_at(ago(days=10))),
        Interval(first_id_at(ago(days=9)), first_id_at(LEFT)),
    ]
    bot.history.send(sent(ago(days=9, hours=12), "missed long ago"))

    await bot.catch_up()

    assert bot.says()[first_id_at(ago(days=9, hours=12))] == "missed long ago"


async def test_a_place_whose_page_fails_is_read_later_and_costs_no_other(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)), sent(ago(days=4), place_id=OTHER))
    bot.history.send(sent(ago(hours=9), "here"), sent(ago(hours=8), "late", place_id=OTHER))
    bot.history.fails[OTHER] = [DiscordUnavailableError("502")]

    await bot.catch_up([CREATED, OTHER], pauses=[timedelta(0)])

    assert {message.content for message in bot.new} == {"here", "late"}


async def test_a_place_that_fails_for_good_leaves_its_gap_in_the_ledger(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.send(sent(ago(hours=9), "unread"))
    bot.history.fails[CREATED] = [DiscordUnavailableError("502")] * 9

    await bot.catch_up(pauses=[timedelta(0)])

    assert bot.new == []
    assert not is_covered(Interval(first_id_at(LEFT), BACK_ID), bot.ledger.seen[CREATED])


async def test_a_place_that_is_closed_by_now_has_no_deletions_and_is_not_tried_again(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.messages.clear()
    bot.history.fails[CREATED] = [RefusedPlaceError("404 with code 10003")]

    await bot.catch_up(pauses=[timedelta(0)])

    assert bot.new == []
    assert len(bot.history.requests) <= 1


async def test_a_ledger_that_does_not_answer_is_asked_again(bot: Bot) -> None:
    await bot.heard(sent(ago(days=3)))
    bot.history.send(sent(ago(hours=9), "here"))
    bot.ledger.fails = [DatabaseUnavailableError("away")]

    await bot.catch_up(pauses=[timedelta(0)])

    assert [message.content for message in bot.new] == ["here"]


async def test_messages_are_fresh_once_they_are_heard_or_read_again(bot: Bot) -> None:
    old, recent = sent(ago(days=28)), sent(ago(days=3))
    between = [sent(ago(days=10 + number)) for number in range(6)]
    await bot.heard(old, recent, *between)
    missed = sent(ago(hours=9))
    bot.history.send(missed)

    await bot.catch_up()

    assert [bot.freshness.is_fresh(one) for one in (old, recent, missed)] == [False, True, True]
    assert bot.freshness.is_fresh(sent(NOW + timedelta(minutes=1)))


async def test_nothing_old_is_fresh_after_another_break(bot: Bot) -> None:
    recent = sent(ago(days=3))
    await bot.heard(recent)
    await bot.catch_up()

    bot.freshness.began(GUILD_ID, from_id=first_id_at(NOW + timedelta(hours=1)))

    assert not bot.freshness.is_fresh(recent)
    assert not bot.freshness.is_fresh(sent(NOW + timedelta(minutes=1)))
