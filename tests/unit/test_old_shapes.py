"""A producer written for the template of 2016 goes on working."""

import json
from typing import Any

import pytest

from bot_logic.contract.envelope import Envelope, decode
from bot_logic.contract.old_shapes import modernise
from bot_logic.errors import UndecodableMessage

NOW = 1_800_000_000
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
    return decode(json.dumps(message), default_id="queue-id", now=NOW)


@pytest.mark.parametrize(
    "message",
    [CSHARP_V1, CSHARP_V2, CSHARP_V2_IN_PASCAL_CASE, NODE, PLAIN],
    ids=["C# v1", "C# v2", "C# v2, all upper case", "Node.js", "plain"],
)
def test_every_shape_becomes_the_same_envelope(message: dict[str, Any]) -> None:
    envelope = read(message)
    assert (envelope.id, envelope.text) == ("queue-id", "hello")
    reference = envelope.conversation
    assert reference["conversation"]["id"] == "c1"
    assert reference["channelId"] == "webchat"
    assert reference["serviceUrl"] == "https://webchat.example/"
    assert reference["user"] == {"id": "ada", "name": "Ada"}
    assert reference["bot"] == {"id": "bot"}
    assert not {"activityId", "id", "useAuth"} & set(reference)


def test_a_resumption_cookie_keeps_its_locale_and_group() -> None:
    cookie = CSHARP_V1["ResumptionCookie"] | {"IsGroup": True}
    reference = read(CSHARP_V1 | {"ResumptionCookie": cookie}).conversation
    assert reference["locale"] == "en-GB"
    assert reference["conversation"] == {"id": "c1", "isGroup": True}


def test_a_resumption_cookie_without_address_names_what_it_lacks() -> None:
    with pytest.raises(UndecodableMessage, match=r"conversation\.channelId"):
        read({"ResumptionCookie": {}, "Text": "hello"})


@pytest.mark.parametrize("message", [CSHARP_V1, CSHARP_V2, NODE], ids=["C# v1", "C# v2", "Node.js"])
def test_what_an_old_producer_adds_is_nobodys_business(message: dict[str, Any]) -> None:
    assert read(message | {"Priority": 1, "isTrusted": True}) == read(message)


@pytest.mark.parametrize("message", [CSHARP_V1, CSHARP_V2, NODE], ids=["C# v1", "C# v2", "Node.js"])
def test_an_old_producer_may_name_and_date_its_message(message: dict[str, Any]) -> None:
    envelope = read(message | {"Id": "mine", "created": 5, "expires": 7})
    assert (envelope.id, envelope.created, envelope.expires) == ("mine", 5, 7)


def test_attempts_that_this_app_counted_before_messages_had_a_version_still_count() -> None:
    before = PLAIN | {"id": "id-1", "attempts": 3, "firstFailure": "busy", "created": 5}
    envelope = read(before)
    assert (envelope.attempt, envelope.first_failure) == (3, "busy")
    assert read(json.loads(envelope.to_json())) == envelope


@pytest.mark.parametrize("version", [0, 1])
def test_with_a_version_there_are_no_attempts(version: int) -> None:
    with pytest.raises(UndecodableMessage) as error:
        read(PLAIN | {"version": version, "attempts": 3})
    assert error.value.field == "attempts"


@pytest.mark.parametrize("document", [None, 7, "text", [], [PLAIN], {"relatesTo": "c1"}])
def test_what_has_no_old_shape_comes_back_as_it_is(document: Any) -> None:
    assert modernise(document) == document
