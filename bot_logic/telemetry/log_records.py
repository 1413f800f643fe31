"""Log records, told to OpenTelemetry with the fields of their event."""

import logging

from opentelemetry._logs import LoggerProvider, SeverityNumber

from bot_logic.telemetry.log_events import EVENT_NAME
from bot_logic.telemetry.opentelemetry_api import SCOPE


class LogRecords(logging.Handler):
    """Passes on what is logged. The handler of OpenTelemetry's own SDK is deprecated."""

    def __init__(self, provider: LoggerProvider) -> None:
        super().__init__()
        self._logger = provider.get_logger(SCOPE)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a record; one that cannot be is reported as `logging` does."""
        fields = {name: value for name, value in vars(record).items() if "." in name}
        try:
            self._logger.emit(
                timestamp=int(record.created * 1e9),  # nanoseconds
                severity_number=_severity(record.levelno),
                severity_text=record.levelname,
                body=record.getMessage(),
                attributes=fields,
                event_name=fields.pop(EVENT_NAME, None),
                exception=record.exc_info[1] if record.exc_info else None,
            )
        except Exception:  # noqa: BLE001 - logging must not fail
            self.handleError(record)


def _severity(level: int) -> SeverityNumber:
    """Return OpenTelemetry's number: 5 for DEBUG, 9 for INFO, and so on to 21 for CRITICAL."""
    return SeverityNumber(min(max(level, logging.DEBUG), logging.CRITICAL) // 10 * 4 + 1)
