"""The shape of what is said: JSON objects in, one kind of error out. No I/O."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

Kind = TypeVar("Kind")

JsonObject = dict[str, Any]
"""An activity or any other JSON object, kept as it came: what is not understood passes through."""

_NAMES = {
    name.lower(): name
    for name in (
        *("type", "id", "name", "text", "from", "recipient", "conversation", "user", "role"),
        *("locale", "attachments", "entities", "value", "channelData", "textFormat", "speak"),
        *("timestamp", "localTimestamp", "replyToId", "inputHint", "suggestedActions"),
        *("attachmentLayout", "deliveryMode", "conversationId", "aadObjectId"),
    )
}
_ACCOUNTS = {"from", "recipient", "conversation", "user"}

ACTIVITY_LIMIT = 256 * 1024  # characters, as sent; the published limit of one activity


class ApiError(Exception):
    """An answer other than success.

    The codes are those of the Bot Framework's own `ErrorCodes` where it has one:
    https://learn.microsoft.com/dotnet/api/microsoft.bot.schema.errorcodes

    Args:
        status: The HTTP status.
        code: A short name a program can tell errors apart by, such as ``BadArgument``.
        message: One sentence for the person who reads the log.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> JsonObject:
        """Return the error as the service writes it."""
        return {"error": {"code": self.code, "message": str(self)}}


def conversation_not_found(conversation_id: str) -> ApiError:
    """Return the error that tells a client or the bot to give up on a conversation."""
    message = f"There is no conversation {conversation_id!r}, or it was not started."
    return ApiError(404, "ConversationNotFound", message)


def parse_object(raw: bytes) -> JsonObject:
    """Read a body as one JSON object; an empty body is an empty object.

    Raises:
        ApiError: 413 if it is too long, 400 if it is not a JSON object.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise ApiError(400, "BadSyntax", "The body must be UTF-8.") from None
    if len(text) > ACTIVITY_LIMIT:
        message = f"The body must be at most {ACTIVITY_LIMIT} characters; this has {len(text)}."
        raise ApiError(413, "MessageSizeTooBig", message)
    try:
        value = json.loads(text or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise ApiError(400, "BadSyntax", "The body must be JSON.") from None
    if not isinstance(value, dict):
        raise ApiError(400, "BadArgument", "The body must be a JSON object.")
    return canonical(value)


def canonical(source: JsonObject) -> JsonObject:
    """Write the service's own property names in their usual case; it reads them in any.

    What a bot or a client puts into `channelData`, `value` or an attachment stays as it is.
    """
    known = {_NAMES.get(name.lower(), name): value for name, value in source.items()}
    for name in _ACCOUNTS & known.keys():
        if isinstance(known[name], dict):
            known[name] = canonical(known[name])
    return known


def text_in(source: Mapping[str, object], key: str, path: str) -> str:
    """Return the text at `key`, or an empty one; `path` names the field in the error."""
    return _typed(source.get(key), str, path, "text") or ""


def object_in(source: Mapping[str, object], key: str, path: str) -> JsonObject:
    """Return the object at `key`, or an empty one; `path` names the field in the error."""
    return _typed(source.get(key), dict, path, "an object") or {}


def objects_in(source: Mapping[str, object], key: str, path: str) -> list[JsonObject]:
    """Return the objects listed at `key`, or none; `path` names the field in the error."""
    items = _typed(source.get(key), list, path, "a list of objects") or []
    if not all(isinstance(item, dict) for item in items):
        raise ApiError(400, "BadArgument", f"{path} must be a list of objects.")
    return items


def required(value: str, path: str) -> str:
    """Return the text, or refuse the request because it is missing."""
    if not value:
        raise ApiError(400, "MissingProperty", f"{path} is required.")
    return value


def _typed(value: object, kind: type[Kind], path: str, description: str) -> Kind | None:
    if value is None or isinstance(value, kind):
        return value
    raise ApiError(400, "BadArgument", f"{path} must be {description}.")


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
