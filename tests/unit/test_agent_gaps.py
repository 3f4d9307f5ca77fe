"""An answer says under it what of the time and the places that it was looked for in memory has not seen."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.agent import Agent
from agent.types import Answer
from errors import DatabaseUnavailableError
from memory.coverage.intervals import Interval, first_id_at
from memory.coverage.ledger import Stretch
from memory.message import Message
from tests.agents import question
from tests.fakes import FakeMemory, said

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CREATED = first_id_at(datetime(2026, 1, 2, tzinfo=UTC))
STAFF = CREATED + 9
AWAY = "I was away 14 - 16 Nov in #dev, so I may not know what was said then."


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 12, tzinfo=UTC)


def dev(content: str, day: int, **fields: Any) -> Message:
    return said(content, **{"sent_at": at(day), "channel_id": CREATED, "channel_name": "dev", **fields})


@dataclass
class Ledger:
    """Has seen each place but from the 14th to the 16th of November, or fails, or never answers."""

    places: Collection[int] = (CREATED,)
    error: Exception | None = None
    hangs: bool = False
    asked: list[set[int]] = field(default_factory=list)

    async def of_places(self, places: Collection[int]) -> Mapping[int, Sequence[Stretch]]:
        self.asked.append(set(places))
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return {
            place: [self._seen(place, 1, 14), self._seen(place, 16, 20)] for place in self.places if place in places
        }

    def _seen(self, place: int, first: int, last: int) -> Stretch:
        oldest_id = place if first == 1 else first_id_at(at(first))
        return Stretch(
            place_id=place,
            guild_id=None,
            interval=Interval(oldest_id, first_id_at(at(last))),
            read_at=at(last),
            widened_at=at(last),
            journal_end=0,
        )


MEMORY = FakeMemory(
    [
        dev("the deploy is on friday", 10),
        dev("the deploy moved", 17),
        dev("hush", 17, channel_id=STAFF, channel_name="staff"),
    ]
)


async def answer(text: str, ledger: Ledger | None, *, places: frozenset[int] = frozenset({CREATED})) -> Answer:
    asked = question(text, places=places, channel_id=CREATED, now=NOW)
    return await Agent((), memory=MEMORY, coverage=ledger).ask(asked)


async def test_an_answer_about_a_time_with_a_gap_says_so() -> None:
    found = await answer("what was said about the deploy from 13 to 18 November?", Ledger())

    assert found.notes[-1] == AWAY


async def test_an_answer_about_a_time_without_a_gap_says_nothing() -> None:
    found = await answer("what was said about the deploy from 9 to 11 November?", Ledger())

    assert found.sources
    assert found.notes == ()


async def test_an_answer_that_was_found_in_all_time_says_nothing() -> None:
    assert (await answer("when is the deploy?", Ledger())).notes == ()


@pytest.mark.parametrize("text", ["what about the deploy in #dev?", "when does the kraken sing?"])
async def test_a_question_about_a_channel_or_without_an_answer_is_told_of_any_gap(text: str) -> None:
    assert AWAY in (await answer(text, Ledger(), places=frozenset({CREATED, STAFF}))).notes


async def test_only_places_that_the_answer_may_use_are_asked_about_and_named() -> None:
    ledger = Ledger(places=(CREATED, STAFF))

    found = await answer("what was said from 13 to 18 November?", ledger)

    assert ledger.asked == [{CREATED}]
    assert "staff" not in "".join(found.notes)


@pytest.mark.parametrize(
    "ledger",
    [
        pytest.param(None, id="none, as in the terminal"),
        pytest.param(Ledger(places=()), id="an empty one"),
        pytest.param(Ledger(error=DatabaseUnavailableError("away")), id="one that fails"),
    ],
)
async def test_without_a_ledger_an_answer_is_what_it_was(ledger: Ledger | None) -> None:
    found = await answer("what was said about the deploy from 13 to 18 November?", ledger)

    assert found.sources
    assert found.notes == ()


async def test_a_ledger_that_hangs_costs_an_answer_no_more_than_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.agent.GAPS_TIMEOUT", timedelta(seconds=0.05))

    found = await answer("what was said about the deploy from 13 to 18 November?", Ledger(hangs=True))

    assert found.sources
    assert found.notes == ()
