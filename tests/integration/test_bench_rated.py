"""Rated questions are asked again, and it is told which answers are as good as they were."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agent.agent import Agent
from agent.types import Answer, Question, Source
from bench.rated import Replayed, Verdict, question_of, replay, text_of, verdict_of
from db.databases import Database
from memory.answers.kept import KeptAnswer, KeptQuestion, Rated, Rating
from memory.answers.store import AnswerStore
from memory.embedding.embedder import Embedder
from memory.preferences import TimeZones
from memory.search.memory import Memory
from tests.builders import deletion, message, minute, remember
from util_async import no_progress

HERE = frozenset({1})


def rated(rating: int, *sources: int, text: str = "It leaves at noon.") -> Rated:
    question = KeptQuestion(
        question_id=1, guild_id=None, channel_id=1, access_id=1, asker_id=7, text="the ferry?", asked_at=minute(60)
    )
    answer = KeptAnswer(text=text, outcome="quoted", sources=dict(enumerate(sources, 1)), places=HERE)
    return Rated(question=question, answer=answer, rating=rating)


def answer(*sources: int, text: str = "It leaves at noon.") -> Answer:
    return Answer(text=text, sources=tuple(Source(number, message(one)) for number, one in enumerate(sources, 1)))


@pytest.mark.parametrize(
    ("then", "today", "verdict"),
    [
        pytest.param(rated(1, 5, 6), answer(6, 5, 7), Verdict.SAME_SOURCES, id="liked, and cites more"),
        pytest.param(rated(2, 5, 6), answer(6), Verdict.SOME_SOURCES, id="liked, and cites less"),
        pytest.param(rated(1, 5), answer(8), Verdict.OTHER_SOURCES, id="liked, and cites something else"),
        pytest.param(rated(-1, 5), answer(5), Verdict.UNCHANGED, id="disliked, and the same"),
        pytest.param(rated(-1, 5), answer(5, text="At one."), Verdict.CHANGED, id="disliked, and in other words"),
        pytest.param(rated(-1, 5), answer(8), Verdict.CHANGED, id="disliked, and from other sources"),
    ],
)
def test_an_answer_is_compared_with_the_one_that_was_rated(then: Rated, today: Answer, verdict: Verdict) -> None:
    assert verdict_of(then, today) is verdict


def test_the_questions_whose_answers_are_not_as_they_should_be_are_named() -> None:
    then = rated(1, 5)
    made_with = replace(then, answer=replace(then.answer, versions={"model": "small", "prompt": ""}))

    text = text_of([Replayed(made_with, Verdict.OTHER_SOURCES), Replayed(then, Verdict.SAME_SOURCES)], names=True)

    assert text.splitlines()[1:] == [
        "liked, cites all that it cited             1",
        "liked, cites some of what it cited         0",
        "liked, cites nothing of what it cited      1",
        "disliked, has changed                      0",
        "disliked, is the same                      0",
        "cites nothing of what it cited: the ferry? (model small)",
    ]


@pytest.mark.server
async def test_rated_questions_are_asked_again_on_memory_as_of_when_they_were_asked(
    short_term: Database, long_term: Database, memory: Memory, embedder: Embedder
) -> None:
    said = [
        message(1, "the ferry leaves at noon", author_name="ana"),
        message(2, "the printer is out of ink", author_name="ben"),
        message(3, "the ferry is painted green", author_name="ana", sent_at=minute(90)),
    ]
    await remember(short_term, embedder, said)
    store, zones, agent = AnswerStore(long_term.sessions), TimeZones(long_term.sessions), Agent((), memory=memory)
    asked: list[Question] = []

    async def ask(one: Rated) -> Answer:
        asked.append(await question_of(one, zones, ZoneInfo("UTC")))
        return await agent.ask(asked[-1])

    async def keep(number: int, text: str, rating: Rating, **changes: Any) -> None:
        question = replace(rated(1).question, question_id=number, text=text)
        first = await agent.ask(await question_of(replace(rated(1), question=question), zones, ZoneInfo("UTC")))
        assert first.sources
        sources = {source.number: source.message.message_id for source in first.sources}
        kept = replace(rated(1).answer, text=first.text, sources=sources, **changes)
        await store.asked(question)
        await store.ready(number, kept, now=minute(61))
        await store.rate(number, rating, rater_id=7, now=minute(62))

    await keep(1, "when does the ferry leave?", Rating.UP)
    await keep(2, "what about the printer?", Rating.UP)
    await keep(3, "what about the ink of the printer?", Rating.DOWN)
    before = _verdicts(await replay(await store.rated(limit=10), ask, no_progress))
    await remember(short_term, embedder, [deletion(2, at=120)])

    after = _verdicts(await replay(await store.rated(limit=10), ask, no_progress))

    assert before == {1: Verdict.SAME_SOURCES, 2: Verdict.SAME_SOURCES, 3: Verdict.UNCHANGED}
    assert after == {1: Verdict.SAME_SOURCES, 2: Verdict.OTHER_SOURCES, 3: Verdict.CHANGED}
    assert {question.now for question in asked} == {minute(60)}


def _verdicts(replayed: Sequence[Replayed]) -> dict[int, Verdict]:
    return {one.rated.question.question_id: one.verdict for one in replayed}
