"""How services say no."""

from typing import Any

import pytest
from hypothesis import given

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


def test_an_error_answer_names_its_code() -> None:
    assert error_code({"error": {"code": "BotError", "message": "…"}}) == "BotError"


@given(answer=json_values)
def test_no_answer_breaks_the_search_for_its_code(answer: Any) -> None:
    assert isinstance(error_code(answer), str)
