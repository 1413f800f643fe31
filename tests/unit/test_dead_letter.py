"""What an operator finds on the poison queue."""

import contextlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.dead_letter import HOST_GAVE_UP, dead_letter, read_dead_letter, undecodable
from bot_logic.contract.envelope import MAX_CONTENT_BYTES, MAX_QUEUE_BYTES, Envelope
from bot_logic.errors import ExpiredMessage, OversizedMessage, UndecodableMessage

NOW = 1_800_000_000
ENVELOPE = Envelope(
    "id-1",
    {"channelId": "directline", "serviceUrl": "http://x", "conversation": {"id": "c1"}},
    "hello",
    created=1,
)
TOO_LATE = ExpiredMessage("too late")
NOT_OURS = UndecodableMessage("not ours")


def test_a_dead_letter_says_what_why_when_and_after_how_many_attempts() -> None:
    envelope = replace(ENVELOPE, created=NOW - 60)
    failed = envelope.after_failure("busy").after_failure("too late")
    letter = json.loads(dead_letter(failed, TOO_LATE, NOW))
    assert letter == {
        "error": "ExpiredMessage",
        "reason": "too late",
        "firstReason": "busy",
        "attempts": 2,
        "ageSeconds": 60,
        "deadLetteredAt": "2027-01-15T08:00:00+00:00",
        "message": envelope.to_document(),
    }


@pytest.mark.parametrize("text", ["x", "ж", "🍕", "\ud83d"])
def test_every_message_that_fitted_keeps_its_reason(text: str) -> None:
    full = ENVELOPE
    for length in range(MAX_CONTENT_BYTES, 0, -16):
        full = replace(ENVELOPE, text=text * length)
        with contextlib.suppress(OversizedMessage):
            full.check_size()
            break
    letter = dead_letter(replace(full, attempt=9, first_failure="f" * 200), TOO_LATE, NOW)
    assert json.loads(letter)["reason"] == "too late"
    assert len(letter.encode()) <= MAX_QUEUE_BYTES


@pytest.mark.parametrize("message", [b"not json", b"[" * 10_000, b"\xff"])
def test_what_is_not_json_is_kept_as_it_was(message: bytes) -> None:
    letter = json.loads(undecodable(message, NOT_OURS, NOW))
    assert letter["message"] == message.decode(errors="backslashreplace")


def test_a_message_that_leaves_no_room_for_the_reason_is_kept_bare() -> None:
    message = json.dumps({"text": "x" * (MAX_QUEUE_BYTES - 20)})
    assert undecodable(message, NOT_OURS, NOW) == message


@given(message=st.binary(max_size=500) | st.text(max_size=500))
def test_anything_can_be_buried(message: bytes | str) -> None:
    assert "UndecodableMessage" in undecodable(message, NOT_OURS, NOW)


def test_a_bare_message_is_one_that_the_host_gave_up() -> None:
    letter = read_dead_letter(ENVELOPE.to_json(), default_id="queue-id")
    assert (letter.id, letter.error, letter.attempts) == ("id-1", HOST_GAVE_UP, None)
    assert letter.message == ENVELOPE.to_document()


@pytest.mark.parametrize(
    "body", [b"not json", b"[1]", b'{"text": "x"}', b"[" * 10_000], ids=["text", "list", "", "deep"]
)
def test_what_is_not_a_message_is_replayed_as_it_was(body: bytes) -> None:
    for letter in (body, undecodable(body, NOT_OURS, NOW)):
        read = read_dead_letter(letter, default_id="queue-id")
        assert read.id == "queue-id"
        replayed = read.message_to_replay(NOW)
        assert replayed == body.decode() or json.loads(replayed) == json.loads(body)


def test_a_message_of_a_newer_version_is_replayed_as_it_was() -> None:
    newer = ENVELOPE.to_document() | {"version": 2, "new": True}
    read = read_dead_letter(json.dumps(newer), default_id="queue-id")
    assert json.loads(read.message_to_replay(NOW)) == newer


def test_a_message_of_an_old_shape_is_replayed_as_todays() -> None:
    old = {"RelatesTo": ENVELOPE.conversation, "Text": "hello"}
    read = read_dead_letter(json.dumps(old), default_id="queue-id")
    assert json.loads(read.message_to_replay(NOW)) == ENVELOPE.to_document() | {
        "id": "queue-id",
        "created": NOW,
    }
