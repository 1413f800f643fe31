"""The notifications at work in a lane, and those of their pages that the bot has."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.notifications.store import NotificationStore, Work
from bot_logic.queue_worker.lanes.pace import FEW

LOOKS_AT_PAGES: Final = 1.0  # seconds between two looks at a page that is under way
MOST_DRAINING: Final = 4  # pages that wait for messages that hang, while the next one is sent
LONGEST_PAUSE: Final = 60.0  # seconds between two tries when all fails


@dataclass
class Job:
    """A notification at work in this lane, as its pump sees it."""

    work: Work
    pages: deque[str] = field(default_factory=deque)
    not_before: float = 0.0
    failures: int = 0
    is_being_planned: bool = False  # and has no page that is open
    traceparent: str = ""

    @property
    def is_few(self) -> bool:
        """Tell whether it has so few recipients that they need not wait for others' pages."""
        return 0 < self.work.size <= FEW

    def fails(self, now: float) -> None:
        """Leave it alone for a while, longer each time."""
        self.failures += 1
        self.not_before = now + min(2.0**self.failures, LONGEST_PAUSE)


@dataclass
class _Handed:
    """A page that the bot has, until it answers."""

    job: Job
    page: str
    look_at: float  # when to see how it stands, as the clock's `elapsed`
    drains: bool = False  # it begins with nobody more, so the next one may be sent


class UnderWay:
    """The pages that the bot has, each until it is known how far it came."""

    def __init__(self, store: NotificationStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._pages: dict[asyncio.Task[None], _Handed] = {}

    def __len__(self) -> int:
        """Return how many."""
        return len(self._pages)

    def begin(self, job: Job, page: str, sending: Coroutine[Any, Any, None]) -> None:
        """Let a page be sent."""
        handed = _Handed(job, page, self._clock.elapsed() + LOOKS_AT_PAGES)
        self._pages[asyncio.create_task(sending)] = handed

    def has(self, job: Job) -> bool:
        """Tell whether a notification has a page here."""
        return any(each.job is job for each in self._pages.values())

    def taking_pace(self) -> list[Job]:
        """Return the notifications of the pages that take a part of the lane's pace."""
        pages = list(self._pages.values())
        draining = [each for each in pages if each.drains]
        return [each.job for each in pages if each not in draining[:MOST_DRAINING]]

    async def look(self) -> float:
        """Look at each page about as often as its sender notes how it stands.

        Returns:
            the Unix time before which the channel does not want to be asked, or 0.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        paused_until = 0.0
        for each in list(self._pages.values()):
            if each.drains or self._clock.elapsed() < each.look_at:
                continue
            stored = await self._store.page(each.job.work.notification, each.page)
            each.look_at = self._clock.elapsed() + LOOKS_AT_PAGES
            if stored is not None:
                paused_until = max(paused_until, stored.page.paused_until)
                each.drains = stored.page.is_draining(self._clock.now())
        return paused_until

    async def wait(self, seconds: float) -> None:
        """Wait until one has ended, but no longer than so many seconds.

        Raises:
            whatever its sending raised.
        """
        if not self._pages:
            await asyncio.sleep(seconds)
            return
        await self._wait(timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def end(self) -> None:
        """Wait for all, whatever fails: until then the lane's pace is taken.

        Raises:
            whatever the sending of one of them raised.
        """
        if self._pages:
            await self._wait()

    async def _wait(self, **until: Any) -> None:
        ended, _ = await asyncio.wait(self._pages, **until)
        for task in ended:
            del self._pages[task]
        for task in ended:
            task.result()
