"""Telemetry through OpenTelemetry's API, to whatever its providers do with it."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import Link, SpanKind, StatusCode, TracerProvider, get_current_span
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bot_logic.telemetry import Attributes, Span, Telemetry
from bot_logic.telemetry.names import ERROR_TYPE, METRICS, Metric, SpanType

SCOPE: Final = "proactive_bot"

_W3C: Final = TraceContextTextMapPropagator()


def at_hand() -> Telemetry:
    """Return what tells the process's providers, whoever has set them, or does so later."""
    return OpenTelemetry(trace.get_tracer_provider(), metrics.get_meter_provider())


class OpenTelemetry(Telemetry):
    """Tells providers of spans and metrics."""

    def __init__(self, spans: TracerProvider, measures: MeterProvider) -> None:
        self._tracer = spans.get_tracer(SCOPE)
        meter = measures.get_meter(SCOPE)
        self._counters = {
            metric: meter.create_counter(metric.name, metric.unit, metric.description)
            for metric in METRICS
            if not metric.bounds
        }
        self._distributions = {
            metric: meter.create_histogram(
                metric.name,
                metric.unit,
                metric.description,
                explicit_bucket_boundaries_advisory=metric.bounds,
            )
            for metric in METRICS
            if metric.bounds
        }

    def span(self, kind: SpanType, attributes: Attributes, *, cause: str = "") -> Span:
        """Surround a piece of work with a span.

        What was caused in another process is a child of its cause, so that one trace shows it all.
        It is also linked to its cause, as is due to messages, and to what is under way here: in
        Azure, the Functions host's own span.
        """
        came_from = _W3C.extract({"traceparent": cause}, Context()) if cause else None
        return _Told(
            self._tracer.start_as_current_span(
                kind.name,
                context=came_from,
                kind=SpanKind[kind.kind.name],
                attributes={**kind.attributes, **attributes},
                links=[] if came_from is None else _links(came_from),
                record_exception=False,  # its text may quote what people said
                set_status_on_exception=False,
            )
        )

    def traceparent(self) -> str:
        """Return the W3C traceparent of the span that is under way, or ""."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent", "")

    def count(self, metric: Metric, attributes: Attributes) -> None:
        """Add one to a counter."""
        self._counters[metric].add(1, attributes)

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Add a value to a histogram."""
        self._distributions[metric].record(value, attributes)


class _Told(Span):
    """A span of OpenTelemetry's, as long as it is under way."""

    def __init__(self, under_way: AbstractContextManager[ApiSpan]) -> None:
        self._under_way = under_way

    def __enter__(self) -> Self:
        self._span = self._under_way.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if error is not None:
            self.failed(error)
        self._under_way.__exit__(kind, error, tb)

    def failed(self, error: BaseException) -> None:
        self._span.set_status(StatusCode.ERROR)
        self._span.set_attribute(ERROR_TYPE, type(error).__name__)


def _links(cause: Context) -> list[Link]:
    """Link to what caused it, and to what is under way here, if that is another."""
    found = [get_current_span(context).get_span_context() for context in (cause, None)]
    return [Link(each) for each in {each.span_id: each for each in found}.values() if each.is_valid]
