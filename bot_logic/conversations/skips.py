"""Whom a broadcast leaves out: who said stop, and who has blocked the bot for the time being.

A row for each, in a partition for each lane, under what names a recipient among the audiences: so
one range query says whom of a page to leave out. It is of a person or a group, not of one of their
conversations, and so outlives these and all writing of audiences anew.
docs/decisions/0032-who-said-stop-has-a-row-of-their-own.md
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, Self

from bot_logic.clock import Clock
from bot_logic.conversations.audiences import LANE_DIGITS, digits_in, recipient_of
from bot_logic.storage.protocols import Between, Key, RowConflict, StoredRow, Table

BLOCKED_FOR: Final = 7 * 24 * 3600  # seconds; who lets the bot in again causes no event

_PREFIX: Final = "skips-"
_OPTED_OUT: Final = "optedOut"
_BLOCKED: Final = "blocked"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Whom of some recipients a broadcast leaves out.

    Attributes:
        opted_out: Unix time, seconds, at which each has said stop, by recipient.
        blocked: what the channel answered, by recipient, where it is not to be asked again yet.
    """

    opted_out: dict[str, int] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """What is noted of somebody.

    Attributes:
        key: where it stands.
        why: "optedOut" or "blocked".
        since: Unix time, seconds, at which they said stop, or None.
        until: Unix time, seconds, until which the channel is not asked again, or None.
        reason: what it answered, or "".
    """

    key: Key
    why: str
    since: int | None
    until: int | None
    reason: str

    @classmethod
    def of(cls, row: StoredRow) -> Self:
        """Read a table's row."""
        read = row.columns.get
        why = row.key.row.rpartition("-")[2]
        return cls(row.key, why, read("since"), read("until"), read("reason", ""))


class Skips:
    """Who is to be left out of broadcasts, by recipient."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    async def opt_out(self, reference: Mapping[str, Any]) -> None:
        """Leave a person, or a group, out of broadcasts from now on; since when stays as it was.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        key = _key(recipient_of(reference), _OPTED_OUT)
        try:
            await self._table.insert(key, {"since": int(self._clock.now())})
        except RowConflict:
            return  # they have said so before

    async def opt_in(self, reference: Mapping[str, Any]) -> None:
        """Leave them out no longer.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        await self._table.delete(_key(recipient_of(reference), _OPTED_OUT))

    async def opted_out(self, reference: Mapping[str, Any]) -> int | None:
        """Return since when (Unix time) they are left out because they said so, or None."""
        found = await self._table.read(_key(recipient_of(reference), _OPTED_OUT))
        return None if found is None else int(found.columns["since"])

    async def block(self, reference: Mapping[str, Any], reason: str) -> None:
        """Leave them out for some days, because the channel has just answered that."""
        until = int(self._clock.now()) + BLOCKED_FOR
        row = {"until": until, "reason": reason}
        await self._table.put(_key(recipient_of(reference), _BLOCKED), row)

    async def unblock(self, reference: Mapping[str, Any]) -> None:
        """Note that the channel may be asked again."""
        await self._table.delete(_key(recipient_of(reference), _BLOCKED))

    async def follow(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Let it go with a person, who is known by another id now, that they said stop."""
        since = await self.opted_out(before)
        if since is not None:
            await self._table.put(_key(recipient_of(after), _OPTED_OUT), {"since": since})
        await self.forget(before)

    async def forget(self, reference: Mapping[str, Any]) -> None:
        """Delete all that was noted of somebody."""
        await self.opt_in(reference)
        await self.unblock(reference)

    async def among(self, recipients: Iterable[str]) -> Skipped:
        """Return whom of these to leave out: one range query for each lane.

        Args:
            recipients: as `recipient_of` and `recipient_in` name them.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        skipped = Skipped()
        for lane, some in groupby(sorted(set(recipients)), key=lambda each: each[:LANE_DIGITS]):
            of_lane = list(some)
            wanted, between = set(of_lane), Between(of_lane[0], f"{of_lane[-1]}~")
            async for row in self._table.rows(_partition(lane), between=between):
                self._add(row, wanted, skipped)
        return skipped

    async def noted(self, digits: frozenset[str]) -> AsyncIterator[Noted]:
        """Yield what is noted of whom these digits stand for; looks at whatever is noted.

        Args:
            digits: as `digits_for` returns them.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """
        async for row in self._table.rows(behind=Key(_PREFIX, "")):
            if not row.key.partition.startswith(_PREFIX):
                return
            if digits_in(f"{row.key.partition}/{row.key.row}") & digits:
                yield Noted.of(row)

    async def drop(self, noted: Noted) -> None:
        """Delete what is noted."""
        await self._table.delete(noted.key)

    def _add(self, row: StoredRow, wanted: set[str], skipped: Skipped) -> None:
        recipient, _, kind = row.key.row.rpartition("-")
        if recipient not in wanted:
            return
        if kind == _OPTED_OUT:
            skipped.opted_out[recipient] = int(row.columns["since"])
        elif self._clock.now() < int(row.columns["until"]):
            skipped.blocked[recipient] = str(row.columns["reason"])


def _key(recipient: str, kind: str) -> Key:
    return Key(_partition(recipient[:LANE_DIGITS]), f"{recipient}-{kind}")


def _partition(lane: str) -> str:
    return f"{_PREFIX}{lane}"
