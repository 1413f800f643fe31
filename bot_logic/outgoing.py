"""What all outgoing HTTP calls share: their connections, and how a service says no."""

from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from bot_logic.json_text import from_json, to_json

Session = aiohttp.ClientSession
MAX_ANSWER: Final = 1024 * 1024  # bytes
MAX_RETRY_AFTER: Final = 24 * 3600  # seconds
USER_AGENT: Final = "proactive-bot"


def open_session(connections_per_host: int) -> Session:
    """Open one pool of connections for Direct Line, channels and login servers.

    Must be called on the running event loop. The pool is bounded by host, so that a channel that
    hangs does not take the places of the others.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, limit_per_host=connections_per_host),
        headers={"Accept-Encoding": "identity", "User-Agent": USER_AGENT},
        auto_decompress=False,  # a small answer that unpacks to gigabytes is not unpacked
        cookie_jar=aiohttp.DummyCookieJar(),  # nobody sets any, and looking for them costs time
        json_serialize_bytes=to_json,
    )


def is_own_call(headers: Mapping[str, str]) -> bool:
    """Tell whether a request came from a session of `open_session`, through whatever it went."""
    return headers.get("User-Agent", "") == USER_AGENT


async def read_json(response: aiohttp.ClientResponse) -> Any:
    """Read an answer's JSON, as far as an answer of these services can be long.

    Raises:
        ValueError: it is not JSON, or longer than `MAX_ANSWER`.
    """
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > MAX_ANSWER:
            raise ValueError("the answer is too long")
        parts.append(part)
    return from_json(b"".join(parts))


async def json_or_none(response: aiohttp.ClientResponse) -> Any:
    """Return an answer's JSON, or None: services also answer with nothing, or with text."""
    try:
        return await read_json(response)
    except (ValueError, TimeoutError, aiohttp.ClientError):
        return None


def error_code(answer: Any) -> str:
    """Return a Bot Framework service's own word for an error, or "".

    As in ``{"error": {"code": "ConversationNotFound", "message": "…"}}``. Teams also answers
    ``{"errorCode": 209, "message": "{'subCode': 'MessageWritesBlocked', …}"}``: the message is
    JSON itself and has the word, for the number stands for many errors.
    https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages#understand-who-blocked-muted-or-uninstalled-a-bot
    """
    outer = _object(answer)
    error = _object(outer.get("error"))
    details = _object(outer.get("message")) or _object(error.get("message"))
    return _word(details.get("subCode")) or _word(error.get("code")) or _number(outer)


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object, also one that stands in a string; {} for all else."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = from_json(value.encode())
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _word(value: Any) -> str:
    return value[:64] if isinstance(value, str) and value.isprintable() else ""


def _number(answer: dict[str, Any]) -> str:
    number = answer.get("errorCode")
    return f"errorCode {number}"[:64] if isinstance(number, int) else ""


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Return how many seconds a service asks us to wait, if it does.

    RFC 9110 section 10.2.3 also allows a date, which these services do not send.
    """
    value = headers.get("Retry-After", "")
    if not (value.isascii() and value.isdecimal() and len(value) < 10):  # noqa: PLR2004 - digits
        return None
    return min(int(value), MAX_RETRY_AFTER)
