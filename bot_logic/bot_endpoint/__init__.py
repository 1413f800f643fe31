"""RESOURCE 1: the bot's messaging endpoint, for what users say and for the worker's triggers.

`endpoint` decides, `trigger` delivers, `page_sender` sends pages of notifications, `sdk/` stands in
for the bot SDK's lower half. May import: notifications, delivery, conversations, storage, contract,
errors, outgoing. Never: queue_worker.
"""

from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from botbuilder.core import ActivityHandler
from botframework.connector.auth import ConnectorFactory

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.bot_endpoint.counter import MessageCounter
from bot_logic.bot_endpoint.endpoint import Endpoint
from bot_logic.bot_endpoint.outbox import Outbox
from bot_logic.bot_endpoint.page_sender import PageSender
from bot_logic.bot_endpoint.recorder import ConversationRecorder
from bot_logic.bot_endpoint.sdk.activity_json import check_outgoing
from bot_logic.bot_endpoint.sdk.authentication import TokenAuthentication
from bot_logic.bot_endpoint.sdk.connector import PooledConnectorFactory
from bot_logic.bot_endpoint.sdk.credentials import Credentials, credentials_of
from bot_logic.bot_endpoint.sdk.signing_keys import SigningKeys
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE
from bot_logic.bot_endpoint.state import TableStorage
from bot_logic.bot_endpoint.trigger import ProactiveBot, TriggerHandler
from bot_logic.bot_endpoint.turn_states import TurnStates
from bot_logic.bot_identity import BotIdentity
from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import QUEUE_NAME
from bot_logic.conversations.references import Conversations
from bot_logic.delivery import Delivery
from bot_logic.notifications import Notifications
from bot_logic.secret import Secret
from bot_logic.storage.protocols import Storage
from bot_logic.telemetry import Telemetry

__all__ = [
    "STATE",
    "Credentials",
    "Endpoint",
    "EndpointSettings",
    "MessageCounter",
    "Outbox",
    "ProactiveBot",
    "build",
    "check_outgoing",
    "credentials_of",
]

MakeBot = Callable[[Outbox, MessageCounter], ActivityHandler]


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """What the endpoint is told from outside.

    Attributes:
        identity: who the bot is.
        service_urls: where it may send to.
        signing_keys: which verify triggers.
        message_lifetime: seconds after which an undelivered message is dead-lettered.
        max_attempts: how often a recipient of a notification is tried.
    """

    identity: BotIdentity
    service_urls: ServiceUrls
    signing_keys: tuple[Secret, ...]
    message_lifetime: int
    max_attempts: int


def build(
    make_bot: MakeBot,
    settings: EndpointSettings,
    *,
    session: aiohttp.ClientSession,
    credentials: Credentials,
    storage: Storage,
    conversations: Conversations,
    delivery: Delivery,
    notifications: Notifications,
    clock: Clock,
    chance: Chance,
    channels: ConnectorFactory | None = None,
    telemetry: Telemetry,
) -> Endpoint:
    """Build the endpoint around a bot; `channels` replaces the way out to the channels."""
    identity = settings.identity
    authentication = TokenAuthentication(
        identity,
        SigningKeys(session, identity.channel_openid_metadata_url, clock),
        SigningKeys(session, identity.emulator_openid_metadata_url, clock),
        channels
        or PooledConnectorFactory(session, credentials, settings.service_urls, telemetry=telemetry),
        clock,
    )
    counter = MessageCounter(storage.table(STATE), chance)
    outbox = Outbox(
        storage.queue(QUEUE_NAME),
        clock,
        chance,
        settings.message_lifetime,
        notifications.orders,
        telemetry=telemetry,
    )
    bot, adapter = make_bot(outbox, counter), FunctionsAdapter(authentication)
    adapter.use(TurnStates(TableStorage(storage.table(STATE))))
    return Endpoint(
        authentication,
        settings.service_urls,
        adapter,
        bot,
        ConversationRecorder(conversations),
        TriggerHandler(
            adapter,
            bot,
            conversations,
            delivery.records,
            delivery.redelivery,
            delivery.gate,
            settings.service_urls,
            clock,
            settings.signing_keys,
            PageSender(
                notifications.store,
                notifications.audiences,
                conversations,
                authentication.connector_factory,
                settings.service_urls,
                clock,
                settings.max_attempts,
            ),
            telemetry,
        ),
        telemetry,
    )
