"""JSON, ids, addresses and error answers, as strangers send them."""

import json
import math
from typing import Any

import pytest
from hypothesis import given

from bot_logic.wire import error_code, from_json, is_base_url, is_id, retry_after, to_json
from tests.strategies import json_values


@given(json_values)
def test_a_document_arrives_as_json_would_bring_it(document: Any) -> None:
    arrived, expected = from_json(to_json(document)), json.loads(json.dumps(document))
    assert _as_travelled(arrived) == _as_travelled(expected)


@pytest.mark.parametrize("text", ["half a \ud83d character", "\x00", "ü", "\U0001f355"])
def test_any_text_travels(text: str) -> None:
    assert from_json(to_json({"text": text})) == {"text": text}
    assert from_json(json.dumps({"text": text}).encode()) == {"text": text}


def test_a_number_beyond_64_bits_is_written_in_full_and_read_as_javascript_reads_it() -> None:
    assert to_json(2**70) == str(2**70).encode()
    assert from_json(str(2**70).encode()) == float(2**70)


@pytest.mark.parametrize("document", [object(), {"a": {1, 2}}, [b"bytes"]])
def test_what_has_no_json_is_a_type_error(document: Any) -> None:
    with pytest.raises(TypeError):
        to_json(document)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": 1} x', pytest.param(b"[" * 100_000, id="deep")],
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_json(body)


def _as_travelled(value: Any) -> Any:
    """What JSON has no number for is nothing, and numbers are as exact as JavaScript's."""
    match value:
        case list():
            return [_as_travelled(inner) for inner in value]
        case dict():
            return {name: _as_travelled(inner) for name, inner in value.items()}
        case float() if not math.isfinite(value):
            return None
        case int() if abs(value) >= 2**63:
            return float(value)
    return value


@pytest.mark.parametrize(
    "value", ["c1", "19:abc@thread.tacv2;messageid=1", "a:1/b_c-d|0001", "Ж 1", "x" * 1024]
)
def test_channels_ids_are_ids(value: str) -> None:
    assert is_id(value)


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\ud800", "x" * 1025, 7, None])
def test_what_cannot_go_into_an_address_or_a_log_is_no_id(value: Any) -> None:
    assert not is_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "https://smba.trafficmanager.net/emea/",
        "http://localhost:3000",
        "http://[::1]:3000",
        "https://directline.botframework.com",
    ],
)
def test_service_urls_are_base_urls(value: str) -> None:
    assert is_base_url(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost:3000",
        "ftp://host",
        "http://",
        "http://[",
        "http://host:99999",
        "http://host:port",
        "http://host:0",
        "http://user@host",
        "http://user:password@host",
        "http://host?to=elsewhere",
        "http://host#fragment",
        "http://host/ with space",
        "http://ho\nst",
        "http://\ud800",
        7,
        None,
    ],
)
def test_what_no_path_can_be_appended_to_is_no_base_url(value: Any) -> None:
    assert not is_base_url(value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("86401", 86400),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("9" * 5000, None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_whole_seconds_or_nothing(value: str, seconds: int | None) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_an_error_answer_names_its_code() -> None:
    assert error_code({"error": {"code": "BotError", "message": "…"}}) == "BotError"


@given(answer=json_values)
def test_no_answer_breaks_the_search_for_its_code(answer: Any) -> None:
    assert isinstance(error_code(answer), str)
