"""What is owed is taken up neither too early, nor too often, nor too late, and by nobody else's process."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot import owed_answers
from bot.buttons import Reply
from bot.outbox import Outbox
from bot.owed_answers import FIRST_PAUSE, MOST_ATTEMPTS, OWED_FOR, OwedAnswers, says
from bot.stored_caller import AskerGoneError
from errors import DiscordUnavailableError
from memory.answers.kept import Kept, KeptQuestion, State
from tests.fakes_answers import FakeAnswerStore

NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
GUILD, OTHER_GUILD = 11, 12
TOKEN = "aW50ZXJhY3Rpb24"


def owed(question_id: int = 1, *, age: timedelta = timedelta(), attempts: int = 0, **changes: Any) -> Kept:
    """Return a question that was asked, and last taken up, so long ago."""
    question = KeptQuestion(
        question_id=question_id,
        guild_id=GUILD,
        channel_id=31,
        access_id=31,
        asker_id=21,
        text="when does the ferry leave?",
        asked_at=NOW - age,
        application_id=9,
        token=TOKEN,
    )
    return Kept(question=replace(question, **changes), state=State.ASKED, changed_at=NOW - age, attempts=attempts)


class Looking:
    """Looks for what is owed in one process, and notes which questions it goes on with."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, kept: Sequence[Kept], *, shards: list[int] | None = None
    ) -> None:
        self.store = FakeAnswerStore({one.question.question_id: one for one in kept})
        self.outbox = Outbox(self.store, clock=lambda: NOW)
        self.gone_on_with: list[int] = []
        self.error: Exception = DiscordUnavailableError("Discord is away")
        client = SimpleNamespace(guilds=[SimpleNamespace(id=GUILD, unavailable=False)], shard_ids=shards)
        nothing = cast("Any", None)
        self._owed = OwedAnswers(
            cast("Any", client), self.outbox, answerer=nothing, compose=nothing, deliverer=nothing, clock=lambda: NOW
        )
        monkeypatch.setattr(owed_answers, "stored_caller", self._note)

    async def _note(self, _: Any, question: KeptQuestion) -> None:
        self.gone_on_with.append(question.question_id)
        raise self.error

    async def look(self) -> list[int]:
        await self._owed.look()
        return self.gone_on_with

    def state(self, question_id: int = 1) -> State:
        return self.store.kept[question_id].state


async def test_a_process_takes_up_the_questions_of_its_own_guilds_and_direct_messages_with_shard_0(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = [owed(1), owed(2, guild_id=OTHER_GUILD), owed(3, guild_id=None)]

    assert await Looking(monkeypatch, kept, shards=[4, 5]).look() == [1]
    assert sorted(await Looking(monkeypatch, kept, shards=[0, 1]).look()) == [1, 3]


async def test_a_question_that_is_being_answered_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch, [owed()])
    looking.outbox.open(1, kept=True)

    assert await looking.look() == []


@pytest.mark.parametrize(
    ("attempts", "age", "is_due"),
    [
        pytest.param(0, timedelta(), True, id="for the first time at once"),
        pytest.param(1, FIRST_PAUSE / 2, False, id="too early for the second"),
        pytest.param(1, FIRST_PAUSE, True, id="for the second time"),
        pytest.param(3, FIRST_PAUSE * 3, False, id="too early for the fourth"),
        pytest.param(3, FIRST_PAUSE * 4, True, id="for the fourth time"),
    ],
)
async def test_pauses_grow_with_the_attempts(
    monkeypatch: pytest.MonkeyPatch, attempts: int, age: timedelta, *, is_due: bool
) -> None:
    looking = Looking(monkeypatch, [owed(attempts=attempts, age=age)])

    assert await looking.look() == ([1] if is_due else [])
    assert looking.state() is State.ASKED


@pytest.mark.parametrize(
    ("kept", "because"),
    [
        pytest.param(owed(age=OWED_FOR + timedelta(seconds=1)), "it is too old", id="too old"),
        pytest.param(owed(attempts=MOST_ATTEMPTS, age=OWED_FOR / 2), "it was tried too often", id="tried too often"),
        pytest.param(
            owed(age=timedelta(minutes=15), private=True), "its token has ended", id="in private without a token"
        ),
    ],
)
async def test_a_question_is_given_up_and_the_log_says_why_without_its_token_or_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kept: Kept, because: str
) -> None:
    looking = Looking(monkeypatch, [kept])

    assert await looking.look() == []

    assert looking.state() is State.GIVEN_UP
    assert because in caplog.text
    assert TOKEN not in caplog.text
    assert "ferry" not in caplog.text


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(DiscordUnavailableError("Discord is away"), State.ASKED, id="Discord is away"),
        pytest.param(RuntimeError("a mistake"), State.ASKED, id="a mistake of ours"),
        pytest.param(AskerGoneError("nobody is there"), State.GIVEN_UP, id="nobody is there"),
    ],
)
async def test_what_fails_is_tried_again_unless_nobody_is_there_any_more(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, state: State
) -> None:
    looking = Looking(monkeypatch, [owed()])
    looking.error = error

    assert await looking.look() == [1]

    assert looking.state() is state
    assert not looking.outbox.is_open(1)
    assert TOKEN not in caplog.text


SOURCES = "-# **Sources**\n-# [[1]](<https://discord.com/channels/11/31/5>) Ana in #pier: the ferry leaves"


@pytest.mark.parametrize(
    ("content", "is_answer"),
    [
        pytest.param("At noon [1].", True, id="the answer"),
        pytest.param(f"At noon [1].\n{SOURCES} at noon", True, id="with its sources"),
        pytest.param(f"At noon [1].\n{SOURCES} …", True, id="with a source that is cut"),
        pytest.param(f"At noon [1].\n{SOURCES} at noon\n-# writing …", False, id="a draft of it"),
        pytest.param("-# searching …", False, id="a step"),
    ],
)
def test_a_draft_that_a_killed_process_left_is_not_its_answer(
    content: str, *, is_answer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed_answers, "message_of", lambda _, session: SimpleNamespace(content=content))

    assert says(cast("Any", None), Reply(["At noon [1]."])) is is_answer
