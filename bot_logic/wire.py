"""What all that travels has in common: JSON, ids, addresses, and how a service says no."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import orjson

MAX_ID: Final = 1024  # characters; the longest conversation ids of known channels are a fifth of it
MAX_URL: Final = 2048  # characters
MAX_RETRY_AFTER: Final = 24 * 3600  # seconds

_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # a name, or an IPv6 address


def to_json(document: Any) -> bytes:
    """A document as it travels; orjson takes a quarter of what json does.

    Raises:
        TypeError: something in it has no JSON.
    """
    try:
        return orjson.dumps(document)
    except TypeError:  # numbers beyond 64 bits, halves of characters: there is JSON for them, too
        return json.dumps(document).encode()


def from_json(body: bytes) -> Any:
    """The document that came.

    Raises:
        ValueError: it is no JSON, or nested too deeply.
    """
    try:
        return orjson.loads(body)
    except ValueError:  # halves of characters, a byte order mark: json takes more for JSON
        try:
            return json.loads(body)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def is_id(value: Any) -> bool:
    """Whether this can be an id: it goes into URLs and into log lines."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_ID
        and value.isprintable()  # no line breaks, no halves of characters
        and value not in (".", "..")
    )


class BaseUrl(NamedTuple):
    """What matters of an address to which paths can be appended; both in lower case."""

    scheme: str
    host: str


def base_url(value: Any) -> BaseUrl | None:
    """This address's parts; None if it is none: http(s), a host, no credentials, no query."""
    return _base_url(value) if isinstance(value, str) and len(value) <= MAX_URL else None


def is_base_url(value: Any) -> bool:
    """Whether paths can be appended to this."""
    return base_url(value) is not None


@lru_cache(maxsize=256)  # each turn asks thrice, about one of a handful of service URLs
def _base_url(value: str) -> BaseUrl | None:
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
        has_host = bool(_HOST.fullmatch(host)) and parts.port != 0
    except ValueError:  # of .port, too, if it is no port number
        return None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    sound = value.isprintable() and " " not in value and parts.scheme in ("http", "https")
    return BaseUrl(parts.scheme, host.rstrip(".")) if sound and has_host and plain else None


def error_code(answer: Any) -> str:
    """A Bot Framework service's own word for an error, or "".

    As in ``{"error": {"code": "ConversationNotFound", "message": "…"}}``.
    """
    try:
        code = answer["error"]["code"]
    except (LookupError, TypeError):
        return ""
    return code[:64] if isinstance(code, str) and code.isprintable() else ""


def retry_after(headers: Mapping[str, str]) -> int | None:
    """How many seconds a service asks us to wait, if it does.

    RFC 9110 section 10.2.3 also allows a date, which these services do not send.
    """
    value = headers.get("Retry-After", "")
    if not (value.isascii() and value.isdecimal() and len(value) < 10):  # noqa: PLR2004 - digits
        return None
    return min(int(value), MAX_RETRY_AFTER)
