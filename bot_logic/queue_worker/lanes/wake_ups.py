"""A wake-up says where to look. It may be lost or doubled: what is to be done stands in rows."""

import math
from dataclasses import dataclass
from typing import Protocol

from bot_logic.clock import Clock
from bot_logic.contract.queue_text import plain_text, read_json
from bot_logic.notifications.planner import Planner, wake_up
from bot_logic.queue_worker.lanes.pump import LEASE, Pump
from bot_logic.storage.protocols import Queue, ReceivedMessage
from bot_logic.telemetry.log_events import Event, EventLog

log = EventLog(__name__)


class WakeUp(ReceivedMessage, Protocol):
    """What is read of a wake-up's queue message."""

    @property
    def dequeue_count(self) -> int | None:
        """How often the queue has handed it out."""


@dataclass(frozen=True, slots=True)
class WakeUps:
    """Plans the notification, or works in the lane, that a wake-up names."""

    planner: Planner
    pump: Pump
    queue: Queue
    clock: Clock

    async def take(self, message: WakeUp) -> None:
        """Do what a wake-up says; what is not one is dropped, since nothing is lost with it.

        Raises:
            RetryableError: it is to be tried again.
        """
        try:
            document = read_json(plain_text(message.get_body()))
        except ValueError:
            document = None
        match document:
            case {"plan": str(notification_id)}:
                await self.planner.plan(notification_id)
            case {"lane": str(lane_id)}:
                if not await self.pump.run(lane_id) and (message.dequeue_count or 1) > 1:
                    await self._outlive(lane_id)
            case _:
                log.warning(Event.WAKE_UP_DROPPED, message=message.id)

    async def _outlive(self, lane_id: str) -> None:
        """Look again when the lease is over: its pump may have died of this wake-up."""
        await self.queue.put(wake_up(lane=lane_id), delay=math.ceil(LEASE))

    async def wake_what_waits(self) -> None:
        """Wake somebody for each notification that is due and not planned, and each idle lane.

        Raises:
            RetryableError: the next run tries again.
        """
        now = self.clock.now()
        async for notification_id in self.planner.store.unplanned(due_before=now):
            await self.queue.put(wake_up(plan=notification_id))
        async for lane_id in self.planner.lanes.idle_lanes(now):
            await self.queue.put(wake_up(lane=lane_id))
