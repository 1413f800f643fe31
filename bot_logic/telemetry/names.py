"""The names of spans, metrics and attributes, OpenTelemetry's own where it has one.

https://opentelemetry.io/docs/specs/semconv/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

Attributes = Mapping[str, str | int]

CHANNEL: Final = "proactive_bot.channel"
ATTEMPT: Final = "proactive_bot.attempt"
NOTIFICATION: Final = "proactive_bot.notification.id"
OUTCOME: Final = "proactive_bot.outcome"
ACTIVITY_TYPE: Final = "proactive_bot.activity.type"
ERROR_TYPE: Final = "error.type"
OTHER: Final = "_OTHER"  # OpenTelemetry's word for an error type that is not listed
HOST: Final = "server.address"
METHOD: Final = "http.request.method"
MESSAGE_ID: Final = "messaging.message.id"
SYSTEM: Final = "messaging.system"
DESTINATION: Final = "messaging.destination.name"
OPERATION: Final = "messaging.operation.type"

QUEUE: Final = "bot-queue"

SERVICE: Final = "proactive-bot"  # unless OTEL_SERVICE_NAME says another
LOGGER: Final = "bot_logic"  # not the root's: exporters log their own troubles


class Kind(Enum):
    """Which side of a call a span is on, in OpenTelemetry's words."""

    SERVER = "somebody else waits for it"
    CLIENT = "it waits for somebody else"
    PRODUCER = "somebody else does it later"
    CONSUMER = "somebody else wanted it earlier"


@dataclass(frozen=True, slots=True)
class SpanType:
    """A kind of work, and what is the same each time."""

    name: str
    kind: Kind
    attributes: Attributes


def _on_the_queue(operation: str) -> Attributes:
    return {SYSTEM: "azure_storage_queue", DESTINATION: QUEUE, OPERATION: operation}


TURN: Final = SpanType("turn", Kind.SERVER, {})
SEND: Final = SpanType(f"send {QUEUE}", Kind.PRODUCER, _on_the_queue("send"))
PROCESS: Final = SpanType(f"process {QUEUE}", Kind.CONSUMER, _on_the_queue("process"))
POST_TRIGGER: Final = SpanType("post trigger", Kind.CLIENT, {})
DELIVER: Final = SpanType("deliver message", Kind.SERVER, {})
CALL_CHANNEL: Final = SpanType("call channel", Kind.CLIENT, {})
TAKE: Final = SpanType("take notification", Kind.PRODUCER, {})
PLAN: Final = SpanType("plan notification", Kind.CONSUMER, {})
SEND_PAGE: Final = SpanType("send page", Kind.SERVER, {})
SPANS: Final = (
    *(TURN, SEND, PROCESS, POST_TRIGGER, DELIVER, CALL_CHANNEL),
    *(TAKE, PLAN, SEND_PAGE),
)


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter; or a distribution, if it has the bounds of its buckets."""

    name: str
    unit: str
    description: str
    bounds: tuple[float, ...] = ()


# Seconds: from a message that is there at once to one that waited for a day.
_BOUNDS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)

TURNS: Final = Metric("proactive_bot.turns", "{turn}", "Turns of the bot, failed ones included.")
ENQUEUED: Final = Metric(
    "proactive_bot.messages.enqueued", "{message}", "Messages that the bot put on the queue."
)
DELIVERED: Final = Metric(
    "proactive_bot.messages.delivered", "{message}", "Messages that a channel took."
)
RETRIED: Final = Metric(
    "proactive_bot.messages.retried", "{message}", "Messages put back on the queue after a failure."
)
THROTTLED: Final = Metric(
    "proactive_bot.messages.throttled",
    "{message}",
    "Messages put back on the queue because somebody asked to wait.",
)
DEAD_LETTERED: Final = Metric(
    "proactive_bot.messages.dead_lettered", "{message}", "Messages filed as dead letters."
)
DURATION: Final = Metric(
    "proactive_bot.delivery.duration",
    "s",
    "From when a message could be delivered until a channel took it.",
    _BOUNDS,
)
QUEUE_AGE: Final = Metric(
    "proactive_bot.queue.age",
    "s",
    "From when a message could be delivered until it came off the queue, each time it does.",
    _BOUNDS,
)
TAKEN: Final = Metric(
    "proactive_bot.notifications.taken", "{notification}", "Notifications that were asked for."
)
LAG: Final = Metric(
    "proactive_bot.notifications.lag",
    "s",
    "From when a notification was due until a channel took it, for each recipient.",
    _BOUNDS,
)
PAGES: Final = Metric(
    "proactive_bot.notifications.pages", "{page}", "Pages that were handed to the bot."
)
RECIPIENTS: Final = Metric(
    "proactive_bot.notifications.recipients",
    "{recipient}",
    "Recipients of pages that came to an outcome.",
)
PAUSES: Final = Metric(
    "proactive_bot.notifications.pauses", "{pause}", "Pages that a channel asked to wait with."
)
METRICS: Final = (
    *(TURNS, ENQUEUED, DELIVERED, RETRIED, THROTTLED, DEAD_LETTERED),
    *(TAKEN, PAGES, RECIPIENTS, PAUSES),
    *(DURATION, QUEUE_AGE, LAG),
)
