"""What users say, ready for the wire; each text is said once, so that each can be checked."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.channel import Said
from benchmarks.raw_http import head_of
from benchmarks.users import USERS, conversation_of

_NUMBER = "0123456"  # stands for the number of a message in the template


class Sayings:
    """An endless stream of a user's messages as requests to a bot, each with its own number."""

    def __init__(self, service_url: str, token: str = "") -> None:
        body = json.dumps(_message(service_url)).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        parts = (head_of("/api/messages", len(body), **headers) + body).split(_NUMBER.encode())
        self._parts = tuple(parts)
        self._next = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        number, self._next = self._next, self._next + 1
        start, text, conversation, end = self._parts
        digits = b"%07d" % number
        return b"".join(
            (start, digits, text, digits, conversation, b"%07d" % (number % USERS), end)
        )

    @property
    def said(self) -> int:
        """How many were taken from the stream; their numbers are below this."""
        return self._next


def answers(numbers: range, says: Callable[[int], str]) -> Counter[Said]:
    """Return what the bot has to have said to these messages, and where."""
    return Counter((conversation_of(number), says(number)) for number in numbers)


def _message(service_url: str) -> dict[str, Any]:
    """Make it as Web Chat's messages reach a bot through Direct Line."""
    return {
        "type": "message",
        "id": f"activity-{_NUMBER}",
        "timestamp": "2026-01-01T12:00:00.0000000Z",
        "localTimestamp": "2026-01-01T13:00:00.000+01:00",
        "localTimezone": "Europe/Berlin",
        "channelId": "directline",
        "serviceUrl": service_url,
        "from": {"id": "dl_ada", "name": "Ada", "role": "user"},
        "text": f"message {_NUMBER}",
        "textFormat": "plain",
        "locale": "en-US",
        "conversation": {"id": f"conversation-{_NUMBER}"},
        "recipient": {"id": "bot@benchmarks", "name": "bot"},
        "entities": [
            {
                "type": "ClientCapabilities",
                "requiresBotState": True,
                "supportsListening": True,
                "supportsTts": True,
            }
        ],
        "channelData": {"clientActivityID": "17123456789012", "clientTimestamp": "2026-01-01"},
    }
