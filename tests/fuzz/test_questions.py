"""Whatever is asked is read, in bounded time, for no more than the asker may read."""

import asyncio
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from memory.authors import kept_name
from memory.message import Message
from memory.question.parse import LONGEST_QUESTION, ParsedQuestion, parse_question
from overviews.wanted import wanted_words
from tests.builders import message
from tests.fakes import FakeMemory
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import names, questions, recent, texts, zones
from time_expressions.find import times_in
from time_expressions.format import spoken_windows

A_DAY = timedelta(days=1)
HERE, DEPLOYS, SECRET = 1, 2, 9
READABLE = frozenset({HERE, DEPLOYS})

people = st.lists(names, max_size=8)


@given(questions(), recent, zones)
def test_the_time_of_any_text_is_read_as_windows_that_it_names(text: str, now: datetime, time_zone: ZoneInfo) -> None:
    with in_time(len(text)):
        found = times_in(text, now=now, time_zone=time_zone)

    for time in found.windows:
        start, end = time.window.start, time.window.end
        assert time.phrase in text
        assert start is not None or end is not None
        assert start is None or end is None or start <= end  # "earlier today" at midnight is no time at all
    for phrase in found.discussions:
        assert phrase.phrase in text
        assert abs(phrase.first) <= len(text) * 10**9


@given(st.one_of(texts, questions(), st.text(alphabet="afhinorstwx:\"#' \\", max_size=80)))
def test_whatever_is_typed_behind_a_search_is_read_or_refused_in_one_sentence(typed: str) -> None:
    with in_time(len(typed)):
        try:
            wanted = wanted_words(typed)
        except ValueError as refused:
            assert str(refused).endswith((".", '".'))
            assert "\n" not in str(refused)
            return

    assert len(wanted.text) <= len(typed)


@given(questions(), recent, zones)
def test_any_window_can_be_told_in_words(text: str, now: datetime, time_zone: ZoneInfo) -> None:
    windows = [time.window for time in times_in(text, now=now, time_zone=time_zone).windows]

    with in_time(len(text)):
        words = spoken_windows(windows, time_zone=time_zone, now=now)

    assert bool(words) == bool(windows)


def said_by(people: list[str], channels: list[str], now: datetime) -> list[Message]:
    """Return messages of people in channels of these names, some of which may not be read."""
    places = [HERE, DEPLOYS, SECRET]
    return [
        message(
            number,
            f"words {number}",
            author_name=name,
            channel_id=places[number % 3],
            channel_name=channels[number % len(channels)] if channels else "general",
            sent_at=now - number * A_DAY,
        )
        for number, name in enumerate(people or ["ana"])
    ]


def read(text: str, said: list[Message], now: datetime, time_zone: ZoneInfo) -> ParsedQuestion:
    return asyncio.run(
        parse_question(text, places=READABLE, here=HERE, now=now, time_zone=time_zone, memory=FakeMemory(said))
    )


@given(st.data(), people, people, recent, zones)
def test_any_question_is_read_for_what_may_be_read(
    data: st.DataObject, authors: list[str], channels: list[str], now: datetime, time_zone: ZoneInfo
) -> None:
    known = [*authors, *channels, *(f"#{name}" for name in channels)]
    text = data.draw(questions(st.sampled_from(known) if known else names))
    said = said_by(authors, channels, now)

    with in_time(len(text) + sum(map(len, known))):
        asked = read(text, said, now, time_zone)

    assert asked.text == text
    assert asked.places <= READABLE
    if asked.authors is not None:
        assert asked.authors.names <= {kept_name(one.author_name) for one in said if one.place_id in READABLE}
    assert len(asked.topic) <= max(len(text), LONGEST_QUESTION)


@given(names, st.sampled_from(["did {0} say?", "{0} said", "{0}'s messages", "according to {0}"]), st.integers(1, 300))
def test_a_name_again_and_again_is_read_in_time(name: str, form: str, number: int) -> None:
    text = form.format(" ".join([name] * number))[:4000] + " zzz post messages"
    authors = [name, f"{name} {name}", f"{name} Lopez", name.upper()]

    with in_time(len(text)):
        asked = read(text, said_by(authors * 3, [], datetime.now().astimezone()), datetime.now().astimezone(), UTC)

    assert asked.authors is None or asked.authors.names <= {kept_name(author) for author in authors}


@given(texts)
def test_a_text_of_no_people_names_nobody(text: str) -> None:
    assert not read(text, [], datetime.now().astimezone(), UTC).authors


UTC = ZoneInfo("UTC")
