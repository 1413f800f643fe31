"""Beginning a conversation with a person: for one that the channel no longer knows.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-send-and-receive-messages#start-a-conversation
"""

from collections.abc import Mapping
from typing import Any

from botbuilder.schema import ChannelAccount, ConversationParameters

from bot_logic.bot_endpoint.sdk.model_json import read
from bot_logic.conversations.channels import is_of_clients


def may_begin(reference: Mapping[str, Any]) -> bool:
    """Tell whether the bot can begin a conversation with whom a reference leads to.

    Not where it is the client that begins: nobody would look at what a bot has begun.
    """
    user = reference.get("user") or {}
    return bool(user.get("id")) and not is_of_clients(reference["channelId"])


async def begun(connector: Any, reference: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a conversation with the user of a reference; return the reference to the new one.

    Raises:
        Refused: the channel does not let the bot begin one.
        ServiceUnavailable: it failed, was slow or is throttling.
    """
    conversation = dict(reference["conversation"])
    tenant = conversation.get("tenantId")
    answer = await connector.conversations.create_conversation(
        ConversationParameters(
            is_group=False,
            bot=read(ChannelAccount, reference.get("bot") or {}),
            members=[read(ChannelAccount, reference["user"])],
            tenant_id=tenant,
            channel_data={"tenant": {"id": tenant}} if tenant else None,
        )
    )
    return {
        **reference,
        "serviceUrl": answer.service_url or reference["serviceUrl"],
        "conversation": {**conversation, "id": answer.id},
    }
