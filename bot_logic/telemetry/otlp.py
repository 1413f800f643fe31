"""Exports spans, metrics and log records by OTLP, from threads that nobody waits for.

The exporters, their queues and the sampler read settings of their own, which begin with OTEL_.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

import logging

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
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bot_logic.telemetry.log_records import LogRecords
from bot_logic.telemetry.names import LOGGER, SERVICE


def set_up() -> None:
    """Set providers whose exporters send to OTEL_EXPORTER_OTLP_ENDPOINT."""
    resource = _resource()
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider([reader], resource))
    records = LoggerProvider(resource=resource)
    records.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logging.getLogger(LOGGER).addHandler(LogRecords(records))


def _resource() -> Resource:
    named = Resource.create()
    is_named = not str(named.attributes[SERVICE_NAME]).startswith("unknown_service")
    return named if is_named else named.merge(Resource({SERVICE_NAME: SERVICE}))
