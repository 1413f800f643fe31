"""What the app asks of storage; the real account and its double in memory both have it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final, Protocol, Self

from bot_logic.errors import PermanentError, ServiceUnavailable

MAX_TEXT: Final = 32 * 1024  # UTF-16 code units that one string column holds
MAX_TRANSACTION: Final = 100  # writes; https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
MAX_DELAY: Final = 7 * 24 * 3600  # seconds that a queue message can be hidden

Row = Mapping[str, Any]  # of strings, whole numbers, booleans and bytes


@dataclass(frozen=True, slots=True)
class Key:
    """Where a row is. Rows of one partition are stored together, in the order of their row keys."""

    partition: str
    row: str


def digest_key(text: str) -> Key:
    """Return the key of a row that is found by any text, of any length and any characters.

    The digest spreads rows evenly over 256 partitions, so that many writers do not meet in one.
    https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
    """
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Key(digest[:2], digest[2:])


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it was read, and its ETag, which changes with each write."""

    key: Key
    columns: Row
    etag: str


class Change(StrEnum):
    """What one write of a transaction does to its row."""

    INSERT = "insert"  # there must be none yet
    REPLACE = "replace"  # nobody may have written it since `etag`
    PUT = "put"  # whatever was there
    DELETE = "delete"  # nobody may have written it since `etag`


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a transaction; `etag` goes with REPLACE and DELETE."""

    change: Change
    key: Key
    columns: Row
    etag: str = ""


def check_transaction(writes: Sequence[Write]) -> None:
    """Let pass what one transaction may hold.

    Raises:
        ValueError: too many writes or none, two partitions, or a row twice.
    """
    keys = [write.key for write in writes]
    if not 1 <= len(keys) <= MAX_TRANSACTION:
        raise ValueError(f"a transaction has 1 to {MAX_TRANSACTION} writes, not {len(keys)}")
    if len({key.partition for key in keys}) > 1 or len(set(keys)) < len(keys):
        raise ValueError("a transaction is of one partition, and of each row once")


class RowConflict(ServiceUnavailable):
    """Somebody else wrote the row since it was read."""


class RowRefused(PermanentError):
    """A table will never take this row: a column of it is too large, or malformed."""


@dataclass(frozen=True, slots=True)
class Between:
    """A range of row keys: those after one, up to another."""

    after: str
    last: str

    @classmethod
    def of_prefix(cls, prefix: str, *, after: str = "") -> Self:
        """Return the keys that go on behind this prefix, and come after some key if one is given.

        Behind it they have letters and digits only. No key leads out of the prefix.
        """
        return cls(max(after, prefix), f"{prefix}~")


class Table(Protocol):
    """Rows by key. The table is created at the first write that misses it.

    Each operation ends within seconds, and raises `ServiceUnavailable` if the table cannot be
    reached, is too slow or does not let us in. Each that writes a row raises `RowRefused` if the
    row itself is at fault.
    """

    async def read(self, key: Key) -> StoredRow | None:
        """Return the row under `key`, or None."""

    async def put(self, key: Key, row: Row) -> None:
        """Write the row, whatever was there."""

    async def insert(self, key: Key, row: Row) -> str:
        """Write a row that is not there yet, and return its ETag.

        Raises:
            RowConflict: there is one already.
        """

    async def replace(self, key: Key, row: Row, etag: str) -> str:
        """Write the row if nobody wrote it since `etag`, and return its new ETag.

        Raises:
            RowConflict: somebody did, or deleted it.
        """

    async def delete(self, key: Key, etag: str | None = None) -> None:
        """Delete the row, with `etag` only if nobody wrote it since; that there is none is fine.

        Raises:
            RowConflict: somebody did.
        """

    async def transact(self, writes: Sequence[Write]) -> None:
        """Do all writes or none: at most 100, of one partition, no row twice.

        Raises:
            RowConflict: a row is not as one of the writes expects it; nothing was written.
            ValueError: these writes make no transaction.
        """

    def rows(
        self,
        partition: str | None = None,
        *,
        between: Between | None = None,
        behind: Key | None = None,
        written_before: float | None = None,
        columns: Sequence[str] = (),
    ) -> AsyncIterator[StoredRow]:
        """Yield rows in the order of their keys.

        Args:
            partition: whose; None for all.
            between: which of a partition; by default all.
            behind: only those that come after this key, of whichever partition.
            written_before: Unix time, seconds, since which nobody has written them.
            columns: which of their columns are wanted; by default all.

        Raises:
            ServiceUnavailable: the table cannot be reached.
        """

    async def check(self) -> None:
        """Ask whether the table can be read, without creating or changing anything."""

    async def drop(self) -> None:
        """Delete the table and all its rows; that there is none is fine."""


class Queue(Protocol):
    """Puts messages on one queue; taking them off is the Functions host's work."""

    async def put(self, message: str, *, delay: int = 0) -> None:
        """Put a message on the queue; when this returns, the queue has it.

        Args:
            message: at most 48 KiB of UTF-8, or 64 KiB of what XML has a place for.
            delay: seconds in which nobody sees it (visibility timeout); seven days at most.

        Raises:
            QueueNotCreated: there is no queue and it could not be created.
            MessageNotInserted: the queue did not accept the message.
        """

    async def check(self) -> None:
        """Ask whether the queue can be read, without creating or changing anything.

        Raises:
            ServiceUnavailable: it cannot.
        """


class Storage(Protocol):
    """A storage account."""

    def queue(self, name: str) -> Queue:
        """Return the queue of this name, which is created when it is first needed."""

    def table(self, name: str) -> Table:
        """Return the table of this name, which is created when it is first needed."""

    async def close(self) -> None:
        """Close all connections."""


class ReceivedMessage(Protocol):
    """What is read of azure.functions.QueueMessage."""

    @property
    def id(self) -> str | None:
        """The queue's id of the message; it stays through all attempts."""

    def get_body(self) -> bytes | str:
        """Return the message as it stands on the queue: JSON, or base64 of it."""
