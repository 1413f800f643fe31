"""Who talks with the bots, and what is said: numbers make texts and places, each text once.

Imported by measured programs, so it imports next to nothing.
"""

from typing import Any

USERS = 100  # conversations that take turns


def text_of(number: int) -> str:
    """Return what is said in this message."""
    return f"message {number:07}"


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
