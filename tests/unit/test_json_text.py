"""JSON as strangers send it."""

import json
import math
from typing import Any

import pytest
from hypothesis import given

from bot_logic.json_text import from_json, to_json
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
