"""What is written to the poison queue when a message cannot be delivered.

The Functions host would move the bare message there after its last attempt, without a word. This
writes the message with the reason beside it.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

from bot_logic.envelope import MAX_QUEUE_BYTES, Envelope


def dead_letter(envelope: Envelope, error: Exception) -> str:
    """A message that failed: what it was, why it ended here, when, and after how many attempts.

    Args:
        envelope: the message, with its last failure counted in.
        error: what made it end here; its type and its text become the reason.

    Returns:
        A JSON object; or the bare message, if that leaves no room for the reason.
    """
    message = envelope.without_history().to_document()
    history = {
        "firstReason": envelope.first_failure,
        "attempts": envelope.attempts,
        "ageSeconds": max(0, int(time.time()) - envelope.created),
    }
    return _fitting(_letter(error) | history | {"message": message}, json.dumps(message))


def illegible_letter(message: bytes | str, error: Exception) -> str:
    """What was on the queue but is no message of ours, as it was, and what is wrong with it."""
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    try:
        return _fitting(_letter(error) | {"message": json.loads(text)}, text)
    except (ValueError, RecursionError):  # no JSON: keep the string it is
        return _fitting(_letter(error) | {"message": text}, text)


def _letter(error: Exception) -> dict[str, Any]:
    return {
        "error": type(error).__name__,
        "reason": str(error),
        "deadLetteredAt": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _fitting(letter: dict[str, Any], bare_message: str) -> str:
    text = json.dumps(letter, ensure_ascii=False)
    if not text.isprintable():  # half a character, say, which only an escape can hold
        text = json.dumps(letter)
    return text if len(text.encode()) <= MAX_QUEUE_BYTES else bare_message
