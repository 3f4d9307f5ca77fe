"""Read what a question asks for, with the questions before it and in its parts, whatever memory answers."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from agent.conversations import Earlier
from agent.failures import log_failure
from agent.follow_ups import read_with_turns
from agent.parts import read_parts
from agent.reading import read_question
from agent.types import Question
from memory.question.parse import ParsedQuestion, parse_words
from memory.search.interface import MemoryReader
from tracing import span

logger = logging.getLogger(__name__)


class QuestionReader:
    """Reads questions over one memory; nothing is raised, and each step takes `timeout` at most."""

    def __init__(self, memory: MemoryReader, *, timeout: timedelta) -> None:
        self._memory = memory
        self._timeout = timeout

    async def parse(self, question: Question) -> ParsedQuestion:
        """Return what a question asks for, by its words alone when memory does not answer or not in time.

        Nothing in the words adds a place to those that the question may use. Nobody waits in a queue for it, for the
        names that it compares are at hand.
        """
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                with span("parse"):
                    parsed = await read_question(question, memory=self._memory.in_guild(question.guild))
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"a question in channel {question.channel_id} was parsed without memory", error)
            return _parse_words(question)
        return replace(parsed, places=parsed.places & question.places)

    async def read_on(self, question: Question, parsed: ParsedQuestion, history: Sequence[Earlier]) -> ParsedQuestion:
        """Return what a question asks for with the turns before it; as it is if that is not found out."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                memory = self._memory.in_guild(question.guild)
                return await read_with_turns(question, parsed, history, parse=self.parse, memory=memory)
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"a question in channel {question.channel_id} is read by itself", error)
            return parsed

    async def in_parts(self, question: Question, parsed: ParsedQuestion) -> ParsedQuestion:
        """Return what a question asks for with each of several things that it asks for; as it is if that fails."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                return await read_parts(
                    question, parsed, parse=self.parse, memory=self._memory.in_guild(question.guild)
                )
        except Exception as error:  # noqa: BLE001  # log_failure keeps it
            log_failure(f"a question in channel {question.channel_id} is read as one", error)
            return parsed


def _parse_words(question: Question) -> ParsedQuestion:
    """Return what the words of a question alone ask for; nothing is raised, whatever they are."""
    try:
        return parse_words(
            question.text,
            places=question.places,
            now=question.now,
            time_zone=question.time_zone,
            conventions=question.conventions,
            all_time=question.all_time,
        )
    except Exception:
        logger.exception("the time in a question in channel %d was not found", question.channel_id)
        return ParsedQuestion(question.text, topic=question.text, places=question.places, complete=False)
