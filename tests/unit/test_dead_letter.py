"""What an operator finds on the poison queue."""

import base64
import contextlib
import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.dead_letter import (
    HOST_GAVE_UP,
    MAX_WORDS,
    dead_letter,
    read_dead_letter,
    undecodable,
)
from bot_logic.contract.envelope import MAX_CONTENT_BYTES, Envelope
from bot_logic.contract.queue_text import MAX_QUEUE_TEXT, as_put, plain_text
from bot_logic.errors import ExpiredMessage, OversizedMessage, UndecodableMessage
from tests.strategies import json_values

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
    assert len(as_put(letter).encode()) <= MAX_QUEUE_TEXT


@pytest.mark.parametrize("message", ["not json", "[" * 10_000, "\ufeff {nearly}", "", " \r\n\x85"])
def test_what_is_not_json_is_kept_as_it_was(message: str) -> None:
    letter = json.loads(undecodable(message.encode(), NOT_OURS, NOW))
    assert letter["message"] == message


def test_what_is_not_utf8_is_kept_in_base64() -> None:
    letter = json.loads(undecodable(b"\xff\x00", NOT_OURS, NOW))
    assert base64.b64decode(letter["message"]) == b"\xff\x00"


@pytest.mark.parametrize(
    "message", ["x!" * 32_760, "x" * 65_536, '"!' * 32_768, "\uffff!" * 16_000]
)
def test_a_message_that_leaves_no_room_for_its_reason_is_kept_bare_and_has_it_again(
    message: str,
) -> None:
    letter = undecodable(message, NOT_OURS, NOW)
    assert letter == message
    read = read_dead_letter(letter, default_id="queue-id")
    assert (read.error, read.reason) == (
        "UndecodableMessage",
        "the message is not JSON, nor base64 of it",
    )
    assert read.message == message


@given(message=st.binary(max_size=500) | st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_a_message_is_its_dead_letter_has_a_reason_and_the_whole_of_it(
    message: bytes | str,
) -> None:
    letter = undecodable(message, NOT_OURS, NOW)
    assert len(as_put(letter).encode()) <= MAX_QUEUE_TEXT
    read = read_dead_letter(as_put(letter).encode(), default_id="queue-id")
    assert (read.error, read.reason) == ("UndecodableMessage", "not ours")
    if isinstance(message, str) and isinstance(read.message, str):
        whole = (read.message, base64.b64encode(read.message.encode()).decode())
        assert message in whole or plain_text(message) == read.message


_words = st.text() | st.text(min_size=2000) | json_values
_strangers = st.fixed_dictionaries(
    {"error": _words, "reason": _words, "message": json_values},
    optional={
        "firstReason": _words,
        "deadLetteredAt": _words,
        "attempts": json_values,
        "ageSeconds": json_values,
    },
)


@given(document=_strangers)
def test_what_only_looks_like_a_dead_letter_is_bounded_and_can_be_printed(
    document: dict[str, Any],
) -> None:
    body = json.dumps(document)
    letter = read_dead_letter(body, default_id="queue-id")
    for word in (letter.error, letter.reason, letter.first_reason, letter.dead_lettered_at):
        assert len(word) <= MAX_WORDS
        assert word == "" or word.isprintable()
    assert len(f"{letter.attempts}{letter.age_seconds}") < 40
    assert json.dumps(asdict(letter), indent=2)
    assert len(letter.without_message().encode()) < 32 * 1024


def test_what_cannot_be_printed_is_escaped() -> None:
    body = json.dumps({"error": "E", "reason": "a\nb\x1b[31m \u202e\ud83d", "message": 1})
    letter = read_dead_letter(body, default_id="queue-id")
    assert letter.reason == r"a\nb\x1b[31m \u202e\ud83d"


@pytest.mark.parametrize("words", [{"error": 5, "reason": "x"}, {"error": "x", "reason": None}])
def test_what_has_no_words_for_a_reason_is_a_message_like_any_other(words: Any) -> None:
    letter = read_dead_letter(json.dumps(words | {"message": 1}), default_id="queue-id")
    assert letter.error == "UndecodableMessage"
    assert letter.reason in (
        "error: is not a field of a message",
        "reason: is not a field of a message",
    )


def test_a_bare_message_is_one_that_the_host_gave_up() -> None:
    letter = read_dead_letter(ENVELOPE.to_json(), default_id="queue-id")
    assert (letter.id, letter.error, letter.attempts) == ("id-1", HOST_GAVE_UP, None)
    assert letter.message == ENVELOPE.to_document()


@pytest.mark.parametrize(
    "body", [b"not json", b"[1]", b'{"text": "x"}', b"[" * 10_000], ids=["text", "list", "", "deep"]
)
def test_what_is_not_a_message_is_not_replayed(body: bytes) -> None:
    for letter in (body, undecodable(body, NOT_OURS, NOW)):
        read = read_dead_letter(letter, default_id="queue-id")
        assert read.id == "queue-id"
        with pytest.raises(UndecodableMessage):
            read.message_to_replay(NOW)


def test_what_is_too_large_is_not_replayed() -> None:
    large = replace(ENVELOPE, text="x" * MAX_CONTENT_BYTES).to_json()
    with pytest.raises(OversizedMessage):
        read_dead_letter(large, default_id="queue-id").message_to_replay(NOW)


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
