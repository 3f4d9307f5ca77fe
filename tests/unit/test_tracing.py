"""What is done for an answer is recorded as a tree of spans."""

import asyncio

import pytest

from tracing import LONGEST_TEXT, MOST_SPANS, Trace, note, span, traced


class Clock:
    """Tells one second more each time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_spans_stand_within_each_other_with_their_times() -> None:
    trace = Trace(clock=Clock())

    with traced(trace), span("search", windows=2):
        with span("plan"):
            note(way="exact")
        note(found=3)

    (search,) = trace.root.parts
    assert (search.name, search.started, search.ended, search.facts) == ("search", 1.0, 4.0, {"windows": 2, "found": 3})
    assert [(part.name, part.seconds, part.facts) for part in search.parts] == [("plan", 1.0, {"way": "exact"})]
    assert trace.root.ended == 5.0


async def test_tasks_that_run_at_once_each_record_their_own_spans() -> None:
    trace = Trace()

    async def search(memory: str) -> None:
        with span(memory):
            await asyncio.sleep(0)
            with span("query"):
                await asyncio.sleep(0)

    with traced(trace):
        await asyncio.gather(search("short"), search("long"))

    assert [(part.name, [inner.name for inner in part.parts]) for part in trace.root.parts] == [
        ("short", ["query"]),
        ("long", ["query"]),
    ]


def test_what_people_wrote_is_recorded_only_where_texts_are_kept() -> None:
    def recorded(*, keeps_texts: bool) -> dict[str, object]:
        trace = Trace(keeps_texts=keeps_texts)
        with traced(trace), span("search", query="who has the key?", found=1):
            pass
        return dict(trace.root.parts[0].facts)

    assert recorded(keeps_texts=False) == {"found": 1}
    assert recorded(keeps_texts=True) == {"query": "who has the key?", "found": 1}


def test_a_block_that_raises_notes_the_error_and_raises_it() -> None:
    trace = Trace()

    with traced(trace), pytest.raises(LookupError), span("search"):
        raise LookupError("the words of somebody")

    assert trace.root.parts[0].facts == {"error": "LookupError"}


def test_a_trace_is_bounded() -> None:
    trace = Trace(keeps_texts=True)

    with traced(trace):
        for _ in range(MOST_SPANS + 5):
            with span("search"):
                pass
        note(answer="x" * (LONGEST_TEXT + 1))

    assert len(trace.root.parts) == MOST_SPANS - 1
    assert trace.left_out == 6
    assert trace.root.facts == {"answer": "x" * LONGEST_TEXT}


def test_outside_of_every_trace_nothing_is_recorded() -> None:
    with span("search") as entered:
        note(found=1)

    assert entered.facts == {}
