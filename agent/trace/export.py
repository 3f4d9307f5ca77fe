"""Export traces to an OpenTelemetry collector, over HTTP; loaded only where an endpoint is set."""

import logging
from datetime import datetime, timedelta

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import set_span_in_context

from tracing import Span, Trace

REQUEST_LIMIT = timedelta(seconds=5)
"""For one request to the collector, with its repetitions."""

CLOSING_LIMIT = timedelta(seconds=2)

_SERVICE = "backscroll"
_PATH = "/v1/traces"
_NANOSECONDS = 1_000_000_000


class _OwnIds(RandomIdGenerator):
    """Gives the next trace the id that it has already."""

    trace_id = 0

    def generate_trace_id(self) -> int:
        """Return the id."""
        return self.trace_id


class SpanExport:
    """Sends traces to a collector in the background; what it does not take is lost.

    `endpoint` is its address, such as http://127.0.0.1:4318. The library reads headers from the environment, from
    OTEL_EXPORTER_OTLP_HEADERS.
    """

    def __init__(self, endpoint: str) -> None:
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # it warns at each attempt
        exporter = OTLPSpanExporter(
            endpoint=f"{endpoint.rstrip('/').removesuffix(_PATH)}{_PATH}", timeout=REQUEST_LIMIT.total_seconds()
        )
        self._ids = _OwnIds()
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": _SERVICE}), id_generator=self._ids, shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
        self._tracer = self._provider.get_tracer(_SERVICE)

    def export(self, trace: Trace, *, ended_at: datetime) -> None:
        """Take a finished trace; its spans wait in a bounded queue of the library's."""
        self._ids.trace_id = int(trace.trace_id, 16)
        ended = trace.root.ended or 0.0
        self._add(trace.root, Context(), began=round((ended_at.timestamp() - ended) * _NANOSECONDS))

    def close(self) -> None:
        """Send what waits, and send nothing more."""
        self._provider.force_flush(round(CLOSING_LIMIT.total_seconds() * 1000))
        self._provider.shutdown()

    def _add(self, span: Span, within: Context, *, began: int) -> None:
        started = began + round(span.started * _NANOSECONDS)
        facts = {name: fact for name, fact in span.facts.items() if fact is not None}
        exported = self._tracer.start_span(span.name, context=within, start_time=started, attributes=facts)
        inside = set_span_in_context(exported, within)
        for part in span.parts:
            self._add(part, inside, began=began)
        exported.end(began + round((span.started if span.ended is None else span.ended) * _NANOSECONDS))
