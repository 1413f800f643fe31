"""What is written to the poison queue when a message cannot be delivered.

The Functions host would move the bare message there after its last attempt, without a word. This
writes the same message with the reason beside it, as soon as no retry can help.
"""

import json
from datetime import UTC, datetime
from typing import Any

from bot_logic.envelope import MAX_QUEUE_BYTES


def dead_letter(message: bytes | str, error: Exception, *, attempts: int | None = None) -> str:
    """The poison queue's message: what it was, why it ended here, when, after how many attempts.

    Args:
        message: the queue message as it was received.
        error: what made it end here; its type and its text become the reason.
        attempts: how often a delivery was tried, where that is known.

    Returns:
        A JSON object; or the bare message, if that leaves no room for the reason.
    """
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    fields: dict[str, Any] = {
        "error": type(error).__name__,
        "reason": str(error),
        "attempts": attempts,
        "deadLetteredAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    try:
        letter = _json(fields | {"message": json.loads(text)})
    except (ValueError, RecursionError):  # no JSON: keep the string it is
        letter = _json(fields | {"message": text})
    return letter if len(letter.encode()) <= MAX_QUEUE_BYTES else text


def _json(fields: dict[str, Any]) -> str:
    """Readable JSON; escaped where that is not possible, as for half a character."""
    letter = json.dumps(fields, ensure_ascii=False)
    return letter if letter.isprintable() else json.dumps(fields)
