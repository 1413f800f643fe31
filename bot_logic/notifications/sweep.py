"""Deletes notifications that were over long ago, with all their rows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from bot_logic.clock import Clock
from bot_logic.notifications.store import Listed, NotificationStore
from bot_logic.telemetry.log_events import Event, EventLog

LONGEST_RUN: Final = 30.0  # seconds; the next run goes on

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class NotificationSweep:
    """Deletes what ended more than `kept_for` seconds ago."""

    store: NotificationStore
    kept_for: float
    clock: Clock

    async def run(self) -> int:
        """Delete for half a minute at most; return how many notifications.

        Raises:
            ServiceUnavailable: a table cannot be reached; the next run goes on.
        """
        ends, deleted = self.clock.elapsed() + LONGEST_RUN, 0
        async for listed in self._over():
            if self.clock.elapsed() >= ends:
                break
            await self.store.delete(listed)
            deleted += 1
        if deleted:
            log.info(Event.NOTIFICATIONS_SWEPT, count=deleted)
        return deleted

    async def _over(self) -> AsyncIterator[Listed]:
        """Yield what has expired long ago. One that is due in a year is as old, and stays."""
        before = self.clock.now() - self.kept_for
        async for listed in self.store.created_before(before):
            head = await self.store.head(listed.id)
            if head is None or head.notification.expires < before:
                yield listed
