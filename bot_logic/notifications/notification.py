"""A notification: one order to say something to an audience, and how a table's row holds it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

from bot_logic.contract.envelope import compact_json
from bot_logic.storage.protocols import Row

COLUMN: Final = 60_000  # bytes; one column of a row holds 64 KiB
TO_COLUMNS: Final = tuple(f"to{number}" for number in range(9))  # of which half a megabyte has need
FORGOTTEN: Final = {"forgotten": True}  # in `to`, in place of somebody who was


class Verb(StrEnum):
    """What a notification does."""

    SEND = "send"
    """It sends a message."""

    RECALL = "recall"
    """It deletes what another has sent."""

    EDIT = "edit"
    """It replaces what another has sent."""


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
        activity: what is sent to each, as a Bot Framework Activity in JSON; after an edit the new
            one, which is what a retry sends.
        at: Unix time, seconds, from which on it is sent.
        expires: Unix time, seconds, from which on it is not.
        created: Unix time, seconds.
        cursor: how far planning has read the audience; "" before it begins.
        planned: whether planning has ended.
        pages: how many there are so far.
        cancelled: Unix time, seconds, of its cancelling; 0 if nobody did.
        refused: why nothing is sent; "" if it is.
        key: the digest of the idempotency key that stands for it, if there is one.
        verb: what it does.
        of: the id of the notification whose messages it deletes or replaces; "" if it sends.
        after: the id of the one that changed these messages before it; "" if none did.
        recalled: Unix time, seconds, of its recall; 0 if nobody recalled it.
        changed_by: the id of its newest recall or edit; "" if there is none.
        acknowledge: what stands on the button by which recipients confirm it; "" for no button.
        traceparent: W3C Trace Context of the call that asked for it, or "".
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
    verb: Verb = Verb.SEND
    of: str = ""
    after: str = ""
    recalled: int = 0
    changed_by: str = ""
    acknowledge: str = ""
    traceparent: str = ""

    @staticmethod
    def to_of(row: Row) -> Any:
        """Read whom a row's notification is for, if no other column was asked for."""
        return _joined(row, "to")

    @classmethod
    def from_row(cls, notification_id: str, row: Row) -> Self:
        """Read a table's row; one of an older version lacks what only others have."""
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
            Verb(row.get("verb", Verb.SEND)),
            row.get("of", ""),
            row.get("after", ""),
            int(row.get("recalled", 0)),
            row.get("changedBy", ""),
            row.get("acknowledge", ""),
            row.get("traceparent", ""),
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
            "verb": self.verb.value,
            "of": self.of,
            "after": self.after,
            "recalled": self.recalled,
            "changedBy": self.changed_by,
            "acknowledge": self.acknowledge,
            "traceparent": self.traceparent,
        }

    @property
    def counts_receipts(self) -> bool:
        """Tell whether it is counted who has confirmed it; an edit's button is the original's."""
        return bool(self.acknowledge) and not self.of

    @property
    def is_broadcast(self) -> bool:
        """Tell whether it sends to whoever belongs to an audience, and not to those it names."""
        if self.verb is not Verb.SEND or isinstance(self.to, list):
            return False
        return not self.to.keys() & {"user", "conversation", "forgotten"}

    def has_ended(self, now: float) -> bool:
        """Tell whether nothing more may be sent."""
        return bool(self.cancelled or self.refused or self.recalled) or now >= self.expires

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
        if self.cancelled or self.recalled:
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
