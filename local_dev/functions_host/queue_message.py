"""A queue message as a function sees it: its body, and the metadata of its trigger."""

import binascii
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from azure.functions.meta import Datum
from azure.storage.queue import QueueMessage


def body_of(content: str, *, is_base64: bool) -> bytes | None:
    """Return what a message's text stands for; None if it ought to be base64 and is not.

    .NET's base64 allows white space anywhere, and nothing else that is not of the alphabet.
    """
    if not is_base64:
        return content.encode()
    text = re.sub(r"[ \t\r\n]", "", content)
    try:
        # Before Python 3.13, more padding than is due does not count as wrong.
        return None if len(text) % 4 else binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def trigger_metadata(message: QueueMessage, text: str = "") -> dict[str, Datum]:
    """Describe a message in the encoding that func.QueueMessage is decoded from.

    As in the real host, an `id` in a JSON text becomes the id of func.QueueMessage, and so on:
    https://github.com/Azure/azure-functions-python-worker/issues/1373
    """
    metadata: dict[str, Any] = {
        "Id": message.id,
        "PopReceipt": message.pop_receipt,
        "DequeueCount": message.dequeue_count,
        "ExpirationTime": message.expires_on,
        "InsertionTime": message.inserted_on,
        "NextVisibleTime": message.next_visible_on,
    }
    with suppress(ValueError, RecursionError, AttributeError):  # not JSON; not an object
        body = {key.lower(): value for key, value in json.loads(text).items()}
        for name in metadata:
            if isinstance(value := body.get(name.lower()), str | int | float | dict):
                metadata[name] = value if isinstance(value, dict) else _as_read(str(value))
    encode = json.JSONEncoder(default=datetime.isoformat).encode
    return {name: Datum(encode(value), "json") for name, value in metadata.items()}


def _as_read(value: str) -> str:
    """Return a JSON string as the host's reader hands it on: a date in another notation."""
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", value):
        return value
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (date.astimezone(UTC) if date.tzinfo else date).strftime("%m/%d/%Y %H:%M:%S")
