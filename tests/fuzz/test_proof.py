"""Whatever a model writes: what is shown points to messages, nothing of how they were cited is left, in linear time."""

import asyncio
import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from agent.citations import cited_numbers
from agent.context import Context, new_context
from agent.marks import marks_in
from agent.proof.prove import marked, presentable, prove, proven
from agent.proof.spans import open_end
from agent.proof.units import joined, units_of
from agent.sentences import sentence_ends, whole_ends
from agent.types import Question
from memory.message import Kind, Message
from memory.question.parse import ParsedQuestion
from tests.fakes import FakeMemory
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import messages, names, recent, texts, zones

PLACES = frozenset({1})
PLAIN = re.compile(r"\[\d+\]")

shown_messages = st.lists(
    st.builds(
        lambda one, number, sent_at, name: replace(
            one,
            message_id=number,
            channel_id=1,
            thread_id=None,
            deleted_at=None,
            sent_at=sent_at,
            kind=Kind.MESSAGE,
            author_name=name,
        ),
        messages,
        st.integers(1, 10**18),
        recent,
        names,
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.message_id,
)
quotes = st.sampled_from(['"{}"', "“{}”", "„{}“", "«{}»", "'{}'", '\\"{}\\"', '"{}', "{}"])
pieces_of_marks = st.sampled_from(
    [
        '[1 "',
        '[2: "',
        '"]',
        "]",
        "[",
        '", 2 "',
        "[1",
        "1]",
        "[message 1",
        "[1, 2]",
        '[9 "a"]',
        "[1 “",
        "”]",
        "(",
        ")",
        "`",
    ]
)
facts = st.sampled_from(
    [
        "12",
        "three",
        "1.200,50",
        "3pm",
        "half past three",
        "3 May 2026",
        "on friday",
        "yesterday",
        "not",
        "Ana",
        "disabled",
    ]
)


@st.composite
def marks(draw: st.DrawFn, some: list[Message]) -> str:
    """Return a mark with words of a message, or with others, between quotes of some kind."""
    number = draw(st.integers(0, 5))
    words = draw(st.one_of(texts, st.sampled_from([one.content[:80] for one in some])))
    return f"[{number}{draw(st.sampled_from([' ', ': ', ' - ', ', ']))}{draw(quotes).format(words)}]"


@st.composite
def runs(draw: st.DrawFn) -> tuple[str, list[Message]]:
    """Return what a model writes, and the messages that it was shown."""
    some = draw(shown_messages)
    said = st.sampled_from([one.content[:200] for one in some])
    piece = st.one_of(
        texts, pieces_of_marks, facts, said, marks(some), st.sampled_from(["[1]", "[2]", ". ", "\n- ", "|"])
    )
    return draw(st.sampled_from([" ", ""])).join(draw(st.lists(piece, max_size=10))), some


def context_of(some: list[Message], now: datetime, zone: ZoneInfo) -> Context:
    question = Question(
        text="what was said?", channel_id=1, asker_id=7, asker_name="bo", places=PLACES, now=now, time_zone=zone
    )
    parsed = ParsedQuestion(question.text, topic="", places=PLACES)
    context = new_context(question, parsed, FakeMemory(list(some)))
    for message in some:
        context.evidence.number(message)
    return context


def size_of(text: str, some: list[Message]) -> int:
    return len(text) + sum(len(one.content) + len(one.author_name) + len(one.channel_name) for one in some) + 1000


@given(runs(), recent, zones)
def test_whatever_is_written_each_mark_shown_is_a_source_and_no_copied_words_are(
    run: tuple[str, list[Message]], now: datetime, zone: ZoneInfo
) -> None:
    text, some = run
    context = context_of(some, now, zone)

    with in_time(size_of(text, some)):
        answer = asyncio.run(proven(text, context))

    if answer is None:
        return
    assert answer.sources
    assert [source.number for source in answer.sources] == list(range(1, len(answer.sources) + 1))
    assert set(cited_numbers(answer.text)) == {source.number for source in answer.sources}
    assert {source.message.message_id for source in answer.sources} <= {one.message_id for one in some}
    for mark in marks_in(answer.text):
        if not mark.is_bare:
            assert PLAIN.fullmatch(answer.text[mark.start + len(mark.space) : mark.end])


@given(runs(), recent, zones)
def test_what_is_proven_of_a_beginning_begins_what_is_proven_of_the_whole(
    run: tuple[str, list[Message]], now: datetime, zone: ZoneInfo
) -> None:
    written, some = run
    context = context_of(some, now, zone)
    text = asyncio.run(marked(presentable(written, context), context))
    shown = context.evidence.messages(cited_numbers(text))
    whole = asyncio.run(prove(text, shown, context)).text
    ends = [end for end in whole_ends(text) if cited_numbers(text[:end])]

    for end in ends[:3]:
        beginning = asyncio.run(prove(text[:end], shown, context)).text
        assert not cited_numbers(beginning) or whole.startswith(beginning)


@given(runs(), recent, zones)
def test_what_gets_marks_in_a_beginning_begins_what_gets_them_in_the_whole(
    run: tuple[str, list[Message]], now: datetime, zone: ZoneInfo
) -> None:
    written, some = run
    context = context_of(some, now, zone)
    text = presentable(written, context)
    whole = asyncio.run(marked(text, context))

    for end in list(whole_ends(text))[:3]:
        assert whole.startswith(asyncio.run(marked(text[:end], context)).rstrip())


@given(texts)
def test_the_units_of_an_answer_are_the_answer(text: str) -> None:
    with in_time(len(text)):
        units = units_of(text)

    assert "".join(unit.lead + unit.text for unit in units) == text
    assert set(whole_ends(text)) <= set(sentence_ends(text))


@given(texts)
def test_an_answer_of_which_nothing_is_left_out_stays(text: str) -> None:
    units = [replace(unit, is_introduction=False) for unit in units_of(text)]

    assert joined((unit, True) for unit in units) == text.rstrip()


@given(texts, st.integers(0, 200))
def test_no_mark_begins_before_the_open_end_of_a_beginning_and_ends_behind_it(text: str, length: int) -> None:
    beginning = text[:length]
    end = open_end(beginning)

    assert all(mark.is_whole and mark.end <= end for mark in marks_in(beginning[:end]))
