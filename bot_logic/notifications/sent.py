"""The audience of a recall or an edit: those that another notification has sent to.

Each page of the other becomes one page, under the same key: so nobody is left out and nobody is on
two pages, and what an earlier recall has done is found again.
"""

from collections.abc import Iterable
from typing import Final

from bot_logic.notifications.notification import Notification
from bot_logic.notifications.outcomes import Outcome
from bot_logic.notifications.page import NOBODY, Page, Recipient
from bot_logic.notifications.store import NotificationStore, StoredPage

PAGES_AT_ONCE: Final = 20  # written in one transaction, of 4 MiB at most


async def why_not(store: NotificationStore, change: Notification) -> str:
    """Return why a recall or an edit is not to be begun, or ""."""
    head = await store.head(change.of)
    if head is None:
        return "the notification that it changes is not kept any more"
    if head.notification.changed_by != change.id:
        return "a recall or an edit that came later takes its place"
    return ""


async def stands_still(store: NotificationStore, change: Notification, now: float) -> bool:
    """Tell whether nobody is sending what is to be changed, nor changing it otherwise.

    Nobody begins to, either: before a recall or an edit is stored, its original has ended.
    """
    return not (
        await store.is_being_sent(change.of, now)
        or (change.after and await store.is_being_sent(change.after, now))
    )


async def next_pages(
    store: NotificationStore, change: Notification
) -> tuple[dict[str, Page], str | None]:
    """Return the next pages by their keys, and behind which to go on; None for at the end."""
    pages, read = dict[str, Page](), 0
    async for stored in store.pages(change.of, after=change.cursor):
        recipients = await _sent_on(store, change, stored)
        if recipients:
            pages[stored.key.row] = Page(stored.page.lane, recipients)
        read += 1
        if read == PAGES_AT_ONCE:
            return pages, stored.key.row
    return pages, None


async def _sent_on(
    store: NotificationStore, change: Notification, stored: StoredPage
) -> tuple[Recipient, ...]:
    """Return those on a page who were sent to and were not forgotten since.

    Whom an earlier recall has reached has an end.
    """
    before = await store.page(change.after, stored.key.row) if change.after else None
    recalled = {each.key: each for each in _recalled(before)}
    return tuple(
        recalled.get(each.key, each.opened())
        for each in stored.page.recipients
        if each.outcome == Outcome.SENT and each.key != NOBODY
    )


def _recalled(before: StoredPage | None) -> Iterable[Recipient]:
    if before is None:
        return ()
    return (each for each in before.page.recipients if each.outcome == Outcome.RECALLED)
