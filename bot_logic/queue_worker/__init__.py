"""RESOURCE 2: takes messages off the queue and hands them back to the bot over Direct Line.

`worker` does so with single messages, `pump` with pages of notifications. May import:
notifications, delivery, storage, contract, errors, outgoing. Never: bot_endpoint, the bot SDK.
"""

from collections.abc import Mapping

import aiohttp

from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.delivery import Delivery
from bot_logic.notifications import QUEUE_NAME, Notifications
from bot_logic.queue_worker.direct_line import DirectLine
from bot_logic.queue_worker.page_hand_over import PageHandOver
from bot_logic.queue_worker.pump import Pump
from bot_logic.queue_worker.wake_ups import WakeUps
from bot_logic.queue_worker.worker import QueueWorker, Triggers
from bot_logic.secret import Secret
from bot_logic.storage.protocols import Storage
from bot_logic.telemetry import Telemetry

__all__ = [
    "DirectLine",
    "QueueWorker",
    "Triggers",
    "WakeUps",
    "build",
    "direct_line",
    "wake_ups",
]


def direct_line(session: aiohttp.ClientSession, endpoint: str, secret: Secret) -> DirectLine:
    """Build the worker's way to the bot."""
    return DirectLine(session, endpoint, secret, user_id=WORKER_USER_ID)


def wake_ups(
    triggers: Triggers,
    notifications: Notifications,
    storage: Storage,
    clock: Clock,
    chance: Chance,
    *,
    signing_keys: tuple[Secret, ...],
    rates: Mapping[str, float],
    telemetry: Telemetry,
) -> WakeUps:
    """Build what plans notifications and sends their pages."""
    queue = storage.queue(QUEUE_NAME)
    store, lanes = notifications.store, notifications.lanes
    hand_over = PageHandOver(triggers, store, clock, signing_keys, telemetry)
    pump = Pump(hand_over, store, lanes, queue, clock, chance, rates)
    return WakeUps(notifications.planner, pump, queue, clock)


def build(
    triggers: Triggers,
    delivery: Delivery,
    clock: Clock,
    *,
    signing_keys: tuple[Secret, ...],
    message_lifetime: int,
    telemetry: Telemetry,
) -> QueueWorker:
    """Build the worker."""
    return QueueWorker(
        triggers,
        delivery.records,
        delivery.redelivery,
        delivery.gate,
        clock,
        signing_keys,
        message_lifetime,
        telemetry,
    )
