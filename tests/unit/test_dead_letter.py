"""What an operator finds on the poison queue."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.dead_letter import dead_letter
from bot_logic.envelope import MAX_QUEUE_BYTES
from bot_logic.errors import ExpiredMessage


def test_a_dead_letter_says_what_why_when_and_after_how_many_attempts() -> None:
    letter = json.loads(dead_letter(b'{"text": "hello"}', ExpiredMessage("too late"), attempts=3))
    assert letter.pop("deadLetteredAt").endswith("+00:00")
    assert letter == {
        "error": "ExpiredMessage",
        "reason": "too late",
        "attempts": 3,
        "message": {"text": "hello"},
    }


@pytest.mark.parametrize("message", [b"not json", b"[" * 10_000, b"\xff"])
def test_what_is_not_json_is_kept_as_it_was(message: bytes) -> None:
    letter = json.loads(dead_letter(message, ExpiredMessage("x"), attempts=1))
    assert letter["message"] == message.decode(errors="replace")


def test_a_message_in_any_language_keeps_its_reason() -> None:
    message = json.dumps({"text": "ж" * 23_000}, ensure_ascii=False)
    letter = dead_letter(message, ExpiredMessage("late"), attempts=1)
    assert json.loads(letter)["reason"] == "late"
    assert len(letter.encode()) <= MAX_QUEUE_BYTES


def test_half_a_character_is_kept_and_does_not_stop_the_burial() -> None:
    letter = dead_letter(b'{"text": "\\ud83d"}', ExpiredMessage("late"), attempts=1)
    assert json.loads(letter.encode())["message"] == {"text": "\ud83d"}


def test_a_message_that_leaves_no_room_for_the_reason_is_kept_bare() -> None:
    message = json.dumps({"text": "x" * (MAX_QUEUE_BYTES - 20)})
    assert dead_letter(message, ExpiredMessage("x"), attempts=1) == message


@given(message=st.binary(max_size=500) | st.text(max_size=500))
def test_any_message_can_be_buried(message: bytes | str) -> None:
    assert "ExpiredMessage" in dead_letter(message, ExpiredMessage("x"), attempts=1)
