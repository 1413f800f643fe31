"""Ids, addresses and error answers, as strangers send them."""

from typing import Any

import pytest
from hypothesis import given

from bot_logic.wire import error_code, is_base_url, is_id, retry_after
from tests.strategies import json_values


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
