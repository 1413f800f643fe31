"""What a channel posts is an activity, or a clear 4xx."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.bot_endpoint.sdk.activity_json import MAX_BODY, parse, to_activity
from bot_logic.bot_endpoint.sdk.model_json import MAX_ITEMS
from bot_logic.errors import BadRequest
from tests.strategies import json_values

ACTIVITY: dict[str, Any] = {
    "type": "message",
    "id": "a1",
    "channelId": "directline",
    "serviceUrl": "http://localhost:3000",
    "conversation": {"id": "c1"},
    "from": {"id": "u1"},
    "recipient": {"id": "b1"},
    "text": "hello",
}


def read_activity(content_type: str, body: bytes) -> Any:
    return to_activity(parse(content_type, body))


def refusal_of(body: Any, content_type: str = "application/json") -> BadRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadRequest) as error:
        read_activity(content_type, raw)
    return error.value


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_an_activity_is_read(content_type: str) -> None:
    activity = read_activity(content_type, json.dumps(ACTIVITY).encode())
    assert (activity.type, activity.text, activity.from_property.id) == ("message", "hello", "u1")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonx"])
def test_another_content_type_is_415(content_type: str) -> None:
    assert refusal_of(ACTIVITY, content_type).status == 415


def test_an_oversized_body_is_413() -> None:
    assert refusal_of(b" " * (MAX_BODY + 1)).status == 413


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b"null", b'"text"'])
def test_what_is_no_json_object_is_400(body: bytes) -> None:
    assert refusal_of(body).status == 400


@pytest.mark.parametrize(
    "field",
    ["type", "channelId", "serviceUrl", "conversation", "recipient"],
)
@pytest.mark.parametrize("value", [None, "", 7, [], {}])
def test_a_field_that_every_turn_needs_is_named(field: str, value: Any) -> None:
    refusal = refusal_of(ACTIVITY | {field: value})
    assert refusal.status == 400
    assert (refusal.field or "").startswith(field)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attachments", "none"),
        ("membersAdded", {"id": "u1"}),
        ("timestamp", "yesterday"),
        ("from", "u1"),
        ("from", {"id": ""}),
        ("from", {"id": 7}),
        ("membersAdded", [None, 7]),
        ("membersRemoved", ["u1"]),
        ("attachments", [{}, 7]),
        ("entities", [[]]),
        ("attachments", [{}] * (MAX_ITEMS + 1)),
        ("membersAdded", [{}] * (MAX_ITEMS + 1)),
    ],
    ids=str,
)
def test_a_malformed_field_is_named(field: str, value: Any) -> None:
    refusal = refusal_of(ACTIVITY | {field: value})
    assert refusal.status == 400
    assert (refusal.field or "").partition(".")[0] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("serviceUrl", "http://"),
        ("serviceUrl", "http://["),
        ("serviceUrl", "http://user:password@host"),
        ("serviceUrl", "http://host?to=elsewhere"),
        ("conversation", {"id": "\ud800"}),
        ("conversation", {"id": "line\nbreak"}),
        ("conversation", {"id": ".."}),
        ("conversation", {"id": "x" * 2000}),
    ],
)
def test_what_cannot_go_into_an_address_or_a_log_is_refused(field: str, value: Any) -> None:
    refusal = refusal_of(ACTIVITY | {field: value})
    assert (refusal.field or "").partition(".")[0] == field


def test_a_malformed_field_is_found_among_many_that_mean_nothing() -> None:
    junk: dict[str, Any] = {f"junk{number}": 1 for number in range(50_000)}
    refusal = refusal_of(ACTIVITY | junk | {"membersAdded": 5})
    assert refusal.field == "membersAdded"


@given(
    changes=st.dictionaries(
        st.sampled_from(
            [*ACTIVITY, "membersAdded", "attachments", "entities", "value", "timestamp", "name"]
        ),
        json_values,
        max_size=3,
    )
)
def test_no_activity_does_more_than_be_refused(changes: dict[str, Any]) -> None:
    try:
        read_activity("application/json", json.dumps(ACTIVITY | changes).encode())
    except BadRequest as refusal:
        assert 400 <= refusal.status < 500  # noqa: PT017 - the other outcome is fine, too
