"""RESOURCE 2: takes messages off the queue and hands them back to the bot over Direct Line.

`worker` does so with single messages, `lanes/` with pages of notifications. May import:
notifications, delivery, storage, contract, errors, outgoing. Never: bot_endpoint, the bot SDK.
"""

import aiohttp

from bot_logic.clock import Clock
from bot_logic.contract.envelope import WORKER_USER_ID
from bot_logic.delivery import Delivery
from bot_logic.queue_worker.direct_line import DirectLine
from bot_logic.queue_worker.worker import QueueWorker, Triggers
from bot_logic.secret import Secret
from bot_logic.telemetry import Telemetry

__all__ = [
    "DirectLine",
    "QueueWorker",
    "Triggers",
    "build",
    "direct_line",
]


def direct_line(session: aiohttp.ClientSession, endpoint: str, secret: Secret) -> DirectLine:
    """Build the worker's way to the bot."""
    return DirectLine(session, endpoint, secret, user_id=WORKER_USER_ID)


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
