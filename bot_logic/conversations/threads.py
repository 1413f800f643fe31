"""Threads of a Teams channel, which is one conversation to the bot, not one for each of them.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/channel-and-group-conversations
"""

import re
from typing import Any, Final

Reference = dict[str, Any]  # a ConversationReference as JSON

_THREAD: Final = re.compile(r"(?<=.);messageid=[0-9]+\Z", re.IGNORECASE | re.DOTALL)


def of_channel(reference: Reference) -> Reference:
    """Return a reference to the channel that a thread is in, and any other as it is."""
    conversation = reference["conversation"]
    channel_id = without_thread(conversation["id"])
    if channel_id == conversation["id"]:
        return reference
    return reference | {"conversation": conversation | {"id": channel_id}}


def without_thread(conversation_id: str) -> str:
    """Return what is left of a conversation's id without the thread, as Teams writes it."""
    return _THREAD.sub("", conversation_id)
