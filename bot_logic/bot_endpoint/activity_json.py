"""A request's body -> an activity, or a clear 4xx that names the field at fault.

https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

import json
from typing import Any, Final

from azure.core.exceptions import DeserializationError
from botbuilder.schema import Activity

from bot_logic.errors import BadRequest

MAX_BODY: Final = 1024 * 1024  # bytes: Direct Line's 256K characters at their widest
MAX_ID: Final = 1024  # characters

_OBJECTS: Final = ("conversation", "recipient")
_IDS: Final = ("type", "channelId", "conversation.id", "recipient.id")


def read_activity(content_type: str, body: bytes) -> Activity:
    """Read an activity that a channel posted.

    Raises:
        BadRequest: 415, 413, or 400 with the field that is missing or malformed.
    """
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise BadRequest(
            "the content type must be application/json", status=415, code="UnsupportedMediaType"
        )
    if len(body) > MAX_BODY:
        raise BadRequest(
            f"the activity takes more than {MAX_BODY} bytes", status=413, code="ActivityTooLarge"
        )
    document = _parse(body)
    for name in _OBJECTS:
        if not isinstance(document.get(name), dict):
            raise BadRequest(f"{name} must be a JSON object", field=name)
    for path in _IDS:
        _check_id(document, path)
    _check_service_url(document)
    return _deserialize(document)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None
    if not isinstance(document, dict):
        raise BadRequest("the body must be a JSON object")
    return document


def _check_id(document: dict[str, Any], path: str) -> None:
    value: Any = document
    for name in path.split("."):
        value = value.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID:
        raise BadRequest(f"{path} must be a string of 1 to {MAX_ID} characters", field=path)


def _check_service_url(document: dict[str, Any]) -> None:
    value = document.get("serviceUrl")
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        raise BadRequest("serviceUrl must be an http(s) URL", field="serviceUrl")


def _deserialize(document: dict[str, Any]) -> Activity:
    try:
        return Activity.deserialize(document)
    except (DeserializationError, AttributeError, TypeError, ValueError, RecursionError):
        # msrest names Python classes in its messages, not the fields of the sender's JSON.
        field = next((name for name in document if not _reads(name, document[name])), None)
        raise BadRequest(f"{field or 'the activity'} is malformed", field=field) from None


def _reads(name: str, value: Any) -> bool:
    try:
        Activity.deserialize({name: value})
    except (DeserializationError, AttributeError, TypeError, ValueError, RecursionError):
        return False
    return True
