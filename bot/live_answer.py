"""Show how an answer comes about in the message that it will be in: steps first, then its checked beginning."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from agent.progress import Step, StepKind
from agent.types import Answer, Question
from bot.buttons import Reply
from bot.rendering import render
from bot.steps import step_words

logger = logging.getLogger(__name__)

FIRST_AFTER = timedelta(seconds=1.5)
"""An answer that is there by then is shown at once, and nothing before it."""

EDIT_GAP = timedelta(seconds=1.2)
"""From one edit of an answer to the next through an interaction, whose edits have limits of their own."""

CHANNEL_EDIT_GAP = timedelta(seconds=1.5)
"""The same for a message in a channel, whose edits count together with all else that is sent there."""

_UNDER_WAY = " \u2026"
"""What stands behind a step while it is under way, which is the last line of what is shown until the answer is."""

_STEP = re.compile(r"^-# (?!\[)[^\n]{1,2000} \u2026\s{0,9}\Z", re.MULTILINE)
"""That line; sources, which may end alike where they are cut, begin with a mark."""

MOST_LINES = 4  # steps that are shown, the newest last

Show = Callable[[Reply], Awaitable[None]]
"""Shows the first message of a reply, in the place of what was shown before, within a bounded time.

It is waited for: a request to Discord that was cut short may still be obeyed, later than the one with the answer.
"""

MayShow = Callable[[Answer | None], Awaitable[bool]]
"""Finds out whether a draft may be shown by now; of None, whether channels may be named that the question may use."""


def is_under_way(text: str) -> bool:
    """Return whether the text of a message is what is shown until an answer is there: steps, or a draft and a step."""
    return bool(_STEP.search(text))


class LiveAnswer:
    """Is told of the steps and the beginning of one answer, and shows the newest of it from time to time.

    `clock` returns seconds, `sleep` waits for some.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._question: Question | None = None
        self._may_show: MayShow | None = None
        self._steps: list[Step] = []
        self._draft: Answer | None = None
        self._has_news = False
        self._show: Show | None = None
        self._shown: Reply | None = None
        self._next_edit = 0.0  # when the message may be edited again
        self._task: asyncio.Task[None] | None = None
        self._is_editing = False
        self._gap = 0.0

    def begin(self, question: Question, may_show: MayShow) -> None:
        """Take note of the question, and of how to find out what may be shown; what was noted before is forgotten."""
        self._question, self._may_show = question, may_show
        self._steps, self._draft = [], None

    def step(self, step: Step) -> None:
        """Take note of what is being done now."""
        if self._steps and self._steps[-1].kind is StepKind.WAITING:
            self._steps.pop()
        if step not in self._steps:
            self._steps.append(step)
        self._show_soon()

    def draft(self, answer: Answer) -> None:
        """Take note of the beginning of the answer."""
        self._draft = answer
        self._show_soon()

    @asynccontextmanager
    async def running(self, show: Show, *, gap: timedelta | None = None) -> AsyncGenerator[None]:
        """Show what is new for the length of the block, each edit a `gap`, or EDIT_GAP, after the one before.

        At its end another edit may follow at once.
        """
        first = self._next_edit = self._clock() + FIRST_AFTER.total_seconds()
        self._show, self._gap = show, (EDIT_GAP if gap is None else gap).total_seconds()
        try:
            yield
        finally:
            self._show = None
            if self._task is not None:
                if not self._is_editing:
                    self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
        if self._next_edit > first:
            await self._until_next_edit()

    def _show_soon(self) -> None:
        """Show what is new as soon as the message may be edited; a task does so, which ends when nothing is new."""
        self._has_news = True
        if self._task is None and self._show is not None:
            self._task = asyncio.create_task(self._show_news(self._show))

    async def _show_news(self, show: Show) -> None:
        try:
            while self._has_news and self._show is not None:
                await self._until_next_edit()
                self._has_news = False
                reply = await self._newest()
                if reply is not None and reply != self._shown:
                    await self._edit(show, reply)
            self._task = None
        except Exception as error:  # noqa: BLE001 - the answer comes all the same; nothing more is shown before it
            logger.info("it is not shown any more how an answer comes about: %r", error)

    async def _edit(self, show: Show, reply: Reply) -> None:
        self._is_editing = True
        try:
            await show(reply)
        finally:
            self._is_editing = False
            self._next_edit = self._clock() + self._gap  # counted from its end, when Discord has surely taken it
        self._shown = reply

    async def _until_next_edit(self) -> None:
        if (left := self._next_edit - self._clock()) > 0:
            await self._sleep(left)

    async def _newest(self) -> Reply | None:
        """Return what may be shown by now: the draft with its sources and the step, or else the steps."""
        draft, question, may_show = self._draft, self._question, self._may_show
        if question is None or may_show is None:
            return None
        named = await may_show(None)
        lines = [step_words(step, question, named=named) for step in self._steps[-MOST_LINES:]]
        if draft is not None and await may_show(draft):
            shown = render(draft, question.time_zone)
            return Reply([shown.text], sources=shown.sources, notes=tuple(f"{line}{_UNDER_WAY}" for line in lines[-1:]))
        if not lines:
            return None
        *done, current = (f"-# {line}" for line in lines)
        return Reply(["\n".join([*done, f"{current}{_UNDER_WAY}"])])
