"""What is logged: events of fixed names, with fields. No text of a message, and nobody's name.

A line reads ``message.put_back message=m1 attempt=2 delay=12``; a string from outside cannot begin
another line, or another field. docs/telemetry.md lists the events.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

Field = str | float | None

EVENT_NAME: Final = "event.name"  # of a log record's attributes; the others begin with
PREFIX: Final = "proactive_bot."

_WORD: Final = re.compile(r"[\w./:;@+-]+")


class Event(StrEnum):
    """The names of events."""

    BUTTON_UNKNOWN = "button.unknown"
    CONVERSATION_NOT_RECORDED = "conversation.not_recorded"
    DEAD_LETTER_CUT_SHORT = "dead_letter.cut_short"
    DEAD_LETTER_DROPPED = "dead_letter.dropped"
    DEAD_LETTER_FILED = "dead_letter.filed"
    DEAD_LETTER_WAITS = "dead_letter.waits"
    MESSAGE_COPY_DROPPED = "message.copy_dropped"
    MESSAGE_ENDED = "message.ended"
    MESSAGE_FORGOTTEN = "message.forgotten"
    MESSAGE_GIVEN_UP = "message.given_up"
    MESSAGE_HANDED_OVER = "message.handed_over"
    MESSAGE_LEASE_KEPT = "message.lease_kept"
    MESSAGE_LEASE_LOST = "message.lease_lost"
    MESSAGE_LEFT_TO_NEWER = "message.left_to_newer"
    MESSAGE_NOT_DUE = "message.not_due"
    MESSAGE_PUT_BACK = "message.put_back"
    MESSAGE_QUEUED = "message.queued"
    MESSAGE_STATUS_NOT_NOTED = "message.status_not_noted"
    MESSAGE_URL_NOT_LOOKED_UP = "message.url_not_looked_up"
    PEOPLE_FORGOTTEN = "people.forgotten"
    NOTIFICATIONS_SWEPT = "notifications.swept"
    NOTIFICATION_CHANGED = "notification.changed"
    NOTIFICATION_PUT_OFF = "notification.put_off"
    NOTIFICATION_REQUEST_FAILED = "notification.request_failed"
    NOTIFICATION_TAKEN = "notification.taken"
    PAGE_FAILED = "page.failed"
    PAGE_NOT_NOTED = "page.not_noted"
    RECIPIENT_FAILED = "recipient.failed"
    REQUEST_REFUSED = "request.refused"
    ROWS_SWEPT = "rows.swept"
    SIGNING_KEYS_KEPT = "signing_keys.kept"
    TOKEN_KEPT = "token.kept"  # noqa: S105 - an event
    TRIGGER_REFUSED = "trigger.refused"
    TURN_CRASHED = "turn.crashed"
    TURN_FAILED = "turn.failed"
    TURN_SKIPPED = "turn.skipped"
    WAKE_UP_DROPPED = "wake_up.dropped"
    WEBHOOK_REFUSED = "webhook.refused"


class EventLog:
    """Logs the events of a module.

    Fields are what is known of an event; of people and conversations, their `fingerprint` only.
    """

    def __init__(self, module: str) -> None:
        self._logger = logging.getLogger(module)

    def info(self, event: Event, **fields: Field) -> None:
        """Log what is as it should be."""
        self._log(logging.INFO, event, fields)

    def warning(self, event: Event, **fields: Field) -> None:
        """Log what failed, and is seen to by the app itself."""
        self._log(logging.WARNING, event, fields)

    def error(self, event: Event, **fields: Field) -> None:
        """Log what somebody has to see to."""
        self._log(logging.ERROR, event, fields)

    def crash(self, event: Event, error: BaseException) -> None:
        """Log an error that nobody foresaw: its traceback, and its words, whatever they are."""
        raised = type(error), error, error.__traceback__
        self._logger.error("%s", event, extra=_attributes(event, {}), exc_info=raised, stacklevel=2)

    def _log(self, level: int, event: Event, fields: Mapping[str, Field]) -> None:
        if self._logger.isEnabledFor(level):
            known = {name: value for name, value in fields.items() if value not in (None, "")}
            attributes = _attributes(event, known)
            self._logger.log(level, "%s", _line(event, known), extra=attributes, stacklevel=3)


def fingerprint(identifier: str) -> str:
    """Return what tells identifiers of people and conversations apart without naming them."""
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _line(event: Event, fields: Mapping[str, Field]) -> str:
    return " ".join((event, *(f"{name}={_shown(value)}" for name, value in fields.items())))


def _attributes(event: Event, fields: Mapping[str, Field]) -> dict[str, object]:
    return {EVENT_NAME: event.value, **{f"{PREFIX}{name}": fields[name] for name in fields}}


def _shown(value: object) -> str:
    """Return a value as one word, or in quotes."""
    text = str(value)
    if _WORD.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
