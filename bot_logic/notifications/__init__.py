"""Who is to hear what, and when: orders, planning, and what has become of each recipient.

Rows are the truth, and queue messages only say where to look. Knows neither the bot SDK nor Direct
Line: `queue_worker/lanes` paces, `bot_endpoint/pages` sends. May import: conversations,
storage, contract, errors, clock.
"""

from dataclasses import dataclass

from bot_logic.addresses import ServiceUrls
from bot_logic.clock import Chance, Clock
from bot_logic.conversations.audiences import Audiences
from bot_logic.conversations.skips import Skips
from bot_logic.notifications.changes import Changes
from bot_logic.notifications.content import AsSent
from bot_logic.notifications.orders import Orders
from bot_logic.notifications.planner import QUEUE_NAME, Planner, wake_up
from bot_logic.notifications.receipts import Receipts
from bot_logic.notifications.store import LANES, NOTIFICATIONS, LaneStore, NotificationStore
from bot_logic.notifications.sweep import NotificationSweep
from bot_logic.storage.protocols import Storage
from bot_logic.telemetry import Telemetry

__all__ = [
    "LANES",
    "NOTIFICATIONS",
    "QUEUE_NAME",
    "Notifications",
    "build",
    "wake_up",
]


@dataclass(frozen=True, slots=True)
class Notifications:
    """The parts that take notifications, plan them and keep their rows."""

    store: NotificationStore
    lanes: LaneStore
    planner: Planner
    orders: Orders
    changes: Changes
    audiences: Audiences
    receipts: Receipts
    sweep: NotificationSweep


def build(
    storage: Storage,
    audiences: Audiences,
    skips: Skips,
    clock: Clock,
    chance: Chance,
    *,
    as_sent: AsSent,
    lifetime: int,
    kept_for: float,
    telemetry: Telemetry,
    service_urls: ServiceUrls,
) -> Notifications:
    """Build the parts on one storage account; `as_sent` says what recipients get."""
    store = NotificationStore(storage.table(NOTIFICATIONS))
    lanes = LaneStore(storage.table(LANES))
    queue = storage.queue(QUEUE_NAME)
    planner = Planner(store, lanes, audiences, queue, clock, telemetry)
    orders = Orders(
        store, planner, skips, queue, clock, chance, as_sent, lifetime, telemetry, service_urls
    )
    receipts = Receipts(store, audiences, clock)
    sweep = NotificationSweep(store, kept_for, clock)
    return Notifications(store, lanes, planner, orders, Changes(orders), audiences, receipts, sweep)
