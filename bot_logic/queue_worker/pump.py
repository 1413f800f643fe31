"""The pump of a lane: one process at a time hands the lane's pages to the bot, at the lane's pace.

What limits a channel is decided here and nowhere else: how fast, who goes first, when to wait. Rows
say what is to be done, so a pump that dies is followed by another, which looks again.
"""

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from bot_logic.clock import Chance, Clock
from bot_logic.contract.envelope import TRIGGER_NAME
from bot_logic.contract.page_order import PageOrder
from bot_logic.contract.trigger_token import sign
from bot_logic.errors import ProactiveBotError
from bot_logic.notifications.planner import MAX_DELAY, wake_up
from bot_logic.notifications.store import LaneStore, Lease, NotificationStore, Work
from bot_logic.queue_worker.pace import FEW, Pace
from bot_logic.queue_worker.worker import Triggers
from bot_logic.secret import Secret
from bot_logic.storage.protocols import Queue, RowConflict
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import CHANNEL, NOTIFICATION, PAGES, POST_TRIGGER

LONGEST_RUN: Final = 50.0  # seconds; then it hands itself on
LEASE: Final = 60.0  # seconds for which a lane is a pump's, from each renewal on
RENEWED_EVERY: Final = 15.0  # seconds
SLICE: Final = 8.0  # seconds of sending that one trigger asks for; Direct Line waits 15 for the bot
SIDE_BY_SIDE: Final = 4  # pages at once, in a lane without a limit
LOOKS_EVERY: Final = 0.5  # seconds
LOOKS_AT_PAGES: Final = 1.0  # seconds between two looks at a page that is under way
LOOKS_AFTER: Final = int((SLICE + 1) / LOOKS_EVERY)  # how often at a page after a trigger failed
MOST_DRAINING: Final = 4  # pages that wait for messages that hang, while the next one is sent
PLANNED_WITHIN: Final = 2.0  # seconds until it is looked for further pages
LONGEST_PAUSE: Final = 60.0  # seconds between two tries when all fails

log = EventLog(__name__)


@dataclass
class _Job:
    """A notification at work in this lane, as this pump sees it."""

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

    job: _Job
    page: str
    look_at: float  # when to see how it stands, as the clock's `elapsed`
    drains: bool = False  # it begins with nobody more, so the next one may be sent


@dataclass(frozen=True, slots=True)
class Pump:
    """Hands pages to the bot."""

    triggers: Triggers
    store: NotificationStore
    lanes: LaneStore
    queue: Queue
    clock: Clock
    chance: Chance
    signing_keys: tuple[Secret, ...]
    rates: Mapping[str, float]  # messages a second, by channel; a channel without has no limit
    telemetry: Telemetry

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
        self._jobs: dict[str, _Job] = {}
        self._turns: deque[str] = deque()
        self._under_way: dict[asyncio.Task[None], _Handed] = {}
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
            await self._end()

    async def _end(self) -> None:
        """Wait for what is under way, whatever fails: until then the lane's pace is taken."""
        if self._under_way:
            ended, _ = await asyncio.wait(self._under_way)
            for each in ended:
                each.result()

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
                self._jobs[name] = _Job(work)
                self._turns.append(name)
        await self._see_who_drains()
        busy = {each.job.work.notification for each in self._under_way.values()}
        for name, job in list(self._jobs.items()):
            if not job.pages and name not in busy and job.not_before <= self._pump.clock.now():
                await self._refill(job)

    async def _see_who_drains(self) -> None:
        """Look at each page about as often as its sender notes how it stands."""
        for each in list(self._under_way.values()):
            if each.drains or self._pump.clock.elapsed() < each.look_at:
                continue
            stored = await self._pump.store.page(each.job.work.notification, each.page)
            each.look_at = self._pump.clock.elapsed() + LOOKS_AT_PAGES
            if stored is not None:
                self.paused_until = max(self.paused_until, stored.page.paused_until)
                each.drains = stored.page.is_draining(self._pump.clock.now())

    def _sending(self) -> list[_Job]:
        """Return the notifications of the pages that take a part of the lane's pace."""
        under_way = list(self._under_way.values())
        draining = [each for each in under_way if each.drains]
        return [each.job for each in under_way if each not in draining[:MOST_DRAINING]]

    async def _refill(self, job: _Job) -> None:
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
        return sum(not job.is_few for job in self._sending()) < most

    def _may_few(self, rate: float) -> bool:
        under_way = sum(job.is_few for job in self._sending())
        if not rate:
            return under_way < SIDE_BY_SIDE
        return not under_way and self._pace.few_may(self._pump.clock.elapsed())

    def _pace_of_few(self, job: _Job, rate: float) -> float:
        if not rate:
            return 0.0
        many = any(not each.is_few for each in self._sending())
        now = self._pump.clock.elapsed()
        return self._pace.of_few(job.work.size, rate, now, beside_many=many)

    def _pace_of_many(self, rate: float, waiting: int) -> float | None:
        if not rate:
            return 0.0
        return self._pace.of_many(rate, waiting, few_are_sent=not self._may_few(rate))

    def _rate(self) -> float:
        channels = {job.work.channel for job in self._jobs.values()}
        return max((self._pump.rates.get(channel, 0.0) for channel in channels), default=0.0)

    def _start(self, job: _Job, rate: float) -> None:
        self._turns.remove(job.work.notification)
        self._turns.append(job.work.notification)
        page = job.pages.popleft()
        handed = _Handed(job, page, self._pump.clock.elapsed() + LOOKS_AT_PAGES)
        self._under_way[asyncio.create_task(self._send(job, page, rate))] = handed

    async def _wait(self) -> None:
        """Wait for a page, for the end of a pause, or a moment."""
        pause = self.paused_until - self._pump.clock.now()
        moment = min(pause, LOOKS_EVERY) if pause > 0 else LOOKS_EVERY
        if not self._under_way:
            await asyncio.sleep(moment)
            return
        done, _ = await asyncio.wait(
            self._under_way, timeout=moment, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            del self._under_way[task]
            task.result()

    async def _send(self, job: _Job, page: str, rate: float) -> None:
        """Hand one page to the bot, and see how it stands then."""
        store, name, clock = self._pump.store, job.work.notification, self._pump.clock
        before = await store.page(name, page)
        if before is None or not before.page.open:
            return
        if not before.page.is_leased(clock.now()):
            answered = await self._hand_to_bot(job, page, rate)
            if rate and not answered:
                await self._until_it_takes_no_pace(name, page)
        after = await store.page(name, page)
        if after is None or not after.page.open:
            job.failures = 0
            return
        if after.page.paused_until > clock.now():
            self.paused_until = max(self.paused_until, float(after.page.paused_until))
        elif after.page.open < before.page.open:
            job.failures = 0
            job.pages.appendleft(page)
        else:
            job.fails(clock.now())

    async def _until_it_takes_no_pace(self, name: str, page: str) -> None:
        """Wait while the bot, which was late or was not heard any more, goes on to send a page."""
        for _ in range(LOOKS_AFTER):
            await asyncio.sleep(LOOKS_EVERY)  # first, as it may be about to begin
            stored, now = await self._pump.store.page(name, page), self._pump.clock.now()
            if stored is None or not stored.page.is_leased(now) or stored.page.is_draining(now):
                return

    async def _hand_to_bot(self, job: _Job, page: str, rate: float) -> bool:
        """Hand a page to the bot; tell whether it has answered that it is done with it."""
        answered = True
        name, telemetry = job.work.notification, self._pump.telemetry
        with telemetry.span(POST_TRIGGER, {NOTIFICATION: name}, cause=job.traceparent) as span:
            try:
                await self._post(PageOrder(name, page, rate, SLICE, telemetry.traceparent()))
            except ProactiveBotError as error:  # the page says how far it came
                answered = False
                span.failed(error)
                log.warning(Event.PAGE_FAILED, notification=name, reason=str(error))
        telemetry.count(PAGES, {CHANNEL: job.work.channel})
        return answered

    async def _post(self, order: PageOrder) -> None:
        def trigger(conversation_id: str) -> dict[str, Any]:
            keys, now = self._pump.signing_keys, self._pump.clock.now()
            value = sign(order, conversation_id, keys, now)
            return {"type": "event", "name": TRIGGER_NAME, "value": value}

        await self._pump.triggers.post(trigger)
