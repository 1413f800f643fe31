"""Where telemetry can go."""

from enum import Enum


class Destination(Enum):
    """Who is told of spans, metrics and log records."""

    NOWHERE = "nobody; OpenTelemetry is not even imported"
    CONSOLE = "the log: a line for each turn and each message"
    OTLP = "an OpenTelemetry collector or backend"
    AZURE_MONITOR = "Application Insights"
    PROVIDERS_AT_HAND = "whom the Functions worker, or the bot's own code, has set up"
