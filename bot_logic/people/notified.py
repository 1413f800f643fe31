"""Notifications that somebody is a recipient of: named in `to`, or on a page.

On pages stands what has become of each, where the message is that a recall or an edit changes, and
by whose digits a confirmation is found. A recall and an edit have pages of their own.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from bot_logic.clock import Clock, iso
from bot_logic.errors import ServiceUnavailable
from bot_logic.notifications.notification import FORGOTTEN, Notification
from bot_logic.notifications.page import Recipient
from bot_logic.notifications.store import NotificationStore, StoredPage
from bot_logic.people.subject import Subject
from bot_logic.people.traces import Traces, places_in, without


@dataclass(frozen=True, slots=True)
class Notified:
    """The notifications, their pages and confirmations."""

    store: NotificationStore
    clock: Clock
    name: ClassVar[str] = "notifications"

    async def of(self, subject: Subject) -> list[dict[str, Any]]:
        """Return what has become of each notification to somebody, and which else name them.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        traces = await self._traces(subject)
        found = [
            each
            async for stored in self._pages_with(traces)
            for each in await self._on(stored, traces)
        ]
        planned = {each["id"] for each in found}
        for notification_id in traces.places:
            head = await self.store.head(notification_id)
            if head is not None and notification_id not in planned:
                found.append(_document(head.notification))
        return found

    async def forget(self, subject: Subject) -> bool:
        """Take somebody out of all notifications; False if they are in none.

        One that was for nobody else is deleted.

        Raises:
            ServiceUnavailable: one is being sent, or changed by others; a later call goes on.
        """
        traces = await self._traces(subject)
        found = False
        async for stored in self._pages_with(traces):
            await self._forget_on(stored, traces)
            found = True
        for notification_id in traces.places:
            await self._forget_in(notification_id, subject.ids, traces)
        return found or bool(traces.places)

    async def _traces(self, subject: Subject) -> Traces:
        audiences = {
            notification_id: places
            async for notification_id, to in self.store.audiences()
            if (places := places_in(to, subject.ids))
        }
        return Traces.of(subject, audiences)

    async def _pages_with(self, traces: Traces) -> AsyncIterator[StoredPage]:
        async for stored in self.store.all_pages():
            if traces.of_them_on(stored):
                yield stored

    async def _on(self, stored: StoredPage, traces: Traces) -> list[dict[str, Any]]:
        notification_id, page = stored.key.partition, stored.key.row
        head = await self.store.head(notification_id)
        if head is None:
            return []
        asked = head.notification.counts_receipts
        times = await self.store.acknowledged(notification_id, page) if asked else {}
        return [
            _document(head.notification) | _outcome(each, times.get(each.digits, 0))
            for each in traces.of_them_on(stored)
        ]

    async def _forget_on(self, stored: StoredPage, traces: Traces) -> None:
        """Forget somebody on a page, and first their confirmation, which is found by it."""
        page, theirs = stored.page, traces.of_them_on(stored)
        if not theirs:
            return
        if page.is_leased(self.clock.now()):
            raise ServiceUnavailable("a notification is being sent to them just now; try again")
        for each in theirs:
            await self.store.forget_acknowledged(stored.key.partition, stored.key.row, each.digits)
        left = (each.forgotten() if each in theirs else each for each in page.recipients)
        await self.store.write_page(stored, replace(page, recipients=tuple(left)))

    async def _forget_in(self, notification_id: str, ids: Collection[str], traces: Traces) -> None:
        """Forget whom a notification names, last in `to`, by which its pages are found."""
        head = await self.store.head(notification_id)
        if head is None:
            return
        async for stored in self.store.pages(notification_id):  # it may be planned since
            await self._forget_on(stored, traces)
        to = without(head.notification.to, ids)
        if all(each == FORGOTTEN for each in to):
            await self.store.delete_whole(head.notification)
            return
        await self.store.replace(head, replace(head.notification, to=to))


def _document(notification: Notification) -> dict[str, Any]:
    of = {"of": notification.of} if notification.of else {}
    return {"id": notification.id, "verb": notification.verb.value, **of}


def _outcome(recipient: Recipient, acknowledged: int) -> dict[str, Any]:
    optional = {
        "reason": recipient.detail,
        "activityId": recipient.message.activity if recipient.message else "",
        "acknowledged": iso(acknowledged) if acknowledged else "",
    }
    return {
        "state": recipient.outcome.value,
        **{name: value for name, value in optional.items() if value},
    }
