"""A page of a notification: claimed, sent, and noted what became of each recipient.

Imported by the first page, so that a bot that only answers does not pay for it. May import: sdk/
and what all of the endpoint may import. Never: the rest of the endpoint but `got_it`.
"""

from botframework.connector.auth import ConnectorFactory

from bot_logic.addresses import ServiceUrls
from bot_logic.bot_endpoint.pages.beginnings import Beginnings
from bot_logic.bot_endpoint.pages.sender import PageSender
from bot_logic.clock import Clock
from bot_logic.conversations.references import Conversations
from bot_logic.notifications import Notifications
from bot_logic.telemetry import Telemetry

__all__ = ["PageSender", "build"]


def build(
    notifications: Notifications,
    conversations: Conversations,
    channels: ConnectorFactory,
    clock: Clock,
    *,
    service_urls: ServiceUrls,
    teams_id: str,
    max_attempts: int,
    telemetry: Telemetry,
) -> PageSender:
    """Build what sends pages; `teams_id` is the bot's own on Teams."""
    return PageSender(
        notifications.store,
        notifications.audiences,
        conversations,
        channels,
        Beginnings(conversations, channels, service_urls, teams_id),
        clock,
        max_attempts,
        telemetry,
    )
