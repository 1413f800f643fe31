"""A page: up to 250 recipients of one lane, their outcomes, and who is sending to them just now."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from bot_logic.conversations.audiences import Lane
from bot_logic.notifications.outcomes import Outcome
from bot_logic.storage.protocols import Row

MOST: Final = 250  # recipients of a page; 11 KB of keys, and room for their outcomes
LEASE: Final = 60  # seconds for which a page is its sender's, from each note on
MAX_DETAIL: Final = 80  # characters of an activity's id, or of a reason
_NOT_PLAIN: Final = re.compile(r"[^ !#-\[\]-~]")
MAX_IDLE: Final = 10  # senders that may die in a row before one has noted anything


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: where the row is that says who, and what has become of it.

    Attributes:
        key: partition and row key of the table of audiences, with a slash between.
        outcome: what has become of it.
        detail: the activity's id once it is sent; else why not.
        attempts: how many have failed.
    """

    key: str
    outcome: Outcome = Outcome.OPEN
    detail: str = ""
    attempts: int = 0

    def ended(self, outcome: Outcome, detail: str) -> Self:
        """Return it with another outcome."""
        return replace(self, outcome=outcome, detail=bounded(detail))


@dataclass(frozen=True, slots=True)
class Page:
    """Recipients of one lane.

    Attributes:
        lane: what they share a limit in.
        recipients: in the order of their keys.
        attempt: the number of the last sender; it fences off those before.
        lease_until: Unix time, seconds, until which that one may send; 0 when it has ended.
        paused_until: Unix time, seconds, before which the channel does not want to be asked.
        idle: senders in a row that have noted nothing.
        retried: whether an operator wants those asked again who had blocked the bot.
    """

    lane: Lane
    recipients: tuple[Recipient, ...]
    attempt: int = 0
    lease_until: int = 0
    paused_until: int = 0
    idle: int = 0
    retried: bool = False

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a table's row."""
        keys, outcomes = json.loads(row["recipients"]), json.loads(row["outcomes"])
        return cls(
            Lane(row["channel"], row["tenant"]),
            tuple(_recipients(keys, outcomes)),
            int(row["attempt"]),
            int(row["leaseUntil"]),
            int(row["pausedUntil"]),
            int(row["idle"]),
            bool(row.get("retried")),
        )

    def to_row(self) -> Row:
        """Return the page as a table's row; with counts, so that nobody has to read all of it."""
        return {
            "channel": self.lane.channel,
            "tenant": self.lane.tenant,
            "recipients": _json([each.key for each in self.recipients]),
            "outcomes": _json([_of_recipient(each) for each in self.recipients]),
            "counts": _json(Counter(each.outcome.value for each in self.recipients)),
            "open": self.open,
            "attempt": self.attempt,
            "leaseUntil": self.lease_until,
            "pausedUntil": self.paused_until,
            "idle": self.idle,
            "retried": self.retried,
        }

    @property
    def open(self) -> int:
        """How many recipients have no outcome yet."""
        return sum(each.outcome == Outcome.OPEN for each in self.recipients)

    def is_leased(self, now: float) -> bool:
        """Tell whether somebody is sending it."""
        return now < self.lease_until

    def claimed(self, now: float) -> Self:
        """Return the page as its next sender's; given up, if too many have died of it."""
        if self.idle >= MAX_IDLE:
            return self.all_open(Outcome.GIVEN_UP, f"{self.idle} senders have died of this page")
        return replace(
            self,
            attempt=self.attempt + 1,
            lease_until=int(now) + LEASE,
            paused_until=0,
            idle=self.idle + 1,
        )

    def with_outcomes(self, outcomes: Sequence[Recipient]) -> Self:
        """Return the page with what has become of its recipients."""
        return replace(self, recipients=tuple(outcomes), idle=0)

    def failures_opened(self) -> Self:
        """Return the page with another try for those that did not get it and are known."""
        return replace(
            self,
            recipients=tuple(
                Recipient(each.key)
                if each.outcome.is_failure and each.outcome != Outcome.UNKNOWN
                else each
                for each in self.recipients
            ),
            retried=True,
        )

    def all_open(self, outcome: Outcome, reason: str) -> Self:
        """Return the page with an end for each recipient that has none."""
        return replace(
            self,
            recipients=tuple(
                each.ended(outcome, reason) if each.outcome == Outcome.OPEN else each
                for each in self.recipients
            ),
            lease_until=0,
        )


def bounded(text: str) -> str:
    """Return what a page's row has room for, 250 times: few characters, of one byte in JSON."""
    return _NOT_PLAIN.sub("?", text[:MAX_DETAIL])


def page_key(lane: Lane, number: int) -> str:
    """Return a page's row key: pages of one lane lie together, in the order of planning."""
    return f"{page_prefix(lane.id)}{number:08}"


def page_prefix(lane_id: str) -> str:
    """Return how the row keys of a lane's pages begin."""
    return f"page-{lane_id}-"


def _recipients(keys: list[str], outcomes: list[list[object]]) -> Iterable[Recipient]:
    for key, (outcome, detail, attempts) in zip(keys, outcomes, strict=True):
        yield Recipient(key, Outcome(str(outcome)), str(detail), int(str(attempts)))


def _of_recipient(recipient: Recipient) -> list[object]:
    return [recipient.outcome.value, recipient.detail, recipient.attempts]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
