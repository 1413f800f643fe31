"""A turn's error -> a line in the log, and what the channel is told."""

import json
import traceback
from types import TracebackType
from typing import Any, Final

import azure.functions as func

from bot_logic.bot_endpoint.sdk.model_json import plain
from bot_logic.errors import BadRequest, NewerVersion, PermanentError, RetryableError
from bot_logic.telemetry.log_events import Event, EventLog

STEPS_SHOWN: Final = 4  # of a traceback, the last ones

log = EventLog(__name__)


def log_failure(error: Exception) -> None:
    """Let the log say why a turn failed."""
    match error:
        case BadRequest():
            log.warning(
                Event.REQUEST_REFUSED,
                status=error.status,
                code=error.code,
                field=error.field,
                reason=str(error),
            )
        case RetryableError() | NewerVersion() | PermanentError():
            _log_failed(error, str(error))
        case TimeoutError():
            _log_failed(error, "it took longer than a turn may")
        case _:
            log.crash(Event.TURN_CRASHED, error.with_traceback(_last_steps(error)))


def error_response(error: Exception) -> func.HttpResponse:
    """Return what a channel is told of an error."""
    match error:
        case BadRequest():
            return _error_body(error.status, error.code, str(error), field=error.field)
        case RetryableError():
            wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
            return _error_body(503, "ServiceUnavailable", str(error), headers=wait)
        case NewerVersion():
            return _error_body(503, "NewerVersion", str(error))
        case TimeoutError():
            return _error_body(503, "ServiceUnavailable", "what the bot depends on is too slow")
        case PermanentError():
            return _error_body(502, "Refused", str(error))
        case _:
            return _error_body(500, "BotError", "the bot failed; its log says why")


def json_response(
    status: int, body: Any, headers: dict[str, str] | None = None
) -> func.HttpResponse:
    """Return a response with JSON."""
    return func.HttpResponse(
        json.dumps(body, default=plain),  # a bot may answer with the SDK's models
        status_code=status,
        headers=headers,
        mimetype="application/json",
    )


def _log_failed(error: Exception, reason: str) -> None:
    log.warning(Event.TURN_FAILED, error=type(error).__name__, reason=reason)


def _last_steps(error: Exception) -> TracebackType | None:
    """Return the end of an error's traceback: the steps through the SDK say nothing."""
    steps = list(traceback.walk_tb(error.__traceback__))
    last = error.__traceback__
    for _ in steps[STEPS_SHOWN:]:
        last = last.tb_next if last is not None else None
    return last


def _error_body(
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    headers: dict[str, str] | None = None,
) -> func.HttpResponse:
    error = {"code": code, "message": message} | ({} if field is None else {"field": field})
    return json_response(status, {"error": error}, headers)
