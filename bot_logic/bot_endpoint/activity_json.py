"""A request's body -> an activity, or a clear 4xx that names the field at fault.

In two steps, so that what is costly comes after the sender has been authenticated: `parse` reads
and checks what every turn needs, `to_activity` has the SDK read the rest.
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

import json
from typing import Any, Final

from azure.core.exceptions import DeserializationError
from botbuilder.schema import Activity

from bot_logic.errors import BadRequest
from bot_logic.wire import is_base_url, is_id

MAX_BODY: Final = 1024 * 1024  # bytes: Direct Line's 256K characters at their widest
MAX_ITEMS: Final = 1000  # of one list: the SDK reads each item in a tenth of a millisecond

# What the SDK raises at JSON that does not fit its models.
UNREADABLE: Final = (DeserializationError, AttributeError, TypeError, ValueError, RecursionError)

_REQUIRED_OBJECTS: Final = ("conversation", "recipient")
_REQUIRED_IDS: Final = ("type", "channelId", "conversation.id", "recipient.id")
_FIELDS: Final = {field["key"]: field["type"] for field in Activity._attribute_map.values()}  # noqa: SLF001 - the model's own list of its fields

Json = dict[str, Any]


def parse(content_type: str, body: bytes) -> Json:
    """Read the JSON of an activity, and check what every turn needs of it.

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
    document = _json_object(body)
    for name in _REQUIRED_OBJECTS:
        _check(isinstance(document.get(name), dict), name, "must be a JSON object")
    for path in _REQUIRED_IDS:
        _check(is_id(_at(document, path)), path, "must be an id")
    sender = document.get("from") or {}
    _check(isinstance(sender, dict), "from", "must be a JSON object")
    _check(sender.get("id") is None or is_id(sender["id"]), "from.id", "must be an id")
    _check(is_base_url(document.get("serviceUrl")), "serviceUrl", "must be an http(s) URL")
    return document


def to_activity(document: Json) -> Activity:
    """Have the SDK read an activity that `parse` let through.

    Raises:
        BadRequest: 400 with the field that is malformed.
    """
    for name, items in document.items():
        if isinstance(items, list):
            _check(len(items) <= MAX_ITEMS, name, f"must not have more than {MAX_ITEMS} items")
            plain = _FIELDS.get(name) in (None, "[str]", "object")
            _check(plain or all(isinstance(i, dict) for i in items), name, "must hold objects")
    try:
        return Activity.deserialize(document)
    except UNREADABLE:
        # The SDK's messages name Python classes, not the fields of the sender's JSON.
        suspects = (name for name in _FIELDS if name in document)
        field = next((name for name in suspects if not _reads(name, document[name])), None)
        raise BadRequest(f"{field or 'the activity'} is malformed", field=field) from None


def _json_object(body: bytes) -> Json:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("the body must be JSON") from None
    if not isinstance(document, dict):
        raise BadRequest("the body must be a JSON object")
    return document


def _check(holds: bool, field: str, rule: str) -> None:  # noqa: FBT001 - reads as the sentence it is
    if not holds:
        raise BadRequest(f"{field} {rule}", field=field)


def _at(document: Json, path: str) -> Any:
    value: Any = document
    for name in path.split("."):
        value = value.get(name)
    return value


def _reads(name: str, value: Any) -> bool:
    try:
        Activity.deserialize({name: value})
    except UNREADABLE:
        return False
    return True
