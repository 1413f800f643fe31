"""A page: up to 250 recipients of one lane, their outcomes, and who is sending to them just now."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from bot_logic.conversations.audiences import Lane, digest
from bot_logic.notifications.outcomes import Outcome
from bot_logic.storage.protocols import Row

MOST: Final = 250  # recipients of a page; 11 KB of keys, and room for their outcomes
LEASE: Final = 60  # seconds for which a page is its sender's, from each note on
MAX_DETAIL: Final = 80  # characters of an activity's id, or of a reason
_NOT_PLAIN: Final = re.compile(r"[^ !#-\[\]-~]")
NOBODY: Final = "forgotten"  # the key of a recipient who was
COLUMNS: Final = (
    "channel",
    "tenant",
    "recipients",
    "outcomes",
    "messages",
    "attempt",
    "leaseUntil",
    "pausedUntilMs",
    "idle",
    "retried",
    "drains",
)
MAX_IDLE: Final = 10  # senders that may die in a row before one has noted anything


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a channel has taken: what a recall deletes, and an edit replaces.

    Attributes:
        conversation: digits that stand for it; "" if an older version has sent the message.
        activity: its id; "" if the channel gave none, or none that a page has room for.
    """

    conversation: str
    activity: str

    @classmethod
    def taken(cls, conversation: str, activity_id: str) -> Self:
        """Return what a channel has just taken; half an id would name another message, or none."""
        return cls(conversation, activity_id if bounded(activity_id) == activity_id else "")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One recipient: where the row is that says who, and what has become of it.

    Attributes:
        key: partition and row key of the table of audiences, with a slash between.
        outcome: what has become of it.
        detail: why it was not done.
        attempts: how many have failed.
        message: what was sent; of a recall or an edit, what it is to be done to.
        acknowledged: Unix time, seconds, of its confirmation; that stands in a row of its own.
    """

    key: str
    outcome: Outcome = Outcome.OPEN
    detail: str = ""
    attempts: int = 0
    message: Message | None = None
    acknowledged: int = 0

    @property
    def digits(self) -> str:
        """Digits that stand for it within its page."""
        return digest(self.key)[:16]

    @property
    def may_be_tried_again(self) -> bool:
        """Tell whether it did not get it, and is known."""
        known = self.outcome != Outcome.UNKNOWN and self.key != NOBODY
        return known and self.outcome.is_failure

    def ended(self, outcome: Outcome, detail: str = "") -> Self:
        """Return it with another outcome."""
        return replace(self, outcome=outcome, detail=bounded(detail))

    def sent(self, message: Message) -> Self:
        """Return it with what the channel has taken."""
        return replace(self.ended(Outcome.SENT), message=message)

    def forgotten(self) -> Self:
        """Return it without what leads to anybody; who has not got it does not get it."""
        gone = self.outcome == Outcome.OPEN
        ended = self.ended(Outcome.GONE, "was forgotten") if gone else self
        return replace(ended, key=NOBODY, message=None)

    def opened(self) -> Self:
        """Return it with another try."""
        return replace(self, outcome=Outcome.OPEN, detail="", attempts=0)


@dataclass(frozen=True, slots=True)
class Page:
    """Recipients of one lane.

    Attributes:
        lane: what they share a limit in.
        recipients: in the order of their keys.
        attempt: the number of the last sender; it fences off those before.
        lease_until: Unix time, seconds, until which that one may send; 0 when it has ended.
        paused_until: Unix time, seconds, before which the channel does not want to be asked.
        drains: whether its sender begins with nobody more, and waits for those under way.
        idle: senders in a row that have noted nothing.
        retried: whether an operator wants those asked again who had blocked the bot.
    """

    lane: Lane
    recipients: tuple[Recipient, ...]
    attempt: int = 0
    lease_until: int = 0
    paused_until: float = 0.0
    idle: int = 0
    drains: bool = False
    retried: bool = False

    @classmethod
    def of(cls, row: Row) -> Self:
        """Read a table's row."""
        return cls(
            Lane(row["channel"], row["tenant"]),
            tuple(_recipients(row)),
            int(row["attempt"]),
            int(row["leaseUntil"]),
            seconds(row.get("pausedUntilMs", 0)),
            int(row["idle"]),
            bool(row.get("drains", False)),
            bool(row.get("retried")),
        )

    def to_row(self) -> Row:
        """Return the page as a table's row; with counts, so that nobody has to read all of it."""
        return {
            "channel": self.lane.channel,
            "tenant": self.lane.tenant,
            "recipients": _json([each.key for each in self.recipients]),
            "outcomes": _json([_outcome_of(each) for each in self.recipients]),
            "messages": _json([_message_of(each) for each in self.recipients]),
            "counts": _json(Counter(each.outcome.value for each in self.recipients)),
            "open": self.open,
            "attempt": self.attempt,
            "leaseUntil": self.lease_until,
            "pausedUntilMs": milliseconds(self.paused_until),
            "idle": self.idle,
            "drains": self.drains,
            "retried": self.retried,
        }

    @property
    def open(self) -> int:
        """How many recipients have no outcome yet."""
        return sum(each.outcome == Outcome.OPEN for each in self.recipients)

    def is_leased(self, now: float) -> bool:
        """Tell whether somebody is sending it."""
        return now < self.lease_until

    def is_draining(self, now: float) -> bool:
        """Tell whether it has a sender who begins with nobody more."""
        return self.drains and self.is_leased(now)

    def claimed(self, now: float) -> Self:
        """Return the page as its next sender's; given up, if too many have died of it."""
        if self.idle >= MAX_IDLE:
            return self.all_open(Outcome.GIVEN_UP, f"{self.idle} senders have died of this page")
        return replace(
            self,
            attempt=self.attempt + 1,
            lease_until=int(now) + LEASE,
            paused_until=0.0,
            drains=False,
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
                each.opened() if each.may_be_tried_again else each for each in self.recipients
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


def milliseconds(moment: float) -> int:
    """Return a Unix time as rows have it, which have whole numbers only."""
    return round(moment * 1000)


def seconds(stored: int) -> float:
    """Return the Unix time, in seconds, that a row has."""
    return int(stored) / 1000


def bounded(text: str) -> str:
    """Return what a page's row has room for, 250 times: few characters, of one byte in JSON."""
    return _NOT_PLAIN.sub("?", text[:MAX_DETAIL])


def page_key(lane: Lane, number: int) -> str:
    """Return a page's row key: pages of one lane lie together, in the order of planning."""
    return f"{page_prefix(lane.id)}{number:08}"


def page_prefix(lane_id: str) -> str:
    """Return how the row keys of a lane's pages begin."""
    return f"page-{lane_id}-"


def _recipients(row: Row) -> Iterable[Recipient]:
    keys, outcomes = json.loads(row["recipients"]), json.loads(row["outcomes"])
    if row.get("messages") is None:
        yield from map(_of_older_version, keys, outcomes)
        return
    for key, (outcome, detail, attempts), message in zip(
        keys, outcomes, json.loads(row["messages"]), strict=True
    ):
        sent = Message(*message) if message else None
        yield Recipient(key, Outcome(outcome), detail, attempts, sent)


def _of_older_version(key: str, noted: Sequence[Any]) -> Recipient:
    """Read a recipient whose activity's id stands where now is only why it was not sent."""
    outcome, detail, attempts = noted
    if outcome == Outcome.SENT:
        return Recipient(key, Outcome.SENT, "", attempts, Message("", detail))
    return Recipient(key, Outcome(outcome), detail, attempts)


def _outcome_of(recipient: Recipient) -> list[object]:
    return [recipient.outcome.value, recipient.detail, recipient.attempts]


def _message_of(recipient: Recipient) -> list[str] | None:
    message = recipient.message
    return [message.conversation, message.activity] if message else None


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
