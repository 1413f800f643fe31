r"""Teams' ways to refuse a message, in their documented shapes.

https://learn.microsoft.com/microsoftteams/platform/bots/build-conversational-capability#status-codes-from-bot-conversational-apis
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/send-proactive-messages#understand-who-blocked-muted-or-uninstalled-a-bot
"""

import json
from enum import StrEnum
from typing import Any, Final


class Refusal(StrEnum):
    """Why a conversation takes nothing."""

    BLOCKED = "MessageWritesBlocked"
    """The person has blocked the bot, or uninstalled it."""

    REMOVED = "BotNotInConversationRoster"
    """The bot is not part of the conversation."""

    SWITCHED_OFF = "BotDisabledByAdmin"
    """The tenant's administrator disabled the bot."""

    NOT_INSTALLED = "ForbiddenOperationException"
    """The app is not installed for the person: no conversation can begin."""

    GONE = "ConversationNotFound"
    """There is no such conversation."""

    NO_ACTIVITY = "ActivityNotFoundInConversation"
    """There is no such message in it, or not any more."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 404 if self in (Refusal.GONE, Refusal.NO_ACTIVITY) else 403

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        if self is Refusal.BLOCKED:  # this one is JSON in a string
            details = {
                "subCode": self.value,
                "details": _MESSAGES[self],
                "errorCode": None,
                "errorSubCode": None,
            }
            return {"errorCode": 209, "message": json.dumps(details, indent=2)}
        return error(self.value, _MESSAGES[self])


_MESSAGES: Final = {
    Refusal.BLOCKED: "Thread is blocked from message writes.",
    Refusal.REMOVED: "The bot is not part of the conversation roster.",
    Refusal.SWITCHED_OFF: "The tenant admin disabled this bot.",
    Refusal.NOT_INSTALLED: "Bot is not installed in user's personal scope",
    Refusal.GONE: "Conversation not found.",
    Refusal.NO_ACTIVITY: "The activity was not found in the conversation.",
}


def error(code: str, message: str) -> dict[str, Any]:
    """Return an error in the Bot Framework's usual shape."""
    return {"error": {"code": code, "message": message}}
