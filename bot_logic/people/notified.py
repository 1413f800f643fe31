"""Notifications that name somebody: in whom they are for, and in what has become of each."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from bot_logic.clock import Clock
from bot_logic.conversations.channels import is_of_clients
from bot_logic.errors import ServiceUnavailable
from bot_logic.notifications.notification import FORGOTTEN
from bot_logic.notifications.page import Page, Recipient, bounded
from bot_logic.notifications.store import NotificationStore, StoredPage
from bot_logic.people.subject import Subject

_NOBODY: Final = "forgotten"  # in place of an id


@dataclass(frozen=True, slots=True)
class Notified:
    """The notifications."""

    store: NotificationStore
    clock: Clock

    async def of(self, subject: Subject) -> AsyncIterator[str]:
        """Yield the ids of notifications that name somebody as a recipient.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        async for notification_id, to in self.store.audiences():
            if any(_is(each, subject.ids) for each in _each(to)):
                yield notification_id

    async def forget(self, subject: Subject) -> bool:
        """Take somebody's ids out of all notifications; False if they stood in none.

        One that was for nobody else is deleted.

        Raises:
            ServiceUnavailable: one is being sent, or changed by others; a later call goes on.
        """
        found = [each async for each in self.of(subject)]
        for notification_id in found:
            await self._forget_in(notification_id, subject.ids)
        return await self._forget_activities(subject) or bool(found)

    async def _forget_in(self, notification_id: str, ids: Collection[str]) -> None:
        head = await self.store.head(notification_id)
        if head is None:
            return
        keys = {bounded(each) for each in ids}
        async for stored in self.store.pages(notification_id):
            await self._rewrite(stored, keys=keys)
        to = [dict(FORGOTTEN) if _is(each, ids) else each for each in _each(head.notification.to)]
        if all(each == FORGOTTEN for each in to):
            await self.store.delete_whole(head.notification)
            return
        # The pages are done by now: this is what they are found by.
        await self.store.replace(head, replace(head.notification, to=to))

    async def _forget_activities(self, subject: Subject) -> bool:
        """Forget ids of activities that begin with the conversation's, as those of Direct Line."""
        names = {
            bounded(each.reference["conversation"]["id"])
            for each in subject.conversations
            if is_of_clients(each.reference["channelId"])
        }
        keys = [key async for key in self.store.pages_that_say(names)] if names else []
        for key in keys:
            stored = await self.store.page(key.partition, key.row)
            if stored is not None:
                await self._rewrite(stored, details=tuple(names))
        return bool(keys)

    async def _rewrite(
        self, stored: StoredPage, *, keys: Collection[str] = (), details: tuple[str, ...] = ()
    ) -> None:
        if stored.page.is_leased(self.clock.now()):
            raise ServiceUnavailable("a notification is being sent to them just now; try again")
        recipients = tuple(_forgotten(each, keys, details) for each in stored.page.recipients)
        if recipients != stored.page.recipients:
            changed: Page = replace(stored.page, recipients=recipients)
            await self.store.write_page(stored, changed)


def _forgotten(recipient: Recipient, keys: Collection[str], details: tuple[str, ...]) -> Recipient:
    key = _NOBODY if recipient.key in keys else recipient.key
    told = bool(details) and recipient.detail.startswith(details)
    return replace(recipient, key=key, detail="" if told else recipient.detail)


def _each(to: Any) -> list[Any]:
    return to if isinstance(to, list) else [to]


def _is(to: dict[str, Any], ids: Collection[str]) -> bool:
    return to.get("user") in ids or to.get("conversation") in ids
