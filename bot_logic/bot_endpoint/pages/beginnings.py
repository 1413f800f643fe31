"""Beginning a conversation with a person: the first one, or one for that which is gone.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-send-and-receive-messages#start-a-conversation
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botbuilder.schema import ChannelAccount, ConversationParameters
from botframework.connector.auth import ConnectorFactory

from bot_logic.addresses import ServiceUrls, is_id
from bot_logic.bot_endpoint.sdk.model_json import read
from bot_logic.conversations.audiences import Member, is_group, user_key
from bot_logic.conversations.channels import is_of_clients
from bot_logic.conversations.references import Conversations
from bot_logic.errors import ConversationGone, Refused, ServiceUnavailable


def may_begin(reference: Mapping[str, Any]) -> bool:
    """Tell whether the bot can begin a conversation with whom a reference leads to.

    Not where it is the client that begins: nobody would look at what a bot has begun.
    """
    user = reference.get("user") or {}
    alone = bool(user.get("id")) and not is_group(reference)
    return alone and not is_of_clients(reference["channelId"])


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Begins conversations, and remembers them.

    To begin one twice does no harm: the channel answers with the one that there is.
    """

    conversations: Conversations
    channels: ConnectorFactory
    service_urls: ServiceUrls
    bot_id: str  # in Teams

    async def first(self, newcomer: Member) -> Member:
        """Begin a conversation with somebody whom the bot has never met.

        Raises:
            AppNotInstalled: the channel lets the bot begin none with this person.
            Refused: nor with anybody.
            ServiceUnavailable: it failed, was slow or is throttling, or the table.
        """
        bot = {"id": self.bot_id}
        reference = await self._begun({**newcomer.reference, "bot": bot})
        await self.conversations.remember(reference)
        return Member(user_key(reference["user"]["id"]), reference)

    async def anew(self, reference: Mapping[str, Any]) -> dict[str, Any]:
        """Begin another conversation instead of one that is gone; return its reference.

        Raises:
            ConversationGone: the channel does not let the bot begin one.
            ServiceUnavailable: it failed, was slow or is throttling, or the table.
        """
        try:
            begun = await self._begun(reference)
        except Refused as refused:
            raise ConversationGone(f"and no new one: {refused}") from refused
        await self.conversations.forget_stale(dict(reference))
        await self.conversations.remember(begun)
        return begun

    async def _begun(self, reference: Mapping[str, Any]) -> dict[str, Any]:
        connector: Any = await self.channels.create(reference["serviceUrl"])
        answer = await connector.conversations.create_conversation(_parameters(reference))
        if not is_id(answer.id):
            raise ServiceUnavailable("the channel began a conversation and did not say which")
        service_url = answer.service_url or reference["serviceUrl"]
        if not self.service_urls.allow(service_url):
            raise Refused("the channel began a conversation at a service URL that is not allowed")
        conversation = {**reference["conversation"], "id": answer.id}
        return {**reference, "serviceUrl": service_url, "conversation": conversation}


def _parameters(reference: Mapping[str, Any]) -> ConversationParameters:
    tenant = reference["conversation"].get("tenantId")
    return ConversationParameters(
        is_group=False,
        bot=read(ChannelAccount, reference.get("bot") or {}),
        members=[read(ChannelAccount, reference["user"])],
        tenant_id=tenant,
        channel_data={"tenant": {"id": tenant}} if tenant else None,
    )
