"""The three queue messages of Microsoft's old proactive bot template, as today's envelope.

A producer written for the template of 2016 goes on working. Its three versions wrote::

    C# v1    {"ResumptionCookie": {"Address": {"BotId", "ChannelId", "UserId", "ConversationId",
              "ServiceUrl"}, "UserName", "IsTrustedServiceUrl", "IsGroup", "Locale"}, "Text"}
    C# v2    {"RelatesTo": <ConversationReference>, "Text"}
    Node.js  {"address": {"id", "channelId", "user", "conversation", "bot", "serviceUrl"}, "text"}

Pure: JSON in, JSON out. Whether the result is complete is for the envelope to check.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

_KEPT: Final = ("id", "text", "created", "expires", "attempt", "firstFailure")


def modernise(document: Any) -> Any:
    """Return the same message as ``{"conversation": <ConversationReference>, "text": …}``.

    What is not one of the old shapes comes back as it is. Of an old shape only the fields that the
    envelope has, too, are taken: its producers may add others, which nobody ever refused.
    """
    if not isinstance(document, Mapping):
        return document
    fields = _camel_case(document)
    for old_name, convert in _CONVERSIONS.items():
        if isinstance(old := fields.pop(old_name, None), Mapping):
            kept = {name: fields[name] for name in _KEPT if name in fields}
            return kept | {"conversation": convert(_camel_case(old))}
    return _counting_in_attempt(document)


def _counting_in_attempt(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Rename `attempts`, as the versions of this app before the envelope had a version wrote it."""
    if "attempts" not in document or "version" in document:
        return document
    return {("attempt" if name == "attempts" else name): v for name, v in document.items()}


def _from_resumption_cookie(cookie: dict[str, Any]) -> dict[str, Any]:
    address = cookie.get("address")
    address = _camel_case(address) if isinstance(address, Mapping) else {}
    return {
        "user": {"id": address.get("userId"), "name": cookie.get("userName")},
        "bot": {"id": address.get("botId")},
        "conversation": {
            "id": address.get("conversationId"),
            "isGroup": cookie.get("isGroup") is True,
        },
        "channelId": address.get("channelId"),
        "serviceUrl": address.get("serviceUrl"),
        "locale": cookie.get("locale"),
    }


def _from_node_address(address: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in address.items() if name not in ("id", "useAuth")}


def _from_conversation_reference(reference: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _camel_case(value) if isinstance(value, Mapping) else value
        for name, value in reference.items()
    }


def _camel_case(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in fields.items()}


_CONVERSIONS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "resumptionCookie": _from_resumption_cookie,
    "relatesTo": _from_conversation_reference,
    "address": _from_node_address,
}
