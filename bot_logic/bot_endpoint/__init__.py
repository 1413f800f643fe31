"""RESOURCE 1: the bot's messaging endpoint, for what users say and for the worker's triggers.

`endpoint` decides, `trigger` delivers, `pages/` sends pages of notifications, `sdk/` stands in for
the bot SDK's lower half. May import: notifications, delivery, conversations, storage, contract,
errors, outgoing. Never: queue_worker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp
from botbuilder.core import ActivityHandler
from botframework.connector.auth import ConnectorFactory

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.adapter import FunctionsAdapter
from bot_logic.bot_endpoint.counter import MessageCounter
from bot_logic.bot_endpoint.endpoint import Endpoint
from bot_logic.bot_endpoint.got_it import TakesReceipts, as_sent
from bot_logic.bot_endpoint.notifier import Notifier
from bot_logic.bot_endpoint.outbox import Outbox
from bot_logic.bot_endpoint.recorder import ConversationRecorder
from bot_logic.bot_endpoint.sdk.authentication import TokenAuthentication
from bot_logic.bot_endpoint.sdk.connector import PooledConnectorFactory
from bot_logic.bot_endpoint.sdk.credentials import Credentials, credentials_of
from bot_logic.bot_endpoint.sdk.signing_keys import SigningKeys
from bot_logic.bot_endpoint.state import TABLE_NAME as STATE
from bot_logic.bot_endpoint.state import TableStorage
from bot_logic.bot_endpoint.subscriber import Subscriber
from bot_logic.bot_endpoint.trigger import Pages, ProactiveBot, TriggerHandler
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
    "Notifier",
    "Outbox",
    "ProactiveBot",
    "Surroundings",
    "as_sent",
    "build",
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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the endpoint is built among.

    Attributes:
        session: the connections to channels and login servers.
        credentials: prove who the bot is.
        storage: where its state and the queue are.
        conversations: that it can continue.
        delivery: brings each message to one end.
        notifications: who is to hear what.
        clock: what time it is.
        chance: what nobody can foretell.
        telemetry: who is told of spans and metrics.
        channels: another way out to the channels than their service URLs.
    """

    session: aiohttp.ClientSession
    credentials: Credentials
    storage: Storage
    conversations: Conversations
    delivery: Delivery
    notifications: Notifications
    clock: Clock
    chance: Chance
    telemetry: Telemetry
    channels: ConnectorFactory | None = None


def build(make_bot: MakeBot, settings: EndpointSettings, around: Surroundings) -> Endpoint:
    """Build the endpoint around a bot."""
    authentication = _authentication(settings, around)
    adapter = FunctionsAdapter(authentication)
    adapter.use(TakesReceipts(around.notifications.receipts))
    adapter.use(TurnStates(TableStorage(around.storage.table(STATE))))
    bot = make_bot(
        _outbox(settings, around), MessageCounter(around.storage.table(STATE), around.chance)
    )
    return Endpoint(
        authentication,
        settings.service_urls,
        adapter,
        bot,
        ConversationRecorder(around.conversations),
        _triggers(settings, around, adapter, bot, authentication.connector_factory),
        around.telemetry,
    )


def _authentication(settings: EndpointSettings, around: Surroundings) -> TokenAuthentication:
    identity, session = settings.identity, around.session
    out = around.channels or PooledConnectorFactory(
        session, around.credentials, settings.service_urls, telemetry=around.telemetry
    )
    return TokenAuthentication(
        identity,
        SigningKeys(session, identity.channel_openid_metadata_url, around.clock),
        SigningKeys(session, identity.emulator_openid_metadata_url, around.clock),
        out,
        around.clock,
    )


def _outbox(settings: EndpointSettings, around: Surroundings) -> Outbox:
    return Outbox(
        around.storage.queue(QUEUE_NAME),
        around.clock,
        around.chance,
        settings.message_lifetime,
        Notifier(around.notifications.orders, around.notifications.changes, around.clock),
        subscriber=Subscriber(around.conversations),
        telemetry=around.telemetry,
    )


def _triggers(
    settings: EndpointSettings,
    around: Surroundings,
    adapter: FunctionsAdapter,
    bot: Any,
    channels: ConnectorFactory,
) -> TriggerHandler:
    @cache
    def page_sender() -> Pages:
        from bot_logic.bot_endpoint import pages  # noqa: PLC0415 - who sends none need not pay

        return pages.build(
            around.notifications,
            around.conversations,
            channels,
            around.clock,
            service_urls=settings.service_urls,
            teams_id=settings.identity.teams_id,
            max_attempts=settings.max_attempts,
            telemetry=around.telemetry,
        )

    return TriggerHandler(
        adapter,
        bot,
        around.conversations,
        around.delivery.records,
        around.delivery.redelivery,
        around.delivery.gate,
        settings.service_urls,
        around.clock,
        settings.signing_keys,
        page_sender,
        around.telemetry,
    )
