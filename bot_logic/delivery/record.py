"""What an idempotency record says of a message, and how a table's row holds it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bot_logic.contract.status import Status
from bot_logic.storage.protocols import Row

MAX_DONE: Final = 30_000  # characters; a row's string holds 32 Ki


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a message, of one recipient or of a page of them.

    Attributes:
        status: what has become of it.
        attempt: the number of the last attempt that has begun, or has failed.
        lease_until: Unix time, seconds, until which the attempt that is under way may take.
        details: further columns of the row, which are kept as they are.
        done: the ids of what attempts have sent that then failed; the next goes on behind it.
    """

    status: Status
    attempt: int
    lease_until: int
    details: Mapping[str, Any] = field(default_factory=dict)
    done: tuple[str, ...] = ()

    @classmethod
    def new(cls) -> "Record":
        """Return the record of a message of which nothing is known."""
        return cls(Status.OPEN, attempt=0, lease_until=0)

    @classmethod
    def of(cls, row: Row) -> "Record":
        """Read a table's row."""
        known = ("status", "attempt", "leaseUntil", "done")
        return cls(
            status=Status(row["status"]),
            attempt=int(row["attempt"]),
            lease_until=int(row["leaseUntil"]),
            done=tuple(json.loads(row.get("done", "[]"))),
            details={name: value for name, value in row.items() if name not in known},
        )

    def to_row(self) -> Row:
        """Return the record as a table's row."""
        return {
            **self.details,
            "status": self.status.value,
            "attempt": self.attempt,
            "leaseUntil": self.lease_until,
            **({"done": _bounded(self.done)} if self.done else {}),
        }

    def has_failed(self, attempt: int) -> bool:
        """Tell whether this attempt has failed, or a later one has begun: it has a successor."""
        if self.status == Status.OPEN:
            return attempt <= self.attempt
        return attempt < self.attempt

    def is_leased(self, now: float) -> bool:
        """Tell whether an attempt is under way."""
        return self.status == Status.UNDER_WAY and now < self.lease_until


@dataclass(frozen=True, slots=True)
class Claim:
    """A record whose lease this process holds, as it stands in the table."""

    key: str
    record: Record
    etag: str


def _bounded(done: tuple[str, ...]) -> str:
    """Return ids as JSON that fits into a row: at least how many there are."""
    text = json.dumps(done)
    return text if len(text) <= MAX_DONE else json.dumps([""] * len(done))
