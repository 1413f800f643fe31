"""What travels on the queue: written by us, by the old template, and by strangers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.envelope import MAX_ENVELOPE_BYTES, Envelope, decode
from bot_logic.errors import ExpiredMessage, OversizedMessage, UndecodableMessage
from tests.strategies import json_values

REFERENCE: dict[str, Any] = {
    "channelId": "directline",
    "serviceUrl": "http://localhost:3000",
    "conversation": {"id": "c1"},
    "user": {"id": "u1", "name": "Ada"},
    "bot": {"id": "b1"},
}


@given(text=st.text(min_size=1, max_size=200))
def test_any_text_survives_the_queue(text: str) -> None:
    envelope = Envelope.new(REFERENCE, text, lifetime=60)
    assert decode(envelope.to_json().encode(), default_id="queue-id") == envelope


def test_a_text_with_half_a_character_survives_the_queue() -> None:
    envelope = Envelope.new(REFERENCE, "half \ud83d", lifetime=60)
    assert decode(envelope.to_json().encode(), default_id="queue-id").text == "half \ud83d"


def test_two_envelopes_have_two_ids() -> None:
    ids = {Envelope.new(REFERENCE, "hello", lifetime=60).id for _ in range(100)}
    assert len(ids) == 100


def test_a_message_without_an_id_gets_the_queues() -> None:
    plain = json.dumps({"conversation": REFERENCE, "text": "order ready"})
    envelope = decode(plain, default_id="queue-id")
    assert (envelope.id, envelope.text, envelope.expires) == ("queue-id", "order ready", None)


def test_fields_that_are_null_are_fields_that_are_not_there() -> None:
    nulls = dict.fromkeys(("id", "created", "expires"))
    plain = json.dumps({"conversation": REFERENCE, "text": "x"} | nulls)
    envelope = decode(plain, default_id="queue-id")
    assert (envelope.id, envelope.expires) == ("queue-id", None)


def test_the_activity_once_answered_to_is_dropped() -> None:
    reference = REFERENCE | {"activityId": "a1"}
    envelope = decode(json.dumps({"conversation": reference, "text": "x"}), default_id="q")
    assert "activityId" not in envelope.reference


def test_a_message_that_just_fits_is_taken_and_one_byte_more_is_not() -> None:
    room = MAX_ENVELOPE_BYTES - len(Envelope.new(REFERENCE, "-", lifetime=60).to_json()) + 1
    Envelope.new(REFERENCE, "x" * room, lifetime=60).to_json()
    with pytest.raises(OversizedMessage, match="40960 fit"):
        Envelope.new(REFERENCE, "x" * (room + 1), lifetime=60).to_json()


def test_an_envelope_expires_at_its_time_and_not_before() -> None:
    envelope = Envelope("id", REFERENCE, "x", created=0, expires=100)
    envelope.check_not_expired(now=99.9)
    with pytest.raises(ExpiredMessage, match="expired 20 seconds before"):
        envelope.check_not_expired(now=120)


def test_an_envelope_without_expiry_never_expires() -> None:
    Envelope("id", REFERENCE, "x", created=0).check_not_expired(now=4e9)


def without(path: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(json.dumps({"conversation": REFERENCE, "text": "x"}))
    *parents, name = path.split(".")
    target = message
    for parent in parents:
        target = target[parent]
    del target[name]
    return message


@pytest.mark.parametrize(
    "field",
    [
        "text",
        "conversation",
        "conversation.channelId",
        "conversation.serviceUrl",
        "conversation.conversation",
        "conversation.conversation.id",
    ],
)
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(UndecodableMessage) as error:
        decode(json.dumps(without(field)), default_id="q")
    assert error.value.field == field


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": 7}, "text"),
        ({"id": ""}, "id"),
        ({"id": "line\nbreak"}, "id"),
        ({"id": 7}, "id"),
        ({"created": "today"}, "created"),
        ({"expires": True}, "expires"),
        ({"expires": -1}, "expires"),
        ({"conversation": []}, "conversation"),
        ({"conversation": REFERENCE | {"user": "u1"}}, "conversation.user"),
        ({"conversation": REFERENCE | {"serviceUrl": "ftp://x"}}, "conversation.serviceUrl"),
        ({"conversation": REFERENCE | {"serviceUrl": "http://[x"}}, "conversation.serviceUrl"),
        ({"conversation": REFERENCE | {"serviceUrl": "http://x?y="}}, "conversation.serviceUrl"),
        ({"conversation": REFERENCE | {"user": {"id": []}}}, "conversation.user.id"),
        (
            {"conversation": REFERENCE | {"conversation": {"id": "\ud800"}}},
            "conversation.conversation.id",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_field_is_named(change: dict[str, Any], field: str) -> None:
    message = {"conversation": REFERENCE, "text": "x"} | change
    with pytest.raises(UndecodableMessage) as error:
        decode(json.dumps(message), default_id="q")
    assert error.value.field == field


@pytest.mark.parametrize(
    "message",
    [b"", b"hello", b"\xff\xfe", b"NaN", b"[" * 100_000, b'{"text":' * 50_000, b"1" * 5000],
    ids=["empty", "text", "not utf-8", "NaN", "deep list", "deep object", "huge number"],
)
def test_what_is_not_a_message_is_undecodable(message: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        decode(message, default_id="q")


@given(message=st.binary(max_size=200) | json_values.map(json.dumps).map(str.encode))
def test_no_bytes_do_more_than_be_undecodable(message: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        decode(message, default_id="q")


known_names = ("id", "text", "conversation", "Text", "RelatesTo", "address", "expires")
cookies = st.dictionaries(st.sampled_from(["Address", "UserName", "IsGroup", "x"]), json_values)


@given(
    document=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(known_names, json_values) | {"ResumptionCookie": cookies}
    )
)
def test_no_document_does_more_than_be_undecodable(document: dict[str, Any]) -> None:
    with pytest.raises(UndecodableMessage):
        decode(json.dumps(document), default_id="q")
