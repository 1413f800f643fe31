"""Only the worker's own triggers verify, only where they were posted, and only for minutes."""

from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.envelope import Envelope
from bot_logic.contract.page_order import PageOrder
from bot_logic.contract.trigger_token import (
    CLOCK_LEEWAY,
    LIFETIME,
    Trigger,
    TriggerRefused,
    sign,
    verify,
)
from bot_logic.errors import NewerVersion
from bot_logic.secret import Secret

NOW = 1_800_000_000
KEYS = (Secret("first-key-with-more-than-32-characters"),)
OTHER_KEYS = (Secret("other-key-with-more-than-32-characters"),)
ENVELOPE = Envelope(
    "id-1",
    {
        "channelId": "directline",
        "serviceUrl": "http://localhost:3000",
        "conversation": {"id": "c1"},
    },
    "hello",
    created=1,
)


def claims_of(value: dict[str, str]) -> dict[str, Any]:
    return jwt.decode(value["token"], options={"verify_signature": False})


def resigned(claims: dict[str, Any], key: Secret = KEYS[0], algorithm: str = "HS256") -> Any:
    return {"token": jwt.encode(claims, key.reveal(), algorithm)}


def test_what_the_worker_signs_verifies() -> None:
    assert verify(sign(ENVELOPE, "dl-1", KEYS, NOW), "dl-1", KEYS, NOW) == Trigger(ENVELOPE)


def test_after_a_key_rotation_old_and_new_triggers_verify() -> None:
    both = OTHER_KEYS + KEYS
    assert verify(sign(ENVELOPE, "dl-1", KEYS, NOW), "dl-1", both, NOW) == Trigger(ENVELOPE)
    assert verify(sign(ENVELOPE, "dl-1", both, NOW), "dl-1", OTHER_KEYS, NOW) == Trigger(ENVELOPE)


@pytest.mark.parametrize("value", [None, "token", {}, {"token": 1}, [], {"token": None}])
def test_an_unsigned_trigger_is_refused(value: Any) -> None:
    with pytest.raises(TriggerRefused, match="not signed"):
        verify(value, "dl-1", KEYS, NOW)


def test_a_trigger_signed_with_another_key_is_refused() -> None:
    with pytest.raises(TriggerRefused, match="not the worker's"):
        verify(sign(ENVELOPE, "dl-1", OTHER_KEYS, NOW), "dl-1", KEYS, NOW)


def test_a_trigger_posted_in_another_conversation_is_refused() -> None:
    with pytest.raises(TriggerRefused, match="another conversation"):
        verify(sign(ENVELOPE, "dl-1", KEYS, NOW), "dl-2", KEYS, NOW)


def test_an_altered_trigger_is_refused() -> None:
    header, payload, signature = sign(ENVELOPE, "dl-1", KEYS, NOW)["token"].split(".")
    forged = jwt.encode({"envelope": {"text": "altered"}}, KEYS[0].reveal(), "HS256").split(".")[1]
    assert forged != payload
    with pytest.raises(TriggerRefused, match="not the worker's"):
        verify({"token": f"{header}.{forged}.{signature}"}, "dl-1", KEYS, NOW)


def test_an_expired_trigger_is_refused() -> None:
    signed = sign(ENVELOPE, "dl-1", KEYS, NOW)
    claims = claims_of(signed)
    assert claims["exp"] - claims["iat"] == LIFETIME
    end = NOW + LIFETIME + CLOCK_LEEWAY
    assert verify(signed, "dl-1", KEYS, end - 1) == Trigger(ENVELOPE)
    with pytest.raises(TriggerRefused, match="expired"):
        verify(signed, "dl-1", KEYS, end)


def test_a_trigger_of_a_clock_that_is_ahead_is_refused() -> None:
    signed = sign(ENVELOPE, "dl-1", KEYS, NOW + CLOCK_LEEWAY)
    assert verify(signed, "dl-1", KEYS, NOW) == Trigger(ENVELOPE)
    with pytest.raises(TriggerRefused, match="not valid yet"):
        verify(signed, "dl-1", KEYS, NOW - 1)


@pytest.mark.parametrize("claim", ["exp", "iat"])
@pytest.mark.parametrize("time", ["soon", str(NOW), NOW + 0.5, None, [], {}], ids=repr)
def test_a_time_that_is_no_whole_number_is_refused(claim: str, time: Any) -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW)) | {claim: time}
    with pytest.raises(TriggerRefused, match="malformed"):
        verify(resigned(claims), "dl-1", KEYS, NOW)


def test_a_trigger_of_a_newer_version_is_left_to_who_understands_it() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW))
    claims["envelope"]["version"] = 2
    with pytest.raises(NewerVersion):
        verify(resigned(claims), "dl-1", KEYS, NOW)


def test_a_token_without_signature_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW))
    with pytest.raises(TriggerRefused, match="malformed"):
        verify({"token": jwt.encode(claims, "", "none")}, "dl-1", KEYS, NOW)


@pytest.mark.parametrize("claim", ["aud", "exp", "iat", "conversation", "envelope"])
def test_a_token_that_lacks_a_claim_is_refused(claim: str) -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW))
    del claims[claim]
    with pytest.raises(TriggerRefused):
        verify(resigned(claims), "dl-1", KEYS, NOW)


def test_a_token_for_another_purpose_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW)) | {"aud": "somebody else"}
    with pytest.raises(TriggerRefused):
        verify(resigned(claims), "dl-1", KEYS, NOW)


def test_a_signed_token_without_an_envelope_in_it_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW)) | {"envelope": {"text": "x"}}
    with pytest.raises(TriggerRefused, match="carries no envelope"):
        verify(resigned(claims), "dl-1", KEYS, NOW)


TRACEPARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def test_the_workers_traceparent_travels_beside_the_envelope() -> None:
    signed = sign(ENVELOPE, "dl-1", KEYS, NOW, traceparent=TRACEPARENT)
    assert verify(signed, "dl-1", KEYS, NOW) == Trigger(ENVELOPE, TRACEPARENT)
    assert "traceparent" not in claims_of(signed)["envelope"]


def test_a_worker_without_telemetry_signs_what_it_always_did() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW))
    assert claims.keys() == {"aud", "iat", "exp", "conversation", "envelope"}


@pytest.mark.parametrize("traceparent", ["", "x", 7, None, TRACEPARENT + "-more"], ids=str)
def test_a_traceparent_of_another_version_is_overlooked(traceparent: Any) -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW)) | {"traceparent": traceparent}
    assert verify(resigned(claims), "dl-1", KEYS, NOW) == Trigger(ENVELOPE)


@pytest.mark.parametrize("given", [TRACEPARENT, ""], ids=["with telemetry", "without"])
def test_an_order_to_send_a_page_has_the_workers_traceparent_in_it(given: str) -> None:
    order = PageOrder("n1", "page-x-0", 45.0, 8.0, given)
    assert verify(sign(order, "c1", KEYS, NOW), "c1", KEYS, NOW) == order


@pytest.mark.parametrize("given", ["", "garbage", 7, None])
def test_an_order_to_send_a_page_does_not_depend_on_its_traceparent(given: Any) -> None:
    order = PageOrder("n1", "page-x-0", 45.0, 8.0)
    assert PageOrder.of(order.to_document() | {"traceparent": given}) == order


def test_a_claim_of_a_newer_worker_is_overlooked() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS, NOW)) | {"inventedSince": 1}
    assert verify(resigned(claims), "dl-1", KEYS, NOW) == Trigger(ENVELOPE)


@given(token=st.text(max_size=300) | st.from_regex(r"[\w-]{1,60}\.[\w-]{1,60}\.[\w-]{0,60}"))
def test_no_text_does_more_than_be_refused(token: str) -> None:
    with pytest.raises(TriggerRefused):
        verify({"token": token}, "dl-1", KEYS, NOW)
