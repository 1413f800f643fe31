"""Who talks, and what is said: numbers make texts and places, each text once.

Imported by measured programs, so it imports next to nothing.
"""

from typing import Any

USERS = 100  # conversations that take turns
PACE = 48  # messages a second, of those that keep one


def text_of(number: int) -> str:
    """Return what is said in this message."""
    return f"message {number:07}"


def echo_of(number: int) -> str:
    """Return what an echo bot answers to it."""
    return f"Echo: {text_of(number)}"


def conversation_of(number: int) -> str:
    """Return the id of the conversation in which it is said."""
    return f"conversation-{number % USERS:07}"


def reference(number: int, service_url: str) -> dict[str, Any]:
    """Return the ConversationReference of this message's conversation."""
    return {
        "channelId": "directline",
        "serviceUrl": service_url,
        "conversation": {"id": conversation_of(number)},
        "user": {"id": "dl_ada", "name": "Ada"},
        "bot": {"id": "bot@benchmarks", "name": "bot"},
    }


def activity(number: int, service_url: str) -> dict[str, Any]:
    """Return the message as Web Chat's messages reach a bot through Direct Line."""
    where = reference(number, service_url)
    capabilities = {"requiresBotState": True, "supportsListening": True, "supportsTts": True}
    return {
        "type": "message",
        "id": f"activity-{number:07}",
        "timestamp": "2026-01-01T12:00:00.0000000Z",
        "localTimestamp": "2026-01-01T13:00:00.000+01:00",
        "localTimezone": "Europe/Berlin",
        "channelId": where["channelId"],
        "serviceUrl": service_url,
        "from": where["user"] | {"role": "user"},
        "text": text_of(number),
        "textFormat": "plain",
        "locale": "en-US",
        "conversation": where["conversation"],
        "recipient": where["bot"],
        "entities": [{"type": "ClientCapabilities", **capabilities}],
        "channelData": {"clientActivityID": "17123456789012", "clientTimestamp": "2026-01-01"},
    }
