"""Messages to a user, in every shape that a producer may write."""

import json
from typing import Any

from tests.functional.app_under_test import ChatUser


def reference_of(user: ChatUser) -> dict[str, Any]:
    return {
        "channelId": "directline",
        "serviceUrl": user.app.direct_line.base_url,
        "conversation": {"id": user.conversation_id},
        "user": {"id": user.user_id, "name": user.name},
        "bot": {"id": "bot", "name": "Bot"},
    }


def plain_message(user: ChatUser) -> bytes:
    return json.dumps({"conversation": reference_of(user), "text": "hello"}).encode()


def old_messages(user: ChatUser) -> dict[str, dict[str, Any]]:
    reference = reference_of(user)
    return {
        "C# v1": {
            "ResumptionCookie": {
                "Address": {
                    "BotId": "bot",
                    "ChannelId": "directline",
                    "UserId": user.user_id,
                    "ConversationId": user.conversation_id,
                    "ServiceUrl": user.app.direct_line.base_url,
                },
                "UserName": user.name,
                "IsTrustedServiceUrl": True,
                "IsGroup": False,
                "Locale": "en-US",
            },
            "Text": "hello",
        },
        "C# v2": {"RelatesTo": reference, "Text": "hello"},
        "Node.js": {"address": reference | {"id": "a1", "useAuth": True}, "text": "hello"},
        "plain": {"conversation": reference, "text": "hello"},
    }


def activity(user: ChatUser, **changes: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "id": "a1",
        "channelId": "directline",
        "serviceUrl": user.app.direct_line.base_url,
        "conversation": {"id": user.conversation_id},
        "from": {"id": user.user_id, "name": user.name},
        "recipient": {"id": "bot"},
        "text": "hello",
    } | changes
