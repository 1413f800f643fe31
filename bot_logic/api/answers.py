"""How each call is answered: JSON, errors that name the field, and the parts of a request."""

import json
import re
from collections.abc import Awaitable, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import azure.functions as func

from bot_logic.addresses import is_id
from bot_logic.errors import BadRequest, RetryableError
from bot_logic.telemetry.log_events import Event, EventLog

JSON_TYPE: Final = "application/json"
KEY_IN_QUERY: Final = "code"  # how Azure takes the function key, where a header cannot be set
MAX_AFTER: Final = 200  # characters
_AFTER: Final = re.compile(r"[0-9a-z-]+(/[0-9a-z-]+)?")  # keys of rows; they are short

Answer = tuple[int, Any]  # status, and what is sent as JSON; None for no body

log = EventLog(__name__)


async def answered(work: Awaitable[Answer]) -> func.HttpResponse:
    """Answer with what some work comes to, or with why it failed."""
    try:
        return json_answer(*await work)
    except (BadRequest, RetryableError) as error:
        return error_answer(error)


def json_answer(status: int, body: Any) -> func.HttpResponse:
    """Answer with JSON; with nothing, if the body is None."""
    if body is None:
        return func.HttpResponse(status_code=status)
    return func.HttpResponse(
        json.dumps(body),
        status_code=status,
        mimetype=JSON_TYPE,
        headers={"Cache-Control": "no-store"},
    )


def error_answer(error: BadRequest | RetryableError) -> func.HttpResponse:
    """Answer with an error's code, message and field; 503 if a later call can help."""
    if isinstance(error, BadRequest):
        body = {"code": error.code, "message": str(error)}
        body |= {"field": error.field} if error.field else {}
        return json_answer(error.status, {"error": body})
    log.warning(Event.NOTIFICATION_REQUEST_FAILED, reason=str(error))
    return json_answer(503, {"error": {"code": "ServiceUnavailable", "message": str(error)}})


def check_query(request: func.HttpRequest, *known: str) -> None:
    """Let pass a call whose query has nothing but these parameters.

    Raises:
        BadRequest: 400, naming the first one that the call does not have.
    """
    for name in request.params:
        if name not in (*known, KEY_IN_QUERY):
            allowed = f"this call has {', '.join(known)}" if known else "this call has none"
            raise BadRequest(f"is no parameter: {allowed}", field=name)


def link_to_more(request: func.HttpRequest, after: str) -> str:
    """Return the header that leads to the rest of an answer; a CSV has no other place for it.

    https://www.rfc-editor.org/rfc/rfc8288
    """
    asked = {name: value for name, value in request.params.items() if name != KEY_IN_QUERY}
    path = urlsplit(request.url).path
    return f'<{path}?{urlencode(asked | {"after": after})}>; rel="next"'


def check_json(headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site can post without being asked first: forms and texts.

    https://fetch.spec.whatwg.org/#simple-header

    Raises:
        BadRequest: 415.
    """
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != JSON_TYPE:
        raise BadRequest(
            f"the content type must be {JSON_TYPE}", status=415, code="UnsupportedMediaType"
        )


def after_of(request: func.HttpRequest) -> str:
    """Return where a list goes on, or "" for its beginning.

    Raises:
        BadRequest: 400, no answer has named this.
    """
    after = str(request.params.get("after", ""))
    if after and not (len(after) <= MAX_AFTER and _AFTER.fullmatch(after)):
        raise BadRequest("must be the `after` of an answer", field="after")
    return after


def filter_of(request: func.HttpRequest, name: str) -> str:
    """Return what a list is to be of, or "" for all; what is left empty by mistake is not all.

    Raises:
        BadRequest: 400, it cannot be anybody's or anything's id.
    """
    value = request.params.get(name)
    if value is not None and not is_id(value):
        raise BadRequest("must be printable, not empty and not endless", field=name)
    return value or ""
