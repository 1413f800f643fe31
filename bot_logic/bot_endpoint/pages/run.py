"""One claim of a page: evenly spaced, and what becomes of each recipient noted every second."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bot_logic.bot_endpoint.pages.deeds import Deed
from bot_logic.bot_endpoint.pages.metrics import PageMetrics
from bot_logic.clock import Clock
from bot_logic.contract.page_order import PageOrder
from bot_logic.conversations.audiences import Member
from bot_logic.conversations.references import Conversations
from bot_logic.errors import (
    AskedToWait,
    ConversationBlocked,
    ConversationGone,
    ProactiveBotError,
    ServiceUnavailable,
)
from bot_logic.notifications.left_out import left_out
from bot_logic.notifications.notification import Notification
from bot_logic.notifications.outcomes import Outcome, outcome_of
from bot_logic.notifications.page import LEASE, Page
from bot_logic.notifications.store import NotificationStore, StoredPage
from bot_logic.storage.protocols import RowConflict
from bot_logic.telemetry.log_events import Event, EventLog

AT_ONCE: Final = 16  # calls under way of one page
NOTED_EVERY: Final = 1.0  # seconds

log = EventLog(__name__)


class PageRun:
    """Does what is to be done to a page's recipients, from the first to the last note."""

    def __init__(
        self,
        order: PageOrder,
        notification: Notification,
        stored: StoredPage,
        deed: Deed,
        *,
        store: NotificationStore,
        conversations: Conversations,
        clock: Clock,
        metrics: PageMetrics,
        max_attempts: int,
    ) -> None:
        self._order, self._notification, self._stored = order, notification, stored
        self._deed = deed
        self._store, self._conversations, self._clock = store, conversations, clock
        self._metrics, self._max_attempts = metrics, max_attempts
        self._recipients = list(stored.page.recipients)
        self._last_written = stored.page  # whether or not the table said that it is
        self._paused_until = 0.0
        self._stopped = False
        self._drains = False
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Do it for as long as the order says.

        Raises:
            ServiceUnavailable: a table cannot be reached; what could not be noted is done again.
        """
        if self._notification.is_broadcast:
            await self._leave_out()
        members = await self._deed.find(
            [each for each in self._recipients if each.outcome == Outcome.OPEN]
        )
        noting = asyncio.create_task(self._note_again_and_again())
        try:
            await self._do_all(members)
        finally:
            self._over.set()  # a note that is being written is not interrupted
            await noting
            await self._note_at_last()
            if self._paused_until:
                self._metrics.paused()

    async def _leave_out(self) -> None:
        """Give their outcome to those whom a broadcast does not go to."""
        recipients = await left_out(self._stored.page, self._conversations.skips)
        for number, each in enumerate(recipients):
            if each != self._recipients[number]:
                self._recipients[number] = each
                self._metrics.came_to(each.outcome)

    async def _do_all(self, members: Mapping[str, Member]) -> None:
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as under_way:
            async for number in self._paced():
                await places.acquire()
                if self._has_to_stop():
                    break
                member = members.get(self._recipients[number].key)
                if member is None:
                    self._ends(number, Outcome.GONE, "the conversation is not stored any more")
                    places.release()
                    continue
                task = under_way.create_task(self._one(number, member))
                task.add_done_callback(lambda _: places.release())
            self._drains = True

    async def _paced(self) -> AsyncIterator[int]:
        """Yield the numbers of the open recipients, each when it is due."""
        loop = asyncio.get_running_loop()
        interval = 1 / self._order.per_second if self._order.per_second else 0.0
        due, ends = loop.time(), loop.time() + self._order.seconds
        for number, recipient in enumerate(list(self._recipients)):
            if recipient.outcome != Outcome.OPEN:
                continue
            await asyncio.sleep(max(0.0, due - loop.time()))
            if loop.time() >= ends:
                return
            yield number
            due = max(due, loop.time() - interval) + interval

    def _has_to_stop(self) -> bool:
        now = self._clock.now()
        is_late = now >= min(self._notification.expires, self._stored.page.lease_until)
        return self._stopped or bool(self._paused_until) or is_late

    async def _one(self, number: int, member: Member) -> None:
        try:
            done = await self._deed.do(self._recipients[number], member)
        except AskedToWait as error:
            now = self._clock.now()
            self._paused_until = max(self._paused_until, now + max(error.retry_after or 1, 1))
        except ProactiveBotError as error:
            await self._failed(number, member, error)
        except Exception as error:  # noqa: BLE001 - else it would cut off the others of the page
            log.crash(Event.RECIPIENT_FAILED, error)
            unforeseen = ServiceUnavailable(f"unforeseen: {type(error).__name__}")
            await self._failed(number, member, unforeseen)
        else:
            self._recipients[number] = done
            self._metrics.done(done.outcome, self._clock.now() - self._notification.at)

    async def _failed(self, number: int, member: Member, error: ProactiveBotError) -> None:
        outcome, before = outcome_of(error, self._deed.refused), self._recipients[number]
        if outcome == Outcome.OPEN:
            if before.attempts + 1 >= self._max_attempts:
                outcome = Outcome.TOO_MANY_ATTEMPTS
            self._recipients[number] = replace(before, attempts=before.attempts + 1)
        self._ends(number, outcome, str(error))
        with suppress(ServiceUnavailable):
            if isinstance(error, ConversationGone):
                await self._conversations.forget_stale(dict(member.reference))
            elif isinstance(error, ConversationBlocked):
                await self._conversations.mark_blocked(dict(member.reference), str(error))

    def _ends(self, number: int, outcome: Outcome, detail: str) -> None:
        self._recipients[number] = self._recipients[number].ended(outcome, detail)
        if outcome != Outcome.OPEN:
            self._metrics.came_to(outcome)

    async def _note_again_and_again(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTED_EVERY):
                    await self._over.wait()
                    return
            try:
                head = await self._store.head(self._notification.id)
                await self._note(lease_until=int(self._clock.now()) + LEASE)
            except RowConflict:
                self._stopped = True  # the page is somebody else's
                return
            except ServiceUnavailable as error:
                log.warning(
                    Event.PAGE_NOT_NOTED, notification=self._notification.id, reason=str(error)
                )
            else:
                self._stopped = head is None or head.notification.has_ended(self._clock.now())

    async def _note_at_last(self) -> None:
        """Note what has become of all, for as long as the lease holds."""
        while True:
            try:
                await self._note(lease_until=0)
            except RowConflict:
                return
            except ServiceUnavailable:
                if self._clock.now() + NOTED_EVERY >= self._stored.page.lease_until:
                    raise
                await asyncio.sleep(NOTED_EVERY)
            else:
                return

    async def _note(self, *, lease_until: int) -> None:
        page: Page = self._stored.page
        changed = replace(
            page,
            lease_until=lease_until,
            paused_until=self._paused_until,
            drains=self._drains,
        )
        if tuple(self._recipients) != page.recipients:
            changed = changed.with_outcomes(self._recipients)
        self._stored = await self._written(changed)

    async def _written(self, changed: Page) -> StoredPage:
        """Write the page, also upon a write of this run whose answer was lost.

        Raises:
            RowConflict: the page is somebody else's.
        """
        before, self._last_written = self._last_written, changed
        try:
            return await self._store.write_page(self._stored, changed)
        except RowConflict:
            found = await self._store.page(self._notification.id, self._stored.key.row)
            if found is None or found.page != before:
                raise
            return await self._store.write_page(found, changed)
