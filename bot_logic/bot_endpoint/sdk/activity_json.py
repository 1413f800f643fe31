"""A request's body -> an activity, or a clear 4xx that names the field at fault.

In two steps, so that what is costly comes after the sender has been authenticated: `parse` checks
what every turn needs, `to_activity` reads the rest.
https://github.com/microsoft/botframework-sdk/blob/main/specs/botframework-activity/botframework-activity.md
"""

from collections.abc import Mapping
from typing import Any, Final

from botbuilder.schema import Activity

from bot_logic.addresses import is_base_url, is_id
from bot_logic.bot_endpoint.sdk.model_json import Malformed, read
from bot_logic.errors import BadRequest
from bot_logic.json_text import from_json

MAX_BODY: Final = 1024 * 1024  # bytes: Direct Line's 256K characters at their widest

_REQUIRED_OBJECTS: Final = ("conversation", "recipient")
_REQUIRED_IDS: Final = ("type", "channelId", "conversation.id", "recipient.id")

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
    """Return the SDK's activity for a document that `parse` let through.

    Raises:
        BadRequest: 400 with the field that is malformed.
    """
    try:
        return read(Activity, document)
    except Malformed as error:
        raise BadRequest(str(error), field=error.field) from None


def check_outgoing(document: Mapping[str, Any]) -> None:
    """Let pass an activity that the bot can send.

    Raises:
        BadRequest: 400 with the field that is malformed, as a path that begins with `activity`.
    """
    try:
        read(Activity, dict(document))
    except Malformed as error:
        malformed = error.within("activity")
        raise BadRequest(malformed.rule, field=malformed.field) from None


def _json_object(body: bytes) -> Json:
    try:
        document = from_json(body)
    except ValueError:
        raise BadRequest("the body must be JSON; compressed bodies are not taken") from None
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
