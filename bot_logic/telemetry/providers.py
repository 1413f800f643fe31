"""Sets up OpenTelemetry's providers, for the whole process: the bot's own spans go there, too.

Exporters and sampler read their own settings, those that begin with OTEL_.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import logging
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from bot_logic.telemetry import OFF, Telemetry
from bot_logic.telemetry.destination import Destination
from bot_logic.telemetry.log_records import LogRecords
from bot_logic.telemetry.opentelemetry_api import OpenTelemetry
from bot_logic.telemetry.trace_lines import TraceLines

SERVICE: Final = "proactive-bot"  # unless OTEL_SERVICE_NAME says another
LOGGER: Final = "bot_logic"  # what is logged below it is told; the exporters' own troubles are not

logger = logging.getLogger(__name__)


def telemetry_to(destination: Destination) -> Telemetry:
    """Return what tells a destination; to be asked once per process."""
    match destination:
        case Destination.NOWHERE:
            return OFF
        case Destination.CONSOLE:
            print_traces()
        case Destination.OTLP:
            export_by_otlp()
        case Destination.AZURE_MONITOR:
            export_to_azure_monitor()
    return OpenTelemetry(trace.get_tracer_provider(), metrics.get_meter_provider())


def print_traces() -> None:
    """Log each trace; metrics are nobody's."""
    spans = TracerProvider(resource=_resource())
    spans.add_span_processor(SimpleSpanProcessor(TraceLines()))
    trace.set_tracer_provider(spans)


def export_by_otlp() -> None:
    """Export spans, metrics and log records, from threads of their own."""
    resource = _resource()
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider([reader], resource))
    records = LoggerProvider(resource=resource)
    records.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logging.getLogger(LOGGER).addHandler(LogRecords(records))


def export_to_azure_monitor() -> None:
    """Let Microsoft's distribution set everything up, where it is installed."""
    try:
        from azure.monitor.opentelemetry import configure_azure_monitor  # noqa: PLC0415 - optional
    except ImportError:
        logger.info("no spans and metrics: azure-monitor-opentelemetry is not installed")
    else:
        configure_azure_monitor(logger_name=LOGGER)


def _resource() -> Resource:
    named = Resource.create()
    is_named = not str(named.attributes[SERVICE_NAME]).startswith("unknown_service")
    return named if is_named else named.merge(Resource({SERVICE_NAME: SERVICE}))
