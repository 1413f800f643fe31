"""A producer written for the template of 2016 goes on working."""

import json
from typing import Any

import pytest

from bot_logic.envelope import Envelope, decode
from bot_logic.errors import UndecodableMessage

CSHARP_V1: dict[str, Any] = {
    "ResumptionCookie": {
        "Address": {
            "BotId": "bot",
            "ChannelId": "webchat",
            "UserId": "ada",
            "ConversationId": "c1",
            "ServiceUrl": "https://webchat.example/",
        },
        "UserName": "Ada",
        "IsTrustedServiceUrl": True,
        "IsGroup": False,
        "Locale": "en-GB",
    },
    "Text": "hello",
}
REFERENCE: dict[str, Any] = {
    "activityId": "a1",
    "user": {"id": "ada", "name": "Ada"},
    "bot": {"id": "bot"},
    "conversation": {"id": "c1"},
    "channelId": "webchat",
    "serviceUrl": "https://webchat.example/",
}
CSHARP_V2 = {"RelatesTo": REFERENCE, "Text": "hello"}
NODE = {
    "address": {
        "id": "a1",
        "channelId": "webchat",
        "user": {"id": "ada", "name": "Ada"},
        "conversation": {"id": "c1"},
        "bot": {"id": "bot"},
        "serviceUrl": "https://webchat.example/",
        "useAuth": True,
    },
    "text": "hello",
}
CSHARP_V2_IN_PASCAL_CASE = {
    "RelatesTo": {
        "User": {"Id": "ada", "Name": "Ada"},
        "Bot": {"Id": "bot"},
        "Conversation": {"Id": "c1"},
        "ChannelId": "webchat",
        "ServiceUrl": "https://webchat.example/",
    },
    "Text": "hello",
}
PLAIN = {"conversation": REFERENCE, "text": "hello"}


def read(message: Any) -> Envelope:
    return decode(json.dumps(message), default_id="queue-id")


@pytest.mark.parametrize(
    "message",
    [CSHARP_V1, CSHARP_V2, CSHARP_V2_IN_PASCAL_CASE, NODE, PLAIN],
    ids=["C# v1", "C# v2", "C# v2, all upper case", "Node.js", "plain"],
)
def test_every_shape_becomes_the_same_envelope(message: dict[str, Any]) -> None:
    envelope = read(message)
    assert (envelope.id, envelope.text) == ("queue-id", "hello")
    reference = envelope.reference
    assert reference["conversation"]["id"] == "c1"
    assert reference["channelId"] == "webchat"
    assert reference["serviceUrl"] == "https://webchat.example/"
    assert reference["user"] == {"id": "ada", "name": "Ada"}
    assert reference["bot"] == {"id": "bot"}
    assert not {"activityId", "id", "useAuth"} & set(reference)


def test_a_resumption_cookie_keeps_its_locale_and_group() -> None:
    cookie = CSHARP_V1["ResumptionCookie"] | {"IsGroup": True}
    reference = read(CSHARP_V1 | {"ResumptionCookie": cookie}).reference
    assert reference["locale"] == "en-GB"
    assert reference["conversation"] == {"id": "c1", "isGroup": True}


def test_a_resumption_cookie_without_address_names_what_it_lacks() -> None:
    with pytest.raises(UndecodableMessage, match=r"conversation\.channelId"):
        read({"ResumptionCookie": {}, "Text": "hello"})
