"""What stands on the queue is read, in whichever form a producer's client wrote it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot_logic.contract.queue_text import plain_text

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
        "\n " + DOCUMENT + "\n",
        encoded(DOCUMENT),
        encoded("\ufeff" + DOCUMENT),
        "\ufeff" + encoded(DOCUMENT),
        encoded(DOCUMENT).rstrip("="),
        encoded(DOCUMENT) + "==",
        "\r\n".join(encoded(DOCUMENT)[i : i + 8] for i in range(0, 99, 8)),
        encoded(DOCUMENT).replace("+", "-").replace("/", "_"),
        f"  {encoded(DOCUMENT)}  ",
    ],
)
def test_json_is_read_in_every_form(written: str) -> None:
    assert json.loads(plain_text(written)) == json.loads(DOCUMENT)
    assert json.loads(plain_text(written.encode())) == json.loads(DOCUMENT)


@given(DOCUMENTS, st.booleans(), st.booleans(), st.booleans())
def test_any_document_is_read(text: str, url: bool, padded: bool, mark: bool) -> None:  # noqa: FBT001
    data = (("\ufeff" if mark else "") + text).encode()
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    written = encode(data).decode()
    assert plain_text(written if padded else written.rstrip("=")) == text
    assert plain_text(text) == text


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


@given(st.binary())
def test_bytes_of_any_kind_are_read_somehow(body: bytes) -> None:
    plain_text(body).encode()
