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


def modernise(document: Any) -> Any:
    """The same message as ``{"conversation": <ConversationReference>, "text": …}``.

    What is not one of the old shapes comes back as it is.
    """
    if not isinstance(document, Mapping):
        return document
    fields = _camel_case(document)
    for old_name, convert in _CONVERSIONS.items():
        if isinstance(old := fields.pop(old_name, None), Mapping):
            return fields | {"conversation": convert(_camel_case(old))}
    return document


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
