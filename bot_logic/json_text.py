"""JSON as it travels: fast where it can be, lenient where it has to be."""

import json
from typing import Any

import orjson


def to_json(document: Any) -> bytes:
    """Write a document as JSON; orjson takes a quarter of the time that json does.

    Raises:
        TypeError: something in it has no JSON.
    """
    try:
        return orjson.dumps(document)
    except TypeError:  # numbers beyond 64 bits, halves of characters: there is JSON for them, too
        return json.dumps(document).encode()


def from_json(body: bytes) -> Any:
    """Read the document that came.

    Raises:
        ValueError: it is not JSON, or nested too deeply.
    """
    try:
        return orjson.loads(body)
    except ValueError:  # halves of characters, a byte order mark: json takes more for JSON
        try:
            return json.loads(body)
        except RecursionError:
            raise ValueError("nested too deeply") from None
