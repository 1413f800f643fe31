"""Sends a page of a notification: evenly spaced, what becomes of each noted every second."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from botbuilder.schema import Activity, ChannelAccount, ConversationAccount
from botframework.connector.auth import ConnectorFactory

from bot_logic.bot_endpoint.beginnings import Beginnings, may_begin
from bot_logic.bot_endpoint.sdk.card_actions import with_known_actions
from bot_logic.bot_endpoint.sdk.model_json import Malformed, read
from bot_logic.bot_endpoint.sdk.turn_context import copy
from bot_logic.clock import Clock
from bot_logic.contract.page_order import PageOrder
from bot_logic.conversations.audiences import Audiences, Member
from bot_logic.conversations.references import Conversations
from bot_logic.errors import (
    AskedToWait,
    ConversationBlocked,
    ConversationGone,
    ProactiveBotError,
    ServiceUnavailable,
)
from bot_logic.notifications.first_contact import behind
from bot_logic.notifications.outcomes import Outcome, outcome_of
from bot_logic.notifications.page import LEASE, Page
from bot_logic.notifications.store import Head, NotificationStore, StoredPage
from bot_logic.storage.protocols import RowConflict
from bot_logic.telemetry.log_events import Event, EventLog

AT_ONCE: Final = 16  # sends under way of one page
NOTED_EVERY: Final = 1.0  # seconds

log = EventLog(__name__)


@dataclass(frozen=True, slots=True)
class PageSender:
    """Sends pages."""

    store: NotificationStore
    audiences: Audiences
    conversations: Conversations
    channels: ConnectorFactory
    beginnings: Beginnings
    clock: Clock
    max_attempts: int

    async def send(self, order: PageOrder) -> None:
        """Send what is open of a page, for as long as the order says, and note how it went.

        A page that somebody else is sending, or of which nothing may be sent, is left alone.

        Raises:
            ServiceUnavailable: a table cannot be reached; what could not be noted is sent again.
        """
        head = await self.store.head(order.notification)
        stored = await self.store.page(order.notification, order.page)
        now = self.clock.now()
        if head is None or stored is None or head.notification.has_ended(now):
            return
        if stored.page.is_leased(now) or not stored.page.open:
            return
        try:
            claimed = await self.store.write_page(stored, stored.page.claimed(now))
        except RowConflict:
            return  # somebody else was faster
        if not claimed.page.open:
            return
        try:
            sending = _Sending(self, order, head, claimed)
        except Malformed as error:  # orders are checked; this one is of a version that took more
            refused = claimed.page.all_open(Outcome.REFUSED, f"activity: {error}")
            await self.store.write_page(claimed, refused)
        else:
            await sending.run()


class _Sending:
    """One claim of a page, from its first message to the last note."""

    def __init__(
        self, sender: PageSender, order: PageOrder, head: Head, stored: StoredPage
    ) -> None:
        self._sender, self._order, self._stored = sender, order, stored
        self._notification = head.notification
        self._activity: Activity = read(Activity, dict(head.notification.activity))
        self._recipients = list(stored.page.recipients)
        self._paused_until = 0
        self._stopped = False
        self._over = asyncio.Event()

    async def run(self) -> None:
        members = await self._members()
        noting = asyncio.create_task(self._note_again_and_again())
        try:
            await self._send_all(members)
        finally:
            self._over.set()  # a note that is being written is not interrupted
            await noting
            await self._note_at_last()

    async def _members(self) -> dict[str, Member]:
        """Return who is behind the recipients' keys, as it stands now."""
        keys = [each.key for each in self._recipients if each.outcome == Outcome.OPEN]
        return await behind(self._sender.audiences, self._notification, keys)

    async def _send_all(self, members: Mapping[str, Member]) -> None:
        places = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as sending:
            async for number in self._paced():
                await places.acquire()
                if self._has_to_stop():
                    return
                member = members.get(self._recipients[number].key)
                if member is None:
                    self._ends(number, Outcome.GONE, "the conversation is not stored any more")
                    places.release()
                    continue
                task = sending.create_task(self._one(number, member))
                task.add_done_callback(lambda _: places.release())

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
        now = self._sender.clock.now()
        return self._stopped or bool(self._paused_until) or now >= self._notification.expires

    async def _one(self, number: int, member: Member) -> None:
        try:
            member = await self._met(number, member)
            activity_id = await self._post_or_begin_anew(member.reference)
        except AskedToWait as error:
            now = self._sender.clock.now()
            self._paused_until = max(self._paused_until, int(now) + max(error.retry_after or 1, 1))
        except ProactiveBotError as error:
            await self._failed(number, member, error)
        else:
            self._ends(number, Outcome.SENT, activity_id)

    async def _met(self, number: int, member: Member) -> Member:
        """Begin the conversation if there is none; from now on the page names it by its row."""
        if not member.is_met:
            member = await self._sender.beginnings.first(member)
        self._recipients[number] = replace(self._recipients[number], key=member.place)
        return member

    async def _post_or_begin_anew(self, reference: Mapping[str, Any]) -> str:
        """Send; to somebody whose conversation is gone, in a new one, if the channel lets us."""
        try:
            return await self._post(reference)
        except ConversationGone:
            if not may_begin(reference):
                raise
            return await self._post(await self._sender.beginnings.anew(reference))

    async def _post(self, reference: Mapping[str, Any]) -> str:
        connector: Any = await self._sender.channels.create(reference["serviceUrl"])
        activity = _addressed(self._activity, reference)
        answer = await connector.conversations.send_to_conversation(
            reference["conversation"]["id"], activity
        )
        return str(answer.id)

    async def _failed(self, number: int, member: Member, error: ProactiveBotError) -> None:
        outcome, before = outcome_of(error), self._recipients[number]
        if outcome == Outcome.OPEN:
            if before.attempts + 1 >= self._sender.max_attempts:
                outcome = Outcome.TOO_MANY_ATTEMPTS
            self._recipients[number] = replace(before, attempts=before.attempts + 1)
        self._ends(number, outcome, str(error))
        with suppress(ServiceUnavailable):
            if isinstance(error, ConversationGone):
                await self._sender.conversations.forget_stale(dict(member.reference))
            elif isinstance(error, ConversationBlocked):
                await self._sender.conversations.mark_blocked(dict(member.reference), str(error))

    def _ends(self, number: int, outcome: Outcome, detail: str) -> None:
        self._recipients[number] = self._recipients[number].ended(outcome, detail)

    async def _note_again_and_again(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(NOTED_EVERY):
                    await self._over.wait()
                    return
            try:
                head = await self._sender.store.head(self._notification.id)
                await self._note(lease_until=int(self._sender.clock.now()) + LEASE)
            except RowConflict:
                self._stopped = True  # the page is somebody else's
                return
            except ServiceUnavailable as error:
                log.warning(
                    Event.PAGE_NOT_NOTED, notification=self._notification.id, reason=str(error)
                )
            else:
                self._stopped = head is None or bool(head.notification.cancelled)

    async def _note_at_last(self) -> None:
        """Note what has become of all, for as long as the lease holds."""
        while True:
            try:
                await self._note(lease_until=0)
            except RowConflict:
                return
            except ServiceUnavailable:
                if self._sender.clock.now() + NOTED_EVERY >= self._stored.page.lease_until:
                    raise
                await asyncio.sleep(NOTED_EVERY)
            else:
                return

    async def _note(self, *, lease_until: int) -> None:
        page: Page = self._stored.page
        changed = replace(page, lease_until=lease_until, paused_until=self._paused_until)
        if tuple(self._recipients) != page.recipients:
            changed = changed.with_outcomes(self._recipients)
        self._stored = await self._sender.store.write_page(self._stored, changed)


def _addressed(activity: Activity, reference: Mapping[str, Any]) -> Activity:
    """Return an activity as it goes to one conversation."""
    addressed = copy(activity)
    addressed.channel_id = reference["channelId"]
    addressed.attachments = with_known_actions(activity.attachments, reference["channelId"])
    addressed.service_url = reference["serviceUrl"]
    addressed.conversation = read(ConversationAccount, reference["conversation"])
    addressed.from_property = read(ChannelAccount, reference.get("bot") or {})
    addressed.recipient = read(ChannelAccount, reference.get("user") or {})
    return addressed
