"""What stands on the queue is read, in whichever form a producer's client wrote it."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.queue_text import (
    MAX_LEVELS,
    MAX_QUEUE_TEXT,
    as_put,
    plain_text,
    read_json,
)

DOCUMENT = json.dumps({"text": "Grüße, 🍕"}, ensure_ascii=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
DOCUMENTS = st.dictionaries(TEXTS, TEXTS | st.integers() | st.none()).map(
    lambda value: json.dumps(value, ensure_ascii=False)
)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "written",
    [
        DOCUMENT,
        "\ufeff" + DOCUMENT,
        "\r\n\ufeff " + DOCUMENT,
        "\n " + DOCUMENT + "\n",
        encoded(DOCUMENT),
        encoded("\ufeff" + DOCUMENT),
        "\ufeff" + encoded(DOCUMENT),
        encoded(DOCUMENT).rstrip("="),
        encoded(DOCUMENT) + "==",
        "\r\n".join(encoded(DOCUMENT)[i : i + 8] for i in range(0, 99, 8)),
        encoded(DOCUMENT).replace("+", "-").replace("/", "_"),
        f"  {encoded(DOCUMENT)}  ",
        "\ufeff" + encoded("\ufeff" + DOCUMENT),
        encoded(encoded(DOCUMENT)),
    ],
)
def test_json_is_read_in_every_form(written: str) -> None:
    assert read_json(plain_text(written)) == json.loads(DOCUMENT)
    assert read_json(plain_text(written.encode())) == json.loads(DOCUMENT)


@given(DOCUMENTS, st.booleans(), st.booleans(), st.booleans())
def test_any_document_is_read(text: str, url: bool, padded: bool, mark: bool) -> None:  # noqa: FBT001
    data = (("\ufeff" if mark else "") + text).encode()
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    written = encode(data).decode()
    assert plain_text(written if padded else written.rstrip("=")) == data.decode()
    assert plain_text(text) == text
    assert read_json(plain_text(written)) == json.loads(text)


@given(DOCUMENTS, st.data())
def test_white_space_may_stand_anywhere_in_base64(text: str, data: st.DataObject) -> None:
    gaps = st.lists(st.sampled_from(["", "", "", " ", "\n", "\r\n", "\t"]))
    digits = encoded(text)
    drawn = data.draw(gaps)
    spread = "".join(
        each + (drawn[at % len(drawn)] if drawn else "") for at, each in enumerate(digits)
    )
    assert plain_text(spread) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "Text",
        "null",
        "1234",
        "hello world",
        "=",
        "====",
        "[1]",
        "AAAA",
        "\x00",
        "not base64!",
        base64.b64encode(b"\xff\xfe\x00binary\x80").decode(),
    ],
)
def test_what_encodes_no_text_is_left_as_it_is(text: str) -> None:
    assert plain_text(text) == text


@given(TEXTS)
def test_a_text_that_is_not_base64_is_kept_to_the_letter(text: str) -> None:
    assert plain_text(f"{text}!".encode()) == f"{text}!"


@given(st.binary())
def test_bytes_that_are_not_utf8_are_kept_in_base64(body: bytes) -> None:
    body += b"\xff"
    assert base64.b64decode(plain_text(body)) == body
    assert plain_text(base64.b64encode(body)) == plain_text(body)


@given(TEXTS | DOCUMENTS.map(encoded))
def test_what_has_been_read_reads_the_same_again(text: str) -> None:
    assert plain_text(plain_text(text)) == plain_text(text)


@pytest.mark.parametrize("length", [0, 1, 36_000, 36_001, 47_000, 49_150, 49_160, 65_000])
def test_a_document_is_put_in_base64_if_that_fits_and_reads_the_same(length: int) -> None:
    text = json.dumps({"text": "x" * max(length - 12, 0)})
    put = as_put(text)
    assert len(put) <= MAX_QUEUE_TEXT
    assert put.startswith("{") is (len(text) > MAX_QUEUE_TEXT * 3 // 4)
    assert plain_text(put) == text


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        (" \n\ufeff", "empty"),
        ("{", "not JSON, nor base64 of it"),
        ("NaN", "not JSON, nor base64 of it"),
        ('{"x": -Infinity}', "not JSON, nor base64 of it"),
        ("[1e400]", "not JSON, nor base64 of it"),
        ("9" * 5000, "not JSON, nor base64 of it"),
        (nested(MAX_LEVELS + 1), "nested too deeply"),
        (nested(30_000), "nested too deeply"),
        ('{"a":' * 500 + "1" + "}" * 500, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_says_what_it_is(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=f"^{what}$"):
        read_json(text)


@pytest.mark.parametrize("text", [nested(MAX_LEVELS), "1.5e300", '"\\ud83d"', "null"])
def test_what_can_be_read_can_be_written(text: str) -> None:
    value: Any = read_json(text)
    assert read_json(json.dumps(value)) == value
