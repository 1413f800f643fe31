"""Only the worker's own triggers verify, only where they were posted, and only for minutes."""

import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.envelope import Envelope
from bot_logic.settings import Secret
from bot_logic.signature import CLOCK_LEEWAY, LIFETIME, TriggerRefused, sign, verify

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
    assert verify(sign(ENVELOPE, "dl-1", KEYS), "dl-1", KEYS) == ENVELOPE


def test_after_a_key_rotation_old_and_new_triggers_verify() -> None:
    both = OTHER_KEYS + KEYS
    assert verify(sign(ENVELOPE, "dl-1", KEYS), "dl-1", both) == ENVELOPE
    assert verify(sign(ENVELOPE, "dl-1", both), "dl-1", OTHER_KEYS) == ENVELOPE


@pytest.mark.parametrize("value", [None, "token", {}, {"token": 1}, [], {"token": None}])
def test_an_unsigned_trigger_is_refused(value: Any) -> None:
    with pytest.raises(TriggerRefused, match="not signed"):
        verify(value, "dl-1", KEYS)


def test_a_trigger_signed_with_another_key_is_refused() -> None:
    with pytest.raises(TriggerRefused, match="not the worker's"):
        verify(sign(ENVELOPE, "dl-1", OTHER_KEYS), "dl-1", KEYS)


def test_a_trigger_posted_in_another_conversation_is_refused() -> None:
    with pytest.raises(TriggerRefused, match="another conversation"):
        verify(sign(ENVELOPE, "dl-1", KEYS), "dl-2", KEYS)


def test_an_altered_trigger_is_refused() -> None:
    header, payload, signature = sign(ENVELOPE, "dl-1", KEYS)["token"].split(".")
    forged = jwt.encode({"envelope": {"text": "altered"}}, KEYS[0].reveal(), "HS256").split(".")[1]
    assert forged != payload
    with pytest.raises(TriggerRefused, match="not the worker's"):
        verify({"token": f"{header}.{forged}.{signature}"}, "dl-1", KEYS)


def test_an_expired_trigger_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS))
    assert claims["exp"] - claims["iat"] == LIFETIME
    late = claims | {"exp": int(time.time()) - CLOCK_LEEWAY - 1}
    with pytest.raises(TriggerRefused, match="expired"):
        verify(resigned(late), "dl-1", KEYS)


def test_a_token_without_signature_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS))
    with pytest.raises(TriggerRefused, match="malformed"):
        verify({"token": jwt.encode(claims, "", "none")}, "dl-1", KEYS)


@pytest.mark.parametrize("claim", ["aud", "exp", "iat", "conversation", "envelope"])
def test_a_token_that_lacks_a_claim_is_refused(claim: str) -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS))
    del claims[claim]
    with pytest.raises(TriggerRefused):
        verify(resigned(claims), "dl-1", KEYS)


def test_a_token_for_another_purpose_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS)) | {"aud": "somebody else"}
    with pytest.raises(TriggerRefused):
        verify(resigned(claims), "dl-1", KEYS)


def test_a_signed_token_without_an_envelope_in_it_is_refused() -> None:
    claims = claims_of(sign(ENVELOPE, "dl-1", KEYS)) | {"envelope": {"text": "x"}}
    with pytest.raises(TriggerRefused, match="carries no envelope"):
        verify(resigned(claims), "dl-1", KEYS)


@given(token=st.text(max_size=300) | st.from_regex(r"[\w-]{1,60}\.[\w-]{1,60}\.[\w-]{0,60}"))
def test_no_text_does_more_than_be_refused(token: str) -> None:
    with pytest.raises(TriggerRefused):
        verify({"token": token}, "dl-1", KEYS)
