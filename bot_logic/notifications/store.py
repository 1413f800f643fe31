"""Where notifications, their pages and the lanes' work stand: rows are the truth.

Table `notifications`: a partition a notification, with its head and its pages; one that lists the
newest first, one for what is not planned yet, and one for idempotency keys.
Table `lanes`: a partition a lane, with its lease and a row for each notification at work there.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from bot_logic.conversations.audiences import Lane, digest
from bot_logic.notifications.notification import TO_COLUMNS, Notification
from bot_logic.notifications.page import COLUMNS, Page, milliseconds, page_prefix, seconds
from bot_logic.storage.protocols import (
    Between,
    Change,
    Key,
    RowConflict,
    StoredRow,
    Table,
    Write,
)

NOTIFICATIONS: Final = "notifications"
LANES: Final = "lanes"
HEAD: Final = "head"
LATEST: Final = "latest"
UNPLANNED: Final = "unplanned"
_PAGE: Final = "page-"  # how the row keys of pages begin
_END_OF_TIME: Final = 10**11  # seconds; the row keys of the newest come first


@dataclass(frozen=True, slots=True)
class Head:
    """A notification as it stands in the table."""

    notification: Notification
    etag: str


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page as it stands in the table."""

    key: Key
    page: Page
    etag: str

    @classmethod
    def of(cls, row: StoredRow) -> "StoredPage":
        """Read a table's row."""
        return cls(row.key, Page.of(row.columns), row.etag)


@dataclass(frozen=True, slots=True)
class Listed:
    """A notification as the list of all has it, also if its head was never written.

    Attributes:
        key: of the list's row.
        id: the notification's.
        at: Unix time, seconds, at which it is due.
    """

    key: Key
    id: str
    at: int


class KeyTaken(Exception):
    """An idempotency key was used for another content."""


class NotificationStore:
    """Notifications and their pages."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def reserve(self, idempotency_key: str, notification_id: str, content: str) -> str:
        """Return the id of the notification that this key stands for: this one, if it is new.

        Raises:
            KeyTaken: it stands for one with another content.
        """
        key = _idempotency(digest(idempotency_key))
        columns = {"notification": notification_id, "content": digest(content)}
        try:
            await self._table.insert(key, columns)
        except RowConflict:
            found = await self._table.read(key)
            if found is None:
                raise
            if found.columns["content"] != columns["content"]:
                raise KeyTaken(idempotency_key) from None
            return str(found.columns["notification"])
        return notification_id

    async def insert(self, notification: Notification) -> bool:
        """Store a new notification, to be planned; False if it is there already."""
        listed = {"id": notification.id, "at": notification.at}
        await self._table.put(_latest(notification), listed)  # first: by it all others are swept
        await self._table.put(_unplanned(notification.id, notification.at), listed)
        try:
            await self._table.insert(Key(notification.id, HEAD), notification.to_row())
        except RowConflict:
            return False
        return True

    async def head(self, notification_id: str) -> Head | None:
        """Return a notification, or None."""
        found = await self._table.read(Key(notification_id, HEAD))
        if found is None:
            return None
        return Head(Notification.from_row(notification_id, found.columns), found.etag)

    async def replace(self, head: Head, changed: Notification) -> None:
        """Write a notification if nobody has since it was read.

        Raises:
            RowConflict: somebody has.
        """
        await self._table.replace(Key(changed.id, HEAD), changed.to_row(), head.etag)

    async def plan(self, head: Head, changed: Notification, pages: Mapping[str, Page]) -> None:
        """Write pages, by their row keys, and how far planning has come, all or nothing.

        Raises:
            RowConflict: somebody has written the notification since it was read.
        """
        writes = [
            Write(Change.INSERT, Key(changed.id, key), page.to_row()) for key, page in pages.items()
        ]
        writes.append(Write(Change.REPLACE, Key(changed.id, HEAD), changed.to_row(), head.etag))
        await self._table.transact(writes)

    async def planned(self, notification: Notification) -> None:
        """Note that nobody need look whether a notification is to be planned."""
        await self._table.delete(_unplanned(notification.id, notification.at))

    async def unplanned(self, *, due_before: float) -> AsyncIterator[str]:
        """Yield the ids of notifications that are due and not planned."""
        last = f"{int(due_before):012}~"
        async for row in self._table.rows(UNPLANNED, between=Between("", last)):
            yield str(row.columns["id"])

    async def latest(self, *, after: str = "") -> AsyncIterator[tuple[str, str]]:
        """Yield row key and id of notifications, the newest first."""
        async for row in self._table.rows(LATEST, between=Between(after, "~")):
            yield row.key.row, str(row.columns["id"])

    async def created_before(self, moment: float) -> AsyncIterator[Listed]:
        """Yield the notifications that are older than that."""
        after = f"{_END_OF_TIME - int(moment):012}~"
        async for row in self._table.rows(LATEST, between=Between(after, "~")):
            yield Listed(row.key, str(row.columns["id"]), int(row.columns["at"]))

    async def delete(self, listed: Listed) -> None:
        """Delete a notification and all its rows, or what a kill half-way has left of it."""
        head = await self.head(listed.id)
        async for row in self._table.rows(listed.id, columns=("open",)):
            if row.key.row != HEAD:
                await self._table.delete(row.key)
        await self._table.delete(_unplanned(listed.id, listed.at))
        if head is not None and head.notification.key:
            await self._table.delete(_idempotency(head.notification.key))
        await self._table.delete(Key(listed.id, HEAD))
        await self._table.delete(listed.key)  # last: by it this can go on

    async def audiences(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield each notification's id, and whom it is for."""
        async for row in self._table.rows(columns=TO_COLUMNS):
            if row.key.row == HEAD:
                yield row.key.partition, Notification.to_of(row.columns)

    async def all_pages(self) -> AsyncIterator[StoredPage]:
        """Yield the pages of all notifications."""
        async for row in self._table.rows(columns=COLUMNS):
            if row.key.row.startswith(_PAGE):
                yield StoredPage.of(row)

    async def delete_whole(self, notification: Notification) -> None:
        """Delete a notification and all its rows; if that ends half-way, do it again."""
        await self.delete(Listed(_latest(notification), notification.id, notification.at))

    async def page(self, notification_id: str, row_key: str) -> StoredPage | None:
        """Return a page, or None."""
        found = await self._table.read(Key(notification_id, row_key))
        return None if found is None else StoredPage.of(found)

    async def pages(self, notification_id: str, *, after: str = "") -> AsyncIterator[StoredPage]:
        """Yield the pages of a notification."""
        between = Between.of_prefix(_PAGE, after=after)
        async for row in self._table.rows(notification_id, between=between):
            yield StoredPage.of(row)

    async def is_being_sent(self, notification_id: str, now: float) -> bool:
        """Tell whether a sender holds a page of a notification."""
        between = Between.of_prefix(_PAGE)
        async for row in self._table.rows(
            notification_id, between=between, columns=("leaseUntil",)
        ):
            if now < int(row.columns["leaseUntil"]):
                return True
        return False

    async def open_pages(self, notification_id: str, lane_id: str) -> list[str]:
        """Return the keys of a lane's pages on which somebody has no outcome."""
        between = Between.of_prefix(page_prefix(lane_id))
        rows = self._table.rows(notification_id, between=between, columns=("open",))
        return [row.key.row async for row in rows if row.columns["open"]]

    async def counts(self, notification_id: str) -> Counter[str]:
        """Return how many recipients have which outcome, by the outcomes' names."""
        total: Counter[str] = Counter()
        between = Between.of_prefix(_PAGE)
        async for row in self._table.rows(notification_id, between=between, columns=("counts",)):
            total.update(json.loads(row.columns["counts"]))
        return total

    async def acknowledge(
        self, notification_id: str, page: str, recipient: str, moment: int
    ) -> None:
        """Note when a recipient has confirmed a notification, unless that is noted already."""
        key = Key(notification_id, f"{_acknowledged(page)}{recipient}")
        with suppress(RowConflict):
            await self._table.insert(key, {"at": moment})

    async def forget_acknowledged(self, notification_id: str, page: str, recipient: str) -> None:
        """Delete that a recipient has confirmed a notification."""
        await self._table.delete(Key(notification_id, f"{_acknowledged(page)}{recipient}"))

    async def count_acknowledged(self, notification_id: str) -> int:
        """Return how many recipients have confirmed a notification."""
        between = Between.of_prefix(_acknowledged())
        rows = self._table.rows(notification_id, between=between, columns=("none",))
        return len([row.key async for row in rows])

    async def acknowledged(self, notification_id: str, page: str) -> dict[str, int]:
        """Return when (Unix time, seconds) recipients of a page have confirmed it, by digits."""
        between = Between.of_prefix(prefix := _acknowledged(page))
        rows = self._table.rows(notification_id, between=between)
        return {row.key.row.removeprefix(prefix): int(row.columns["at"]) async for row in rows}

    async def write_page(self, stored: StoredPage, page: Page) -> StoredPage:
        """Write a page if nobody has since it was read.

        Raises:
            RowConflict: somebody has.
        """
        etag = await self._table.replace(stored.key, page.to_row(), stored.etag)
        return StoredPage(stored.key, page, etag)


@dataclass(frozen=True, slots=True)
class Work:
    """A notification that has pages in a lane.

    Attributes:
        key: of its row.
        notification: its id.
        size: recipients, if they are few; else 0.
        channel: the lane's.
    """

    key: Key
    notification: str
    size: int
    channel: str


class LaneStore:
    """The lanes: what is to be sent in each, and whose pump is at it."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def add(self, lane: Lane, notification: Notification, size: int) -> None:
        """Note that a notification has pages in a lane, or is about to have."""
        key = Key(lane.id, f"work-{notification.at:012}-{notification.id}")
        try:
            await self._table.insert(
                key, {"notification": notification.id, "size": size, "channel": lane.channel}
            )
        except RowConflict:
            return

    async def work(self, lane_id: str) -> list[Work]:
        """Return the notifications at work in a lane, the earliest first."""
        rows = self._table.rows(lane_id, between=Between.of_prefix("work-"))
        return [
            Work(
                row.key,
                row.columns["notification"],
                int(row.columns["size"]),
                row.columns["channel"],
            )
            async for row in rows
        ]

    async def finish(self, work: Work) -> None:
        """Note that a notification has nothing to send in a lane any more."""
        await self._table.delete(work.key)

    async def acquire(self, lane_id: str, now: float, lease: float, owner: str) -> "Lease | None":
        """Take a lane's lease, or return None if somebody holds it."""
        key = Key(lane_id, "lease")
        found = await self._table.read(key)
        columns = {"owner": owner, "until": int(now + lease), "pausedUntilMs": 0}
        try:
            if found is None:
                return Lease(key, owner, 0.0, await self._table.insert(key, columns))
            if now < int(found.columns["until"]):
                return None
            columns["pausedUntilMs"] = paused = found.columns.get("pausedUntilMs", 0)
            etag = await self._table.replace(key, columns, found.etag)
            return Lease(key, owner, seconds(paused), etag)
        except RowConflict:
            return None

    async def renew(self, lease: "Lease", until: float, paused_until: float) -> "Lease":
        """Hold a lane's lease for longer, or let it go with `until` 0.

        Raises:
            RowConflict: somebody else holds it.
        """
        columns = {
            "owner": lease.owner,
            "until": int(until),
            "pausedUntilMs": milliseconds(paused_until),
        }
        etag = await self._table.replace(lease.key, columns, lease.etag)
        return Lease(lease.key, lease.owner, paused_until, etag)

    async def idle_lanes(self, now: float) -> AsyncIterator[str]:
        """Yield the lanes that have work, and nobody who is at it."""
        lane, leased, has_work = "", False, False
        async for row in self._table.rows():
            if row.key.partition != lane:
                if has_work and not leased:
                    yield lane
                lane, leased, has_work = row.key.partition, False, False
            if row.key.row == "lease":
                leased = now < int(row.columns["until"])
            else:
                has_work = True
        if has_work and not leased:
            yield lane


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane's lease that this process holds."""

    key: Key
    owner: str
    paused_until: float
    etag: str


def _acknowledged(page: str = "") -> str:
    """Return how the row keys of confirmations begin, of a page or of all."""
    return f"ack-{page}-" if page else "ack-"


def _idempotency(digits: str) -> Key:
    return Key(f"key-{digits[:2]}", digits[2:])


def _latest(notification: Notification) -> Key:
    return Key(LATEST, f"{_END_OF_TIME - notification.created:012}-{notification.id}")


def _unplanned(notification_id: str, at: int) -> Key:
    return Key(UNPLANNED, f"{at:012}-{notification_id}")
