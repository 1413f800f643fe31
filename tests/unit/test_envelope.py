"""What travels on the queue: written by us, by the old template, and by strangers."""

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.dead_letter import dead_letter, read_dead_letter
from bot_logic.contract.envelope import (
    MAX_CONTENT_BYTES,
    MAX_REASON,
    VERSION,
    Envelope,
    decode,
)
from bot_logic.contract.envelope import from_document as read_document
from bot_logic.contract.queue_text import MAX_QUEUE_TEXT, as_put
from bot_logic.contract.trigger_token import Trigger, sign, verify
from bot_logic.errors import (
    ExpiredMessage,
    NewerVersion,
    OversizedMessage,
    Refused,
    UndecodableMessage,
)
from bot_logic.secret import Secret
from tests.strategies import json_values
from tests.unit.envelopes import NOW, REFERENCE, TRACEPARENT, envelopes, message

LATEST = 10**11 - 1  # seconds; what is later is read as milliseconds
KEYS = (Secret("a-key-with-more-than-32-characters!"),)


def new(text: str) -> Envelope:
    return Envelope.new(REFERENCE, text, message_id="id-1", now=NOW, lifetime=60)


def read(text: bytes | str) -> Envelope:
    return decode(text, default_id="queue-id", now=NOW)


@given(text=st.text(min_size=1, max_size=200))
def test_any_text_survives_the_queue(text: str) -> None:
    envelope = new(text)
    assert read(envelope.to_json().encode()) == envelope


def test_a_text_with_half_a_character_survives_the_queue() -> None:
    envelope = new("half \ud83d")
    assert read(envelope.to_json().encode()).text == "half \ud83d"


def test_a_message_without_an_id_gets_the_queues() -> None:
    plain = json.dumps({"conversation": REFERENCE, "text": "order ready"})
    envelope = read(plain)
    assert (envelope.id, envelope.text, envelope.expires) == ("queue-id", "order ready", None)


def test_fields_that_are_null_are_fields_that_are_not_there() -> None:
    nulls = dict.fromkeys(("id", "created", "expires"))
    plain = json.dumps({"conversation": REFERENCE, "text": "x"} | nulls)
    envelope = read(plain)
    assert (envelope.id, envelope.expires) == ("queue-id", None)


def test_the_activity_once_answered_to_is_dropped() -> None:
    reference = REFERENCE | {"activityId": "a1"}
    envelope = read(json.dumps({"conversation": reference, "text": "x"}))
    assert "activityId" not in envelope.conversation


@pytest.mark.parametrize("letter", ["x", "ж", "汉", "🍕"])
def test_a_message_that_just_fits_is_taken_and_one_letter_more_is_not(letter: str) -> None:
    with pytest.raises(OversizedMessage, match="40960 fit") as refused:
        new(letter * MAX_CONTENT_BYTES).check_size()
    size = int(re.findall(r"takes (\d+) bytes", str(refused.value))[0])
    bytes_each = len(letter.encode())
    room = (MAX_CONTENT_BYTES - (size - MAX_CONTENT_BYTES * bytes_each)) // bytes_each
    assert room * bytes_each > MAX_CONTENT_BYTES - 300  # all but the address is for the text
    new(letter * room).check_size()
    with pytest.raises(OversizedMessage):
        new(letter * (room + 1)).check_size()


@given(content=st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False) | st.integers()))
def test_what_was_accepted_can_always_be_put_back(content: dict[str, Any]) -> None:
    message = {"conversation": REFERENCE, "text": "x", "data": content}
    for times in (1, 500):
        message["data"] = {"all": [content] * times}
        try:
            envelope = read(json.dumps(message))
        except (OversizedMessage, UndecodableMessage):
            continue
        for _ in range(30):
            envelope = envelope.after_failure("\U0001f355" * 1000)
        put = as_put(envelope.to_json())
        assert len(put) <= MAX_QUEUE_TEXT
        assert not put.startswith("{")  # there is room for base64
        again = read(envelope.to_json())
        assert again == envelope


AGENT = {"id": "b1", "name": "Bot", "role": "agent"}


@pytest.mark.parametrize(
    ("accounts", "bot"),
    [
        ({"agent": AGENT}, AGENT),
        ({"agent": AGENT, "bot": None}, AGENT),
        ({"agent": {"id": "other"}, "bot": AGENT}, AGENT),
        ({"agent": None, "bot": AGENT}, AGENT),
        ({"agent": None}, None),
        ({}, None),
    ],
    ids=str,
)
def test_a_bot_may_be_called_an_agent(accounts: dict[str, Any], bot: Any) -> None:
    reference = {name: value for name, value in REFERENCE.items() if name != "bot"}
    envelope = read(json.dumps({"conversation": reference | accounts, "text": "x"}))
    assert envelope.conversation.get("bot") == bot


def test_so_may_it_in_an_old_message() -> None:
    relates_to = {name[:1].upper() + name[1:]: value for name, value in REFERENCE.items()}
    del relates_to["Bot"]
    envelope = read(json.dumps({"RelatesTo": relates_to | {"Agent": AGENT}, "Text": "x"}))
    assert envelope.conversation["bot"] == AGENT


@pytest.mark.parametrize("agent", ["b1", 7, [], {"id": []}, {"id": ""}], ids=str)
def test_a_malformed_agent_is_named(agent: Any) -> None:
    reference = {name: value for name, value in REFERENCE.items() if name != "bot"}
    with pytest.raises(UndecodableMessage) as error:
        read(json.dumps({"conversation": reference | {"agent": agent}, "text": "x"}))
    assert (error.value.field or "").startswith("conversation.agent")


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
        read(json.dumps(without(field)))
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
        ({"expires": 2**53}, "expires"),
        ({"at": "noon"}, "at"),
        ({"at": 1.5}, "at"),
        ({"at": -1}, "at"),
        ({"at": False}, "at"),
        ({"at": 10**14}, "at"),
        ({"created": NOW * 10**6}, "created"),
        ({"expires": NOW * 10**6}, "expires"),
        ({"expires": float(NOW)}, "expires"),
        ({"attempt": "once"}, "attempt"),
        ({"attempt": -1}, "attempt"),
        ({"data": "size L"}, "data"),
        ({"data": []}, "data"),
        ({"text": None, "activity": "hello"}, "activity"),
        ({"text": None, "activity": []}, "activity"),
        ({"activity": {"text": "two things to say"}}, "activity"),
        ({"activity": {}}, "activity"),
        ({"version": "1"}, "version"),
        ({"version": True}, "version"),
        ({"version": -1}, "version"),
        ({"version": 1.0}, "version"),
        ({"traceparent": 7}, "traceparent"),
        ({"traceparent": []}, "traceparent"),
        ({"traceparent": TRACEPARENT.upper()}, "traceparent"),
        ({"traceparent": f"ff{TRACEPARENT[2:]}"}, "traceparent"),
        ({"traceparent": f"{TRACEPARENT}-x"}, "traceparent"),
        ({"traceparent": f"{TRACEPARENT}\n"}, "traceparent"),
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
    with pytest.raises(UndecodableMessage) as error:
        read(message(**change))
    assert error.value.field == field


@pytest.mark.parametrize(
    "raw",
    [b"", b"hello", b"\xff\xfe", b"NaN", b"[" * 100_000, b'{"text":' * 50_000, b"1" * 5000],
    ids=["empty", "text", "not utf-8", "NaN", "deep list", "deep object", "huge number"],
)
def test_what_is_not_a_message_is_undecodable(raw: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        read(raw)


@given(raw=st.binary(max_size=200) | json_values.map(json.dumps).map(str.encode))
def test_no_bytes_do_more_than_be_undecodable(raw: bytes) -> None:
    with pytest.raises(UndecodableMessage):
        read(raw)


NAMES = (
    *("id", "text", "conversation", "Text", "RelatesTo", "address", "expires", "attempts"),
    *("activity", "data", "at", "attempt", "firstFailure", "traceparent", "created"),
)
cookies = st.dictionaries(st.sampled_from(["Address", "UserName", "IsGroup", "x"]), json_values)


@given(
    document=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(NAMES, json_values) | {"ResumptionCookie": cookies}
    )
)
def test_no_document_does_more_than_be_undecodable(document: dict[str, Any]) -> None:
    with pytest.raises(UndecodableMessage):
        read(json.dumps(document))


@given(changes=st.dictionaries(st.sampled_from([*NAMES, "version"]), json_values, max_size=3))
def test_what_is_nearly_a_message_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        envelope = read(message(**changes))
    except UndecodableMessage as error:
        at_fault = (error.field or "").partition(".")[0]
        assert at_fault in {*changes, "conversation", "attempt", ""}  # "": infinity is not JSON
    except NewerVersion:
        assert changes["version"] > VERSION
    else:
        assert read(envelope.to_json()) == envelope


@given(envelope=envelopes)
def test_every_field_survives_the_queue(envelope: Envelope) -> None:
    assert read(envelope.to_json()) == envelope
    assert read_document(envelope.to_document(), now=NOW) == envelope


@given(envelope=envelopes)
def test_every_field_survives_the_trigger(envelope: Envelope) -> None:
    assert verify(sign(envelope, "dl-1", KEYS, NOW), "dl-1", KEYS, NOW) == Trigger(envelope)


@given(envelope=envelopes, reason=st.text(min_size=1, max_size=300))
def test_every_field_survives_another_attempt(envelope: Envelope, reason: str) -> None:
    failed = read(envelope.after_failure(reason).to_json())
    assert failed.attempt == envelope.attempt + 1
    assert failed.first_failure == (envelope.first_failure or reason[:MAX_REASON])
    assert failed.without_history() == envelope.without_history()


@given(envelope=envelopes)
def test_every_field_survives_being_dead_lettered_and_replayed(envelope: Envelope) -> None:
    letter = read_dead_letter(dead_letter(envelope, Refused("never"), NOW), default_id="queue-id")
    assert letter.id == envelope.id
    replayed = read(letter.message_to_replay(NOW))
    assert replayed == envelope.renewed(NOW)
    assert replayed == replace(
        envelope, created=NOW, expires=replayed.expires, attempt=0, first_failure=""
    )


@pytest.mark.parametrize(
    "fields",
    [{"created": 1, "expires": LATEST - 1}, {"created": NOW, "at": LATEST}],
    ids=["replayed", "given an end"],
)
def test_no_end_is_put_off_so_far_that_it_is_read_in_milliseconds(fields: dict[str, int]) -> None:
    message = read(json.dumps({"conversation": REFERENCE, "text": "x", **fields})).expiring(60)
    for envelope in (message, message.renewed(NOW)):
        assert read(envelope.to_json()).expires == envelope.expires
        assert (envelope.expires or 0) >= LATEST - 1


def test_no_field_is_left_out_of_these_tests() -> None:
    names = {"id", "conversation", "text", "created", "activity", "data", "at", "expires"}
    names |= {"attempt", "first_failure", "traceparent"}
    assert {field.name for field in fields(Envelope)} == names


def test_what_we_write_says_in_which_version_it_is_written() -> None:
    assert json.loads(new("hello").to_json()) == {
        "version": 1,
        "id": "id-1",
        "conversation": REFERENCE,
        "text": "hello",
        "created": NOW,
        "expires": NOW + 60,
    }


@pytest.mark.parametrize("changes", [{}, {"from the future": 1}, {"text": {"html": "<b>"}}])
def test_a_newer_version_is_left_to_who_understands_it(changes: dict[str, Any]) -> None:
    with pytest.raises(NewerVersion, match="2 is newer than 1"):
        read(message(version=2, **changes))


@pytest.mark.parametrize("version", [None, 0, 1])
def test_a_version_that_is_not_newer_is_read(version: int | None) -> None:
    assert read(message(version=version)).text == "x"


@pytest.mark.parametrize("name", ["Conversation", "dequeueCount", "reference", "expire", "texts"])
def test_a_field_that_is_not_known_is_refused_by_name(name: str) -> None:
    with pytest.raises(UndecodableMessage, match="is not a field of a message") as error:
        read(message(**{name: 1}))
    assert error.value.field == name


def test_attempts_are_counted_in_attempt_since_messages_have_a_version() -> None:
    with pytest.raises(UndecodableMessage) as error:
        read(message(version=1, attempts=3))
    assert error.value.field == "attempts"


@pytest.mark.parametrize("name", ["", "line\nbreak", "\ud800", "x" * 2000])
def test_a_field_whose_name_cannot_go_into_a_log_is_refused_without_it(name: str) -> None:
    with pytest.raises(UndecodableMessage) as error:
        read(message(**{name: 1}))
    assert error.value.field == "a name that cannot be printed"


def test_what_stands_in_the_reference_and_in_the_activity_is_not_looked_at() -> None:
    reference = REFERENCE | {"unknown": [1], "user": {"id": "u1", "role": "user"}}
    activity = {"attachments": [{"unknown": True}], "unknown": None}
    envelope = read(json.dumps({"conversation": reference, "activity": activity}))
    assert (envelope.conversation, envelope.activity) == (reference, activity)
    assert envelope.text == ""


def test_a_new_message_lives_as_long_as_it_is_told() -> None:
    assert (new("x").created, new("x").expires) == (NOW, NOW + 60)


@pytest.mark.parametrize(
    ("at", "expires", "expected"),
    [
        (None, None, NOW + 60),
        (NOW + 1000, None, NOW + 1060),
        (NOW - 1000, None, NOW + 60),
        (NOW + 1000, NOW + 1, NOW + 1),
    ],
    ids=["at once", "later", "since long", "its sender's own"],
)
def test_a_message_that_names_no_end_gets_one_from_when_it_is_due(
    at: int | None, expires: int | None, expected: int
) -> None:
    envelope = Envelope("id", REFERENCE, "x", created=NOW, at=at, expires=expires)
    assert envelope.expiring(60).expires == expected


_SECONDS = st.integers(min_value=10**8, max_value=10**11 - 1)  # 1973 to 5138


@given(name=st.sampled_from(["created", "at", "expires"]), time=_SECONDS, part=st.integers(0, 999))
def test_a_time_in_milliseconds_is_the_same_time(name: str, time: int, part: int) -> None:
    in_seconds = read(message(**{name: time}))
    assert getattr(in_seconds, name) == time
    assert read(message(**{name: time * 1000 + part})) == in_seconds


def test_a_message_made_by_javascript_expires_when_it_says() -> None:
    now_ms = NOW * 1000 + 123  # Date.now()
    envelope = read(message(created=now_ms, expires=now_ms + 60_000))
    assert (envelope.created, envelope.expires) == (NOW, NOW + 60)
    assert read(message(created=now_ms)).expiring(60).expires == NOW + 60
    with pytest.raises(ExpiredMessage):
        envelope.check_not_expired(NOW + 60)


@pytest.mark.parametrize("name", ["created", "at", "expires"])
@pytest.mark.parametrize("time", [0, 1, 10**8, 10**11 - 1])
def test_a_time_in_seconds_stays_what_it_is(name: str, time: int) -> None:
    expected = time or NOW if name == "created" else time
    assert getattr(read(message(**{name: time})), name) == expected


@pytest.mark.parametrize(
    ("at", "seconds"), [(None, 0), (NOW - 1, 0), (NOW, 0), (NOW + 1, 1), (NOW + 0.5, 0.5)]
)
def test_a_message_is_due_at_its_time_and_not_before(at: Any, seconds: float) -> None:
    envelope = Envelope("id", REFERENCE, "x", created=1, at=at)
    assert envelope.seconds_until_due(NOW) == seconds


def test_a_replayed_message_lives_as_long_as_at_first() -> None:
    renewed = replace(new("x").after_failure("busy"), created=NOW - 9000, expires=NOW - 8000)
    assert renewed.renewed(NOW + 0.9) == replace(new("x"), created=NOW, expires=NOW + 1000)
