"""The pump of a lane: one process at a time hands the lane's pages to the bot, at the lane's pace.

What limits a channel is decided here and nowhere else: how fast, who goes first, when to wait. Rows
say what is to be done, so a pump that dies is followed by another, which looks again.
"""

import math
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from bot_logic.clock import Chance, Clock
from bot_logic.notifications.planner import MAX_DELAY, wake_up
from bot_logic.notifications.store import LaneStore, Lease, NotificationStore
from bot_logic.queue_worker.lanes.jobs import Job, UnderWay
from bot_logic.queue_worker.lanes.pace import Pace
from bot_logic.queue_worker.lanes.page_hand_over import PageHandOver
from bot_logic.storage.protocols import Queue, RowConflict

LONGEST_RUN: Final = 50.0  # seconds; then it hands itself on
LEASE: Final = 60.0  # seconds for which a lane is a pump's, from each renewal on
RENEWED_EVERY: Final = 15.0  # seconds
SIDE_BY_SIDE: Final = 4  # pages at once, in a lane without a limit
LOOKS_EVERY: Final = 0.5  # seconds
PLANNED_WITHIN: Final = 2.0  # seconds until it is looked for further pages


@dataclass(frozen=True, slots=True)
class Pump:
    """Hands pages to the bot."""

    hand_over: PageHandOver
    store: NotificationStore
    lanes: LaneStore
    queue: Queue
    clock: Clock
    chance: Chance
    rates: Mapping[str, float]  # messages a second, by channel; a channel without has no limit

    async def run(self, lane_id: str) -> bool:
        """Work in a lane until nothing is left, or until it is another's turn.

        Returns:
            False if somebody else holds the lane, who looks once more before they go.

        Raises:
            ServiceUnavailable: a table cannot be reached.
            QueueUnavailable: nobody could be woken; the timer does that later.
        """
        owner = self.chance.new_id()
        lease = await self.lanes.acquire(lane_id, self.clock.now(), LEASE, owner)
        if lease is None:
            return False
        run = _Run(self, lane_id, lease)
        try:
            await run.until_done()
        finally:
            with suppress(RowConflict):
                await self.lanes.renew(run.lease, 0, run.paused_until)
        if await self.lanes.work(lane_id):
            wait = max(0.0, run.next_look() - self.clock.now())
            await self.queue.put(wake_up(lane=lane_id), delay=min(math.ceil(wait), MAX_DELAY))
        return True


class _Run:
    """One run of a pump: who is next, and what is under way."""

    def __init__(self, pump: Pump, lane_id: str, lease: Lease) -> None:
        self._pump, self._lane_id, self.lease = pump, lane_id, lease
        self.paused_until = float(lease.paused_until)
        self._jobs: dict[str, Job] = {}
        self._turns: deque[str] = deque()
        self._under_way = UnderWay(pump.store, pump.clock)
        self._renewed = pump.clock.elapsed()
        self._pace = Pace()

    async def until_done(self) -> None:
        """Send what there is, until nothing is left or the run has taken long enough."""
        ends = self._pump.clock.elapsed() + LONGEST_RUN
        try:
            while self._pump.clock.elapsed() < ends:
                if self._begin():  # before it is looked around, which takes time
                    continue
                await self._renew()
                await self._look()
                if not self._jobs and not self._under_way:
                    return
                if self._begin():
                    continue
                if not self._under_way and self._has_nothing_to_wait_for():
                    return
                await self._wait()
        finally:
            await self._under_way.end()

    def _has_nothing_to_wait_for(self) -> bool:
        """Tell whether all that is left is being planned, which wakes this lane, or long paused."""
        if all(job.is_being_planned for job in self._jobs.values()):
            return True
        return self.next_look() > self._pump.clock.now() + LONGEST_RUN

    def next_look(self) -> float:
        """Return when there is something to do again: Unix time, seconds."""
        soonest = min((job.not_before for job in self._jobs.values()), default=0.0)
        return max(soonest, self.paused_until)

    async def _renew(self) -> None:
        if self._pump.clock.elapsed() - self._renewed < RENEWED_EVERY:
            return
        until = self._pump.clock.now() + LEASE
        self.lease = await self._pump.lanes.renew(self.lease, until, self.paused_until)
        self._renewed = self._pump.clock.elapsed()

    async def _look(self) -> None:
        """See which notifications have pages here, and which have none any more."""
        found = {work.notification: work for work in await self._pump.lanes.work(self._lane_id)}
        for name, work in found.items():
            if name not in self._jobs:
                self._jobs[name] = Job(work)
                self._turns.append(name)
        self._pause(await self._under_way.look())
        for job in list(self._jobs.values()):
            if job.pages or self._under_way.has(job):
                continue
            if job.not_before <= self._pump.clock.now():
                await self._refill(job)

    def _pause(self, until: float) -> None:
        self.paused_until = max(self.paused_until, until)

    async def _refill(self, job: Job) -> None:
        """Find the open pages of a notification; finish it if there are none and will be none."""
        name = job.work.notification
        # First, so that all pages of one that is planned are seen.
        head = await self._pump.store.head(name)
        now = self._pump.clock.now()
        ended = head is None or head.notification.has_ended(now)
        if head is not None and not ended:
            job.traceparent = head.notification.traceparent
            job.pages.extend(await self._pump.store.open_pages(name, self._lane_id))
            job.is_being_planned = not job.pages
            if job.is_being_planned:
                job.not_before = now + PLANNED_WITHIN
        if ended or (not job.pages and head is not None and head.notification.planned):
            await self._pump.lanes.finish(job.work)
            del self._jobs[name]
            self._turns.remove(name)

    def _begin(self) -> bool:
        """Begin what may begin now; tell whether anything did."""
        now = self._pump.clock.now()
        if now < self.paused_until:
            return False
        ready = [self._jobs[name] for name in self._turns]
        ready = [job for job in ready if job.pages and job.not_before <= now]
        few, many = [j for j in ready if j.is_few], [j for j in ready if not j.is_few]
        rate = self._rate()
        if many and self._room():  # else the few, who have their part beside, would keep it out
            if (pace := self._pace_of_many(rate, len(few))) is None:
                return False
            self._start(many[0], pace)
        elif few and self._may_few(rate):
            self._start(few[0], self._pace_of_few(few[0], rate))
        else:
            return False
        return True

    def _room(self) -> bool:
        """Tell whether one more page of many may be under way."""
        most = 1 if self._rate() else SIDE_BY_SIDE
        return sum(not job.is_few for job in self._under_way.taking_pace()) < most

    def _may_few(self, rate: float) -> bool:
        under_way = sum(job.is_few for job in self._under_way.taking_pace())
        if not rate:
            return under_way < SIDE_BY_SIDE
        return not under_way and self._pace.few_may(self._pump.clock.elapsed())

    def _pace_of_few(self, job: Job, rate: float) -> float:
        if not rate:
            return 0.0
        many = any(not each.is_few for each in self._under_way.taking_pace())
        now = self._pump.clock.elapsed()
        return self._pace.of_few(job.work.size, rate, now, beside_many=many)

    def _pace_of_many(self, rate: float, waiting: int) -> float | None:
        if not rate:
            return 0.0
        return self._pace.of_many(rate, waiting, few_are_sent=not self._may_few(rate))

    def _rate(self) -> float:
        channels = {job.work.channel for job in self._jobs.values()}
        return max((self._pump.rates.get(channel, 0.0) for channel in channels), default=0.0)

    def _start(self, job: Job, rate: float) -> None:
        self._turns.remove(job.work.notification)
        self._turns.append(job.work.notification)
        page = job.pages.popleft()
        self._under_way.begin(job, page, self._send(job, page, rate))

    async def _wait(self) -> None:
        """Wait for a page, for the end of a pause, or a moment."""
        pause = self.paused_until - self._pump.clock.now()
        moment = min(pause, LOOKS_EVERY) if pause > 0 else LOOKS_EVERY
        await self._under_way.wait(moment)

    async def _send(self, job: Job, page: str, rate: float) -> None:
        """Hand one page to the bot, and see whose turn it is then."""
        came = await self._pump.hand_over.send(job.work, page, rate, job.traceparent)
        now = self._pump.clock.now()
        if came.paused_until > now:
            self._pause(came.paused_until)
        elif not came.is_further:
            job.fails(now)
        else:
            job.failures = 0
            if came.is_left:
                job.pages.appendleft(page)
