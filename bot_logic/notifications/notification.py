"""A notification: one order to say something to an audience, and how a table's row holds it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

from bot_logic.contract.envelope import compact_json
from bot_logic.storage.protocols import Row

COLUMN: Final = 60_000  # bytes; one column of a row holds 64 KiB


class State(StrEnum):
    """What a notification is at, as its rows tell."""

    SCHEDULED = "scheduled"
    """It is not due yet."""

    SENDING = "sending"
    """It is due, and not all recipients have their outcome."""

    DONE = "done"
    """Planning has ended, and each recipient has an outcome."""

    CANCELLED = "cancelled"
    """Somebody cancelled it; who had not got it by then does not."""

    EXPIRED = "expired"
    """It was too late for those who had not got it by then."""

    REFUSED = "refused"
    """Nothing was sent, because more would have got it than its author allowed."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What is to be said, to whom and when, and how far its planning is.

    Attributes:
        id: which names it.
        to: the audience, as it was asked for.
        activity: what is sent to each, as a Bot Framework Activity in JSON.
        at: Unix time, seconds, from which on it is sent.
        expires: Unix time, seconds, from which on it is not.
        created: Unix time, seconds.
        cursor: how far planning has read the audience; "" before it begins.
        planned: whether planning has ended.
        pages: how many there are so far.
        cancelled: Unix time, seconds, of its cancelling; 0 if nobody did.
        refused: why nothing is sent; "" if it is.
        key: the idempotency key that stands for it, if there is one.
    """

    id: str
    to: Any
    activity: Mapping[str, Any]
    at: int
    expires: int
    created: int
    cursor: str = ""
    planned: bool = False
    pages: int = 0
    cancelled: int = 0
    refused: str = ""
    key: str = ""

    @classmethod
    def of(cls, notification_id: str, row: Row) -> Self:
        """Read a table's row."""
        return cls(
            notification_id,
            _joined(row, "to"),
            _joined(row, "activity"),
            int(row["at"]),
            int(row["expires"]),
            int(row["created"]),
            row["cursor"],
            row["planned"],
            int(row["pages"]),
            int(row["cancelled"]),
            row["refused"],
            row["key"],
        )

    def to_row(self) -> Row:
        """Return the notification as a table's row."""
        return {
            **_split("to", self.to),
            **_split("activity", self.activity),
            "at": self.at,
            "expires": self.expires,
            "created": self.created,
            "cursor": self.cursor,
            "planned": self.planned,
            "pages": self.pages,
            "cancelled": self.cancelled,
            "refused": self.refused,
            "key": self.key,
        }

    @property
    def is_broadcast(self) -> bool:
        """Tell whether it goes to whoever belongs to an audience, and not to those it names."""
        return isinstance(self.to, dict) and not self.to.keys() & {"user", "conversation"}

    def has_ended(self, now: float) -> bool:
        """Tell whether nothing more may be sent."""
        return bool(self.cancelled or self.refused) or now >= self.expires

    def state(self, now: float, still_open: int) -> State:
        """Return what it is at.

        Args:
            now: Unix time, seconds.
            still_open: recipients without an outcome.
        """
        if self.refused:
            return State.REFUSED
        if self.planned and not still_open:
            return State.DONE
        if self.cancelled:
            return State.CANCELLED
        if now >= self.expires:
            return State.EXPIRED
        return State.SENDING if now >= self.at else State.SCHEDULED

    def cancelled_at(self, now: float) -> Self:
        """Return it cancelled."""
        return replace(self, cancelled=int(now))


def _split(name: str, value: Any) -> Row:
    """Return JSON as columns of bytes, none larger than a table takes."""
    text = compact_json(value).encode()
    starts = range(0, len(text), COLUMN)
    return {f"{name}{number}": text[at : at + COLUMN] for number, at in enumerate(starts)}


def _joined(row: Row, name: str) -> Any:
    parts: list[bytes] = []
    while (part := row.get(f"{name}{len(parts)}")) is not None:
        parts.append(part)
    return json.loads(b"".join(parts))
