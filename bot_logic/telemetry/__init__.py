"""What the app tells of its work: spans, metrics and the fields of its log.

Everything asks a `Telemetry` for them. The one here does nothing: nobody has asked to be told, and
OpenTelemetry is not even imported. `opentelemetry_api` has the one that tells, `start` decides.
docs/telemetry.md lists all names. May import: nothing of ours.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from types import TracebackType
from typing import Self

from bot_logic.telemetry.names import Attributes, Metric, SpanType

__all__ = ["OFF", "Attributes", "Span", "Telemetry"]


class Span:
    """A piece of work; this one is not told of."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Do nothing, nor keep anything from being raised."""

    def failed(self, error: BaseException) -> None:
        """Say that the work failed, by the error's type: its text may be anything."""


_NOT_TOLD = Span()


class Telemetry:
    """Tells nobody anything."""

    def span(
        self,
        kind: SpanType,  # noqa: ARG002
        attributes: Attributes,  # noqa: ARG002
        *,
        cause: str = "",  # noqa: ARG002
    ) -> Span:
        """Surround a piece of work, which has failed if it raises.

        Args:
            kind: what is done.
            attributes: what it is done to.
            cause: the W3C traceparent of what caused it in another process, if that is known; else
                it is a part of what is under way in this one.
        """
        return _NOT_TOLD

    def traceparent(self) -> str:
        """Return the W3C traceparent of what is under way, for who continues it; "" if none is."""
        return ""

    def count(self, metric: Metric, attributes: Attributes) -> None:
        """Count one more."""

    def measure(self, metric: Metric, value: float, attributes: Attributes) -> None:
        """Add a value to a distribution."""


OFF = Telemetry()
