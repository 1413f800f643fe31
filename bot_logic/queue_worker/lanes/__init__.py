"""What limits a channel: the pump of each lane, who wakes it, and how fast its pages go to the bot.

Imported by the first wake-up, so that who sends no notifications does not pay for it. May import
what all of the worker may import.
"""

from collections.abc import Mapping

from bot_logic.clock import Chance, Clock
from bot_logic.notifications import QUEUE_NAME, Notifications
from bot_logic.queue_worker.lanes.page_hand_over import PageHandOver
from bot_logic.queue_worker.lanes.pump import Pump
from bot_logic.queue_worker.lanes.wake_ups import WakeUps
from bot_logic.queue_worker.worker import Triggers
from bot_logic.secret import Secret
from bot_logic.storage.protocols import Storage
from bot_logic.telemetry import Telemetry

__all__ = ["WakeUps", "build"]


def build(
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
