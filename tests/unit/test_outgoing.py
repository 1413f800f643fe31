"""How services say no."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.outgoing import error_code, retry_after
from tests.strategies import json_values


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


BLOCKED: dict[str, Any] = {"subCode": "MessageWritesBlocked", "errorCode": None}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": {"code": "BotError", "message": "…"}}, "BotError"),
        ({"errorCode": 209, "message": json.dumps(BLOCKED, indent=2)}, "MessageWritesBlocked"),
        ({"errorCode": 209, "message": BLOCKED}, "MessageWritesBlocked"),
        (
            {"error": {"code": "ServiceError", "message": json.dumps(BLOCKED)}},
            "MessageWritesBlocked",
        ),
        ({"errorCode": 207, "message": "{no JSON"}, "errorCode 207"),
        ({"error": {"code": "Forbidden", "message": '{"subCode": null}'}}, "Forbidden"),
        ({"message": "a gateway's own words"}, ""),
        ({"error": {"code": "a line\nand a forged one"}}, ""),
        ("<html>", ""),
    ],
)
def test_an_error_answer_names_its_code(answer: Any, code: str) -> None:
    assert error_code(answer) == code


NAMES = st.sampled_from(["error", "code", "errorCode", "message", "subCode"])


@given(
    answer=st.recursive(
        json_values,
        lambda inner: st.dictionaries(NAMES, inner) | st.dictionaries(NAMES, inner).map(json.dumps),
        max_leaves=6,
    )
)
def test_no_answer_breaks_the_search_for_its_code(answer: Any) -> None:
    found = error_code(answer)
    assert len(found) <= 64
    assert found.isprintable()
