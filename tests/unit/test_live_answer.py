"""When it is shown how an answer comes about, and what of it."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.progress import Step, StepKind
from agent.types import Answer, Question, Source
from bot.buttons import Reply
from bot.live_answer import CHANNEL_EDIT_GAP, EDIT_GAP, LiveAnswer, is_under_way
from bot.steps import ordinal, step_words
from tests.builders import message
from time_expressions.window import Window

NOW = datetime(2026, 11, 6, 12, tzinfo=UTC)
QUESTION = Question(
    text="when?",
    channel_id=1,
    asker_id=2,
    asker_name="Ana",
    places=frozenset({1}),
    now=NOW,
    time_zone=ZoneInfo("Europe/Paris"),
)
THURSDAY = Window(datetime(2026, 11, 4, 23, tzinfo=UTC), datetime(2026, 11, 5, 23, tzinfo=UTC))
SEARCHING = Step(kind=StepKind.SEARCHING, channels=("ops",), windows=(THURSDAY,))
READING = Step(kind=StepKind.READING_AROUND, count=3)
WRITING = Step(kind=StepKind.WRITING)


class Clock:
    """A clock that goes on only when everybody sleeps, to the next one who wakes."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep until the clock is there."""
        woken = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, id(woken), woken))
        await woken.wait()

    async def run(self, work: Awaitable[None]) -> None:
        """Let the time go by until the work is done."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(10):
                await asyncio.sleep(0)
            if self._sleepers and not task.done():
                self.now, _, woken = heapq.heappop(self._sleepers)
                woken.set()
        await task


class Screen:
    """Notes what is shown, and when; showing takes some time."""

    def __init__(self, clock: Clock, *, takes: float = 0.0) -> None:
        self._clock = clock
        self._takes = takes
        self.shown: list[tuple[float, str]] = []
        self.fails = False

    async def show(self, reply: Reply) -> None:
        """Show the text of a reply."""
        if self._takes:
            await self._clock.sleep(self._takes)
        if self.fails:
            raise TimeoutError
        self.shown.append((round(self._clock.now, 3), "\n".join([*reply.parts, *reply.notes])))


async def everything(_: Answer | None) -> bool:
    """Allow all to be shown."""
    return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def screen(clock: Clock) -> Screen:
    return Screen(clock)


Script = Callable[[LiveAnswer], Awaitable[None]]


async def play(clock: Clock, screen: Screen, script: Script, *, in_channel: bool = False) -> float:
    """Let an answer come about as a script says; return when the answer itself may be shown."""
    live = LiveAnswer(clock=clock, sleep=clock.sleep)
    at_end = 0.0

    async def work() -> None:
        nonlocal at_end
        async with live.running(screen.show, gap=CHANNEL_EDIT_GAP if in_channel else EDIT_GAP):
            live.begin(QUESTION, everything)
            await script(live)
        at_end = clock.now

    await clock.run(work())
    return round(at_end, 3)


async def test_nothing_is_shown_of_an_answer_that_is_soon_there(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(0.7)
        live.step(WRITING)
        await clock.sleep(0.7)

    assert await play(clock, screen, script) == 1.4
    assert screen.shown == []


async def test_steps_are_shown_after_a_second_and_a_half_and_from_then_on_at_most_every_1_2_seconds(
    clock: Clock, screen: Screen
) -> None:
    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(1.6)
        live.step(READING)
        await clock.sleep(0.1)
        live.step(WRITING)
        await clock.sleep(3)

    assert await play(clock, screen, script) == 4.7
    assert screen.shown == [
        (1.5, "-# searching #ops, Thu 5 Nov …"),
        (2.7, "-# searching #ops, Thu 5 Nov\n-# reading around 3 messages\n-# writing …"),
    ]
    assert all(is_under_way(shown) for _, shown in screen.shown)


async def test_the_answer_itself_comes_at_least_1_2_seconds_after_the_last_edit(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(1.6)

    assert await play(clock, screen, script) == 2.7


async def test_the_time_that_an_edit_takes_does_not_bring_the_next_one_nearer(clock: Clock) -> None:
    screen = Screen(clock, takes=0.5)

    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(1.6)
        live.step(WRITING)
        await clock.sleep(5)

    await play(clock, screen, script)

    assert [at for at, _ in screen.shown] == [2.0, 3.7]


async def test_an_edit_that_is_on_its_way_when_the_answer_is_there_is_waited_for(clock: Clock) -> None:
    screen = Screen(clock, takes=0.5)

    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(1.7)

    assert await play(clock, screen, script) == 3.2
    assert [at for at, _ in screen.shown] == [2.0]


async def test_a_message_in_a_channel_is_edited_at_most_every_second_and_a_half(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        for step in (SEARCHING, READING, WRITING):
            live.step(step)
            await clock.sleep(1.6)

    assert await play(clock, screen, script, in_channel=True) == 6.0
    assert [at for at, _ in screen.shown] == [1.5, 3.0, 4.5]


async def test_what_would_change_nothing_is_not_shown_again(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        for _ in range(5):
            live.step(SEARCHING)
            await clock.sleep(2)

    await play(clock, screen, script)

    assert [at for at, _ in screen.shown] == [1.5]


async def test_a_place_in_the_queue_gives_way_to_the_next_one_and_to_the_work(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        for place in (3, 2):
            live.step(Step(kind=StepKind.WAITING, place_in_queue=place))
            await clock.sleep(2)
        live.step(SEARCHING)
        await clock.sleep(2)

    await play(clock, screen, script)

    assert [text for _, text in screen.shown] == [
        "-# 3rd in the queue …",
        "-# 2nd in the queue …",
        "-# searching #ops, Thu 5 Nov …",
    ]


SOURCES = (Source(1, message(7, "at noon", guild_id=1, channel_id=9)),)
DRAFT = Answer(text="The ferry leaves at noon [1].", sources=SOURCES, shown_places=frozenset({9}))


async def test_a_draft_takes_the_place_of_the_steps(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        live.step(WRITING)
        await clock.sleep(2)
        live.draft(DRAFT)
        await clock.sleep(2)
        live.draft(replace(DRAFT, text=f"{DRAFT.text} It is late."))
        await clock.sleep(2)

    await play(clock, screen, script)

    link = "[[1]](<https://discord.com/channels/1/9/7>)"
    assert screen.shown == [
        (1.5, "-# writing …"),
        (2.7, f"The ferry leaves at noon {link}.\nwriting …"),
        (4.0, f"The ferry leaves at noon {link}. It is late.\nwriting …"),
    ]


async def test_what_may_not_be_shown_any_more_is_taken_away_with_the_next_edit(clock: Clock, screen: Screen) -> None:
    allowed = True

    async def may_show(_: Answer | None) -> bool:
        return allowed

    async def script(live: LiveAnswer) -> None:
        nonlocal allowed
        live.begin(QUESTION, may_show)
        live.step(SEARCHING)
        live.draft(DRAFT)
        await clock.sleep(2)
        allowed = False
        live.step(WRITING)
        await clock.sleep(2)

    await play(clock, screen, script)

    assert "noon" in screen.shown[0][1]
    assert screen.shown[1:] == [(2.7, "-# searching, Thu 5 Nov\n-# writing …")]


async def test_a_question_that_is_asked_anew_forgets_what_was_noted(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        live.draft(DRAFT)
        live.begin(QUESTION, everything)
        live.step(SEARCHING)
        await clock.sleep(2)

    await play(clock, screen, script)

    assert [text for _, text in screen.shown] == ["-# searching #ops, Thu 5 Nov …"]


async def test_an_answer_comes_though_nothing_could_be_shown_before_it(clock: Clock, screen: Screen) -> None:
    screen.fails = True

    async def script(live: LiveAnswer) -> None:
        for step in (SEARCHING, READING, WRITING):
            live.step(step)
            await clock.sleep(2)

    assert await play(clock, screen, script) == 6.0
    assert screen.shown == []


async def test_an_error_in_the_work_ends_the_showing_and_is_passed_on(clock: Clock, screen: Screen) -> None:
    async def script(live: LiveAnswer) -> None:
        live.step(SEARCHING)
        await clock.sleep(1)
        raise LookupError

    with pytest.raises(LookupError):
        await play(clock, screen, script)

    assert len(asyncio.all_tasks()) == 1


# ---- the words of a step


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(SEARCHING, "searching #ops, Thu 5 Nov", id="one channel and one day"),
        pytest.param(Step(kind=StepKind.SEARCHING), "searching", id="everything"),
        pytest.param(
            Step(kind=StepKind.SEARCHING, channels=tuple("abcde")),
            "searching #a, #b, #c and 2 more",
            id="many channels",
        ),
        pytest.param(
            Step(kind=StepKind.COUNTING, windows=(Window(datetime(2026, 11, 1, 23, tzinfo=UTC), NOW),)),
            "counting, Mon 2 Nov 00:00 - Fri 6 Nov 13:00",
            id="a part of a day",
        ),
        pytest.param(
            Step(kind=StepKind.LISTING, windows=(Window(datetime(2026, 11, 1, 23, tzinfo=UTC), THURSDAY.end),)),
            "listing, Mon 2 Nov - Thu 5 Nov",
            id="whole days",
        ),
        pytest.param(Step(kind=StepKind.LISTING, windows=(THURSDAY,) * 4), "listing, Thu 5 Nov, Thu 5 Nov and 2 more"),
        pytest.param(Step(kind=StepKind.READING_AROUND, count=1), "reading around 1 message", id="one message"),
        pytest.param(Step(kind=StepKind.READING_AROUND), "reading around what was found", id="no count"),
        pytest.param(Step(kind=StepKind.WAITING), "waiting for a turn", id="no place"),
        pytest.param(
            Step(kind=StepKind.SEARCHING, channels=("@everyone *x* <@5>",)),
            "searching #@\N{ZERO WIDTH SPACE}everyone \\*x\\* \\<@\N{ZERO WIDTH SPACE}5>",
            id="a name that would ping and format",
        ),
    ],
)
def test_a_step_is_a_few_words(step: Step, words: str) -> None:
    assert step_words(step, QUESTION, named=True) == words


def test_channels_are_not_named_where_they_may_not_be() -> None:
    assert step_words(SEARCHING, QUESTION, named=False) == "searching, Thu 5 Nov"


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (13, "13th"), (22, "22nd"), (112, "112th")],
)
def test_places_in_a_queue_are_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == words
