"""What an operator finds on the poison queue."""

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.dead_letters.letter import dead_letter, illegible_letter
from bot_logic.envelope import MAX_ENVELOPE_BYTES, MAX_QUEUE_BYTES, Envelope
from bot_logic.errors import ExpiredMessage, UndecodableMessage

ENVELOPE = Envelope(
    "id-1",
    {"channelId": "directline", "serviceUrl": "http://x", "conversation": {"id": "c1"}},
    "hello",
    created=1,
)
TOO_LATE = ExpiredMessage("too late")
NOT_OURS = UndecodableMessage("not ours")


def test_a_dead_letter_says_what_why_when_and_after_how_many_attempts() -> None:
    envelope = replace(ENVELOPE, created=int(time.time()) - 60)
    failed = envelope.after_failure("busy").after_failure("too late")
    letter = json.loads(dead_letter(failed, TOO_LATE))
    assert letter.pop("deadLetteredAt").endswith("+00:00")
    assert 60 <= letter.pop("ageSeconds") < 90
    assert letter == {
        "error": "ExpiredMessage",
        "reason": "too late",
        "firstReason": "busy",
        "attempts": 2,
        "message": envelope.to_document(),
    }


@pytest.mark.parametrize("text", ["x", "ж", "🍕", "\ud83d"])
def test_every_message_that_fitted_keeps_its_reason(text: str) -> None:
    room = MAX_ENVELOPE_BYTES - len(replace(ENVELOPE, text="").to_json())
    full = replace(ENVELOPE, text=text * (room // (len(json.dumps(text)) - 2)))
    letter = dead_letter(replace(full, attempts=9, first_failure="f" * 200), TOO_LATE)
    assert json.loads(letter)["reason"] == "too late"
    assert len(letter.encode()) <= MAX_QUEUE_BYTES


@pytest.mark.parametrize("message", [b"not json", b"[" * 10_000, b"\xff"])
def test_what_is_not_json_is_kept_as_it_was(message: bytes) -> None:
    letter = json.loads(illegible_letter(message, NOT_OURS))
    assert letter["message"] == message.decode(errors="replace")


def test_a_message_that_leaves_no_room_for_the_reason_is_kept_bare() -> None:
    message = json.dumps({"text": "x" * (MAX_QUEUE_BYTES - 20)})
    assert illegible_letter(message, NOT_OURS) == message


@given(message=st.binary(max_size=500) | st.text(max_size=500))
def test_anything_can_be_buried(message: bytes | str) -> None:
    assert "UndecodableMessage" in illegible_letter(message, NOT_OURS)
