"""OpenTelemetry's SDK with exporters in memory."""

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot_logic.telemetry.names import Metric
from bot_logic.telemetry.opentelemetry_api import OpenTelemetry


class Told:
    """Telemetry that remembers what it was told."""

    def __init__(self) -> None:
        self._spans, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.telemetry = OpenTelemetry(self.tracers, MeterProvider([self._reader]))

    def spans(self, name: str) -> list[ReadableSpan]:
        """Return the spans of this name, in the order in which they ended."""
        return [span for span in self._spans.get_finished_spans() if span.name == name]

    def span(self, name: str) -> ReadableSpan:
        """Return the only span of this name."""
        (span,) = self.spans(name)
        return span

    def points(self, metric: Metric) -> list[tuple[Mapping[str, Any], float]]:
        """Return a metric's attributes, each with the count, or the sum of the values."""
        data = self._reader.get_metrics_data()
        return [
            (dict(point.attributes or {}), _amount(point))
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for found in scope.metrics
            for point in found.data.data_points
            if found.name == metric.name
        ]


def _amount(point: Any) -> float:
    return float(point.value if isinstance(point, NumberDataPoint) else point.sum)


def span_id(span: ReadableSpan) -> int:
    """Return a span's own id."""
    context = span.get_span_context()
    assert context is not None
    return context.span_id


def trace_id(span: ReadableSpan) -> int:
    """Return the id of a span's trace."""
    context = span.get_span_context()
    assert context is not None
    return context.trace_id


def parent_id(span: ReadableSpan) -> int | None:
    """Return the id of the span that a span is a part of."""
    return span.parent.span_id if span.parent else None
