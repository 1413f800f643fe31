"""What stands on a queue: JSON, or base64 of it, as each producer's client happens to write it.

Python's `QueueClient`, JavaScript's and `az storage message put` write what they are given; C#'s
older client, and the Functions host's own habit, is base64. Either is taken. The host itself does
not look into a message (`messageEncoding` is `none` in host.json), for what it does not understand
it moves to the poison queue without a word.

A queue message is at most 64 KiB, which base64 fills with 48 KiB.
https://learn.microsoft.com/rest/api/storageservices/put-message
"""

import base64
import json
import math
import re
from collections.abc import Iterable
from typing import Any, Final

MAX_QUEUE_TEXT: Final = 64 * 1024  # bytes of a queue message, in whichever form
MAX_LEVELS: Final = 100  # of nesting; much deeper, Python reads what it cannot write

_MARKS: Final = "\ufeff \t\r\n"  # a byte order mark, and JSON's own white space
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+=*")
_STANDARD: Final = str.maketrans("-_", "+/")


def plain_text(body: bytes | str) -> str:
    """Return a queue message's text, base64 removed as often as it is base64 of text.

    Padding and line breaks may be missing or there, the alphabet may be that of URLs, and a byte
    order mark may stand before either. What is not UTF-8 stays base64, or becomes it.
    """
    text = body if isinstance(body, str) else _as_text(body)
    while not text.lstrip(_MARKS).startswith("{"):
        decoded = _from_base64("".join(text.lstrip(_MARKS).split()))
        if decoded is None:
            break
        text = decoded
    return text


def as_put(text: str) -> str:
    """Return how the app writes a text: in base64, which holds every character, if that fits."""
    encoded = base64.b64encode(text.encode()).decode()
    return encoded if len(encoded) <= MAX_QUEUE_TEXT else text


def read_json(text: str, *, levels: int = MAX_LEVELS) -> Any:
    """Read JSON, after a byte order mark or without one.

    Raises:
        ValueError: it is empty, not JSON (infinite numbers are not), or nested deeper than so many
            levels. The text completes "the message is".
    """
    bare = text.lstrip(_MARKS)
    if not bare:
        raise ValueError("empty")
    try:
        value = json.loads(bare, parse_constant=_finite, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError:
        raise ValueError("not JSON, nor base64 of it") from None
    if _is_deeper(value, levels):
        raise ValueError("nested too deeply")
    return value


def _as_text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def _from_base64(text: str) -> str | None:
    """Return what a text encodes, or None: a word such as `Text` can pass for base64, too."""
    digits = text.rstrip("=").translate(_STANDARD)
    if not _BASE64.fullmatch(text) or len(digits) % 4 == 1:
        return None
    try:
        decoded = base64.b64decode(digits + "=" * (-len(digits) % 4)).decode()
    except UnicodeDecodeError:
        return None
    bare = decoded.lstrip(_MARKS)
    return decoded if bare.startswith("{") or _is_readable(bare) else None


def _is_readable(text: str) -> bool:
    return all(character.isprintable() or character.isspace() for character in text)


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"{literal[:20]} is not JSON")
    return number


def _is_deeper(value: Any, levels: int) -> bool:
    containers = _containers([value])
    for _ in range(levels):
        containers = [inner for outer in containers for inner in _containers(_values(outer))]
    return bool(containers)


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def _values(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
