"""Show the beginning of an answer while a model still writes it, sentence by sentence, once its marks are checked."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.citations import check_again, cited_numbers
from agent.context import Context
from agent.model_text import begins_within_reasoning, is_for_programs, with_plain_marks, without_reasoning
from agent.own_words import repeats
from agent.proof.prove import marked, presentable, prove, with_proof
from agent.proof.spans import open_end
from agent.sentences import proven_end
from agent.spoilers import hidden_again, hidden_lines
from agent.types import Answer
from errors import TemporaryError

if TYPE_CHECKING:
    from langchain_core.messages import AIMessageChunk

MOST_DRAFTS = 60
"""Drafts of one answer, each of which looks its sources up."""

LONGEST_DRAFT = 8000
"""Characters of an answer that are read for drafts; what is longer comes with the whole answer."""

_CHECK_LIMIT = timedelta(seconds=2)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DraftView:
    """Where drafts are shown, and how far apart they are at least."""

    show: Callable[[Answer], None]
    every: timedelta


class Candour:
    """What is known of how a model begins: with its answer, or within reasoning whose first tag its server leaves out.

    While such reasoning is being written nothing tells it from an answer. So nothing is shown of a model's first answer
    before it is whole, and of no later one once such reasoning was seen.
    """

    def __init__(self) -> None:
        self._has_answered = False
        self._begins_within_reasoning = False

    @property
    def is_known(self) -> bool:
        """Whether the model is known to begin with its answer."""
        return self._has_answered and not self._begins_within_reasoning

    def note(self, written: str) -> None:
        """Take note of something whole that the model wrote."""
        self._has_answered |= bool(written.strip())
        self._begins_within_reasoning |= begins_within_reasoning(written)


class Drafts:
    """Reads what a model writes as it comes, and shows what of it will stand.

    Of a call of the model in which it calls a tool, one of `tool_names`, writes anything else for programs, or repeats
    its `instructions`, nothing more is shown. When something was shown of a call that is not the last one, nothing of
    later ones is: each draft holds those before.
    """

    def __init__(
        self, context: Context, view: DraftView, *, tool_names: Collection[str], instructions: Sequence[str]
    ) -> None:
        self._context = context
        self._view = view
        self._tool_names = tool_names
        self._instructions = instructions
        self._message_id: str | None = None
        self._text = ""
        self._is_over = False
        self._shown = 0  # characters of what the model wrote
        self._draft_text = ""
        self._count = 0
        self._next = 0.0  # on the clock of the event loop

    async def add(self, chunk: "AIMessageChunk") -> None:
        """Take the next piece of what a model writes, and show what has become whole, if it is time."""
        if chunk.id != self._message_id:
            self._message_id, self._text = chunk.id, ""
            self._is_over = self._shown > 0
        self._text += chunk.text
        if chunk.tool_call_chunks or len(self._text) > LONGEST_DRAFT:
            self._is_over = True
        now = asyncio.get_running_loop().time()
        if self._is_over or now < self._next or not self._text:
            return
        self._next = now + self._view.every.total_seconds()
        try:
            async with asyncio.timeout(_CHECK_LIMIT.total_seconds()):
                answer = await self._draft()
        except Exception as error:  # the whole answer comes all the same
            is_foreseen = isinstance(error, TemporaryError | TimeoutError)
            logger.log(
                logging.WARNING if is_foreseen else logging.ERROR,
                "no more of an answer is shown before it is whole: %r",
                error,
                exc_info=None if is_foreseen else error,
            )
            self._is_over = True
            return
        if answer and not answer.text.startswith(self._draft_text):
            self._is_over = True  # a source has gone meanwhile: what was shown is set right by the whole answer
        elif answer:
            self._draft_text = answer.text
            self._count += 1
            self._is_over |= self._count >= MOST_DRAFTS
            self._view.show(answer)

    async def _draft(self) -> Answer | None:
        """Return what is whole and proven, if it is more than before."""
        context, evidence = self._context, self._context.evidence
        written = with_plain_marks(without_reasoning(self._text))
        if self._may_not_stand(written):
            self._is_over = True
            return None
        text = await marked(presentable(written[: open_end(written, names=evidence.names)], context), context)
        shown = evidence.messages(cited_numbers(text))
        if proven_end(text, shown) <= self._shown or _may_go_on(written, self._phrases()):
            return None
        cited, notes = await check_again(shown, context)
        end = proven_end(text, cited)
        if notes or end <= self._shown:
            return None
        self._shown = end
        return with_proof(await prove(text[:end], cited, context), cited, (), context)

    def _may_not_stand(self, written: str) -> bool:
        """Return whether something is for programs, repeats our instructions, is of the web, or uncovers something."""
        web = self._context.web
        return (
            (web is not None and web.has_pages)
            or is_for_programs(written, tool_names=self._tool_names)
            or repeats(written, self._instructions)
            or hidden_again(written, self._context.evidence.contents) != written
        )

    def _phrases(self) -> Iterable[str]:
        """Return what is written in another way where it stands whole, and may have the end of a sentence in it."""
        evidence = self._context.evidence
        return (phrase for phrase in (*evidence.names, *hidden_lines(evidence.contents)) if " " in phrase)


def _may_go_on(text: str, phrases: Iterable[str]) -> bool:
    """Return whether a text ends within one of these phrases, behind its first word, so that its end is not known."""
    small = text.casefold()
    return any(_ends_within(small, phrase.casefold()) for phrase in phrases)


def _ends_within(text: str, phrase: str) -> bool:
    first_word = phrase[: phrase.find(" ") + 1]
    start = text.find(first_word, max(0, len(text) - len(phrase)))
    while start >= 0:
        if phrase.startswith(text[start:]):
            return True
        start = text.find(first_word, start + 1)
    return False
