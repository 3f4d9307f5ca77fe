"""Traces are kept for a while, tell how memory was searched, and reach an OpenTelemetry collector."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agent.agent import Agent
from agent.config import AgentConfig
from agent.trace.export import SpanExport
from agent.trace.keeper import TraceKeeper, kept_traces
from agent.trace.tree import rendered
from db.databases import Database
from memory.answers.traces import StoredTrace, TraceStore
from memory.embedding.embedder import Embedder
from memory.search.memory import Memory
from tests.agents import question
from tests.builders import closed_port, message, minute, remember
from tracing import Trace, span, traced

NOW = minute(1000)


def trace(trace_id: str, *, at: int = 0) -> StoredTrace:
    return StoredTrace(
        trace_id=trace_id,
        made_at=minute(at),
        asker_id=7,
        guild_id=None,
        channel_id=1,
        has_texts=False,
        tree={"name": "answer", "ms": 1.0, "facts": {"question": "a \x00 and a \ud800"}, "parts": []},
    )


async def kept(store: TraceStore) -> list[str]:
    return [found.trace_id for found in await store.find("", limit=10)]


async def test_traces_are_found_by_the_beginning_of_their_ids(long_term: Database) -> None:
    store = TraceStore(long_term.sessions)
    await store.add([trace("ab" * 16), trace("ac" * 16, at=1)])
    await store.add([trace("ab" * 16, at=5)])  # known already

    (found,) = await store.find("abab", limit=2)

    assert (found.trace_id, found.made_at, found.tree["ms"]) == ("ab" * 16, minute(0), 1.0)
    assert await store.find("ad", limit=2) == []
    assert len(await store.find("a", limit=2)) == 2


async def test_old_traces_go_and_those_beyond_the_newest(long_term: Database) -> None:
    store = TraceStore(long_term.sessions)
    await store.add([trace(f"{number}" * 32, at=number) for number in range(6)])

    assert await store.drop_old(before=minute(2)) == 2
    assert await kept(store) == [f"{number}" * 32 for number in (5, 4, 3, 2)]
    assert await store.drop_old(before=minute(2), most=3) == 1
    assert await store.drop_old(before=minute(2), most=3) == 0
    assert await kept(store) == [f"{number}" * 32 for number in (5, 4, 3)]


@pytest.mark.parametrize("with_texts", [False, True])
async def test_the_trace_of_an_answer_tells_how_memory_was_searched(
    short_term: Database, long_term: Database, memory: Memory, embedder: Embedder, *, with_texts: bool
) -> None:
    await remember(short_term, embedder, [message(1, "the zephyr key is under the pot"), message(2, "lunch was good")])
    store = TraceStore(long_term.sessions)
    keeper = TraceKeeper(store, clock=lambda: NOW, kept_for=timedelta(days=7))

    async with kept_traces(keeper, None):
        agent = Agent((), memory=memory, config=AgentConfig(trace_texts=with_texts), keep_trace=keeper.keep)
        answer = await agent.ask(question("where is the zephyr key?", now=NOW, places=frozenset({1})))
    (found,) = await store.find(answer.trace_id, limit=2)

    text = rendered(found)
    lines = [line.strip("|`- ").split("  ")[0] for line in text.splitlines()]
    assert lines.index("answer") < lines.index("parse") < lines.index("opening") < lines.index("search memory")
    for step in ("short-term memory", "estimate", "rank", "read around", "quote"):
        assert f"- {step}  " in text
    assert "vectors: every matching row" in text
    assert "rows_expected: 2" in text
    assert ("zephyr" in text) == with_texts
    assert found.has_texts == with_texts


@dataclass
class Collector:
    """What a collector was sent."""

    endpoint: str
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def spans(self) -> list[Any]:
        """All spans that came."""
        return [
            one
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A tiny collector on the loopback."""
    collector = Collector("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/traces":
                collector.headers.append(dict(self.headers.items()))
                collector.requests.append(ExportTraceServiceRequest.FromString(_plain(self.headers, body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield collector
    server.shutdown()
    server.server_close()
    thread.join()


def _plain(headers: Any, body: bytes) -> bytes:
    import gzip

    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body


def a_trace() -> Trace:
    made = Trace()
    with traced(made), span("opening", places=3, exact=True), span("search memory", windows=("a/b",), found=None):
        pass
    return made


async def test_a_collector_gets_the_spans_of_an_answer_under_its_id(collector: Collector) -> None:
    made, exporter = a_trace(), SpanExport(collector.endpoint)
    keeper = TraceKeeper(None, clock=lambda: NOW, kept_for=timedelta(), exporter=exporter)

    async with kept_traces(keeper, exporter):
        keeper.keep(made)

    spans = {one.name: one for one in collector.spans}
    assert {one.trace_id.hex() for one in spans.values()} == {made.trace_id}
    answer, opening, search = spans["answer"], spans["opening"], spans["search memory"]
    assert (answer.parent_span_id, opening.parent_span_id) == (b"", answer.span_id)
    assert search.parent_span_id == opening.span_id
    assert answer.end_time_unix_nano == pytest.approx(NOW.timestamp() * 1e9, abs=1e4)
    assert answer.start_time_unix_nano <= search.start_time_unix_nano <= search.end_time_unix_nano
    facts = {fact.key: fact.value for fact in opening.attributes}
    assert (facts["places"].int_value, facts["exact"].bool_value) == (3, True)
    assert [fact.key for fact in search.attributes] == ["windows"]


async def test_a_collector_that_is_not_there_costs_no_answer_anything() -> None:
    exporter = SpanExport(f"http://127.0.0.1:{closed_port()}")
    keeper = TraceKeeper(None, clock=lambda: NOW, kept_for=timedelta(), exporter=exporter)
    loop = asyncio.get_running_loop()

    async with kept_traces(keeper, exporter):
        began = loop.time()
        for _ in range(100):
            keeper.keep(a_trace())
        assert loop.time() - began < 0.5
        began = loop.time()
    assert loop.time() - began < 10
