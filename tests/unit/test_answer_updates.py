"""An update that Discord refuses waits for as long as Discord asks for, and not for ever."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import discord
import pytest

from bot.answer_updates import (
    ARCHIVED,
    ARCHIVED_PAUSE,
    FIRST_PAUSE,
    GIVEN_UP_AFTER,
    LONGEST_PAUSE,
    NOT_MINE,
    OLD_MESSAGE_PAUSE,
    TOO_MANY_EDITS_OF_OLD,
    AnswerUpdates,
    UnreachableError,
    WaitingError,
)
from bot.buttons import Buttons, Reply
from bot.running_handlers import RunningHandlers
from errors import DatabaseUnavailableError
from memory.answers.changes import ChangedAnswer
from memory.answers.kept import Kept, KeptQuestion, State
from tests.builders import minute

NOW = minute(100)
QUESTION = KeptQuestion(question_id=1, guild_id=5, channel_id=1, access_id=1, asker_id=2, text="?", asked_at=minute(9))
CHANGED = ChangedAnswer(
    kept=Kept(question=QUESTION, state=State.DELIVERED, changed_at=NOW), since=NOW, tries=0, edits_known_to=None
)


class Queue:
    """Notes what is done with an answer."""

    def __init__(self) -> None:
        self.waits: list[timedelta] = []
        self.is_done = False

    async def try_at(self, _: ChangedAnswer, at: datetime) -> None:
        self.waits.append(at - NOW)

    async def done(self, _: ChangedAnswer, *, now: datetime) -> None:
        self.is_done = True


def refused(code: int, status: int = 400) -> discord.HTTPException:
    response = cast("Any", SimpleNamespace(status=status, reason="no"))
    return discord.HTTPException(response, {"code": code, "message": "no"})


def updates_with(queue: Queue) -> AnswerUpdates:
    anything = cast("Any", None)
    return AnswerUpdates(
        anything,
        cast("Any", SimpleNamespace(clock=lambda: NOW)),
        changes=cast("Any", queue),
        lookup=anything,
        answerer=anything,
        under=anything,
        buttons=Buttons(RunningHandlers()),
    )


async def taken(failure: Exception | None, changed: ChangedAnswer = CHANGED) -> Queue:
    """Return what becomes of an answer when an attempt to update it fails."""
    queue = Queue()
    updates = updates_with(queue)

    async def update(_: ChangedAnswer) -> None:
        if failure is not None:
            raise failure

    updates._update = update  # type: ignore[method-assign, assignment]
    await updates._take(changed)
    return queue


@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        pytest.param(refused(TOO_MANY_EDITS_OF_OLD, 429), OLD_MESSAGE_PAUSE, id="too many edits of old messages"),
        pytest.param(refused(ARCHIVED), ARCHIVED_PAUSE, id="an archived thread"),
        pytest.param(WaitingError("archived"), ARCHIVED_PAUSE, id="a thread known to be archived"),
        pytest.param(refused(0, 500), FIRST_PAUSE, id="an error of Discord's"),
        pytest.param(TimeoutError(), FIRST_PAUSE, id="no answer"),
        pytest.param(aiohttp.ClientError(), FIRST_PAUSE, id="no connection"),
        pytest.param(DatabaseUnavailableError("db:5432"), FIRST_PAUSE, id="no memory"),
    ],
)
async def test_what_fails_is_tried_again_after_a_pause(failure: Exception, pause: timedelta) -> None:
    queue = await taken(failure)

    assert queue.waits[0] == FIRST_PAUSE
    assert queue.waits[-1] == pause
    assert not queue.is_done


async def test_pauses_grow_and_stay_bounded() -> None:
    waits = [(await taken(TimeoutError(), replace(CHANGED, tries=tries))).waits[-1] for tries in (0, 1, 2, 9, 1000)]

    assert waits == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(None, id="it works"),
        pytest.param(UnreachableError("it was deleted"), id="nothing is there"),
        pytest.param(refused(NOT_MINE, 403), id="another account's"),
        pytest.param(ValueError("?"), id="nobody foresaw it"),
    ],
)
async def test_what_is_updated_or_never_can_be_is_done(failure: Exception | None) -> None:
    assert (await taken(failure)).is_done


@pytest.mark.parametrize("failure", [WaitingError("archived"), TimeoutError(), refused(TOO_MANY_EDITS_OF_OLD, 429)])
async def test_what_has_waited_for_a_week_is_given_up(failure: Exception) -> None:
    assert (await taken(failure, replace(CHANGED, since=NOW - GIVEN_UP_AFTER))).is_done


class Post:
    """A message of the bot that shows a part of an answer."""

    def __init__(self, *, is_card: bool, is_late: bool = False) -> None:
        self.flags = SimpleNamespace(components_v2=is_card)
        self.interaction_metadata = None if is_late else object()
        self.components: list[object] = []
        self.edits: list[dict[str, Any]] = []
        self.is_deleted = False

    async def edit(self, **fields: Any) -> None:
        self.edits.append(fields)

    async def delete(self) -> None:
        self.is_deleted = True


async def shown(posts: list[Post], changed: ChangedAnswer, *, text: str = "At six [1].") -> None:
    """Let an answer be updated that these messages show."""
    updates = updates_with(Queue())

    async def found(_: ChangedAnswer) -> Any:
        return posts

    async def reply(_: ChangedAnswer, __: object) -> Reply:
        return Reply([text], notes=("it was edited",))

    updates._posts = found  # type: ignore[method-assign, assignment]
    updates._reply = reply  # type: ignore[method-assign, assignment]
    await updates._update(changed)


async def test_messages_that_a_shorter_answer_does_not_need_are_deleted() -> None:
    posts = [Post(is_card=False) for _ in range(3)]

    await shown(posts, CHANGED)

    assert [[edit["content"] for edit in post.edits] for post in posts] == [["At six [1].\n\n-# it was edited"], [], []]
    assert [post.is_deleted for post in posts] == [False, True, True]


async def test_an_answer_never_takes_more_messages_than_it_had() -> None:
    posts = [Post(is_card=False)]

    await shown(posts, CHANGED, text="word " * 1000)

    assert len(posts[0].edits) == 1
    assert len(posts[0].edits[0]["content"]) <= 2000


async def test_a_card_stays_a_card() -> None:
    posts = [Post(is_card=True)]

    await shown(posts, CHANGED)

    assert "content" not in posts[0].edits[0]
    assert isinstance(posts[0].edits[0]["view"], discord.ui.LayoutView)


async def test_a_late_answer_still_names_its_question() -> None:
    late = replace(CHANGED, kept=replace(CHANGED.kept, question=replace(QUESTION, application_id=3, text="the ferry?")))
    posts = [Post(is_card=False, is_late=True)]

    await shown(posts, late)

    assert "I was away when <@2> asked this" in posts[0].edits[0]["content"]
    assert "the ferry?" in posts[0].edits[0]["content"]
