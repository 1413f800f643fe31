"""Traces as lines of the log, for who runs the bot on a machine of their own."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from bot_logic.telemetry.names import ERROR_TYPE, PROCESS, SEND_PAGE, TURN

MAX_TRACES: Final = 1000  # whose spans are remembered until their line is written
MAX_PARTS: Final = 10  # of a span that are described one by one
_WITH_A_LINE: Final = (TURN.name, PROCESS.name, SEND_PAGE.name)

logger = logging.getLogger(__name__)


def set_up() -> None:
    """Set a provider of spans that logs them; metrics are nobody's."""
    spans = TracerProvider()
    spans.add_span_processor(SimpleSpanProcessor(TraceLines()))
    trace.set_tracer_provider(spans)


class TraceLines(SpanExporter):
    """Writes a line when a turn ends, when a message was taken off the queue, for each page."""

    def __init__(self) -> None:
        self._ended: OrderedDict[int, list[ReadableSpan]] = OrderedDict()  # by trace

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Take spans in the order in which they end, so each after those inside it."""
        for span in spans:
            trace_id = _context(span).trace_id
            self._ended.setdefault(trace_id, []).append(span)
            if span.name in _WITH_A_LINE:
                logger.info("trace %032x: %s", trace_id, self._line(trace_id, span))
            if len(self._ended) > MAX_TRACES:
                self._ended.popitem(last=False)
        return SpanExportResult.SUCCESS

    def _line(self, trace_id: int, span: ReadableSpan) -> str:
        """Describe a span with all that are inside it, which are then forgotten."""
        ended = self._ended[trace_id]
        ended.remove(span)
        span_id = _context(span).span_id
        inside = [each for each in ended if each.parent and each.parent.span_id == span_id]
        parts = [self._line(trace_id, each) for each in sorted(inside, key=_start)]
        parts[MAX_PARTS:] = [f"{len(parts) - MAX_PARTS} more"] if parts[MAX_PARTS:] else []
        return _words(span) + (f" ({', '.join(parts)})" if parts else "")


def _context(span: ReadableSpan) -> SpanContext:
    return span.get_span_context() or INVALID_SPAN_CONTEXT


def _start(span: ReadableSpan) -> int:
    return span.start_time or 0


def _words(span: ReadableSpan) -> str:
    milliseconds = ((span.end_time or 0) - _start(span)) / 1e6
    error = (span.attributes or {}).get(ERROR_TYPE, "")
    return f"{span.name} {milliseconds:.0f} ms {error}".rstrip()
