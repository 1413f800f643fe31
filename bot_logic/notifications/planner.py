"""Planning: a notification's audience becomes pages, once it is due.

An audience is read in the order of its keys. Some pages and how far the reading has come are
written in one transaction: so nobody is left out and nobody is on two pages, wherever planning
stops.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.conversations.audiences import Audiences, Lane, Member, groups, people, topic
from bot_logic.notifications import sent
from bot_logic.notifications.first_contact import newcomer
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import MOST, NOBODY, Page, Recipient, bounded, page_key
from bot_logic.notifications.sent import PAGES_AT_ONCE
from bot_logic.notifications.store import Head, LaneStore, NotificationStore
from bot_logic.storage.protocols import Queue, RowConflict
from bot_logic.telemetry import Telemetry
from bot_logic.telemetry.log_events import Event, EventLog
from bot_logic.telemetry.names import NOTIFICATION, PLAN

QUEUE_NAME: Final = "notification-wakeups"
LONGEST_RUN: Final = 50.0  # seconds; then it hands itself on
MAX_DELAY: Final = 7 * 24 * 3600  # seconds that a queue message can be hidden

log = EventLog(__name__)


def wake_up(*, plan: str = "", lane: str = "") -> str:
    """Make the queue message that says what to look at; one too many, or few, does no harm."""
    return json.dumps({"plan": plan} if plan else {"lane": lane})


@dataclass(frozen=True, slots=True)
class _Place:
    """How far an audience was read: in which of its partitions, and behind which key."""

    partition: int = 0
    after: str = ""

    @classmethod
    def of(cls, cursor: str) -> "_Place":
        return cls(*json.loads(cursor)) if cursor else cls()

    def __str__(self) -> str:
        return json.dumps([self.partition, self.after])


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes the pages of notifications."""

    store: NotificationStore
    lanes: LaneStore
    audiences: Audiences
    queue: Queue
    clock: Clock
    telemetry: Telemetry

    async def plan(self, notification_id: str, *, longest: float = LONGEST_RUN) -> set[str]:
        """Plan a notification as far as a run goes, and see to it that it goes on.

        Args:
            notification_id: which.
            longest: seconds after which no further step is begun; the first always is.

        Returns:
            the ids of the lanes that have something to send now; each was woken.

        Raises:
            ServiceUnavailable: a table cannot be reached.
            QueueUnavailable: nobody could be woken; the timer does that later.
        """
        ends, woken, steps = self.clock.elapsed() + longest, set[str](), 0
        while (head := await self.store.head(notification_id)) is not None:
            notification, now = head.notification, self.clock.now()
            if notification.planned or notification.has_ended(now):
                await self.store.planned(notification)
                break
            if now < notification.at:
                delay = min(int(notification.at - now), MAX_DELAY)
                await self.queue.put(wake_up(plan=notification_id), delay=delay)
                break
            if steps and self.clock.elapsed() >= ends:
                await self.queue.put(wake_up(plan=notification_id))
                break
            if await self._has_to_wait(notification):
                await self.queue.put(wake_up(plan=notification_id), delay=1)
                break
            steps += 1
            try:
                woken |= await self._step(head)
            except RowConflict:
                log.info(Event.NOTIFICATION_CHANGED, notification=notification_id)
        return woken

    async def _has_to_wait(self, notification: Notification) -> bool:
        """Tell whether somebody still sends what a recall or an edit is to change."""
        if not notification.of or notification.cursor:
            return False
        return not await sent.stands_still(self.store, notification, self.clock.now())

    async def _step(self, head: Head) -> set[str]:
        about = {NOTIFICATION: head.notification.id}
        with self.telemetry.span(PLAN, about, cause=head.notification.traceparent):
            return await self._planned_further(head)

    async def _planned_further(self, head: Head) -> set[str]:
        notification = head.notification
        if not notification.cursor and (refused := await self._why_not(notification)):
            await self.store.replace(head, replace(notification, refused=refused, planned=True))
            return set()
        pages, cursor = await self._next_pages(notification)
        done = cursor is None
        changed = replace(
            notification,
            cursor=notification.cursor if cursor is None else cursor,
            planned=done,
            pages=notification.pages + len(pages),
        )
        small = done and not notification.pages
        size = sum(len(page.recipients) for page in pages.values()) if small else 0
        lanes = {page.lane for page in pages.values() if page.open}
        for lane in lanes:  # before there is anything to find, so that it is found whatever happens
            await self.lanes.add(lane, notification, size)
        await self.store.plan(head, changed, pages)
        for lane in lanes:
            await self.queue.put(wake_up(lane=lane.id))
        return {lane.id for lane in lanes}

    async def _why_not(self, notification: Notification) -> str:
        if notification.of:
            return await sent.why_not(self.store, notification)
        return await self.too_many(notification)

    async def too_many(self, notification: Notification) -> str:
        """Return why more would get it than its author allows, or ""."""
        most = notification.to.get("at_most") if isinstance(notification.to, dict) else None
        if most is None:
            return ""
        count = 0
        for partition in await self.partitions(notification.to):
            async for _ in self.audiences.count(partition):
                count += 1
                if count > most:
                    return f"more than {most} recipients would get it"
        return ""

    async def _next_pages(self, notification: Notification) -> tuple[dict[str, Page], str | None]:
        """Return the next pages by their keys, and where to go on; None for at the end."""
        if notification.of:
            return await sent.next_pages(self.store, notification)
        pages, place = await self._of_audience(notification)
        numbered = enumerate(pages, notification.pages)
        keyed = {page_key(page.lane, number): page for number, page in numbered}
        return keyed, None if place is None else str(place)

    async def _of_audience(self, notification: Notification) -> tuple[list[Page], _Place | None]:
        if not notification.is_broadcast:
            return await self._listed(notification), None
        place = _Place.of(notification.cursor)
        partitions = await self.partitions(notification.to)
        if place.partition >= len(partitions):
            return [], None
        members = self.audiences.members(partitions[place.partition], after=place.after)
        pages = await _pages(members, PAGES_AT_ONCE)
        if len(pages) < PAGES_AT_ONCE:
            following = _Place(place.partition + 1)
            return pages, following if following.partition < len(partitions) else None
        last = pages[-1].recipients[-1].key.partition("/")[2]
        return pages, _Place(place.partition, last)

    async def partitions(self, to: Any) -> list[str]:
        """Return the partitions of the table of audiences that an audience consists of."""
        if "topic" in to:
            return [topic(to["topic"])]
        if "channel" in to:
            return [people(to["channel"])]
        channels = await self.audiences.channels()
        both = (people, groups) if to.get("groups") else (people,)
        return [partition(channel) for channel in channels for partition in both]

    async def _listed(self, notification: Notification) -> list[Page]:
        wanted = notification.to if isinstance(notification.to, list) else [notification.to]
        members = await self._all_of(wanted)
        known = {each.recipient: each for each in members if each is not None}
        unknown = [
            _not_found(each) for each, member in zip(wanted, members, strict=True) if member is None
        ]
        in_order = sorted(
            known.values(), key=lambda each: (Lane.of(each.reference).id, each.key.row)
        )
        pages = [page async for page in _of_lanes(in_order)]
        nowhere = Lane("", "")
        pages += [Page(nowhere, tuple(unknown[n : n + MOST])) for n in range(0, len(unknown), MOST)]
        return pages

    async def _all_of(self, wanted: list[dict[str, str]]) -> list[Member | None]:
        return [await self.find(each, number) for number, each in enumerate(wanted)]

    async def find(self, to: dict[str, str], number: int = 0) -> Member | None:
        """Return who is meant by one user or conversation, the `number`th of an audience."""
        if "forgotten" in to:
            return None
        if "user" in to:
            return await self.audiences.user(to["user"]) or newcomer(to, number)
        return await self.audiences.conversation(to["conversation"])


def _not_found(to: dict[str, Any]) -> Recipient:
    if "forgotten" in to:
        return Recipient(NOBODY).forgotten()
    return Recipient(bounded(next(iter(to.values())))).ended(Outcome.UNKNOWN, "never met")


async def _pages(members: AsyncIterator[Member], most: int) -> list[Page]:
    """Return so many pages, each of one lane."""
    read: list[Member] = []
    async for member in members:
        read.append(member)
        if len(read) >= most * MOST:
            break
    pages = [page async for page in _of_lanes(read)]
    return pages[:most]


async def _of_lanes(members: list[Member]) -> AsyncIterator[Page]:
    for lane, group in groupby(members, key=lambda each: Lane.of(each.reference)):
        of_lane = list(group)
        for start in range(0, len(of_lane), MOST):
            some = of_lane[start : start + MOST]
            yield Page(lane, tuple(Recipient(each.place) for each in some))


def _lane_and_key(member: Member) -> tuple[str, str]:
    return Lane.of(member.reference).id, member.place
